/** Bitmaps: arrays of unsigned long, bit n in word n / 64. Little-endian words make that byte n / 8, bit n % 8. */
import { DataError } from '../errors.ts';
import type { Kernel } from './kernel.ts';

/** More bits than any bitmap of a kernel: 64 MiB of them. */
const BITS_MAX = 512 * 1024 * 1024;

/** The numbers of the bits that are set, of at most `count` bits. */
export function* bitsOf(bytes: Uint8Array, count = bytes.length * 8): Generator<number, void> {
  const length = Math.min(bytes.length, Math.ceil(count / 8));
  for (let i = 0; i < length; i++) {
    let byte = bytes[i] as number;
    for (let bit = i * 8; byte !== 0 && bit < count; bit++, byte >>>= 1) {
      if ((byte & 1) === 1) yield bit;
    }
  }
}

/** Reads a bitmap of so many bits. Throws FaultError, DataError for an impossible count. */
export function readBitmap(kernel: Kernel, address: bigint, count: number, what = 'bitmap'): Uint8Array {
  if (!Number.isInteger(count) || count < 0 || count > BITS_MAX) {
    throw new DataError(`the ${what} of ${count} bits is impossibly large`);
  }
  return kernel.memory.read(address, Math.ceil(count / 64) * 8, what);
}

/** The bits that are set in a bitmap in memory. Throws as readBitmap does. */
export function* walkBitmap(kernel: Kernel, address: bigint, count: number): Generator<number, void> {
  yield* bitsOf(readBitmap(kernel, address, count), count);
}
