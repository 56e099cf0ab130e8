/**
 * The text view of a stream of items: tables with a header where the columns change, a row's own lines, headings and
 * notices in their place.
 */

import { type Columns, headerLine, tableLine } from './columns.ts';
import type { Item } from './item.ts';
import { type Line, span } from './line.ts';

/** Lines of the items; `columns` is the table of rows that bring no view. Rows without either print as `name: value`. */
export function* renderText(items: Iterable<Item>, columns: Columns | undefined): Iterable<Line> {
  let table: Columns | undefined;
  for (const item of items) {
    if (item.kind === 'text') {
      table = undefined;
      yield* item.lines;
    } else if (item.kind === 'notice') {
      yield [span(`(${item.text})`, undefined, 'warn')];
    } else if (typeof item.view === 'function') {
      table = undefined;
      yield* item.view();
    } else {
      const wanted = item.view ?? columns;
      if (wanted === undefined) {
        yield Object.entries(item.data)
          .map(([name, value]) => `${name}: ${String(value)}`)
          .join('  ');
        continue;
      }
      if (wanted !== table) yield headerLine(wanted);
      table = wanted;
      yield tableLine(wanted, item.data);
    }
  }
}
