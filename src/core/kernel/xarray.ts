/**
 * XArrays and radix trees: one structure, two interfaces (since 4.20 struct radix_tree_root is struct xarray). xa_head
 * is the entry at index 0, or leads to a tree of struct xa_node: 64 slots each (16 with CONFIG_BASE_SMALL), and in
 * `shift` the bits of the index below a slot. What a slot holds is told by its low two bits (include/linux/xarray.h):
 *
 *     00  a pointer
 *     x1  a value: the integer is the entry >> 1 (or a pointer that the user tagged)
 *     10  internal: below 256 << 2 a sibling, the number of the slot whose entry covers this one too; 256 << 2 retry;
 *         257 << 2 reserved (zero entry); above 4096 a node
 *
 * An entry in a node with a shift, or followed by siblings, covers a range of indices.
 */
import { FaultError, type KdbgError } from '../errors.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { resolve } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { defineStruct, embedded, int, pointer } from './struct.ts';
import { prefetchTree } from './tree-prefetch.ts';
import { Walk, type WalkOptions } from './walk.ts';

const Xarray = defineStruct('xarray', { head: pointer('xa_head') });
const XaNode = defineStruct('xa_node', {
  shift: int('shift'),
  offset: int('offset'),
  parent: pointer('parent'),
  slots: embedded('slots'),
});

const RETRY_ENTRY = (256n << 2n) | 2n;
const ZERO_ENTRY = (257n << 2n) | 2n;
/** Indices are unsigned longs. */
const INDEX_MAX = (1n << 64n) - 1n;

/** One entry and the indices that it covers. */
export interface XarrayEntry {
  /** First index. */
  readonly index: bigint;
  /** Last index: the same as `index` but for multi-index entries. */
  readonly last: bigint;
  /** The slot's content as it is. */
  readonly entry: bigint;
  /** `reserved` is a slot that was reserved and not filled (a zero entry); only with `options.reserved`. */
  readonly kind: 'pointer' | 'value' | 'reserved';
  /** The integer of a value entry. */
  readonly value: bigint | undefined;
  /** The way from the root, a slot number a level: `root/0/3`. */
  readonly position: string;
}

export interface XarrayOptions extends WalkOptions {
  readonly reserved?: boolean;
}

/**
 * The entries of a struct xarray or radix_tree_root, by index. Damaged parts are left out; the first is thrown at the
 * end (DataError, FaultError), unless `options.damaged` is told of them.
 */
export function* walkXarray(kernel: Kernel, array: bigint, options: XarrayOptions = {}): Generator<XarrayEntry, void> {
  const walk = new Walk(kernel, `xarray at ${formatAddress(array)}`, options);
  const head = xarrayHead(kernel, array);
  if (isXarrayNode(head)) {
    prefetch(kernel, xarrayNodeAddress(head));
    yield* walkNode(kernel, walk, options, {
      address: xarrayNodeAddress(head),
      parent: 0n,
      first: 0n,
      position: 'root',
    });
  } else {
    const entry = describe(head, 0n, 0n, 'root', options);
    if (entry !== undefined) yield entry;
  }
  walk.finish();
}

/** As walkXarray, for the part of an array from one struct xa_node down; the indices count from its first slot. */
export function* walkXarrayFrom(
  kernel: Kernel,
  top: bigint,
  options: XarrayOptions = {},
): Generator<XarrayEntry, void> {
  const address = xarrayNodeAddress(top);
  const walk = new Walk(kernel, `xarray below ${formatAddress(address)}`, options);
  prefetch(kernel, address);
  yield* walkNode(kernel, walk, options, { address, parent: undefined, first: 0n, position: 'root' });
  walk.finish();
}

/** A node to go into, and what it must be. */
interface Place {
  readonly address: bigint;
  /** Undefined for a node that the user named, which may be anywhere in its tree. */
  readonly parent: bigint | undefined;
  /** Undefined for the top node, which may have any. */
  readonly shift?: number;
  readonly slot?: number;
  /** The lowest index below the node. */
  readonly first: bigint;
  readonly position: string;
}

/** What the walk and the lookup need of struct xa_node. */
export interface XarrayLayout {
  readonly slots: number;
  readonly slotsOffset: number;
  readonly shiftOffset: number;
  /** Bits of the index that a node resolves. */
  readonly bits: number;
}

function* walkNode(kernel: Kernel, walk: Walk, options: XarrayOptions, at: Place): Generator<XarrayEntry, void> {
  const layout = xarrayLayout(kernel);
  const shift = enter(kernel, walk, at, layout);
  if (shift === undefined) return;
  const slots = kernel.memory.read(at.address + BigInt(layout.slotsOffset), layout.slots * 8, 'xa_node.slots');
  const view = new DataView(slots.buffer, slots.byteOffset, slots.byteLength);
  const span = 1n << BigInt(shift);
  for (let slot = 0; slot < layout.slots; slot++) {
    const entry = view.getBigUint64(slot * 8, true);
    if (entry === 0n || isSibling(entry, layout)) continue;
    const first = at.first + BigInt(slot) * span;
    if (first > INDEX_MAX) return;
    const position = `${at.position}/${slot}`;
    if (isXarrayNode(entry)) {
      const address = xarrayNodeAddress(entry);
      const below = { address, parent: at.address, shift: shift - layout.bits, slot, first, position };
      if (shift > 0) yield* walkNode(kernel, walk, options, below);
      else walk.damage(walk.broken(`has a node at the lowest level, at ${position}`));
      continue;
    }
    let siblings = 0;
    while (
      slot + siblings + 1 < layout.slots &&
      siblingSlot(view.getBigUint64((slot + siblings + 1) * 8, true), layout) === slot
    )
      siblings++;
    const end = first + span * BigInt(siblings + 1) - 1n;
    const found = describe(entry, first, end > INDEX_MAX ? INDEX_MAX : end, position, options);
    if (found !== undefined) yield found;
    slot += siblings;
  }
}

