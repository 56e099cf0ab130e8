/**
 * The names of in-memory kallsyms: tokens of one byte that stand for one or more characters. The 256 tokens are
 * chosen per kernel to make the names short; 190,000 names of 5 MB take 2 MB.
 */
import { DataError } from '../errors.ts';
import { isNameByte, isTypeByte, SYMBOL_NAME_MAX } from './kallsyms-columns.ts';

const TOKENS = 256;
/** Bytes of kallsyms_token_index: u16[256]. */
export const TOKEN_INDEX_LENGTH = 2 * TOKENS;
/** Real kernels expand to 25 bytes a name. */
const EXPANDED_MAX = 256 * 1024 * 1024;

/** What each token spells. */
export interface Tokens {
  readonly bytes: Uint8Array;
  readonly starts: Uint16Array;
  readonly lengths: Uint16Array;
}

/** Names spelled out; the name of an entry that spells none, or an impossible one, has length 0. */
export interface ExpandedNames {
  readonly types: Uint8Array;
  readonly nameBytes: Uint8Array;
  readonly nameStarts: Uint32Array;
  readonly nameLengths: Uint16Array;
  readonly malformed: number;
}

/** Reads kallsyms_token_index and kallsyms_token_table; throws DataError when a token has no end in the table. */
export function parseTokens(table: Uint8Array, index: Uint8Array): Tokens {
  if (index.length < TOKEN_INDEX_LENGTH) throw new DataError(`kallsyms_token_index of ${index.length} bytes`);
  const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
  const starts = new Uint16Array(TOKENS);
  const lengths = new Uint16Array(TOKENS);
  for (let token = 0; token < TOKENS; token++) {
    const start = view.getUint16(2 * token, true);
    const end = table.indexOf(0, start);
    if (start >= table.length || end < 0) throw new DataError(`kallsyms token ${token} is past the end of its table`);
    starts[token] = start;
    lengths[token] = end - start;
  }
  return { bytes: table, starts, lengths };
}

/**
 * How many bytes the first `count` entries take. Undefined when `names` ends before they do; an entry of no tokens
 * counts, and spells nothing.
 */
export function namesLength(names: Uint8Array, count: number): number | undefined {
  let at = 0;
  for (let i = 0; i < count; i++) {
    const first = names[at];
    if (first === undefined) return undefined;
    at += first < 0x80 ? 1 + first : 2 + (first & 0x7f) + ((names[at + 1] ?? 0) << 7);
  }
  return at <= names.length ? at : undefined;
}

/** Spells the first `count` names out. `names` must hold them whole (`namesLength`). */
export function expandNames(names: Uint8Array, count: number, tokens: Tokens): ExpandedNames {
  const length = expandedLength(names, count, tokens);
  const nameBytes = new Uint8Array(length);
  const types = new Uint8Array(count);
  const nameStarts = new Uint32Array(count);
  const nameLengths = new Uint16Array(count);
  let malformed = 0;
  let at = 0;
  let filled = 0;
  for (let i = 0; i < count; i++) {
    let tokensLeft = names[at++] as number;
    if (tokensLeft >= 0x80) tokensLeft = (tokensLeft & 0x7f) | ((names[at++] as number) << 7);
    const start = filled;
    for (const end = at + tokensLeft; at < end; at++) {
      const token = names[at] as number;
      const from = tokens.starts[token] as number;
      const to = from + (tokens.lengths[token] as number);
      for (let k = from; k < to; k++) nameBytes[filled++] = tokens.bytes[k] as number;
    }
    types[i] = nameBytes[start] as number;
    nameStarts[i] = start + 1;
    if (isWellFormed(nameBytes, start, filled)) nameLengths[i] = filled - start - 1;
    else malformed++;
  }
  return { types, nameBytes, nameStarts, nameLengths, malformed };
}

/** The first entry of this name, or -1. */
export function indexOfName(names: ExpandedNames, name: string): number {
  for (let i = 0; i < names.nameLengths.length; i++) {
    if (names.nameLengths[i] !== name.length) continue;
    const start = names.nameStarts[i] as number;
    let k = 0;
    while (k < name.length && names.nameBytes[start + k] === name.charCodeAt(k)) k++;
    if (k === name.length) return i;
  }
  return -1;
}

function expandedLength(names: Uint8Array, count: number, tokens: Tokens): number {
  let length = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    let tokensLeft = names[at++] as number;
    if (tokensLeft >= 0x80) tokensLeft = (tokensLeft & 0x7f) | ((names[at++] as number) << 7);
    for (const end = at + tokensLeft; at < end; at++) length += tokens.lengths[names[at] as number] as number;
    if (length > EXPANDED_MAX) throw new DataError(`kallsyms names expand to more than ${EXPANDED_MAX} bytes`);
  }
  return length;
}

/** A letter and a printable name. */
function isWellFormed(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < 2 || end - start - 1 > SYMBOL_NAME_MAX || !isTypeByte(bytes[start] as number)) return false;
  for (let k = start + 1; k < end; k++) {
    if (!isNameByte(bytes[k] as number)) return false;
  }
  return true;
}
