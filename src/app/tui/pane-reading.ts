/**
 * How a pane gets its lines: a command is read in the engine's spare time, once, again and again, or as a stream.
 */
import type { Line } from '../../core/output/line.ts';
import { type EngineTime, PANE_LINES_MAX } from './engine-time.ts';

/** What is read again and again is read for at most one part in so many of the time. */
const SHARE = 5;

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

  constructor(key: string, time: EngineTime) {
    this.#key = key;
    this.#time = time;
  }

  /** What was read. */
  get lines(): readonly Line[] {
    return this.#lines;
  }

  /** Whether it may be read again by now. */
  isDue(now: number): boolean {
    return !this.isReading && now - this.#readAt >= this.#took * SHARE;
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
    for (const line of lines) this.#lines.push(line);
    if (this.#lines.length > PANE_LINES_MAX * 1.25) this.#lines = this.#lines.slice(-PANE_LINES_MAX);
  }

  get #streamKey(): string {
    return `${this.#key}: stream`;
  }
}
