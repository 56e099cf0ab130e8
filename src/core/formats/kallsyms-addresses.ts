/**
 * The address table of in-memory kallsyms, in its four encodings:
 *
 * - `absolute`: kallsyms_addresses, u64 each (before v4.6, and up to v6.10 without CONFIG_KALLSYMS_BASE_RELATIVE;
 *   gone since 64e166099b69 "kallsyms: get rid of code for absolute kallsyms");
 * - `base-relative`: kallsyms_offsets, u32 each, plus kallsyms_relative_base (2213e9a66bb8 "kallsyms: add support
 *   for relative offsets in kallsyms address table", v4.6);
 * - `absolute-percpu`: kallsyms_offsets, s32 each: what is not negative is the address itself, as x86's per-CPU
 *   symbols were up to v6.14; the others count down from kallsyms_relative_base - 1;
 * - `place-relative`: kallsyms_offsets, s32 each, from the place of the entry itself (v7.0).
 *
 * Which one a kernel has is told by what it exports and, between base-relative and absolute-percpu, by decoding
 * `_stext`, whose address is known.
 */
import { HIGH_WORD, LOW_WORD } from './kallsyms-columns.ts';

export type AddressEncoding = 'absolute' | 'base-relative' | 'absolute-percpu' | 'place-relative';

export interface AddressTable {
  readonly encoding: AddressEncoding;
  readonly bytes: Uint8Array;
  /** Where the table is in kernel memory: the place of entry 0. */
  readonly place: bigint;
  /** kallsyms_relative_base; 0 for the encodings without one. */
  readonly base: bigint;
}

/** Bytes of one entry. */
export function addressEntryLength(encoding: AddressEncoding): 4 | 8 {
  return encoding === 'absolute' ? 8 : 4;
}

/** The address of symbol i. */
export function addressOf(table: AddressTable, i: number): bigint {
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
  if (table.encoding === 'absolute') return view.getBigUint64(8 * i, true);
  const offset = view.getInt32(4 * i, true);
  return BigInt.asUintN(64, originOf(table, i, offset) + BigInt(distanceOf(table.encoding, offset)));
}

/** All of them, `count` at most as many as the table's bytes hold. Halves are added as doubles: bigints would take 40 ms. */
export function decodeAddresses(table: AddressTable, count: number): BigUint64Array {
  const addresses = new BigUint64Array(count);
  const words = new Uint32Array(addresses.buffer);
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
  if (table.encoding === 'absolute') {
    for (let i = 0; i < count; i++) {
      words[2 * i + LOW_WORD] = view.getUint32(8 * i, true);
      words[2 * i + HIGH_WORD] = view.getUint32(8 * i + 4, true);
    }
    return addresses;
  }
  const origin = table.encoding === 'place-relative' ? table.place : table.base;
  const originLow = Number(BigInt.asUintN(32, origin));
  const originHigh = Number(BigInt.asUintN(32, origin >> 32n));
  for (let i = 0; i < count; i++) {
    const offset = view.getInt32(4 * i, true);
    const isValue = table.encoding === 'absolute-percpu' && offset >= 0;
    const place = table.encoding === 'place-relative' ? 4 * i : 0;
    const low = (isValue ? 0 : originLow) + place + distanceOf(table.encoding, offset);
    words[2 * i + LOW_WORD] = low;
    words[2 * i + HIGH_WORD] = (isValue ? 0 : originHigh) + Math.floor(low / 0x1_0000_0000);
  }
  return addresses;
}

/** What the distance counts from. */
function originOf(table: AddressTable, i: number, offset: number): bigint {
  if (table.encoding === 'place-relative') return table.place + BigInt(4 * i);
  return table.encoding === 'absolute-percpu' && offset >= 0 ? 0n : table.base;
}

function distanceOf(encoding: AddressEncoding, offset: number): number {
  if (encoding === 'base-relative') return offset >>> 0;
  return encoding === 'absolute-percpu' && offset < 0 ? -1 - offset : offset;
}
