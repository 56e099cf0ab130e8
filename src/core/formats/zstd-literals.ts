/** The literals of a Zstandard block: bytes as they are, one byte many times, or Huffman codes (RFC 8878, 3.1.1.3.1). */
import { DataError } from '../errors.ts';
import { BackwardBits } from './zstd-bits.ts';
import { type HuffmanTable, readHuffmanTable } from './zstd-tables.ts';

/** A block gives 128 KiB at most, and so do its literals. */
const LITERALS_MAX = 128 * 1024;

export function readLiterals(
  bytes: Uint8Array,
  start: number,
  end: number,
  before: HuffmanTable | undefined,
): { readonly literals: Uint8Array; readonly huffman: HuffmanTable | undefined; readonly end: number } {
  const byte = (i: number): number => (start + i < end ? (bytes[start + i] as number) : 0);
  const type = byte(0) & 3;
  const format = (byte(0) >> 2) & 3;
  if (type < 2) {
    const [header, size] =
      format === 1
        ? [2, (byte(0) >> 4) | (byte(1) << 4)]
        : format === 3
          ? [3, (byte(0) >> 4) | (byte(1) << 4) | (byte(2) << 12)]
          : [1, byte(0) >> 3];
    const at = start + header;
    const stop = type === 0 ? at + size : at + 1;
    if (stop > end || size > LITERALS_MAX) throw new DataError('its zstd data is cut off within literals');
    const literals = type === 0 ? bytes.subarray(at, stop) : new Uint8Array(size).fill(bytes[at] as number);
    return { literals, huffman: before, end: stop };
  }
  const width = format < 2 ? 10 : format === 2 ? 14 : 18;
  const header = format < 2 ? 3 : format + 2;
  const packed = [0, 1, 2, 3, 4].reduce((sum, i) => sum + (i < header ? byte(i) * 2 ** (8 * i) : 0), 0);
  const size = Math.floor(packed / 16) % 2 ** width;
  const stored = Math.floor(packed / 2 ** (4 + width)) % 2 ** width;
  let at = start + header;
  const stop = at + stored;
  if (stop > end || size > LITERALS_MAX) throw new DataError('its zstd data is cut off within literals');
  let huffman = before;
  if (type === 2) {
    const read = readHuffmanTable(bytes, at, stop);
    huffman = read.table;
    at = read.end;
  }
  if (huffman === undefined) throw new DataError('its zstd data has literals without a table');
  const literals = new Uint8Array(size);
  if (format === 0) decode(bytes, at, stop, huffman, literals);
  else decodeFour(bytes, at, stop, huffman, literals);
  return { literals, huffman, end: stop };
}

/** Four streams, the lengths of the first three before them. */
function decodeFour(bytes: Uint8Array, start: number, end: number, table: HuffmanTable, into: Uint8Array): void {
  if (start + 6 > end) throw new DataError('its zstd data is cut off within literals');
  const length = (i: number): number => (bytes[start + 2 * i] as number) | ((bytes[start + 2 * i + 1] as number) << 8);
  const part = (into.length + 3) >> 2;
  let at = start + 6;
  for (let i = 0; i < 4; i++) {
    const stop = i < 3 ? at + length(i) : end;
    if (stop > end) throw new DataError('its zstd data is cut off within literals');
    decode(
      bytes,
      at,
      stop,
      table,
      into.subarray(Math.min(i * part, into.length), i < 3 ? (i + 1) * part : into.length),
    );
    at = stop;
  }
}

function decode(bytes: Uint8Array, start: number, end: number, table: HuffmanTable, into: Uint8Array): void {
  const input = new BackwardBits(bytes, start, end);
  for (let i = 0; i < into.length; i++) {
    const code = input.peek(table.log);
    into[i] = table.symbols[code] as number;
    input.left -= table.bits[code] as number;
  }
  if (input.left !== 0) throw new DataError('its zstd data has literals that do not end');
}
