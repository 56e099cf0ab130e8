/**
 * Printing a structure also prints the strings that its char pointers point to. They are scattered, so on a remote
 * target each would be a round trip: here they are asked for together, once the structure itself is read.
 */
import { PAGE_SIZE } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { isStringPointer } from './c-string.ts';
import { isInteger } from './scalar.ts';
import { resolve } from './type.ts';
import type { Value } from './value.ts';

const STRINGS_MAX = 128;
/** Members and elements looked at. */
const VALUES_MAX = 4096;
const ELEMENTS_MAX = 32;
/** Bytes of a string that are likely enough to be all of it. */
const LIKELY_LENGTH = 64;

/** Reads the structure or array, then prefetches the strings in it. Costs nothing for a scalar. */
export function prefetchStrings(value: Value): void {
  const { kind } = resolve(value.type);
  if (value.memory.prefetch === undefined || (kind !== 'struct' && kind !== 'union' && kind !== 'array')) return;
  const whole = value.readable();
  if (whole instanceof Fault || whole.location.kind !== 'bytes') return;
  const addresses = stringsIn(whole);
  if (addresses.size < 2) return;
  const ranges = [...addresses].map((address) => {
    const toPageEnd = PAGE_SIZE - Number(address % BigInt(PAGE_SIZE));
    return { space: 'virtual' as const, address, length: Math.min(LIKELY_LENGTH, toPageEnd), what: 'strings' };
  });
  value.memory.prefetch(ranges);
}

/** Where the char pointers within a value point: breadth first, so that the outermost come before the bound. */
function stringsIn(whole: Value): ReadonlySet<bigint> {
  const addresses = new Set<bigint>();
  const queue = [whole];
  for (let i = 0; i < queue.length && addresses.size < STRINGS_MAX; i++) {
    const value = queue[i] as Value;
    const type = resolve(value.type);
    if (isStringPointer(type)) {
      const address = value.toBigInt();
      if (address !== 0n) addresses.add(address);
    } else if (type.kind === 'struct' || type.kind === 'union') {
      for (const member of type.members.slice(0, VALUES_MAX - queue.length)) queue.push(value.memberAt(member));
    } else if (type.kind === 'array' && !isInteger(type.element)) {
      const count = Math.min(type.count, ELEMENTS_MAX, VALUES_MAX - queue.length);
      for (let element = 0; element < count; element++) queue.push(value.index(element));
    }
  }
  return addresses;
}
