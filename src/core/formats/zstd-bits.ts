/**
 * Bits of a Zstandard block: forwards for the headers of tables, backwards from the end for what the tables decode
 * (RFC 8878, 4.1 and 4.2.2).
 */
import { DataError } from '../errors.ts';

/** The lowest `count` (0 to 31) bits from a bit position on; zeros outside the bytes. */
function bitsAt(bytes: Uint8Array, start: number, end: number, position: number, count: number): number {
  let value = 0;
  const first = position >> 3;
  const shift = position & 7;
  for (let i = 0; i * 8 < shift + count; i++) {
    const at = start + first + i;
    const byte = at >= start && at < end ? (bytes[at] as number) : 0;
    value += byte * 2 ** (8 * i);
  }
  return Math.floor(value / 2 ** shift) % 2 ** count;
}

/** Number of the highest bit that is set, from 0; of 0 it is -1. */
export function highBit(value: number): number {
  return 31 - Math.clz32(value);
}

export class ForwardBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  #position = 0;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
  }

  read(count: number): number {
    const value = bitsAt(this.#bytes, this.#start, this.#end, this.#position, count);
    this.#position += count;
    if (this.#position > (this.#end - this.#start) * 8) throw new DataError('its zstd data is cut off within a table');
    return value;
  }

  rewind(count: number): void {
    this.#position -= count;
  }

  /** The first byte that no bit was read of. */
  get end(): number {
    return this.#start + ((this.#position + 7) >> 3);
  }
}

/** The last byte's highest set bit marks the end, where reading begins. */
export class BackwardBits {
  readonly #bytes: Uint8Array;
  readonly #start: number;
  readonly #end: number;
  /** Bits that are left; below 0 when more was read than there was. */
  left: number;

  constructor(bytes: Uint8Array, start: number, end: number) {
    const last = bytes[end - 1];
    if (end <= start || last === undefined || last === 0)
      throw new DataError('its zstd data has a stream without an end');
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.left = (end - start - 1) * 8 + highBit(last);
  }

  read(count: number): number {
    this.left -= count;
    return this.#at(this.left, count);
  }

  /** The next bits without taking them. */
  peek(count: number): number {
    return this.#at(this.left - count, count);
  }

  #at(position: number, count: number): number {
    const at = this.#start + (position >> 3);
    const shift = position & 7;
    if (position >= 0 && shift + count <= 24 && at + 3 <= this.#end) {
      const bytes = this.#bytes;
      const word = (bytes[at] as number) | ((bytes[at + 1] as number) << 8) | ((bytes[at + 2] as number) << 16);
      return (word >>> shift) & ((1 << count) - 1);
    }
    return bitsAt(this.#bytes, this.#start, this.#end, position, count);
  }
}
