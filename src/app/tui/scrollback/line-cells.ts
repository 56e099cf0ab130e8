/**
 * A line as it is seen, cell by cell: for selecting a part of it. Tabs are blanks, and what is no character to be shown is
 * written out, so that what is copied cannot press keys where it is pasted.
 */
import { type Line, textOf } from '../../../core/output/line.ts';
import { clustersOf, isPlain, showCluster } from '../../prompt/graphemes.ts';
import { TAB } from '../window.ts';

interface Piece {
  readonly text: string;
  readonly from: number;
  readonly to: number;
}

function* piecesOf(line: Line): Iterable<Piece> {
  let at = 0;
  for (const [i, text] of textOf(line).split('\t').entries()) {
    if (i > 0) {
      const blanks = TAB - (at % TAB);
      yield { text: ' '.repeat(blanks), from: at, to: at + blanks };
      at += blanks;
    }
    for (const { text: shown, width } of isPlain(text) ? [{ text, width: text.length }] : shownOf(text)) {
      yield { text: shown, from: at, to: at + width };
      at += width;
    }
  }
}

function* shownOf(text: string): Iterable<{ readonly text: string; readonly width: number }> {
  for (const cluster of clustersOf(text)) yield showCluster(cluster);
}

/** Cells that the line takes. */
export function cellsOf(line: Line): number {
  let cells = 0;
  for (const { to } of piecesOf(line)) cells = to;
  return cells;
}

/** What is seen in the cells [from, to); of a character that takes several, all of it. */
export function textBetween(line: Line, from: number, to: number): string {
  let result = '';
  for (const piece of piecesOf(line)) {
    if (piece.to <= from || piece.from >= to) continue;
    // A character a cell: a part of it can be taken.
    const isDivisible = piece.text.length === piece.to - piece.from;
    result += isDivisible ? piece.text.slice(Math.max(0, from - piece.from), Math.max(0, to - piece.from)) : piece.text;
  }
  return result;
}

/** Where the next word begins, or this one or the one before it did: what is between blanks and brackets. */
export function wordFrom(line: Line, cell: number, direction: 1 | -1): number {
  const text = textBetween(line, 0, Number.POSITIVE_INFINITY);
  const starts = [...text.matchAll(/[^\s()[\]<>{},;:="]+/g)].map(({ index }) => index);
  return direction === 1
    ? (starts.find((start) => start > cell) ?? Math.max(0, text.length - 1))
    : (starts.findLast((start) => start < cell) ?? 0);
}
