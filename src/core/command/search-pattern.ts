/**
 * What a search looks for: words or texts, and how they are found in a piece of memory.
 */
import { UsageError } from '../errors.ts';
import { formatHex, parseHex } from '../memory/address.ts';
import { findTexts, findWords } from '../memory/find.ts';
import { decodeText, encodeText } from '../memory/text.ts';
import type { WordSize } from '../output/hexdump.ts';
import type { Kind } from './define.ts';
import type { Scope } from './scope.ts';
import type { SearchPiece } from './search-source.ts';
import { address } from './target-kinds.ts';

/** A value as typed: whether it is a string depends on the options. */
export const searchValue: Kind<string> = {
  name: 'value',
  parse: (text) => text,
  ...(address.complete === undefined ? {} : { complete: address.complete }),
};

export interface PatternArgs {
  readonly values: readonly string[];
  readonly c: boolean;
  readonly w: boolean;
  readonly h: boolean;
  readonly m: bigint | undefined;
}

export interface Pattern {
  /** Bytes of a word; 1 for texts. */
  readonly unit: WordSize;
  /** What was typed for each value that is not simply the number it is. */
  readonly names: readonly (string | undefined)[];
  /** In the order of their addresses for each value. Remembers the end of a piece: a text may cross into the next one. */
  find(piece: SearchPiece): Iterable<{ readonly address: bigint; readonly index: number }>;
  /** What is there: the word as it is, or the text with what follows it. */
  valueAt(piece: SearchPiece, address: bigint, index: number): bigint | string;
}

const VALUES_MAX = 256;
/** Shown of a text that was found. */
const TEXT_SHOWN = 60;

/** Throws UsageError, NotFoundError. */
export function parsePattern(scope: Scope, args: PatternArgs): Pattern {
  const { values } = args;
  if (values.length === 0) throw new UsageError('search wants a VALUE');
  if (values.length > VALUES_MAX) throw new UsageError(`${values.length} values are too many to search for at once`);
  if (args.w && args.h) throw new UsageError('-w and -h contradict each other');
  if (!args.c) return wordPattern(scope, args);
  if (args.m !== undefined || args.w || args.h) throw new UsageError('-m, -w and -h are for words, not for strings');
  return textPattern(values);
}

function wordPattern(scope: Scope, args: PatternArgs): Pattern {
  const unit = args.w ? 4 : args.h ? 2 : 8;
  const limit = 1n << BigInt(unit * 8);
  const words = args.values.map((text) => {
    const value = parseWord(text, scope);
    // A negative number stands for the word that has its bits.
    const word = value < 0n && value >= -(limit / 2n) ? value + limit : BigInt.asUintN(64, value);
    if (word >= limit) throw new UsageError(`${formatHex(word)} does not fit a word of ${unit * 8} bits`);
    return word;
  });
  const ignore = args.m ?? 0n;
  return {
    unit,
    names: args.values.map((text) => (parseHex(text) === undefined ? text : undefined)),
    *find(piece) {
      for (const { offset, index } of findWords(piece.bytes, { unit, values: words, ignore })) {
        yield { address: piece.address + BigInt(offset), index };
      }
    },
    valueAt(piece, at) {
      let value = 0n;
      const offset = Number(at - piece.address);
      for (let i = unit - 1; i >= 0; i--) value = (value << 8n) | BigInt(piece.bytes[offset + i] ?? 0);
      return value;
    },
  };
}

/** The column of an error would be within the value; where that stands in the line is not known here. */
function parseWord(text: string, scope: Scope): bigint {
  try {
    return address.parse(text, scope);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message, error.hint === undefined ? {} : { hint: error.hint });
  }
}

function textPattern(values: readonly string[]): Pattern {
  const texts = values.map((value) => encodeText(value.replace(/^(['"])(.*)\1$/s, '$2')));
  const longest = Math.max(...texts.map((text) => text.length));
  if (texts.some((text) => text.length === 0)) throw new UsageError('an empty string is everywhere');
  let tail = new Uint8Array(0);
  let tailEnd = -1n;
  return {
    unit: 1,
    names: values.map(() => undefined),
    *find(piece) {
      if (piece.address === tailEnd && tail.length > 0) yield* acrossPieces(texts, tail, piece);
      for (const { offset, index } of findTexts(piece.bytes, texts)) {
        yield { address: piece.address + BigInt(offset), index };
      }
      tail = piece.bytes.slice(Math.max(piece.bytes.length - longest + 1, 0));
      tailEnd = piece.address + BigInt(piece.bytes.length);
    },
    valueAt(piece, at, index) {
      const offset = Number(at - piece.address);
      const text = texts[index] as Uint8Array;
      if (offset < 0) return decodeText(text);
      const limit = Math.min(offset + Math.max(TEXT_SHOWN, text.length), piece.bytes.length);
      let end = offset + text.length;
      while (end < limit && (piece.bytes[end] as number) >= 0x20) end++;
      return decodeText(piece.bytes, offset, end);
    },
  };
}

/** Texts that begin in the end of the piece before and go on in this one. */
function* acrossPieces(
  texts: readonly Uint8Array[],
  tail: Uint8Array,
  piece: SearchPiece,
): Iterable<{ readonly address: bigint; readonly index: number }> {
  const seam = new Uint8Array(tail.length + Math.min(tail.length, piece.bytes.length));
  seam.set(tail);
  seam.set(piece.bytes.subarray(0, seam.length - tail.length), tail.length);
  for (const { offset, index } of findTexts(seam, texts)) {
    const crosses = offset < tail.length && offset + (texts[index] as Uint8Array).length > tail.length;
    if (crosses) yield { address: piece.address - BigInt(tail.length - offset), index };
  }
}
