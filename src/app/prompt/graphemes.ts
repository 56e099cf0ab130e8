/**
 * Text as a person and a terminal count it: grapheme clusters (what one press of an arrow key passes) and cells (what
 * the terminal advances). Positions are indexes of UTF-16 units, as everywhere in JavaScript. Text of printable ASCII,
 * which is nearly all that is typed here, takes no more than a comparison.
 */
import { escapeControls } from '../../core/output/escape.ts';

const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** The first code unit that can join the cluster before it (U+0300, combining grave). */
const FIRST_JOINER = 0x300;

/** Whether every character is printable ASCII: one unit, one cluster, one cell. */
export function isPlain(text: string): boolean {
  return /^[ -~]*$/.test(text);
}

/** Whether the two units around `index` surely belong to two clusters; CR LF does here: controls stand for themselves. */
function isPlainBoundary(text: string, index: number): boolean {
  if (index <= 0 || index >= text.length) return true;
  return text.charCodeAt(index) < FIRST_JOINER && text.charCodeAt(index - 1) < FIRST_JOINER;
}

/** The end of the cluster that contains the unit at `index`. */
export function nextCluster(text: string, index: number): number {
  if (isPlainBoundary(text, index + 1)) return Math.min(index + 1, text.length);
  const part = segmenter.segment(text).containing(index);
  return part === undefined ? text.length : part.index + part.segment.length;
}

/** The start of the cluster that contains the unit before `index`. */
export function previousCluster(text: string, index: number): number {
  if (isPlainBoundary(text, index - 1)) return Math.max(index - 1, 0);
  return segmenter.segment(text).containing(index - 1)?.index ?? 0;
}

/** The first cluster boundary at or after `index`. */
export function snapToCluster(text: string, index: number): number {
  const at = Math.max(0, Math.min(index, text.length));
  if (isPlainBoundary(text, at)) return at;
  return segmenter.segment(text).containing(at)?.index === at ? at : nextCluster(text, at);
}

/** Units segmented at a time: the segmenter's iteration takes time that is quadratic in the length of its text. */
const WINDOW = 512;

/** The clusters of a text, in order. */
export function clustersOf(text: string): readonly string[] {
  if (isPlain(text)) return text.split('');
  const clusters: string[] = [];
  let [start, window] = [0, WINDOW];
  while (start < text.length) {
    const parts = Array.from(segmenter.segment(text.slice(start, start + window)), (part) => part.segment);
    // The window may cut its last cluster: that begins the next window.
    if (start + window < text.length) parts.pop();
    for (const part of parts) {
      if (part === '\r\n') clusters.push('\r', '\n');
      else clusters.push(part);
      start += part.length;
    }
    window = parts.length === 0 ? window * 2 : WINDOW;
  }
  return clusters;
}

/**
 * Blocks whose characters are two cells wide (East Asian Width W or F; Unicode 16, EastAsianWidth.txt), whole blocks
 * where nearly all of one is. Emoji are not here: `Emoji_Presentation` tells them.
 */
const WIDE: readonly (readonly [first: number, last: number])[] = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2630, 0x2637],
  [0x268a, 0x268f],
  [0x2e80, 0x303e],
  [0x3041, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97c],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff01, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18dff],
  [0x1aff0, 0x1b2ff],
  [0x1d300, 0x1d376],
  [0x1f200, 0x1f265],
  [0x20000, 0x3fffd],
];

function isWide(code: number): boolean {
  return WIDE.some(([first, last]) => code >= first && code <= last);
}

/** A cluster that begins with something that draws over its neighbour or nothing at all: marks, joiners, fillers. */
const UNSHOWABLE = /^[\p{Cf}\p{Mn}\p{Me}\u1160-\u11ff\u{e0000}-\u{e0fff}]/u;

/** One cluster as it may be sent to a terminal. */
export interface Shown {
  readonly text: string;
  /** Cells. */
  readonly width: number;
  /** The text stands for a character that is not shown itself. */
  readonly escaped: boolean;
}

function isPlainCluster(cluster: string): boolean {
  const code = cluster.charCodeAt(0);
  return cluster.length === 1 && code >= 0x20 && code < 0x7f;
}

function escapeMark(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 4 ? `\\u${code.padStart(4, '0')}` : `\\u{${code}}`;
}

/** Cells of one character that is shown as it is. */
function characterWidth(character: string): number {
  return isWide(character.codePointAt(0) ?? 0) || /^\p{Emoji_Presentation}/u.test(character) ? 2 : 1;
}

/** A cluster made harmless (`escapeControls`) and measured; the result never contains a control character. */
export function showCluster(cluster: string): Shown {
  if (isPlainCluster(cluster)) return { text: cluster, width: 1, escaped: false };
  const escaped = escapeControls(cluster);
  if (escaped === cluster && !UNSHOWABLE.test(cluster)) {
    // U+FE0F asks for the emoji form of a character that is text by default: two cells.
    return { text: cluster, width: cluster.includes('\ufe0f') ? 2 : characterWidth(cluster), escaped: false };
  }
  const parts = Array.from(escaped, (part) => (UNSHOWABLE.test(part) ? escapeMark(part) : part));
  const width = parts.reduce((cells, part) => cells + (isPlain(part) ? part.length : characterWidth(part)), 0);
  return { text: parts.join(''), width, escaped: true };
}

/** A text made harmless (`showCluster`) and cut with `..` to at most `width` cells. */
export function showText(text: string, width = Number.POSITIVE_INFINITY): Shown {
  if (isPlain(text) && text.length <= width) return { text, width: text.length, escaped: false };
  const shown: Shown[] = [];
  let cells = 0;
  for (const cluster of clustersOf(text)) {
    const next = showCluster(cluster);
    shown.push(next);
    cells += next.width;
    if (cells > width) break;
  }
  const dots = cells > width ? '.'.repeat(Math.max(0, Math.min(2, width))) : '';
  while (cells > width - dots.length && shown.length > 0 && dots !== '') cells -= shown.pop()?.width ?? 0;
  if (cells > width) return { text: '', width: 0, escaped: true };
  const cut = shown.map((part) => part.text).join('') + dots;
  return { text: cut, width: cells + dots.length, escaped: dots !== '' || shown.some((part) => part.escaped) };
}
