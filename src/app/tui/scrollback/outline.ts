/**
 * The commands in what was printed: where each begins, and whether its output is folded away below its line. Lines are
 * meant by their numbers in the store.
 */

export interface Block {
  /** The line of the command; -1 for what was printed before the first one. */
  readonly start: number;
  /** One past its last line. */
  readonly end: number;
  readonly isFolded: boolean;
}

export class Outline {
  #starts: number[] = [];
  readonly #folded = new Set<number>();

  /** A command begins at this line. */
  begin(line: number): void {
    this.#starts.push(line);
  }

  /** The block that a line is in; `end` is that of all lines. */
  blockOf(line: number, end: number): Block {
    const place = this.#placeOf(line);
    const start = this.#starts[place] ?? -1;
    return { start, end: this.#starts[place + 1] ?? end, isFolded: this.#folded.has(start) };
  }

  /** Folds a block, or unfolds it. Output before the first command stays. */
  toggle(block: Block): void {
    if (block.start < 0) return;
    if (!this.#folded.delete(block.start)) this.#folded.add(block.start);
  }

  /** The line of the command before or after a line. */
  command(line: number, direction: 1 | -1): number | undefined {
    const place = this.#placeOf(line);
    if (direction === 1) return this.#starts[place + 1];
    return this.#starts[place] === line ? this.#starts[place - 1] : this.#starts[place];
  }

  /** The line itself, or the command's below which it is folded away. */
  visible(line: number): number {
    const start = this.#starts[this.#placeOf(line)];
    return start !== undefined && this.#folded.has(start) ? start : line;
  }

  /** The next line that is seen, forwards or backwards; it may lie beyond the ends. */
  step(line: number, direction: 1 | -1, end: number): number {
    if (direction === -1) return this.visible(line - 1);
    const { start, end: stop, isFolded } = this.blockOf(line, end);
    return isFolded && start === line ? stop : line + 1;
  }

  /** Forgets commands whose lines were let go. */
  forget(first: number): void {
    const kept = this.#starts.filter((start) => start >= first);
    if (kept.length === this.#starts.length) return;
    for (const start of this.#starts) if (start < first) this.#folded.delete(start);
    this.#starts = kept;
  }

  /** The place of the last command at or before a line, or -1. */
  #placeOf(line: number): number {
    let [low, high] = [-1, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] as number) <= line) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
