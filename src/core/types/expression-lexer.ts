/**
 * Tokens of C expressions. A token is read at a position when the parser asks for it, because what `:` and a word
 * mean depends on where they stand.
 *
 * Words that are addresses: kernel logs and crash print addresses as 16 hex digits without 0x, and they are pasted as
 * they are. So a word of exactly 16 hex digits is an address, and so is one of 8 or more that starts with a digit and
 * is not a number otherwise (`888003a41b40`). A word that starts with a letter is a name first (evaluate-name.ts).
 */
import { encodeText } from '../memory/text.ts';
import { expressionError, type LiteralSuffix } from './expression.ts';

export type Token =
  | {
      readonly kind: 'number';
      readonly at: number;
      readonly end: number;
      readonly value: bigint;
      readonly suffix: LiteralSuffix;
    }
  | { readonly kind: 'string'; readonly at: number; readonly end: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'name' | 'variable' | 'operator';
      readonly at: number;
      readonly end: number;
      readonly text: string;
    }
  | { readonly kind: 'end'; readonly at: number; readonly end: number };

const OPERATORS = /->|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|[-+*/%&|^~!<>=?:.,()[\]]/y;
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const VARIABLE = /\$[A-Za-z0-9_]*/y;
const WORD = /[0-9][A-Za-z0-9_]*/y;
const SPACE = /\s*/y;

/** The token at or after a position. Throws UsageError. */
export function readToken(source: string, position: number): Token {
  SPACE.lastIndex = position;
  SPACE.exec(source);
  const at = SPACE.lastIndex;
  if (at >= source.length) return { kind: 'end', at: source.length, end: source.length };
  const word = match(WORD, source, at);
  if (word !== undefined) return { kind: 'number', at, end: at + word.length, ...readNumber(source, at, word) };
  const name = match(NAME, source, at);
  if (name !== undefined) {
    const address = /^[0-9a-fA-F]{16}$/.test(name);
    if (address) return { kind: 'number', at, end: at + name.length, value: BigInt(`0x${name}`), suffix: 'ul' };
    return { kind: 'name', at, end: at + name.length, text: name };
  }
  const variable = match(VARIABLE, source, at);
  if (variable !== undefined) return { kind: 'variable', at, end: at + variable.length, text: variable.slice(1) };
  const operator = match(OPERATORS, source, at);
  if (operator !== undefined) return { kind: 'operator', at, end: at + operator.length, text: operator };
  const quote = source[at];
  if (quote === '"' || quote === "'") return readQuoted(source, at, quote);
  const character = String.fromCodePoint(source.codePointAt(at) as number);
  throw expressionError(source, at, `unexpected character ${JSON.stringify(character)}`);
}

function match(pattern: RegExp, source: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0];
}

const NUMBER = /^(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))([uUlL]{1,3}|[kKmMgGtT])?$/;
const C_SUFFIXES: Readonly<Record<string, LiteralSuffix>> = {
  u: 'u',
  l: 'l',
  ll: 'l',
  ul: 'ul',
  lu: 'ul',
  ull: 'ul',
  llu: 'ul',
};
const MULTIPLES: Readonly<Record<string, bigint>> = { k: 1n << 10n, m: 1n << 20n, g: 1n << 30n, t: 1n << 40n };

/** A number in any base, with a suffix of C or a multiple of crash's (`128M`). Throws UsageError. */
function readNumber(source: string, at: number, word: string): { value: bigint; suffix: LiteralSuffix } {
  if (/^[0-9a-fA-F]{16}$/.test(word)) return { value: BigInt(`0x${word}`), suffix: 'ul' };
  const parts = NUMBER.exec(word);
  const ending = parts?.[5]?.toLowerCase() ?? '';
  const suffix = ending === '' ? '' : C_SUFFIXES[ending];
  const multiple = MULTIPLES[ending];
  if (parts === null || (suffix === undefined && multiple === undefined)) {
    if (/^[0-9a-fA-F]{8,15}$/.test(word)) return { value: BigInt(`0x${word}`), suffix: 'ul' };
    const hint = /^[0-9a-fA-F]+$/.test(word) ? `hex is written 0x${word}` : undefined;
    throw expressionError(source, at, `"${word}" is not a number`, hint);
  }
  const value = digitsOf(parts) * (multiple ?? 1n);
  if (value >> 64n !== 0n) throw expressionError(source, at, `${word} does not fit in 64 bits`);
  return { value, suffix: suffix ?? '' };
}

function digitsOf(parts: RegExpExecArray): bigint {
  if (parts[1] !== undefined) return BigInt(`0x${parts[1]}`);
  if (parts[2] !== undefined) return BigInt(`0b${parts[2]}`);
  if (parts[3] !== undefined) return BigInt(`0o${parts[3]}`);
  return BigInt(parts[4] as string);
}

const ESCAPES: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  e: 27,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
};
const ESCAPE = /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))/y;

/** A string, or a character constant, which is a number. */
function readQuoted(source: string, at: number, quote: string): Token {
  const bytes: number[] = [];
  let position = at + 1;
  while (source[position] !== quote) {
    if (position >= source.length) throw expressionError(source, at, `${quote} is never closed`);
    if (source[position] === '\\') {
      ESCAPE.lastIndex = position;
      const sequence = ESCAPE.exec(source);
      const byte = sequence === null ? undefined : escapedByte(sequence);
      if (byte === undefined) throw expressionError(source, position, 'not an escape sequence of C');
      bytes.push(byte);
      position = ESCAPE.lastIndex;
    } else {
      const character = String.fromCodePoint(source.codePointAt(position) as number);
      bytes.push(...encodeText(character));
      position += character.length;
    }
  }
  const end = position + 1;
  if (quote === '"') return { kind: 'string', at, end, bytes: Uint8Array.from(bytes) };
  if (bytes.length !== 1) throw expressionError(source, at, 'a character constant is one byte');
  // A char is signed on x86-64: '\377' is -1.
  return { kind: 'number', at, end, value: BigInt.asIntN(8, BigInt(bytes[0] as number)), suffix: '' };
}

function escapedByte(sequence: RegExpExecArray): number | undefined {
  if (sequence[1] !== undefined) return Number.parseInt(sequence[1], 16);
  if (sequence[2] !== undefined) return Number.parseInt(sequence[2], 8) & 0xff;
  return ESCAPES[sequence[3] as string];
}
