/**
 * Enumeration values by name. An enum whose constants are all single bits is a set of flags, as gdb has it: a value
 * with several bits is written `(A | B)`, what no constant covers as `unknown: 0x8`.
 */
import type { EnumType } from './type.ts';

/** The constant of this value, `(A | B)` for flags, or the number. */
export function formatEnum(value: bigint, type: EnumType, radix: 10 | 16): string {
  const named = type.enumerators.find((enumerator) => enumerator.value === value);
  if (named !== undefined) return named.name;
  if (value <= 0n || !isFlags(type)) return formatNumber(value, type.size * 8, radix);
  const names: string[] = [];
  let rest = value;
  for (const enumerator of type.enumerators) {
    if (enumerator.value === 0n || (rest & enumerator.value) === 0n) continue;
    names.push(enumerator.name);
    rest &= ~enumerator.value;
  }
  if (rest !== 0n) names.push(`unknown: 0x${rest.toString(16)}`);
  return `(${names.join(' | ')})`;
}

/** An integer of this many bits: signed decimal, or hex as its bits are. */
export function formatNumber(value: bigint, bits: number, radix: 10 | 16): string {
  return radix === 10 ? value.toString() : `0x${BigInt.asUintN(bits, value).toString(16)}`;
}

function isFlags(type: EnumType): boolean {
  return (
    type.enumerators.length > 0 && type.enumerators.every(({ value }) => value >= 0n && (value & (value - 1n)) === 0n)
  );
}
