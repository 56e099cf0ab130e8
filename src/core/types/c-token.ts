/** The words, numbers and signs of C declarations, with their places. Comments are skipped. */
import { UsageError } from '../errors.ts';

export type CToken =
  | { readonly kind: 'word' | 'sign' | 'end'; readonly text: string; readonly column: number }
  | { readonly kind: 'number'; readonly text: string; readonly column: number; readonly value: bigint };

const TOKEN = /\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*|([A-Za-z_]\w*)|(0[xX][0-9a-fA-F]{1,16}|\d{1,20})([uUlL]*)|(\.\.\.|\S)/gy;

/** Tokens from `start` on. Throws UsageError where a number is followed by letters. */
export function* tokenize(text: string, start: number): Generator<CToken> {
  const pattern = new RegExp(TOKEN);
  pattern.lastIndex = start;
  while (pattern.lastIndex < text.length) {
    const column = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) return;
    const [whole, word, digits, , sign] = match;
    if (word !== undefined) yield { kind: 'word', text: word, column };
    else if (sign !== undefined) yield { kind: 'sign', text: sign, column };
    else if (digits !== undefined) {
      if (/^\w/.test(text.slice(pattern.lastIndex, pattern.lastIndex + 1))) {
        throw new UsageError(`"${whole}" is followed by a letter`, { source: text, column: pattern.lastIndex });
      }
      yield { kind: 'number', text: whole, column, value: BigInt(digits) };
    }
  }
}
