/**
 * Nodes of maple trees: which slots and pivots each type has, from the kernel's own structures, and how many of them are
 * used (ma_data_end() in lib/maple_tree.c).
 */
import { isKernelAddress } from '../memory/address.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { resolve, sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember, memberOffset } from './member.ts';

/** Nodes are of this size and aligned so; the low bits of a pointer to one are free for its type. */
export const MAPLE_NODE_SIZE = 256;
const NODE_MASK = 255n;

/** enum maple_type, in the order that the kernel has had since 6.1. */
const TYPES = ['maple_dense', 'maple_leaf_64', 'maple_range_64', 'maple_arange_64'] as const;
export type MapleType = (typeof TYPES)[number];

/** Where one type of node keeps its slots and pivots, and the index of its last used slot. */
export interface MapleLayout {
  readonly type: MapleType;
  readonly leaf: boolean;
  readonly slots: number;
  readonly slotOffset: number;
  readonly pivots: number;
  readonly pivotOffset: number;
  readonly endOffset: number | undefined;
}

/** The last index of a slot. A pivot of 0 after the first slot is one that was never written: the node's end. */
export function maplePivot(layout: MapleLayout, view: DataView, slot: number, from: bigint, last: bigint): bigint {
  if (layout.pivots === 0) return from;
  if (slot >= layout.pivots) return last;
  const value = view.getBigUint64(layout.pivotOffset + slot * 8, true);
  return value === 0n && slot > 0 ? last : value;
}

/** The number of the last slot in use. */
export function mapleDataEnd(layout: MapleLayout, view: DataView, last: bigint): number {
  const max = layout.slots - 1;
  if (layout.pivots === 0) return max;
  const end = layout.endOffset === undefined ? max : Math.min(view.getUint8(layout.endOffset), max);
  if (layout.type === 'maple_arange_64') return end;
  const lastPivot = view.getBigUint64(layout.pivotOffset + (layout.pivots - 1) * 8, true);
  if (lastPivot === 0n) return end;
  return lastPivot === last ? layout.pivots - 1 : Math.min(layout.pivots, max);
}

/** True for a slot's pointer to a node: its bits 0..1 are 00. */
export function isMapleNode(entry: bigint): boolean {
  return isKernelAddress(entry) && (entry & 3n) === 0n;
}

export function mapleTypeNumber(pointer: bigint): number {
  return Number((pointer >> 3n) & 15n);
}

/** The layouts by the number of their type, from the kernel's own structures. Throws NotFoundError before 6.1. */
export function mapleLayouts(kernel: Kernel): ReadonlyMap<number, MapleLayout> {
  return kernel.memo('maple node layouts', 'session', () => {
    const found = new Map<number, MapleLayout>();
    for (const [index, type] of TYPES.entries()) {
      const number = Number(kernel.types.enumerator(type, VMLINUX)?.value ?? index);
      found.set(number, layoutOf(kernel, type));
    }
    return found;
  });
}

function layoutOf(kernel: Kernel, type: MapleType): MapleLayout {
  const leaf = type === 'maple_dense' || type === 'maple_leaf_64';
  if (type === 'maple_dense') {
    const slots = arrayOf(kernel, 'maple_node', 'slot');
    return {
      type,
      leaf,
      slots: slots.count,
      slotOffset: slots.offset,
      pivots: 0,
      pivotOffset: 0,
      endOffset: undefined,
    };
  }
  const structure = type === 'maple_arange_64' ? 'maple_arange_64' : 'maple_range_64';
  const slots = arrayOf(kernel, structure, 'slot');
  const pivots = arrayOf(kernel, structure, 'pivot');
  return {
    type,
    leaf,
    slots: slots.count,
    slotOffset: slots.offset,
    pivots: pivots.count,
    pivotOffset: pivots.offset,
    endOffset: memberOffset(kernel, structure, 'meta.end').offset,
  };
}

/** An array member within a node; its bounds are checked against the node's, because types are input as well. */
function arrayOf(
  kernel: Kernel,
  structure: string,
  member: string,
): { readonly offset: number; readonly count: number } {
  const { offset } = memberOffset(kernel, structure, member);
  const type = findStructMember(kernel, structure, member)?.type;
  const array = type === undefined ? undefined : resolve(type);
  const count = array?.kind === 'array' && sizeOf(array.element) === 8 ? array.count : 0;
  return { offset, count: Math.max(0, Math.min(count, Math.floor((MAPLE_NODE_SIZE - offset) / 8))) };
}

/** The node that a pointer leads to, its type taken off. */
export function mapleNodeAddress(pointer: bigint): bigint {
  return pointer & ~NODE_MASK;
}
