/**
 * What the chosen line is, below the list that it is chosen from: the code of a function, the value of a variable.
 */
import type { Line, Ref } from '../../core/output/line.ts';
import type { CellWindow } from './contract.ts';
import type { EngineTime } from './engine-time.ts';
import { followingOf } from './follow.ts';

/** Rows below which a list keeps its room for itself. */
const LEAST_ROWS = 9;
/** Lines that a look takes. */
const LINES_MAX = 40;

export class Preview {
  readonly #key: string;
  readonly #time: EngineTime;
  readonly #changed: () => void;
  #command: string | undefined;
  #lines: readonly Line[] = [];

  constructor(key: string, time: EngineTime, changed: () => void) {
    this.#key = `${key}: preview`;
    this.#time = time;
    this.#changed = changed;
  }

  clear(): void {
    this.#time.forget(this.#key);
    this.#command = undefined;
    this.#lines = [];
  }

  /** Looks at an object of a line. */
  show(ref: Ref, text: string): void {
    const { line } = followingOf(ref, text, () => true);
    if (line === this.#command) return;
    this.#command = line;
    const read: Line[] = [];
    this.#time.pane({
      key: this.#key,
      line,
      take: (lines, first) => {
        if (first) read.length = 0;
        read.push(...lines.slice(0, LINES_MAX - read.length));
      },
      done: (error) => {
        this.#lines = error === undefined ? read : [[{ text: error.join('; '), tone: 'warn' }]];
        this.#changed();
      },
    });
  }

  /** Rows that it takes of a pane. */
  rows(height: number): number {
    return this.#lines.length === 0 || height < LEAST_ROWS
      ? 0
      : Math.min(this.#lines.length + 1, Math.floor(height / 2));
  }

  /** Paints into the last `rows` rows. */
  paint(window: CellWindow, rows: number): void {
    if (rows === 0) return;
    const top = window.height - rows;
    window.fill(0, top);
    window.text(0, top, `  ${this.#command}`, 'header');
    for (let i = 1; i < rows; i++) {
      window.fill(0, top + i);
      window.line(0, top + i, this.#lines[i - 1] ?? '');
    }
  }
}
