/**
 * How a pane gets its lines: a command is read in the engine's spare time, once, again and again, or as a stream.
 */
import type { Line } from '../../core/output/line.ts';
import { type EngineTime, PANE_LINES_MAX } from './engine-time.ts';

/** What is read again and again is read for at most one part in so many of the time. */
const SHARE = 5;
/** What was read this long ago, at least, may be another by now. */
const STALE_MS = 2000;
/** How long lines are counted to tell how fast they come. */
const COUNT_MS = 1000;

export class PaneReading {
  isReading = false;
  /** What was wrong with the last reading. */
  error: string | undefined;
  readonly #key: string;
  readonly #time: EngineTime;
  #lines: Line[] = [];
  /** When it was read last, and how long that took, in milliseconds of performance.now(). */
  #readAt = 0;
  #took = 0;
  #rate = 0;
  #came = 0;
  #countedAt = 0;

  constructor(key: string, time: EngineTime) {
    this.#key = key;
    this.#time = time;
  }

  /** What was read. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Whether it is worth reading again by now. */
  isDue(now: number): boolean {
    return !this.isReading && now - this.#readAt >= Math.max(STALE_MS, this.#took * SHARE);
  }

  /**
   * Reads a command. `show` is called with its first lines, and `done` at its end; where `keeps`, only then: what stands
   * there stays until the new lines have come, so that a pane that is read again does not flicker.
   */
  load(line: string, keeps: boolean, show: () => void, done: () => void): void {
    const read: Line[] = [];
    const started = performance.now();
    this.isReading = true;
    this.#time.pane({
      key: this.#key,
      line,
      take: (lines, first) => {
        if (first) read.length = 0;
        for (const each of lines) read.push(each);
        if (keeps || !first || lines.length === 0) return;
        this.#lines = [...read];
        show();
      },
      done: (error) => {
        this.isReading = false;
        this.#readAt = performance.now();
        this.#took = this.#readAt - started;
        this.error = error?.filter((each) => !each.startsWith('  ')).join('; ');
        this.#lines = read;
        done();
      },
    });
  }

  /** Lines that were read elsewhere, in the place of all. */
  put(lines: readonly Line[]): void {
    this.#time.forget(this.#key);
    this.isReading = false;
    this.error = undefined;
    this.#lines = [...lines];
    this.#readAt = performance.now();
  }

  /** Adds what a command prints for as long as it runs; `ended` is called when it stops by itself. */
  stream(line: string, append: (lines: readonly Line[]) => void, ended: () => void): void {
    this.error = undefined;
    const done = (error: readonly string[] | undefined): void => {
      this.error = error?.join('; ');
      ended();
    };
    this.#time.pane({ key: this.#streamKey, line, endless: true, take: append, done });
  }

  endStream(): void {
    this.#time.forget(this.#streamKey);
  }

  /** Lines that came by themselves, behind what was read. */
  append(lines: readonly Line[]): void {
    this.#count(lines.length);
    for (const line of lines) this.#lines.push(line);
    if (this.#lines.length > PANE_LINES_MAX * 1.25) this.#lines = this.#lines.slice(-PANE_LINES_MAX);
  }

  /** Lines a second that come by themselves, as of the last second in which any came. */
  get rate(): number {
    return this.#rate;
  }

  #count(lines: number): void {
    const now = performance.now();
    this.#came += lines;
    const elapsed = now - this.#countedAt;
    if (elapsed < COUNT_MS) return;
    this.#rate = Math.round((this.#came * 1000) / elapsed);
    [this.#countedAt, this.#came] = [now, 0];
  }

  get #streamKey(): string {
    return `${this.#key}: stream`;
  }
}
