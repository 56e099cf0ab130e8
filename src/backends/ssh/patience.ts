/**
 * A deadline that stands still while the user is asked something, or has a token to touch.
 */
export class Patience {
  onOver: () => void = () => undefined;
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  /** How many things the user is busy with: a signature may wait for a passphrase. */
  #holds = 0;
  #isEnded = false;

  constructor(ms: number) {
    this.#ms = ms;
    this.#start();
  }

  /** The time that this takes does not count, and a whole new term begins after it. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    this.#holds++;
    try {
      return await work();
    } finally {
      this.#holds--;
      this.#start();
    }
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#isEnded = true;
  }

  #start(): void {
    if (this.#holds === 0 && !this.#isEnded) this.#timer = setTimeout(() => this.onOver(), this.#ms);
  }
}
