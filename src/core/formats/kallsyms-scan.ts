/**
 * Finds the kallsyms tables in the bytes of a kernel image, for a dump whose VMCOREINFO does not say where they are:
 * kernels before 5fd8fea935a1 "vmcoreinfo: include kallsyms symbols" (v6.0), and dumps without VMCOREINFO.
 *
 * The way in is the token table: characters that occur in names keep their own number as a token, so it has the bytes
 * "0\0" "1\0" up to "9\0" as tokens 0x30 to 0x39, and behind it an index that must agree with it. From there:
 *
 *     since v6.4:  num_syms  names  markers  [seqs]  token_table  token_index  offsets  [relative_base]
 *     before:      offsets or addresses  [relative_base]  num_syms  names  markers  [seqs]  token_table  token_index
 *
 * each aligned to 8. The number of names is right when so many names end where the markers begin, and the markers say
 * where every 256th begins. The addresses are right when they ascend and put `_stext` at the start of a page of kernel space.
 */
import { isKernelAddress, PAGE_SIZE } from '../memory/address.ts';
import { type AddressTable, addressEntryLength, decodeAddresses } from './kallsyms-addresses.ts';
import type { KallsymsLocations } from './kallsyms-memory.ts';
import {
  expandNames,
  indexOfName,
  namesLength,
  parseTokens,
  TOKEN_INDEX_LENGTH,
  type Tokens,
} from './kallsyms-names.ts';

const TOKENS = 256;
const FIRST_DIGIT = 0x30;
const TOKEN_MAX = 64;
/** Runs of digits that are looked into; an image has one or two by chance. */
const RUNS_MAX = 64;
const SYMBOLS_MAX = 1 << 22;
/** Names walked over while the number of them is looked for: a hostile image could offer a million numbers. */
const WALKED_MAX = 50_000_000;
/** Names and markers lie before the token table by this much at most. */
const NAMES_MAX = 64 * 1024 * 1024;

/**
 * The tables in `image`, kernel memory from virtual address `base` on; undefined when they are not there. Throws
 * DataError when what looks like them is corrupt.
 */
export function findKallsyms(image: Uint8Array, base: bigint): KallsymsLocations | undefined {
  let runs = 0;
  for (let at = findDigits(image, 0); at >= 0 && runs < RUNS_MAX; at = findDigits(image, at + 1)) {
    runs++;
    const tokens = findTokens(image, at);
    const names = tokens === undefined ? undefined : findNames(image, tokens.at);
    if (tokens === undefined || names === undefined) continue;
    const addresses = findAddresses(image, base, tokens, names);
    if (addresses === undefined) continue;
    const { table, stext, relativeBaseAt } = addresses;
    return {
      names: base + BigInt(names.at),
      numSyms: base + BigInt(names.countAt),
      tokenTable: base + BigInt(tokens.at),
      tokenIndex: base + BigInt(tokens.indexAt),
      addresses: table.encoding === 'absolute' ? table.place : undefined,
      offsets: table.encoding === 'absolute' ? undefined : table.place,
      relativeBase: relativeBaseAt === undefined ? undefined : base + BigInt(relativeBaseAt),
      stext,
    };
  }
  return undefined;
}

/** The next place of the ten digits, each ended by a NUL. */
function findDigits(image: Uint8Array, from: number): number {
  for (let at = image.indexOf(FIRST_DIGIT, from); at >= 0; at = image.indexOf(FIRST_DIGIT, at + 1)) {
    let digit = 0;
    while (digit < 10 && image[at + 2 * digit] === FIRST_DIGIT + digit && image[at + 2 * digit + 1] === 0) digit++;
    if (digit === 10) return at;
  }
  return -1;
}

interface FoundTokens {
  readonly at: number;
  readonly indexAt: number;
  readonly tokens: Tokens;
}

/** The token table around the digits, and the index that agrees with it. */
function findTokens(image: Uint8Array, digitsAt: number): FoundTokens | undefined {
  let token0End = digitsAt - 1;
  for (let token = FIRST_DIGIT - 1; token > 0; token--) {
    const from = Math.max(0, token0End - TOKEN_MAX);
    const before = image.subarray(from, token0End).lastIndexOf(0);
    if (before < 0) return undefined;
    token0End = from + before;
  }
  for (let at = token0End & ~7; at >= 0 && token0End - at <= TOKEN_MAX; at -= 8) {
    const starts = new Uint16Array(TOKENS);
    let end = at;
    for (let token = 0; token < TOKENS; token++) {
      starts[token] = end - at;
      const nul = image.subarray(end, end + TOKEN_MAX).indexOf(0);
      if (nul < 0) return undefined;
      end += nul + 1;
    }
    const indexAt = (end + 7) & ~7;
    const index = image.subarray(indexAt, indexAt + TOKEN_INDEX_LENGTH);
    if (agrees(index, starts)) return { at, indexAt, tokens: parseTokens(image.subarray(at, end), index) };
  }
  return undefined;
}

