/**
 * The scrollback as cells: the rows of the window, the chosen line and its object, and what lies below.
 */
import type { Line } from '../../../core/output/line.ts';
import { textOf } from '../../../core/output/line.ts';
import type { CellWindow } from '../contract.ts';
import type { Look } from '../theme.ts';
import type { Cursor } from './cursor.ts';
import { textBetween } from './line-cells.ts';
import type { Position, Reading } from './reading.ts';

export interface ScrollbackView {
  readonly reading: Reading;
  readonly cursor: Cursor;
  readonly isFocused: boolean;
  /** Cells scrolled to the side, without wrapping. */
  readonly left: number;
}

export function paintScrollback(window: CellWindow, view: ScrollbackView): void {
  const { reading } = view;
  reading.resize(window.width, window.height);
  // While the end is not seen, the last row tells what lies below.
  if (reading.below > 0) reading.resize(window.width, window.height - 1);
  let y = 0;
  for (const position of reading.shown()) paintRow(window, y++, position, view);
  const { below } = reading;
  if (below > 0) {
    const rest = ` ${below.toLocaleString('en')} ${below === 1 ? 'line' : 'lines'} below: PgDn, End `;
    window.text(Math.max(0, window.width - rest.length - 1), window.height - 1, rest, 'status');
  }
  const { first } = reading.store;
  if (first > 0 && reading.top.line === first && reading.top.row === 0) {
    const gone = ` ${first.toLocaleString('en')} older lines were let go; COMMAND > FILE keeps all `;
    window.text(Math.max(0, window.width - gone.length - 1), 0, gone, 'warn');
  }
}

function paintRow(window: CellWindow, y: number, { line, row }: Position, view: ScrollbackView): void {
  const { reading, cursor, isFocused } = view;
  const rows = reading.rows(line);
  const piece = rows[row];
  if (piece === undefined) return;
  const left = reading.wraps ? 0 : view.left;
  const look = lookOf(line, view);
  let end = window.line(0, y, piece.line, { from: left, ...(look === undefined ? {} : { look }) });
  const block = reading.outline.blockOf(line, reading.store.end);
  if (block.isFolded && block.start === line && row === rows.length - 1) {
    end = window.text(end, y, `  [${(block.end - line - 1).toLocaleString('en')} lines folded]`, look ?? 'dim');
  }
  if (!reading.wraps && isCut(piece.line, left + window.width)) window.text(window.width - 1, y, '>', 'note');
  if (look !== undefined) window.fill(end, y, look);
  if (isFocused) paintPart(window, y, { line, row }, view);
  if (!isFocused || cursor.line !== line || cursor.isSelecting) return;
  const { target } = cursor;
  if (target === undefined) return;
  const next = rows[row + 1]?.start ?? Number.POSITIVE_INFINITY;
  const from = Math.max(target.from, piece.start + left);
  const to = Math.min(target.to, next);
  if (from >= to) return;
  const text = target.text.slice(from - target.from, to - target.from);
  window.text(from - piece.start - left, y, text, 'cursor-ref');
}

/** The cells of a row that are selected. */
function paintPart(
  window: CellWindow,
  y: number,
  { line, row }: Position,
  { reading, cursor, left }: ScrollbackView,
): void {
  const cells = cursor.cells(line);
  if (cells === undefined) return;
  const raw = reading.store.at(line) ?? '';
  const rows = reading.rows(line);
  const start = (rows[row]?.start ?? 0) + (reading.wraps ? 0 : left);
  const end = rows[row + 1]?.start ?? start + window.width;
  const paint = (from: number, to: number, look: Look): void => {
    const [first, last] = [Math.max(from, start), Math.min(to, end)];
    if (first < last) window.text(first - start, y, textBetween(raw, first, last), look);
  };
  paint(...cells, 'selected');
  if (cursor.line === line) paint(cursor.cell, cursor.cell + 1, 'cursor-ref');
}

function lookOf(line: number, { cursor, isFocused }: ScrollbackView): Look | undefined {
  if (!isFocused) return undefined;
  if (cursor.selects(line)) return 'selected';
  return cursor.line === line ? 'cursor-line' : undefined;
}

/** Whether a line goes on beyond a cell: exact for what is nearly all text of a kernel. */
function isCut(line: Line, cells: number): boolean {
  return textOf(line).length > cells;
}
