/**
 * A table that is wider than its pane loses blanks before it loses text: columns of blanks that no line has anything in
 * are narrowed to one. crash's tables leave room for the widest values there are; the tasks of one target rarely need it.
 */
import { type Line, type Span, spansOf, textOf } from '../../core/output/line.ts';
import { isPlain } from '../prompt/graphemes.ts';

/** Lines that are looked at to find the blank columns, and cells of each. */
const LOOKED_AT = 2000;
const WIDTH_MAX = 400;

/** Columns to leave out of every line, or undefined when nothing is to be gained. */
export type Squeeze = readonly boolean[] | undefined;

/** Finds what can be left out so that lines fit a width better. Lines that are no table of plain text have nothing. */
export function findSqueeze(lines: readonly Line[], width: number): Squeeze {
  const texts = lines.slice(0, LOOKED_AT).map(textOf);
  const widest = texts.reduce((most, text) => Math.max(most, text.length), 0);
  if (texts.length < 2 || widest <= width || widest > WIDTH_MAX || !texts.every(isPlain)) return undefined;
  const isUsed = new Array<boolean>(widest).fill(false);
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== 0x20) isUsed[i] = true;
  }
  // Of each run of unused columns the first stays, except at the start of the line.
  const omitted = isUsed.map((used, i) => !used && (i === 0 || !isUsed[i - 1]));
  return omitted.includes(true) ? omitted : undefined;
}

/** The line without those columns; a line that came later may have something in them, and keeps it. */
export function squeezed(line: Line, omitted: Squeeze): Line {
  if (omitted === undefined) return line;
  let at = 0;
  const kept = (text: string): string => {
    let result = '';
    for (const character of text) if (omitted[at++] !== true || character !== ' ') result += character;
    return result;
  };
  return spansOf(line).map(
    (part): Span => (typeof part === 'string' ? kept(part) : { ...part, text: kept(part.text) }),
  );
}
