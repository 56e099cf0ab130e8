/**
 * Lists sorted by priority: struct plist_head.node_list threads every plist_node.node_list; plist_node.prio_list, which
 * only the first node of each priority is on, serves insertion and is not needed to read the list.
 */
import type { Kernel } from './kernel.ts';
import { walkListOf } from './list.ts';
import { memberOffset } from './member.ts';
import { defineStruct, int } from './struct.ts';
import type { WalkOptions } from './walk.ts';

const PlistNode = defineStruct('plist_node', { prio: int('prio') });

/** A node of a plist: the lower its priority number, the nearer to the front. */
export interface PlistEntry {
  /** Address of the plist_node. */
  readonly address: bigint;
  readonly priority: number;
}

/** The nodes of a struct plist_head, most urgent first. Throws as walkChain does. */
export function* walkPlist(kernel: Kernel, head: bigint, options: WalkOptions = {}): Generator<PlistEntry, void> {
  const list = head + BigInt(memberOffset(kernel, 'plist_head', 'node_list').offset);
  const node = kernel.struct(PlistNode);
  for (const address of walkListOf(kernel, list, 'plist_node', 'node_list', options)) {
    yield { address, priority: node.at(address).prio };
  }
}
