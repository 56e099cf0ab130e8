/**
 * Hash table buckets: struct hlist_head {first}, struct hlist_node {next, pprev}. A node's pprev points at the pointer
 * that leads to it; both `first` and `next` are at offset 0, so it is the address of the previous node or of the head.
 *
 * hlist_nulls ends with an odd value instead of NULL, and hlist_bl keeps a lock in bit 0 of the head.
 */
import { formatAddress } from '../memory/address.ts';
import { walkChain } from './chain.ts';
import type { Kernel } from './kernel.ts';
import { memberOffset } from './member.ts';
import type { WalkOptions } from './walk.ts';

/** The addresses of the hlist_nodes in a bucket. Throws as walkChain does. */
export function* walkHlist(kernel: Kernel, head: bigint, options: WalkOptions = {}): Generator<bigint, void> {
  const place = `hash list at ${formatAddress(head)}`;
  yield* walkChain(kernel, { place, from: { head }, nextOffset: 0, backOffset: 8 }, options);
}

/** The structures in a bucket; `member` is the path of their hlist_node, newest name first. */
export function* walkHlistOf(
  kernel: Kernel,
  head: bigint,
  structure: string,
  member: string | readonly string[],
  options: WalkOptions = {},
): Generator<bigint, void> {
  const offset = BigInt(memberOffset(kernel, structure, member).offset);
  for (const node of walkHlist(kernel, head, options)) yield node - offset;
}

/** The nodes of a struct hlist_bl_head: bit 0 of the head's pointer is a lock. */
export function* walkHlistBl(kernel: Kernel, head: bigint, options: WalkOptions = {}): Generator<bigint, void> {
  const place = `hash list at ${formatAddress(head)}`;
  yield* walkChain(kernel, { place, from: { head }, nextOffset: 0, backOffset: 8, flags: 1n }, options);
}

/** The nodes of a struct hlist_nulls_head: an odd pointer is the end and carries the bucket's number. */
export function* walkHlistNulls(kernel: Kernel, head: bigint, options: WalkOptions = {}): Generator<bigint, void> {
  const place = `hash list at ${formatAddress(head)}`;
  yield* walkChain(kernel, { place, from: { head }, nextOffset: 0, backOffset: 8, oddIsEnd: true }, options);
}
