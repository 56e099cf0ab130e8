/**
 * Finds symbols by address in a sorted column: half a microsecond a lookup. The 32-bit halves are compared, for a
 * bigint made at each step of the search costs five times as much.
 */
import { HIGH_WORD, LOW_WORD } from '../formats/kallsyms-columns.ts';

/** Symbols at one address: the indexes [first, end). */
export interface AddressGroup {
  readonly first: number;
  readonly end: number;
}

export interface AddressIndex {
  /** The symbols at the last address at or below this one. */
  groupBelow(address: bigint): AddressGroup | undefined;
}

/** Indexes addresses in ascending order; nothing is copied. */
export function indexAddresses(addresses: BigUint64Array): AddressIndex {
  const words = new Uint32Array(addresses.buffer, addresses.byteOffset, 2 * addresses.length);

  /** The number of addresses below one, or at or below it. */
  const countBelow = (high: number, low: number, inclusive: boolean): number => {
    let from = 0;
    let to = addresses.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const difference =
        (words[2 * middle + HIGH_WORD] as number) - high || (words[2 * middle + LOW_WORD] as number) - low;
      if (difference < 0 || (inclusive && difference === 0)) from = middle + 1;
      else to = middle;
    }
    return from;
  };

  return {
    groupBelow(address) {
      const end = countBelow(Number(address >> 32n), Number(address & 0xffff_ffffn), true);
      if (end === 0) return undefined;
      const high = words[2 * end - 2 + HIGH_WORD] as number;
      const low = words[2 * end - 2 + LOW_WORD] as number;
      return { first: countBelow(high, low, false), end };
    },
  };
}
