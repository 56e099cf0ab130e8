/**
 * The text view of a stream of items: tables with a header where the columns change, a row's own lines, headings and
 * notices in their place.
 */
import { type Columns, headerLine, tableLine } from './columns.ts';
import type { Item } from './item.ts';
import { toJson } from './json.ts';
import { type Line, span } from './line.ts';

/** Turns items into lines, one after the other: it remembers which table it is in. */
export class TextView {
  readonly #columns: Columns | undefined;
  #table: Columns | undefined;

  /** `columns` is the table of rows that bring no view. */
  constructor(columns: Columns | undefined) {
    this.#columns = columns;
  }

  /** Lines of the next item. A row without a view or columns prints as `name: value`. */
  *lines(item: Item): Iterable<Line> {
    switch (item.kind) {
      case 'pause':
        return;
      case 'text':
        this.#table = undefined;
        yield* item.lines;
        return;
      case 'notice':
        yield [span(`(${item.text})`, undefined, 'warn')];
        return;
      case 'row':
        yield* this.#row(item);
    }
  }

  *#row({ data, view }: Extract<Item, { kind: 'row' }>): Iterable<Line> {
    if (typeof view === 'function') {
      this.#table = undefined;
      yield* view();
      return;
    }
    const columns = view ?? this.#columns;
    if (columns === undefined) {
      const cells = Object.entries(data).map(([name, value]) => `${name}: ${plain(value)}`);
      yield cells.join('  ');
      return;
    }
    if (columns !== this.#table) yield headerLine(columns);
    this.#table = columns;
    yield tableLine(columns, data);
  }
}

/** A cell that no column shows: text and numbers as they are, the rest as JSON has it. */
function plain(value: unknown): string {
  const json = toJson(value);
  return typeof json === 'string' ? json : JSON.stringify(json);
}
