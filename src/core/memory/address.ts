/**
 * Addresses are bigints everywhere: a kernel virtual address does not fit a double. This file knows how they are
 * written and which of them can exist.
 */

export const PAGE_SIZE = 4096;

/** An address as crash's tables write it: 16 lower-case hex digits, no 0x. */
export function formatAddress(address: bigint): string {
  return BigInt.asUintN(64, address).toString(16).padStart(16, '0');
}

/** A 64-bit value as JSON and C text write it: `0x` and no padding. */
export function formatHex(value: bigint | number): string {
  const wide = BigInt(value);
  return `0x${(wide < 0n ? BigInt.asUintN(64, wide) : wide).toString(16)}`;
}

/** True when the value could be a kernel virtual address on x86-64: the upper half, 4- or 5-level paging. */
export function isKernelAddress(value: bigint): boolean {
  return value >= 0xff00_0000_0000_0000n && value <= 0xffff_ffff_ffff_ffffn;
}

/** True when bits 63..56 are all equal: x86-64 with 5-level paging has 57 significant bits, with 4-level 48. */
export function isCanonical(value: bigint): boolean {
  return value <= 0x00ff_ffff_ffff_ffffn || isKernelAddress(value);
}

/** True when the value could be a user address: the lower half. */
export function isUserAddress(value: bigint): boolean {
  return value >= BigInt(PAGE_SIZE) && value <= 0x00ff_ffff_ffff_ffffn;
}

/**
 * Reads hex digits with or without `0x`. Undefined when the text is anything else or does not fit 64 bits; crash
 * reads a bare word as an address first, so `add` is 0xadd where an address is wanted.
 */
export function parseHex(text: string): bigint | undefined {
  const digits = /^(?:0[xX])?([0-9a-fA-F]{1,16})$/.exec(text)?.[1];
  return digits === undefined ? undefined : BigInt(`0x${digits}`);
}
