/**
 * The tokeniser with a clock: hands out what came, and after a moment of silence what was left pending.
 */
import type { InputEvent } from './keys.ts';
import { type Pending, Tokenizer } from './tokenizer.ts';

/** Milliseconds of silence after which what is pending stands for itself. */
const PATIENCE: Readonly<Record<Exclude<Pending, 'nothing'>, number>> = { escape: 50, sequence: 250, paste: 1000 };

export class Keyboard {
  readonly #tokenizer = new Tokenizer();
  readonly #take: (events: readonly InputEvent[]) => void;
  #timer: NodeJS.Timeout | undefined;
  #overdue: NodeJS.Immediate | undefined;

  constructor(take: (events: readonly InputEvent[]) => void) {
    this.#take = take;
  }

  feed(chunk: Uint8Array | string): void {
    this.stop();
    this.#take(this.#tokenizer.feed(chunk));
    const { pending } = this.#tokenizer;
    if (pending === 'nothing') return;
    // When this process itself was late, the rest may lie unread in the terminal: one more turn of the event loop,
    // which reads before immediates run, tells.
    const flush = () => this.#take(this.#tokenizer.flush());
    this.#timer = setTimeout(() => {
      this.#overdue = setImmediate(flush);
    }, PATIENCE[pending]);
  }

  /** Forgets the clock: what is pending waits for the next chunk. */
  stop(): void {
    clearTimeout(this.#timer);
    clearImmediate(this.#overdue);
  }
}
