/**
 * A deadline that stands still while the user is asked something.
 */
export class Patience {
  onOver: () => void = () => undefined;
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(ms: number) {
    this.#ms = ms;
    this.#start();
  }

  /** The time that this takes does not count, and a whole new term begins after it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    try {
      return await work();
    } finally {
      if (this.#timer !== undefined) this.#start();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #start(): void {
    this.#timer = setTimeout(() => this.onOver(), this.#ms);
  }
}
