/**
 * Rows of cells that are ready to be drawn: text without a control character, measured, with a style by its meaning.
 * The line prompt paints them (paint.ts), the panes hand the same spans to their own renderer.
 */
import { clustersOf, isPlain, showCluster } from './graphemes.ts';

/** What a span means; how that looks is the painter's choice. */
export type Style =
  | 'prompt'
  | 'text'
  | 'control' // stands for a character that cannot be shown
  | 'ghost' // the suggestion: not typed yet
  | 'match' // what a search found
  | 'candidate'
  | 'detail' // what explains a candidate
  | 'selected'
  | 'note' // remarks of the prompt itself
  | 'error';

export interface Span {
  readonly text: string;
  readonly style: Style;
  /** Cells. */
  readonly width: number;
}

export interface Row {
  readonly spans: readonly Span[];
  /** Cells of all spans. */
  readonly width: number;
}

/** A cell of the drawn rows. */
export interface Place {
  readonly row: number;
  readonly column: number;
}

/** A row of one span. */
export function rowOf(text: string, style: Style): Row {
  const width = isPlain(text)
    ? text.length
    : clustersOf(text).reduce((cells, each) => cells + showCluster(each).width, 0);
  return { spans: text === '' ? [] : [{ text, style, width }], width };
}

/** Sets text into rows of a given width, as a terminal would wrap it. */
export class RowBuilder {
  readonly #width: number;
  readonly #rows: Span[][] = [[]];
  #column = 0;

  constructor(width: number) {
    this.#width = width;
  }

  /** Where the next character goes; behind a full row that is the next one. */
  get place(): Place {
    if (this.#column < this.#width) return { row: this.#rows.length - 1, column: this.#column };
    return { row: this.#rows.length, column: 0 };
  }

  /** Cells left in the row of `place`. */
  get room(): number {
    return this.#width - this.place.column;
  }

  newRow(): void {
    this.#rows.push([]);
    this.#column = 0;
  }

  /** Puts a text cluster by cluster; `styleAt` may style by index. */
  put(text: string, style: Style): void {
    for (const cluster of clustersOf(text)) this.putCluster(cluster, style);
  }

  putCluster(cluster: string, style: Style): void {
    const shown = showCluster(cluster);
    if (!shown.escaped) {
      this.#putCells(shown.text, shown.width, style);
      return;
    }
    // An escape may break at the row's end: it is several characters on the screen.
    const escapedStyle = style === 'text' ? 'control' : style;
    for (const part of shown.text) this.#putCells(part, showCluster(part).width, escapedStyle);
  }

  #putCells(text: string, width: number, style: Style): void {
    if (this.#column + width > this.#width) this.newRow();
    const row = this.#rows.at(-1) ?? [];
    const last = row.at(-1);
    // Only plain text is joined, so that a painter can find columns within a span without measuring.
    const joins = last !== undefined && last.style === style && isPlain(text) === isPlain(last.text.slice(-1));
    if (joins) row[row.length - 1] = { text: last.text + text, style, width: last.width + width };
    else row.push({ text, style, width });
    this.#column += width;
  }

  /** The rows, with an empty one at the end if the cursor stands there because the row before is full. */
  rows(cursorRow: number): Row[] {
    if (cursorRow === this.#rows.length) this.newRow();
    return this.#rows.map((spans) => ({ spans, width: spans.reduce((cells, each) => cells + each.width, 0) }));
  }
}
