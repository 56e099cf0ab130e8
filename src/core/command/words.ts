/**
 * Splits text into words as crash does: blanks separate, quotes and parentheses keep together, and every word knows
 * the column that it came from, so that an error can point at it. A parenthesised group is one word with its
 * parentheses: `struct page (sym + 8)` has three.
 */
import { UsageError } from '../errors.ts';

export interface Word {
  /** Without the quotes around it. */
  readonly text: string;
  /** As it was typed. */
  readonly raw: string;
  /** 0-based column of its first character. */
  readonly column: number;
  readonly quoted: boolean;
}

/** A line may be long (a pasted expression), not endless. */
export const LINE_LENGTH_MAX = 64 * 1024;

/** Where the scan of a line stands: outside any quote or parenthesis only when both are clear. */
export interface Nesting {
  quote: string;
  depth: number;
}

/** Advances the nesting over one character. Brackets count too: `a[b | c]` is one expression. */
export function nest(state: Nesting, character: string): void {
  if (state.quote !== '') {
    if (character === state.quote) state.quote = '';
  } else if (character === "'" || character === '"') {
    state.quote = character;
  } else if (character === '(' || character === '[') {
    state.depth++;
  } else if ((character === ')' || character === ']') && state.depth > 0) {
    state.depth--;
  }
}

/** The words of the text; `offset` is added to their columns. Throws UsageError for a quote that is not closed. */
export function splitWords(text: string, offset = 0): readonly Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    if (isBlank(text[at] as string)) {
      at++;
      continue;
    }
    const end = endOfWord(text, at, offset);
    const raw = text.slice(at, end);
    words.push({ text: unquote(raw), raw, column: offset + at, quoted: /^['"]/.test(raw) });
    at = end;
  }
  return words;
}

function endOfWord(text: string, start: number, offset: number): number {
  const state: Nesting = { quote: '', depth: 0 };
  let quoteAt = start;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] as string;
    if (state.quote === '' && state.depth === 0 && isBlank(character)) break;
    const before = state.quote;
    nest(state, character);
    if (before === '' && state.quote !== '') quoteAt = at;
  }
  if (state.quote !== '') {
    throw new UsageError(`the quote ${state.quote} is not closed`, { source: text, column: offset + quoteAt });
  }
  return at;
}

/** Takes quotes off; within an expression's parentheses they belong to the expression. */
function unquote(raw: string): string {
  if (!/['"]/.test(raw) || raw.startsWith('(')) return raw;
  let out = '';
  let quote = '';
  for (const character of raw) {
    if (quote === '' && (character === "'" || character === '"')) quote = character;
    else if (character === quote) quote = '';
    else out += character;
  }
  // A regular expression keeps its quotes: 'kworker.*' is not the literal name.
  return /^'.*'$/s.test(raw) ? raw : out;
}

export function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}
