/**
 * Where one reads in what was printed: the row at the top of the window, and moving by rows over lines that are wrapped
 * or folded. Only lines near the window are ever laid out, however many there are.
 */
import type { Line } from '../../../core/output/line.ts';
import { withMatches } from './find-text.ts';
import type { LineStore } from './line-store.ts';
import { Outline } from './outline.ts';
import { type LineRow, rowsOf } from './rows-of.ts';

/** A row of a line. */
export interface Position {
  readonly line: number;
  readonly row: number;
}

/** Lines laid out that are kept: what the window shows, and what is near. */
const LAID_MAX = 512;

export class Reading {
  readonly store: LineStore;
  readonly outline = new Outline();
  #width = 80;
  #height = 1;
  #wraps = true;
  #matching = '';
  /** The first row that is shown, while the end is not followed. */
  #top: Position = { line: 0, row: 0 };
  #follows = true;
  readonly #laid = new Map<number, readonly LineRow[]>();

  constructor(store: LineStore) {
    this.store = store;
  }

  get width(): number {
    return this.#width;
  }

  get height(): number {
    return this.#height;
  }

  get wraps(): boolean {
    return this.#wraps;
  }

  set wraps(wraps: boolean) {
    this.#wraps = wraps;
    this.#laid.clear();
  }

  /** The text whose places are marked; empty: none. */
  set matching(text: string) {
    this.#matching = text;
    this.#laid.clear();
  }

  /** The end is shown, and what comes. */
  get follows(): boolean {
    return this.#follows;
  }

  /** The first row shown. */
  get top(): Position {
    return this.#follows ? this.#bottomTop() : this.#top;
  }

  resize(width: number, height: number): void {
    this.#height = Math.max(1, height);
    if (width === this.#width) return;
    this.#width = width;
    this.#laid.clear();
    // The line at the top stays there; its rows are others now.
    this.#top = { line: this.#top.line, row: 0 };
  }

  /** The rows of a line as they are shown. */
  rows(line: number): readonly LineRow[] {
    const known = this.#laid.get(line);
    if (known !== undefined) return known;
    const raw: Line = this.store.at(line) ?? '';
    const marked = withMatches(raw, this.#matching);
    const rows = this.#wraps ? rowsOf(marked, this.#width) : [{ line: marked, start: 0 }];
    // The last line may not be there yet.
    if (line >= this.store.end) return rows;
    this.#laid.set(line, rows);
    const [oldest] = this.#laid.keys();
    if (this.#laid.size > LAID_MAX && oldest !== undefined) this.#laid.delete(oldest);
    return rows;
  }

  /** The rows of the window, from the top. */
  *shown(): Generator<Position> {
    let { line, row } = this.top;
    for (let y = 0; y < this.#height && line < this.store.end; y++) {
      yield { line, row };
      if (++row < this.rows(line).length) continue;
      line = this.outline.step(line, 1, this.store.end);
      row = 0;
    }
  }

  toEnd(): void {
    this.#follows = true;
  }

  /** A line becomes the first one shown, as far as the window is then full. */
  toTop(line: number): void {
    this.#place({ line: this.outline.visible(Math.max(line, this.store.first)), row: 0 });
  }

  scroll(rows: number): void {
    if (rows === Infinity) this.toEnd();
    else if (rows === -Infinity) this.toTop(this.store.first);
    else this.#place(this.#moved(this.top, rows));
  }

  /** Scrolls as little as shows the line. */
  reveal(line: number): void {
    const top = this.top;
    if (line < top.line || (line === top.line && top.row > 0)) {
      this.#place({ line, row: 0 });
      return;
    }
    let last: Position = top;
    for (const position of this.shown()) last = position;
    const height = this.rows(line).length;
    if (line < last.line || (line === last.line && last.row === height - 1)) return;
    this.#place(this.#moved({ line, row: Math.min(height, this.#height) - 1 }, 1 - this.#height));
  }

  /** Lines below the window; those that are folded away below a line that is seen do not count. */
  get below(): number {
    if (this.#follows) return 0;
    let last = this.#top;
    for (const position of this.shown()) last = position;
    const { end } = this.store;
    const isCut = last.row < this.rows(last.line).length - 1;
    return Math.max(0, end - (isCut ? last.line : this.outline.step(last.line, 1, end)));
  }

  /** Lines were let go: what stood at the top may be gone. */
  forget(): void {
    const { first } = this.store;
    this.outline.forget(first);
    if (this.#top.line < first) this.#top = { line: first, row: 0 };
  }

  /** Where the window stands when it shows the end. */
  #bottomTop(): Position {
    const { end } = this.store;
    const line = this.outline.visible(end - 1);
    if (end <= this.store.first) return { line: this.store.first, row: 0 };
    return this.#moved({ line, row: this.rows(line).length - 1 }, 1 - this.#height);
  }

  #place(position: Position): void {
    const bottom = this.#bottomTop();
    this.#follows = position.line > bottom.line || (position.line === bottom.line && position.row >= bottom.row);
    this.#top = this.#follows ? bottom : position;
  }

  /** A position so many rows away, within the lines. */
  #moved({ line, row }: Position, by: number): Position {
    const { outline, store } = this;
    let at = row + by;
    let current = line;
    while (at < 0) {
      const before = outline.step(current, -1, store.end);
      if (before < store.first) return { line: current, row: 0 };
      current = before;
      at += this.rows(current).length;
    }
    while (at >= this.rows(current).length) {
      const after = outline.step(current, 1, store.end);
      if (after >= store.end) return { line: current, row: this.rows(current).length - 1 };
      at -= this.rows(current).length;
      current = after;
    }
    return { line: current, row: at };
  }
}
