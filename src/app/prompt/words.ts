/**
 * Words on a line, by readline's two notions: M-b, M-f, M-d and M-DEL stop at everything that is no letter or digit (so
 * that the parts of `mutex_lock` and `task->mm` are words), C-w and the last argument only at blanks. Also the edits that
 * exchange or recase characters and words. All functions are pure and take and give cluster boundaries.
 */
import { nextCluster, previousCluster } from './graphemes.ts';

/** A text and a place in it, between two clusters. */
export interface Line {
  readonly text: string;
  /** Index of UTF-16 units, 0 to text.length, on a cluster boundary. */
  readonly cursor: number;
}

function isWordAt(text: string, index: number): boolean {
  return /^[\p{L}\p{N}]/u.test(text.slice(index, index + 2));
}

function isBlankAt(text: string, index: number): boolean {
  return /\s/.test(text[index] ?? '');
}

/** The end of the word at or after `from` (forward-word). */
export function wordEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !isWordAt(text, at)) at = nextCluster(text, at);
  while (at < text.length && isWordAt(text, at)) at = nextCluster(text, at);
  return at;
}

/** The start of the word at or before `from` (backward-word). */
export function wordStart(text: string, from: number): number {
  let at = from;
  let before = previousCluster(text, at);
  while (at > 0 && !isWordAt(text, before)) {
    at = before;
    before = previousCluster(text, at);
  }
  while (at > 0 && isWordAt(text, before)) {
    at = before;
    before = previousCluster(text, at);
  }
  return at;
}

/** The start of the blank-separated word at or before `from` (unix-word-rubout). */
export function blankWordStart(text: string, from: number): number {
  let at = from;
  while (at > 0 && isBlankAt(text, at - 1)) at--;
  while (at > 0 && !isBlankAt(text, at - 1)) at--;
  return at;
}

/** The first index of the line that contains `at`: a pasted text may have several. */
export function lineStart(text: string, at: number): number {
  return at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1;
}

/** The index after the last character of the line that contains `at`. */
export function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at);
  return end < 0 ? text.length : end;
}

/** The last argument of a command line: its last word between blanks, where quotes hold blanks together. */
export function lastArgument(line: string): string {
  let [start, end, quote] = [0, 0, ''];
  for (let at = 0; at < line.length; at++) {
    const character = line[at] ?? '';
    if (quote === '' && isBlankAt(line, at)) continue;
    if (end < at && quote === '') start = at;
    end = at + 1;
    if (character === quote) quote = '';
    else if (quote === '' && (character === '"' || character === "'")) quote = character;
  }
  return line.slice(start, end);
}

/** Exchanges the characters before and at the cursor, or at a line's end the two before it (transpose-chars). */
export function transposeCharacters({ text, cursor }: Line): Line {
  const atEnd = cursor === lineEnd(text, cursor);
  const right = atEnd ? previousCluster(text, cursor) : cursor;
  const left = previousCluster(text, right);
  const start = lineStart(text, cursor);
  if (cursor === start || right <= start || left < start) return { text, cursor };
  const end = nextCluster(text, right);
  const swapped = text.slice(right, end) + text.slice(left, right);
  return { text: text.slice(0, left) + swapped + text.slice(end), cursor: end };
}

/** Exchanges the word at or after the cursor with the one before it (transpose-words). */
export function transposeWords({ text, cursor }: Line): Line {
  const second = wordStart(text, wordEnd(text, cursor));
  const secondEnd = wordEnd(text, second);
  const first = wordStart(text, second);
  const firstEnd = wordEnd(text, first);
  if (first === second || firstEnd > second) return { text, cursor };
  const [a, gap, b] = [text.slice(first, firstEnd), text.slice(firstEnd, second), text.slice(second, secondEnd)];
  return { text: text.slice(0, first) + b + gap + a + text.slice(secondEnd), cursor: secondEnd };
}

/** Recases from the cursor to the end of the word (upcase-word, downcase-word, capitalize-word). */
export function recaseWord({ text, cursor }: Line, how: 'upper' | 'lower' | 'capital'): Line {
  const end = wordEnd(text, cursor);
  const word = text.slice(cursor, end);
  let recased = how === 'upper' ? word.toUpperCase() : word.toLowerCase();
  if (how === 'capital') recased = recased.replace(/[\p{L}\p{N}]/u, (first) => first.toUpperCase());
  return { text: text.slice(0, cursor) + recased + text.slice(end), cursor: cursor + recased.length };
}
