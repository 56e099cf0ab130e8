/**
 * The completion menu as rows: a candidate a row, what explains it in a second column. The chosen one is marked by `>`
 * and drawn in reverse, so that it is seen without colours too.
 */
import type { Candidate, Menu } from './editor-state.ts';
import { showText } from './graphemes.ts';
import { type Row, rowOf, type Span } from './rows.ts';

/** Candidates shown at a time. */
export const MENU_ROWS = 10;
/** Cells that the first column may take of the whole width. */
const FIRST_COLUMN_PART = 0.5;
const MARK = '> ';
const GAP = '  ';

/** The menu's rows within `width` cells and at most `height` rows; none when there is no room. */
export function menuRows(menu: Menu, width: number, height: number): readonly Row[] {
  const { candidates, selected } = menu;
  const all = candidates.length <= Math.min(MENU_ROWS, height);
  const count = all ? candidates.length : Math.min(MENU_ROWS, height - 1);
  if (count < 1 || width < MARK.length + 2) return [];
  const first = Math.max(0, Math.min(selected - Math.floor(count / 2), candidates.length - count));
  const shown = candidates.slice(first, first + count);
  const widest = Math.max(...shown.map((candidate) => showText(titleOf(candidate)).width));
  const explained = shown.some((candidate) => candidate.detail !== undefined && candidate.detail !== '');
  const room = width - MARK.length;
  const column = Math.min(widest, explained ? Math.max(2, Math.floor(room * FIRST_COLUMN_PART)) : room);
  const rows = shown.map((candidate, i) => candidateRow(candidate, first + i === selected, column, width));
  if (all) return rows;
  const place = `${GAP}${first + 1}-${first + count} of ${candidates.length}`;
  return [...rows, rowOf(place.slice(0, width), 'note')];
}

function titleOf(candidate: Candidate): string {
  return candidate.display ?? candidate.text;
}

function candidateRow(candidate: Candidate, chosen: boolean, column: number, width: number): Row {
  const title = showText(titleOf(candidate), column);
  const detailRoom = width - MARK.length - column - GAP.length;
  const detail = detailRoom > 0 ? showText(candidate.detail ?? '', detailRoom) : { text: '', width: 0 };
  const spans: Span[] = [];
  const put = (text: string, cells: number, style: Span['style']): void => {
    if (text !== '') spans.push({ text, width: cells, style: chosen ? 'selected' : style });
  };
  put(chosen ? MARK : ' '.repeat(MARK.length), MARK.length, 'candidate');
  put(title.text, title.width, 'candidate');
  if (detail.width > 0) {
    put(' '.repeat(column - title.width + GAP.length), column - title.width + GAP.length, 'candidate');
    put(detail.text, detail.width, 'detail');
  }
  return { spans, width: spans.reduce((cells, span) => cells + span.width, 0) };
}
