/**
 * A line set into rows of a width, as a terminal would wrap it: each row a line of its own, whose parts keep their tones
 * and references.
 */
import { type Line, type Span, spansOf } from '../../../core/output/line.ts';
import { clustersOf, isPlain, showCluster } from '../../prompt/graphemes.ts';
import { TAB } from '../window.ts';

/** One row of a line. */
export interface LineRow {
  /** Tabs are blanks here; control characters are as they came. */
  readonly line: Line;
  /** The cell of the line that the row begins with. */
  readonly start: number;
}

/** The rows of a line, at least one. */
export function rowsOf(line: Line, width: number): readonly LineRow[] {
  const room = Math.max(2, width);
  if (typeof line === 'string' && isPlain(line)) return plainRows(line, room);
  const builder = new Rows(room);
  for (const part of spansOf(line)) builder.add(part);
  return builder.rows();
}

function plainRows(text: string, width: number): readonly LineRow[] {
  if (text.length <= width) return [{ line: text, start: 0 }];
  const rows: LineRow[] = [];
  for (let start = 0; start < text.length; start += width) rows.push({ line: text.slice(start, start + width), start });
  return rows;
}

class Rows {
  readonly #width: number;
  readonly #rows: { spans: Span[]; start: number }[] = [{ spans: [], start: 0 }];
  /** Cells so far, of the line and of its last row. */
  #cells = 0;
  #used = 0;

  constructor(width: number) {
    this.#width = width;
  }

  add(part: Span): void {
    const text = typeof part === 'string' ? part : part.text;
    const like = (piece: string): Span => (typeof part === 'string' ? piece : { ...part, text: piece });
    for (const [i, piece] of text.split('\t').entries()) {
      if (i > 0) this.#put(like, ' '.repeat(TAB - (this.#cells % TAB)));
      this.#put(like, piece);
    }
  }

  rows(): readonly LineRow[] {
    return this.#rows.map(({ spans, start }) => ({ line: spans, start }));
  }

  #put(like: (piece: string) => Span, text: string): void {
    if (isPlain(text)) {
      for (let at = 0; at < text.length; ) {
        if (this.#used >= this.#width) this.#newRow();
        const piece = text.slice(at, at + this.#width - this.#used);
        this.#push(like(piece), piece.length);
        at += piece.length;
      }
      return;
    }
    let [piece, cells] = ['', 0];
    const flush = (): void => {
      if (piece !== '') this.#push(like(piece), cells);
      [piece, cells] = ['', 0];
    };
    for (const cluster of clustersOf(text)) {
      // Escaped, a cluster is several characters; they stay together where a row has room for them.
      const { width } = showCluster(cluster);
      if (this.#used + cells + width > this.#width && this.#used + cells > 0) {
        flush();
        this.#newRow();
      }
      piece += cluster;
      cells += width;
    }
    flush();
  }

  #push(span: Span, cells: number): void {
    this.#rows.at(-1)?.spans.push(span);
    this.#cells += cells;
    this.#used += cells;
  }

  #newRow(): void {
    this.#rows.push({ spans: [], start: this.#cells });
    this.#used = 0;
  }
}
