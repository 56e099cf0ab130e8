/**
 * What the prompt looks like: rows and the cursor's cell, from the editor's state alone. From the top: the prompt and
 * the wrapped line with the suggestion behind it, under a wrong place a caret with the complaint, then the search line
 * or the completion menu.
 */
import type { Complaint, EditorState } from './editor-state.ts';
import { clustersOf, showText } from './graphemes.ts';
import { suggestionOf } from './history-browse.ts';
import { menuRows } from './menu-view.ts';
import { type Place, type Row, RowBuilder, rowOf, type Style } from './rows.ts';

/** Width and height taken for terminals that do not tell theirs. */
export const DEFAULT_WIDTH = 80;
export const DEFAULT_HEIGHT = 24;
/** Rows that a complaint may take. */
const COMPLAINT_ROWS = 4;

export interface ViewOptions {
  readonly prompt: string;
  /** Columns of the terminal. */
  readonly width: number;
  /** Rows of the terminal. */
  readonly height: number;
}

export interface View {
  readonly rows: readonly Row[];
  readonly cursor: Place;
}

/** The prompt as it is while the line is edited. */
export function view(state: EditorState, options: ViewOptions): View {
  const width = Math.max(2, options.width);
  const height = Math.max(1, options.height);
  const { rows, cursor, complaint } = lineRows(state, options.prompt, width, suggestionOf(state));
  let place = cursor;
  if (state.complaint !== undefined) {
    const below = complaint?.row ?? rows.length - 1;
    const remarks = complaintRows(state.complaint, complaint?.column, width);
    rows.splice(below + 1, 0, ...remarks);
    if (place.row > below) place = { row: place.row + remarks.length, column: place.column };
  }
  if (state.search !== undefined) {
    const label = `${state.search.failed ? 'no ' : ''}${state.search.direction} match for: `;
    const room = Math.max(2, width - label.length - 1);
    const query = showTail(state.search.query, room);
    const row = rowOf(`${label}${query.text}`.slice(0, width), 'note');
    place = { row: rows.length, column: Math.min(label.length + query.width, width - 1) };
    rows.push(row);
  }
  if (state.menu !== undefined) rows.push(...menuRows(state.menu, width, height - rows.length));
  if (rows.length <= height) return { rows, cursor: place };
  const first = Math.max(0, Math.min(place.row - Math.floor(height / 2), rows.length - height));
  return { rows: rows.slice(first, first + height), cursor: { row: place.row - first, column: place.column } };
}

/** The prompt and the line as they stay on the screen once the line is accepted. */
export function acceptedRows(state: EditorState, prompt: string, width: number): readonly Row[] {
  const { rows } = lineRows(
    { ...state, cursor: 0, search: undefined, complaint: undefined },
    prompt,
    Math.max(2, width),
    '',
  );
  return rows;
}

interface LineRows {
  readonly rows: Row[];
  readonly cursor: Place;
  /** The cell of the complaint's column. */
  readonly complaint: Place | undefined;
}

function lineRows(state: EditorState, prompt: string, width: number, suggestion: string): LineRows {
  const builder = new RowBuilder(width);
  builder.put(prompt, 'prompt');
  const margin = builder.place.row === 0 && builder.place.column <= width / 2 ? builder.place.column : 0;
  const { text, search } = state;
  const matched = search !== undefined && search.found >= 0 && !search.failed ? search.found : -1;
  const matchEnd = matched < 0 ? -1 : matched + (search?.query.length ?? 0);
  const column = state.complaint?.column;
  let cursor = builder.place;
  let complaint: Place | undefined;
  let index = 0;
  for (const cluster of clustersOf(text)) {
    if (index === state.cursor) cursor = builder.place;
    if (column !== undefined && complaint === undefined && index >= column) complaint = builder.place;
    if (cluster === '\n') {
      builder.newRow();
      builder.put(margin < 2 ? '' : '> '.padStart(margin), 'prompt');
    } else {
      const style: Style = index >= matched && index < matchEnd ? 'match' : 'text';
      builder.putCluster(cluster, style);
    }
    index += cluster.length;
  }
  if (state.cursor >= text.length) cursor = builder.place;
  if (column !== undefined) complaint ??= builder.place;
  if (suggestion !== '' && builder.room > 2) builder.put(showText(suggestion, builder.room).text, 'ghost');
  return { rows: builder.rows(cursor.row), cursor, complaint };
}

/** The end of a text that fits into `width` cells. */
function showTail(text: string, width: number): { text: string; width: number } {
  const clusters = clustersOf(text);
  let [start, cells] = [clusters.length, 0];
  while (start > 0) {
    const shown = showText(clusters[start - 1] ?? '');
    if (cells + shown.width > width) break;
    cells += shown.width;
    start--;
  }
  return { text: showText(clusters.slice(start).join('')).text, width: cells };
}

/** The caret under its column with the message behind it, or below it when there is no room; also used after the fact. */
export function complaintRows(complaint: Complaint, column: number | undefined, width: number): readonly Row[] {
  const message = showText(complaint.message);
  const caret = column === undefined ? '' : `${' '.repeat(column)}^`;
  if (column !== undefined && column + 2 + message.width <= width) return [rowOf(`${caret} ${message.text}`, 'error')];
  const builder = new RowBuilder(width);
  builder.put(complaint.message.slice(0, width * COMPLAINT_ROWS), 'error');
  const rows = builder.rows(0).slice(0, COMPLAINT_ROWS);
  return column === undefined ? rows : [rowOf(caret, 'error'), ...rows];
}
