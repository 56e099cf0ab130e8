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

/**
 * Whether a name can stand in a line as it is. Lines that the screen makes are run like any other: the name that a
 * hostile kernel gives a symbol (`x;!reboot`) must not become a command.
 */
export function isPlainWord(name: string): boolean {
  return /^[\w.$]+$/.test(name);
}

/** Where the scan of a line stands: outside any quote or parenthesis only when both are clear. */
export interface Nesting {
  /** The quote that is open, or empty. */
  quote: string;
  depth: number;
  /** The character before. */
  before: string;
}

export function newNesting(): Nesting {
  return { quote: '', depth: 0, before: '' };
}

/**
 * Advances the nesting over one character. Brackets count too: `a[b | c]` is one expression. An apostrophe after a
 * letter or digit opens no quote: "the writer's lock" is plain text.
 */
export function nest(state: Nesting, character: string): void {
  if (state.quote !== '') {
    if (character === state.quote) state.quote = '';
  } else if (character === '"' || (character === "'" && !/\w/.test(state.before))) {
    state.quote = character;
  } else if (character === '(' || character === '[') {
    state.depth++;
  } else if ((character === ')' || character === ']') && state.depth > 0) {
    state.depth--;
  }
  state.before = character;
}

/** True outside any quote and parenthesis. */
export function isOutside(state: Nesting): boolean {
  return state.quote === '' && state.depth === 0;
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
  const state = newNesting();
  let quoteAt = start;
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at] as string;
    if (isOutside(state) && isBlank(character)) break;
    const before = state.quote;
    nest(state, character);
    if (before === '' && state.quote !== '') quoteAt = at;
  }
  if (state.quote !== '') throw new UsageError(`the quote ${state.quote} is not closed`, { column: offset + quoteAt });
  return at;
}

/** Takes quotes off; within an expression's parentheses they belong to the expression. */
function unquote(raw: string): string {
  if (!/['"]/.test(raw) || raw.startsWith('(')) return raw;
  const state = newNesting();
  let out = '';
  for (const character of raw) {
    const before = state.quote;
    nest(state, character);
    if (before === state.quote) out += character;
  }
  return out;
}

export function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n' || character === '\r';
}

/** The word that a text begins with: of a stage, the command's name. */
export function firstName(text: string): string {
  return /^\s*(\S+)/.exec(text)?.[1] ?? '';
}
