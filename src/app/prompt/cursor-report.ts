/**
 * Asks the terminal where its cursor is (DSR 6) after a resize. The answer, `CSI row ; column R`, comes among the keys
 * and may look like F3; it is looked for only while it is expected, and missed after a moment.
 */
import type { InputEvent } from './keys.ts';

const ASK = '\x1b[6n';
/** Milliseconds that an answer may take: a round trip on a slow link. */
const PATIENCE_MS = 200;

export class CursorReport {
  readonly #write: (text: string) => void;
  readonly #use: (column: number | undefined) => void;
  /** Questions without an answer. Each resize asks again; the last answer is the one that holds. */
  #open = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `use` hears the 0-based column, or undefined when the terminal does not answer. */
  constructor(write: (text: string) => void, use: (column: number | undefined) => void) {
    this.#write = write;
    this.#use = use;
  }

  get isExpected(): boolean {
    return this.#open > 0;
  }

  ask(): void {
    this.#open++;
    this.#write(ASK);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#done(undefined), PATIENCE_MS);
  }

  /** Whether the event was an expected answer. */
  takes(event: InputEvent): boolean {
    if (!this.isExpected || !('raw' in event)) return false;
    const column = /^\x1b\[\d+;(\d+)R$/.exec(event.raw)?.[1];
    if (column === undefined) return false;
    this.#open--;
    if (this.#open === 0) this.#done(Number(column) - 1);
    return true;
  }

  /** No answer is of interest any more. */
  forget(): void {
    this.#open = 0;
    clearTimeout(this.#timer);
  }

  #done(column: number | undefined): void {
    this.forget();
    this.#use(column);
  }
}
