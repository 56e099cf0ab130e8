/**
 * Zstandard frames decompressed (RFC 8878), for files whose compressor is not the platform's. Frames that need a
 * dictionary are refused; checksums are not looked at, for what is inside is decoded with care anyway.
 */
import { DataError } from '../errors.ts';
import { BackwardBits } from './zstd-bits.ts';
import { readLiterals } from './zstd-literals.ts';
import { type FseTable, fseTable, type HuffmanTable, onlySymbol, readFseTable } from './zstd-tables.ts';

const MAGIC = 0xfd2fb528;
const SKIPPED_MAGIC = 0x184d2a50;
const DICTIONARY_BYTES = [0, 1, 2, 4] as const;

/** How symbols of a kind are coded: bases and extra bits by code, and what is taken where a block describes nothing. */
interface Kind {
  readonly name: 'literals' | 'offsets' | 'matches';
  readonly logMax: number;
  readonly symbolsMax: number;
  readonly predefined: FseTable;
}

const run = (count: number, value: number): readonly number[] => Array.from({ length: count }, () => value);
/** RFC 8878, 3.1.1.3.2.1.1 and 3.1.1.3.2.2: base and extra bits of each code above those that stand for themselves. */
const LITERAL_EXTRAS = [...run(16, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const MATCH_EXTRAS = [...run(32, 0), 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];
const LITERAL_BASES = bases(LITERAL_EXTRAS, 0);
const MATCH_BASES = bases(MATCH_EXTRAS, 3);
const OFFSET_CODE_MAX = 31;

const LITERALS: Kind = {
  name: 'literals',
  logMax: 9,
  symbolsMax: 36,
  predefined: fseTable([4, 3, ...run(11, 2), 1, 1, 1, ...run(9, 2), 3, 2, ...run(5, 1), ...run(4, -1)], 6),
};
const OFFSETS: Kind = {
  name: 'offsets',
  logMax: 8,
  symbolsMax: 32,
  predefined: fseTable([...run(6, 1), 2, 2, 2, ...run(15, 1), ...run(5, -1)], 5),
};
const MATCHES: Kind = {
  name: 'matches',
  logMax: 9,
  symbolsMax: 53,
  predefined: fseTable([1, 4, 3, ...run(6, 2), ...run(37, 1), ...run(7, -1)], 6),
};

function bases(extras: readonly number[], first: number): readonly number[] {
  let base = first;
  return extras.map((bits) => {
    const own = base;
    base += 2 ** bits;
    return own;
  });
}

/** What one block leaves to the next. */
interface State {
  readonly output: Uint8Array;
  /** Where the frame began in the output: nothing before it is referred to. */
  readonly start: number;
  at: number;
  huffman: HuffmanTable | undefined;
  tables: Partial<Record<Kind['name'], FseTable>>;
  readonly offsets: [number, number, number];
}

/** All frames of `bytes`, which must give exactly `length` bytes: the caller bounds that. Throws DataError. */
export function unzstd(bytes: Uint8Array, length: number): Uint8Array {
  const output = new Uint8Array(length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  let done = 0;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw new DataError('its zstd data is cut off');
    const magic = view.getUint32(at, true);
    if ((magic & 0xfffffff0) >>> 0 === SKIPPED_MAGIC) {
      at += 8 + view.getUint32(at + 4, true);
      continue;
    }
    if (magic !== MAGIC) throw new DataError('its zstd data does not begin as such');
    [at, done] = readFrame(bytes, at + 4, output, done);
  }
  if (done !== length) throw new DataError(`its zstd data gives ${done} bytes in the place of ${length}`);
  return output;
}

function readFrame(bytes: Uint8Array, start: number, output: Uint8Array, done: number): [number, number] {
  const descriptor = bytes[start] as number;
  const isSingle = (descriptor & 0x20) !== 0;
  const dictionary = DICTIONARY_BYTES[descriptor & 3] as number;
  const sizeBytes = descriptor >> 6 === 0 ? (isSingle ? 1 : 0) : 1 << (descriptor >> 6);
  let at = start + 1 + (isSingle ? 0 : 1);
  if (bytes.subarray(at, at + dictionary).some((byte) => byte !== 0)) {
    throw new DataError('its zstd data needs a dictionary');
  }
  at += dictionary + sizeBytes;
  const state: State = { output, start: done, at: done, huffman: undefined, tables: {}, offsets: [1, 4, 8] };
  for (let isLast = false; !isLast; ) {
    if (at + 3 > bytes.length) throw new DataError('its zstd data is cut off between blocks');
    const header = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
    isLast = (header & 1) === 1;
    at = readBlock(bytes, at + 3, (header >> 1) & 3, header >> 3, state);
  }
  return [at + ((descriptor & 4) === 0 ? 0 : 4), state.at];
}

function readBlock(bytes: Uint8Array, at: number, type: number, size: number, state: State): number {
  const end = type === 1 ? at + 1 : at + size;
  if (end > bytes.length) throw new DataError('its zstd data is cut off within a block');
  if (type === 2) {
    readCompressed(bytes, at, end, state);
    return end;
  }
  if (type === 3 || size > state.output.length - state.at) throw new DataError('its zstd data has an impossible block');
  if (type === 0) state.output.set(bytes.subarray(at, end), state.at);
  else state.output.fill(bytes[at] as number, state.at, state.at + size);
  state.at += size;
  return end;
}

function readCompressed(bytes: Uint8Array, start: number, end: number, state: State): void {
  const { literals, huffman, end: after } = readLiterals(bytes, start, end, state.huffman);
  state.huffman = huffman;
  let at = after;
  const first = at < end ? (bytes[at++] as number) : 0;
  let count = first;
  if (first === 255) {
    count = ((bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8)) + 0x7f00;
    at += 2;
  } else if (first >= 128) count = ((first - 128) << 8) | (bytes[at++] ?? 0);
  if (count === 0) {
    append(state, literals);
    return;
  }
  const modes = bytes[at++] ?? 0;
  const table = (kind: Kind, mode: number): FseTable => {
    const read = readTable(bytes, at, end, kind, mode, state);
    at = read.end;
    state.tables[kind.name] = read.table;
    return read.table;
  };
  const tables = [
    table(LITERALS, modes >> 6),
    table(OFFSETS, (modes >> 4) & 3),
    table(MATCHES, (modes >> 2) & 3),
  ] as const;
  runSequences(new BackwardBits(bytes, at, end), count, tables, literals, state);
}

function readTable(
  bytes: Uint8Array,
  at: number,
  end: number,
  { name, logMax, symbolsMax, predefined }: Kind,
  mode: number,
  { tables }: State,
): { readonly table: FseTable; readonly end: number } {
  if (mode === 0) return { table: predefined, end: at };
  if (mode === 2) return readFseTable(bytes, at, end, logMax, symbolsMax);
  const symbol = bytes[at];
  if (mode === 1 && at < end && symbol !== undefined && symbol < symbolsMax) {
    return { table: onlySymbol(symbol), end: at + 1 };
  }
  const before = tables[name];
  if (mode === 1 || before === undefined) throw new DataError('its zstd data has a block without a table');
  return { table: before, end: at };
}

/** Literals and copies of what is there already, in turn. */
function runSequences(
  input: BackwardBits,
  count: number,
  [literalTable, offsetTable, matchTable]: readonly [FseTable, FseTable, FseTable],
  literals: Uint8Array,
  state: State,
): void {
  let [l, o, m] = [input.read(literalTable.log), input.read(offsetTable.log), input.read(matchTable.log)];
  let used = 0;
  for (let i = 0; i < count; i++) {
    const offsetCode = offsetTable.symbols[o] as number;
    const matchCode = matchTable.symbols[m] as number;
    const literalCode = literalTable.symbols[l] as number;
    if (offsetCode > OFFSET_CODE_MAX) throw new DataError('its zstd data refers too far back');
    const offsetValue = 2 ** offsetCode + input.read(offsetCode);
    const match = (MATCH_BASES[matchCode] as number) + input.read(MATCH_EXTRAS[matchCode] as number);
    const length = (LITERAL_BASES[literalCode] as number) + input.read(LITERAL_EXTRAS[literalCode] as number);
    if (i + 1 < count) {
      l = (literalTable.bases[l] as number) + input.read(literalTable.bits[l] as number);
      m = (matchTable.bases[m] as number) + input.read(matchTable.bits[m] as number);
      o = (offsetTable.bases[o] as number) + input.read(offsetTable.bits[o] as number);
    }
    if (input.left < 0) throw new DataError('its zstd data has fewer sequences than it says');
    if (used + length > literals.length) throw new DataError('its zstd data has fewer literals than it uses');
    append(state, literals.subarray(used, used + length));
    used += length;
    copy(state, offsetOf(state.offsets, offsetValue, length), match);
  }
  append(state, literals.subarray(used));
}

/** The offset that a value stands for: three are one of the last three. */
function offsetOf(offsets: [number, number, number], value: number, literals: number): number {
  if (value > 3) {
    offsets.unshift(value - 3);
    offsets.pop();
    return value - 3;
  }
  const which = value - 1 + (literals === 0 ? 1 : 0);
  const offset = which === 3 ? offsets[0] - 1 : (offsets[which] as number);
  if (which > 0) {
    if (which > 1) offsets[2] = offsets[1];
    offsets[1] = offsets[0];
    offsets[0] = offset;
  }
  return offset;
}

function append(state: State, bytes: Uint8Array): void {
  if (state.at + bytes.length > state.output.length) throw new DataError('its zstd data is longer than it says');
  state.output.set(bytes, state.at);
  state.at += bytes.length;
}

/** Copies within the output; the two places may overlap, and then what was copied is copied again. */
function copy(state: State, offset: number, length: number): void {
  const { output, at, start } = state;
  if (offset <= 0 || offset > at - start) throw new DataError('its zstd data refers to what is not there');
  if (at + length > output.length) throw new DataError('its zstd data is longer than it says');
  if (offset >= length) output.copyWithin(at, at - offset, at - offset + length);
  else for (let i = 0; i < length; i++) output[at + i] = output[at + i - offset] as number;
  state.at += length;
}
