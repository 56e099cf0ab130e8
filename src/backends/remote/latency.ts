/** How long answers take: the last, the shortest, and the median of the latest. */
const KEPT = 64;

export class Latency {
  readonly #latest: number[] = [];
  #min = Number.POSITIVE_INFINITY;

  add(milliseconds: number): void {
    this.#latest.push(milliseconds);
    if (this.#latest.length > KEPT) this.#latest.shift();
    this.#min = Math.min(this.#min, milliseconds);
  }

  /** Undefined before the first. */
  get figures(): { readonly last: number; readonly min: number; readonly median: number } | undefined {
    const last = this.#latest.at(-1);
    if (last === undefined) return undefined;
    const sorted = [...this.#latest].sort((a, b) => a - b);
    return { last, min: this.#min, median: sorted[sorted.length >> 1] as number };
  }
}
