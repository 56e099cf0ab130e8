/**
 * Lock-less lists: struct llist_head {first} leads to struct llist_node {next}, NULL at the end. Entries are pushed at
 * the front, so the newest comes first.
 */
import { formatAddress } from '../memory/address.ts';
import { walkChain } from './chain.ts';
import type { Kernel } from './kernel.ts';
import { memberOffset } from './member.ts';
import type { WalkOptions } from './walk.ts';

/** The addresses of the llist_nodes, newest first. Throws as walkChain does. */
export function* walkLlist(kernel: Kernel, head: bigint, options: WalkOptions = {}): Generator<bigint, void> {
  yield* walkChain(kernel, { place: `llist at ${formatAddress(head)}`, from: { head }, nextOffset: 0 }, options);
}

/** The structures on the list; `member` is the path of their llist_node, newest name first. */
export function* walkLlistOf(
  kernel: Kernel,
  head: bigint,
  structure: string,
  member: string | readonly string[],
  options: WalkOptions = {},
): Generator<bigint, void> {
  const offset = BigInt(memberOffset(kernel, structure, member).offset);
  for (const node of walkLlist(kernel, head, options)) yield node - offset;
}
