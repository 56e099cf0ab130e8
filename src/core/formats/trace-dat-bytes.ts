/** Numbers and strings of a trace.dat, in the order of the machine that was traced. */
import { DataError } from '../errors.ts';
import { decodeCString, decodeText } from '../memory/text.ts';

const STRING_MAX = 64 * 1024;

/** Reads on from a place; throws DataError at the end of the bytes. */
export class DatCursor {
  readonly bytes: Uint8Array;
  readonly isLittle: boolean;
  readonly #view: DataView;
  at: number;

  constructor(bytes: Uint8Array, isLittle: boolean, at = 0) {
    this.bytes = bytes;
    this.isLittle = isLittle;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length;
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), this.isLittle);
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), this.isLittle);
  }

  /** A length or a place in the file. Throws DataError where it is larger than any file. */
  u64(): number {
    const value = this.#view.getBigUint64(this.#take(8), this.isLittle);
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DataError(`it says ${value} for a length or a place in it`);
    return Number(value);
  }

  /** Up to a NUL byte. */
  string(): string {
    const end = this.bytes.subarray(this.at, this.at + STRING_MAX).indexOf(0);
    if (end < 0) throw new DataError(`it has no end of a name at byte ${this.at}`);
    const start = this.#take(end + 1);
    return decodeCString(this.bytes, start, start + end);
  }

  take(length: number): Uint8Array {
    const start = this.#take(length);
    return this.bytes.subarray(start, start + length);
  }

  text(length: number): string {
    return decodeText(this.take(length)).replace(/\0+$/, '');
  }

  #take(length: number): number {
    const start = this.at;
    if (length < 0 || start < 0 || start + length > this.bytes.length) {
      throw new DataError(`it is cut off: ${length} bytes are missing at byte ${start}`);
    }
    this.at = start + length;
    return start;
  }
}
