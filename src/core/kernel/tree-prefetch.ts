/**
 * Trees are read a level at a time before they are walked in order: a level is one request, and a tree of n nodes has
 * some log n levels, where following one pointer after the other would be n requests.
 */
import { AddressSet } from '../memory/address-set.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';

/** Half of the page cache at one page a node: beyond it a tree would push its own first pages out. */
const NODES_MAX = 8192;
const LEVELS_MAX = 64;

export interface TreeShape {
  readonly root: bigint;
  /** The memory of a node, from its pointer: a pointer may carry a type in its low bits. */
  readonly address: (node: bigint) => bigint;
  readonly length: number;
  readonly what: string;
  /** Pointers to the children, from the bytes of a node; what is not a node is left out or simply not found. */
  readonly children: (bytes: Uint8Array, node: bigint) => readonly bigint[];
}

/** Brings the nodes of a tree in, level by level, up to a bound. Throws CancelledError. */
export function prefetchTree(kernel: Kernel, shape: TreeShape): void {
  const seen = new AddressSet();
  let level: readonly bigint[] = [shape.root];
  for (let depth = 0; depth < LEVELS_MAX && level.length > 0; depth++) {
    const { length, what } = shape;
    kernel.memory.prefetch(level.map((node) => ({ space: 'virtual', address: shape.address(node), length, what })));
    const next: bigint[] = [];
    for (const node of level) {
      if (seen.size >= NODES_MAX) return;
      if (!seen.add(shape.address(node))) continue;
      const bytes = kernel.memory.tryRead(shape.address(node), length, what);
      if (!(bytes instanceof Fault)) next.push(...shape.children(bytes, node));
    }
    level = next;
  }
}