function agrees(index: Uint8Array, starts: Uint16Array): boolean {
  if (index.length < TOKEN_INDEX_LENGTH) return false;
  for (let token = 0; token < TOKENS; token++) {
    const start = (index[2 * token] as number) | ((index[2 * token + 1] as number) << 8);
    if (start !== starts[token]) return false;
  }
  return true;
}

interface FoundNames {
  readonly at: number;
  readonly countAt: number;
  readonly count: number;
}

/** Goes back from the token table to a number that counts the names after it. */
function findNames(image: Uint8Array, tokensAt: number): FoundNames | undefined {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  let budget = WALKED_MAX;
  for (let countAt = tokensAt - 16; countAt >= Math.max(0, tokensAt - NAMES_MAX) && budget > 0; countAt -= 8) {
    const count = view.getUint32(countAt, true);
    if (count === 0 || count > SYMBOLS_MAX || view.getUint32(countAt + 4, true) !== 0) continue;
    const at = countAt + 8;
    // A name takes two bytes at least, and so does its share of the markers.
    if (count * 2 > tokensAt - at) continue;
    budget -= count;
    const length = namesLength(image.subarray(at, tokensAt), count);
    if (length !== undefined && markersAgree(image, view, at, count, length)) return { at, countAt, count };
  }
  return undefined;
}

/** kallsyms_markers, u32 each: where names 0, 256, 512 ... begin. */
function markersAgree(image: Uint8Array, view: DataView, at: number, count: number, length: number): boolean {
  const markersAt = (at + length + 7) & ~7;
  const markers = Math.ceil(count / 256);
  if (markersAt + 4 * markers > image.length || view.getUint32(markersAt, true) !== 0) return false;
  for (const marker of [1, Math.floor(markers / 2), markers - 1]) {
    if (marker <= 0 || marker >= markers) continue;
    const begins = namesLength(image.subarray(at, at + length), 256 * marker);
    if (view.getUint32(markersAt + 4 * marker, true) !== begins) return false;
  }
  return true;
}

interface FoundAddresses {
  readonly table: AddressTable;
  readonly stext: bigint;
  readonly relativeBaseAt: number | undefined;
}

/** The address table, behind the tokens or before the names, in the encoding that makes sense. */
function findAddresses(
  image: Uint8Array,
  base: bigint,
  tokens: FoundTokens,
  names: FoundNames,
): FoundAddresses | undefined {
  const { count } = names;
  const spelled = expandNames(image.subarray(names.at, tokens.at), count, tokens.tokens);
  const stextIndex = indexOfName(spelled, '_stext');
  if (stextIndex < 0) return undefined;
  const behind = tokens.indexAt + TOKEN_INDEX_LENGTH;
  const offsetsLength = (4 * count + 7) & ~7;
  const candidates: readonly (readonly [AddressTable['encoding'], number, number | undefined])[] = [
    ['base-relative', behind, behind + offsetsLength],
    ['absolute-percpu', behind, behind + offsetsLength],
    ['place-relative', behind, undefined],
    ['base-relative', names.countAt - 8 - offsetsLength, names.countAt - 8],
    ['absolute-percpu', names.countAt - 8 - offsetsLength, names.countAt - 8],
    ['absolute', names.countAt - 8 * count, undefined],
    ['absolute', behind, undefined],
  ];
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  for (const [encoding, at, relativeBaseAt] of candidates) {
    const length = count * addressEntryLength(encoding);
    if (at < 0 || at + length > image.length) continue;
    if (relativeBaseAt !== undefined && relativeBaseAt + 8 > image.length) continue;
    const relativeBase = relativeBaseAt === undefined ? 0n : view.getBigUint64(relativeBaseAt, true);
    const table = { encoding, bytes: image.subarray(at, at + length), place: base + BigInt(at), base: relativeBase };
    const addresses = decodeAddresses(table, count);
    const stext = addresses[stextIndex] as bigint;
    if (isKernelAddress(stext) && stext % BigInt(PAGE_SIZE) === 0n && isAscending(addresses)) {
      return { table, stext, relativeBaseAt };
    }
  }
  return undefined;
}

function isAscending(addresses: BigUint64Array): boolean {
  for (let i = 1; i < addresses.length; i++) {
    if ((addresses[i] as bigint) < (addresses[i - 1] as bigint)) return false;
  }
  return true;
}
