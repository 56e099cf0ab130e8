/** How long the rest of some work will take, from how fast it went so far. */

/** Before this much is done, or this long has passed, nothing can be said. */
const LEAST_PART = 0.005;
const LEAST_MS = 1000;
/** What went on long ago tells less of the speed than this last time does. */
const WINDOW_MS = 20_000;

interface Mark {
  readonly part: number;
  readonly at: number;
}

export class Estimate {
  #marks: Mark[] = [];

  /** So much (0 to 1) is done at a time of performance.now(). Less than before: it is other work. */
  mark(part: number | undefined, at: number): void {
    const last = this.#marks.at(-1);
    if (part === undefined || (last !== undefined && part < last.part)) this.#marks = [];
    if (part === undefined) return;
    this.#marks.push({ part, at });
    // One from before the window stays: the speed is that of the whole window.
    while ((this.#marks[1]?.at ?? at) < at - WINDOW_MS) this.#marks.shift();
  }

  /** Milliseconds to the end; undefined while nothing can be said. */
  get leftMs(): number | undefined {
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const [part, took] = [last.part - first.part, last.at - first.at];
    return part < LEAST_PART || took < LEAST_MS ? undefined : (took / part) * (1 - last.part);
  }
}
