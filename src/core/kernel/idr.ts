/**
 * IDR (integer to pointer) and IDA (integers only), both over an XArray. An IDA's leaf is a value entry whose low 62
 * bits are a bitmap, while the IDs of a chunk are few and low, or else leads to a struct ida_bitmap of 1024 bits
 * (lib/idr.c); its index counts chunks of 1024 IDs.
 */
import { bitsOf } from './bitmap.ts';
import type { Kernel } from './kernel.ts';
import { memberOffset } from './member.ts';
import { defineStruct, embedded, int } from './struct.ts';
import type { WalkOptions } from './walk.ts';
import { walkXarray, type XarrayEntry } from './xarray.ts';

const Idr = defineStruct('idr', { tree: embedded('idr_rt'), base: int('idr_base') });

const IDA_BITMAP_BYTES = 128;
const IDA_BITMAP_BITS = BigInt(IDA_BITMAP_BYTES * 8);

/** An ID and what it stands for. */
export interface IdrEntry extends XarrayEntry {
  readonly id: bigint;
  readonly pointer: bigint;
}

/** The entries of a struct idr, by ID. IDs that were allocated for NULL are left out, as idr_for_each does. */
export function* walkIdr(kernel: Kernel, idr: bigint, options: WalkOptions = {}): Generator<IdrEntry, void> {
  const { tree, base } = kernel.struct(Idr).at(idr);
  for (const entry of walkXarray(kernel, tree, options)) {
    const id = entry.index + BigInt(base);
    yield { ...entry, index: id, last: entry.last + BigInt(base), id, pointer: entry.entry };
  }
}

/** The IDs that a struct ida has given out. */
export function* walkIda(kernel: Kernel, ida: bigint, options: WalkOptions = {}): Generator<bigint, void> {
  const array = ida + BigInt(memberOffset(kernel, 'ida', 'xa').offset);
  for (const { index, entry, value } of walkXarray(kernel, array, options)) {
    const first = index * IDA_BITMAP_BITS;
    const bits =
      value === undefined ? bitsOf(kernel.memory.read(entry, IDA_BITMAP_BYTES, 'ida_bitmap')) : bitsOf(bytesOf(value));
    for (const bit of bits) yield first + BigInt(bit);
  }
}

function bytesOf(value: bigint): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value, true);
  return bytes;
}
