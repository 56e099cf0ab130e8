/**
 * How a pane gets its lines: a command is read in the engine's spare time, once, again and again, or as a stream.
 */
import { foldOf, type Line } from '../../core/output/line.ts';
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
  /** Lines with all that is folded in them: what memory they take. */
  #weight = 0;
  /** So many of the last lines were read from a buffer, out of which a stream takes them once more. */
  #unstreamed = 0;
  /** Lines are gone since some were added last. */
  #isCut = false;
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
        this.#set([...read]);
        show();
      },
      done: (error) => {
        this.isReading = false;
        this.#readAt = performance.now();
        this.#took = this.#readAt - started;
        this.error = error?.filter((each) => !each.startsWith('  ')).join('; ');
        this.#set(read);
        this.#unstreamed = read.length;
        done();
      },
    });
  }

  /** Lines that were read elsewhere, in the place of all. */
  put(lines: readonly Line[]): void {
    this.#time.forget(this.#key);
    this.isReading = false;
    this.error = undefined;
    this.#set([...lines]);
    this.#readAt = performance.now();
  }

  /** Adds what a command prints for as long as it runs; `ended` is called when it stops by itself. */
  stream(line: string, append: (lines: readonly Line[]) => void, ended: () => void): void {
    this.error = undefined;
    const done = (error: readonly string[] | undefined): void => {
      this.error = error?.join('; ');
      ended();
    };
    const take = (lines: readonly Line[]): void => {
      if (lines.length > 0) this.#dropUnstreamed();
      append(lines);
    };
    this.#time.pane({ key: this.#streamKey, line, endless: true, take, done });
  }

  /** Adds what a command prints behind what a stream brought. */
  readRest(line: string, append: (lines: readonly Line[]) => void): void {
    let read: Line[] = [];
    const take = (lines: readonly Line[], first: boolean): void => {
      read = first ? [...lines] : [...read, ...lines];
    };
    const done = (): void => {
      append(read);
      this.#unstreamed = read.length;
    };
    this.#time.pane({ key: this.#streamKey, line, take, done });
  }

  endStream(): void {
    this.#time.forget(this.#streamKey);
  }

  /** Lines that came by themselves, behind what was read. True when others are gone: the oldest, in large steps. */
  append(lines: readonly Line[]): boolean {
    this.#count(lines.length);
    for (const line of lines) this.#lines.push(line);
    this.#weight += weightOf(lines);
    const isCut = this.#isCut;
    this.#isCut = false;
    if (this.#weight <= PANE_LINES_MAX * 1.25) return isCut;
    let first = 0;
    for (; this.#weight > PANE_LINES_MAX; first++) this.#weight -= weightOf(this.#lines.slice(first, first + 1));
    this.#lines = this.#lines.slice(first);
    return true;
  }

  /** Lines a second that come by themselves, as of the last second in which any came. */
  get rate(): number {
    return this.#rate;
  }

  #set(lines: Line[]): void {
    this.#lines = lines;
    this.#weight = weightOf(lines);
    this.#unstreamed = 0;
  }

  #dropUnstreamed(): void {
    if (this.#unstreamed === 0) return;
    this.#set(this.#lines.slice(0, -this.#unstreamed));
    this.#isCut = true;
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

function weightOf(lines: readonly Line[]): number {
  return lines.reduce((sum, line) => sum + 1 + (foldOf(line)?.count ?? 0), 0);
}
