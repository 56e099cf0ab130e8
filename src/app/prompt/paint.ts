/**
 * Rows to escape sequences: draws a view below where the last one began, writing only what differs. It needs nothing
 * of a terminal but relative cursor movement, erasing and SGR, so it works at the current line of any screen and leaves
 * the scrollback alone.
 */
import { isPlain } from './graphemes.ts';
import type { Row, Span, Style } from './rows.ts';
import type { View } from './view.ts';

/** SGR parameters of each style. Attributes alone tell the styles apart: colour only helps. */
export type Theme = Readonly<Record<Style, string>>;

/** Without colour: bold, dim, underline and reverse stay (https://no-color.org speaks of colour only). */
export const PLAIN_THEME: Theme = {
  prompt: '1',
  text: '',
  control: '7',
  ghost: '2',
  match: '1;4',
  candidate: '',
  detail: '2',
  selected: '7',
  note: '2',
  error: '1',
};

/** The 16 colours that every terminal has and every theme of one makes readable. */
export const COLOUR_THEME: Theme = { ...PLAIN_THEME, prompt: '1;36', match: '1;4;33', error: '1;31', note: '36' };

/** What stands on the screen. */
export type Painted = View;

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const ERASE_BELOW = '\x1b[J';
const ERASE_TO_END = '\x1b[K';

function styled(text: string, style: Style, theme: Theme): string {
  const sgr = theme[style];
  return sgr === '' || text === '' ? text : `\x1b[${sgr}m${text}\x1b[m`;
}

function toColumn(column: number): string {
  return column === 0 ? '\r' : `\r\x1b[${column}C`;
}

function byRows(rows: number): string {
  if (rows === 0) return '';
  return rows > 0 ? `\x1b[${rows}B` : `\x1b[${-rows}A`;
}

/** Spans from a column on. Behind text that terminals measure differently the column is set anew. */
function paintSpans(spans: readonly Span[], from: number, theme: Theme): string {
  let [out, column] = ['', from];
  for (const [i, span] of spans.entries()) {
    out += styled(span.text, span.style, theme);
    column += span.width;
    if (!isPlain(span.text) && i < spans.length - 1) out += toColumn(column);
  }
  return out;
}

/** Where a row must be written anew, and with what; `wholly` when its cells cannot be told from its text. */
interface Difference {
  readonly column: number;
  readonly spans: readonly Span[];
  readonly wholly: boolean;
}

function isMeasured(row: Row): boolean {
  return row.spans.every((span) => isPlain(span.text));
}

function difference(last: Row, next: Row): Difference | undefined {
  const same = (a: Span | undefined, b: Span | undefined): boolean => a?.text === b?.text && a?.style === b?.style;
  let [i, column] = [0, 0];
  while (same(last.spans[i], next.spans[i])) {
    if (next.spans[i] === undefined) return undefined;
    column += next.spans[i]?.width ?? 0;
    i++;
  }
  if (!isMeasured(last) || !isMeasured(next)) return { column: 0, spans: next.spans, wholly: true };
  const [a, b] = [last.spans[i], next.spans[i]];
  const rest = next.spans.slice(i);
  if (a === undefined || b === undefined || a.style !== b.style) return { column, spans: rest, wholly: false };
  let common = 0;
  while (common < a.text.length && a.text[common] === b.text[common]) common++;
  const tail: Span = { text: b.text.slice(common), style: b.style, width: b.width - common };
  return { column: column + common, spans: [tail, ...rest.slice(1)], wholly: false };
}

/** A row over what stands there. Updates `at`, the cursor's column: -1 when it is not known for certain. */
function paintRow(last: Row | undefined, next: Row, at: { column: number }, theme: Theme): string {
  const changed = last === undefined ? { column: 0, spans: next.spans, wholly: false } : difference(last, next);
  if (changed === undefined) return '';
  let out = at.column === changed.column ? '' : toColumn(changed.column);
  // Erased before and not after: behind a full row the cursor still stands on the last cell, which would go as well.
  if (changed.wholly) out += ERASE_TO_END;
  out += paintSpans(changed.spans, changed.column, theme);
  at.column = isMeasured(next) ? next.width : -1;
  const shorter = last !== undefined && !changed.wholly && next.width < last.width;
  return shorter ? `${out}${ERASE_TO_END}` : out;
}

/** The bytes that turn what is painted (nothing, if undefined: the cursor is in the first column) into `next`. */
export function paint(painted: Painted | undefined, next: View, theme: Theme): string {
  let out = painted === undefined ? `\r${ERASE_BELOW}` : '';
  const last = painted?.rows ?? [];
  let row = painted?.cursor.row ?? 0;
  let standing = Math.max(last.length, 1);
  const at = { column: painted?.cursor.column ?? 0 };
  let written = 0;
  for (const [i, each] of next.rows.entries()) {
    let move = '';
    const began = { column: at.column };
    if (i < standing) move = byRows(i - row);
    else {
      // Only a line feed makes room below the screen's last row.
      move = `${byRows(standing - 1 - row)}\r\n`;
      began.column = 0;
      standing++;
    }
    const body = paintRow(last[i], each, began, theme);
    if (body === '' && i < last.length) continue;
    out += move + body;
    row = i;
    at.column = began.column;
    written++;
  }
  if (last.length > next.rows.length) {
    out += `${byRows(next.rows.length - row)}\r${ERASE_BELOW}`;
    row = next.rows.length;
    at.column = 0;
    written++;
  }
  out += byRows(next.cursor.row - row);
  const there = at.column === next.cursor.column;
  out += there ? '' : toColumn(next.cursor.column);
  return written > 1 ? `${HIDE_CURSOR}${out}${SHOW_CURSOR}` : out;
}

/** Erases what is painted; the cursor ends in the first column where it began. */
export function erase(painted: Painted): string {
  return `${byRows(-painted.cursor.row)}\r${ERASE_BELOW}`;
}

/**
 * Replaces what is painted by rows that stay, and goes to the line below. A row that is full flows into the next one
 * without a line feed, so that the terminal knows them as one line when it is resized or copied from.
 */
export function settle(painted: Painted | undefined, rows: readonly Row[], width: number, theme: Theme): string {
  let out = painted === undefined ? '\r' : erase(painted);
  for (const [i, row] of rows.entries()) {
    out += paintSpans(row.spans, 0, theme);
    const flows = row.width === width && i < rows.length - 1 && (rows[i + 1]?.width ?? 0) > 0;
    if (!flows) out += '\r\n';
  }
  return out;
}

/**
 * Where the cursor is after the terminal has another width, counted from where painting began. Nearly all terminals
 * wrap rows anew that have become too long, but not all of them (xterm.js, for one) the row that the cursor is in:
 * those leave it in the last column. `column` is where the terminal says that it is; in doubt the prompt is taken for
 * smaller, so that at worst a stale piece of it stays and nothing else is erased.
 */
export function reflowed(painted: Painted, width: number, column: number | undefined): Painted {
  const height = (row: Row): number => Math.max(1, Math.ceil(row.width / Math.max(1, width)));
  const above = painted.rows.slice(0, painted.cursor.row).reduce((rows, row) => rows + height(row), 0);
  const wrapped = painted.cursor.column % Math.max(1, width);
  const within =
    column === wrapped && wrapped !== width - 1 ? Math.floor(painted.cursor.column / Math.max(1, width)) : 0;
  return { rows: painted.rows, cursor: { row: above + within, column: wrapped } };
}