/** The node's shift when it is sound; what is wrong with it is noted as damage. */
function enter(kernel: Kernel, walk: Walk, at: Place, layout: XarrayLayout): number | undefined {
  const size = layout.slotsOffset + layout.slots * 8;
  for (;;) {
    const found = inspect(kernel, walk, at, layout, size);
    if (typeof found === 'number') return found;
    if (walk.retry(at.address, size)) continue;
    walk.damage(found);
    return undefined;
  }
}

function inspect(kernel: Kernel, walk: Walk, at: Place, layout: XarrayLayout, size: number): number | KdbgError {
  const where = `${at.position} (${formatAddress(at.address)})`;
  const bytes = kernel.memory.tryRead(at.address, size, `xa_node ${at.position} of the ${walk.place}`);
  if (bytes instanceof Fault) return new FaultError(bytes);
  const node = kernel.struct(XaNode).at(at.address);
  const { shift, offset, parent } = node;
  if (shift % layout.bits !== 0 || shift >= 64 || (at.shift !== undefined && shift !== at.shift)) {
    return walk.broken(
      `is inconsistent at ${where}: its shift is ${shift}, not ${at.shift ?? `a multiple of ${layout.bits}`}`,
    );
  }
  if (at.parent !== undefined && parent !== at.parent) {
    return walk.broken(`is inconsistent at ${where}: its parent is ${formatAddress(parent)}`);
  }
  if (at.slot !== undefined && offset !== at.slot) {
    return walk.broken(`is inconsistent at ${where}: it says that it is in slot ${offset}`);
  }
  return walk.visit(at.address) ? shift : walk.broken(`comes back to a node at ${where}`);
}

function describe(
  entry: bigint,
  index: bigint,
  last: bigint,
  position: string,
  options: XarrayOptions,
): XarrayEntry | undefined {
  if ((entry & 1n) === 1n) return { index, last, entry, kind: 'value', value: entry >> 1n, position };
  if (entry === ZERO_ENTRY && options.reserved === true) {
    return { index, last, entry, kind: 'reserved', value: undefined, position };
  }
  if (entry === 0n || entry === RETRY_ENTRY || (entry & 3n) === 2n) return undefined;
  return { index, last, entry, kind: 'pointer', value: undefined, position };
}

/** True for an entry that leads to a struct xa_node. */
export function isXarrayNode(entry: bigint): boolean {
  return (entry & 3n) === 2n && entry > 4096n && isKernelAddress(entry);
}

export function xarrayNodeAddress(entry: bigint): bigint {
  return entry & ~3n;
}

function isSibling(entry: bigint, layout: XarrayLayout): boolean {
  return (entry & 3n) === 2n && entry >> 2n < BigInt(layout.slots);
}

/** The slot that a sibling entry names; undefined for any other entry. */
export function siblingSlot(entry: bigint, layout: XarrayLayout): number | undefined {
  return isSibling(entry, layout) ? Number(entry >> 2n) : undefined;
}

/** Where a struct xarray has xa_head. */
export function xarrayHeadOffset(kernel: Kernel): number {
  return kernel.struct(Xarray).offset('head') as number;
}

/** xa_head: an entry, or the way to the top node. */
export function xarrayHead(kernel: Kernel, array: bigint): bigint {
  return kernel.struct(Xarray).at(array).head;
}

export function xarrayLayout(kernel: Kernel): XarrayLayout {
  return kernel.memo('xa_node layout', 'session', () => {
    const member = findStructMember(kernel, 'xa_node', 'slots');
    const array = member === undefined ? undefined : resolve(member.type);
    const slots = array?.kind === 'array' && array.count <= 64 && array.count >= 2 ? array.count : 64;
    const node = kernel.struct(XaNode);
    return {
      slots,
      slotsOffset: node.offset('slots') as number,
      shiftOffset: node.offset('shift') as number,
      bits: Math.floor(Math.log2(slots)),
    };
  });
}

function prefetch(kernel: Kernel, root: bigint): void {
  const layout = xarrayLayout(kernel);
  prefetchTree(kernel, {
    root,
    address: (address) => address,
    length: layout.slotsOffset + layout.slots * 8,
    what: 'xa_node',
    children(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const children: bigint[] = [];
      for (let offset = layout.slotsOffset; offset < bytes.length; offset += 8) {
        if ((view.getUint8(offset) & 3) !== 2) continue;
        const entry = view.getBigUint64(offset, true);
        if (isXarrayNode(entry)) children.push(xarrayNodeAddress(entry));
      }
      return children;
    },
  });
}
