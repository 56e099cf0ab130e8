/**
 * Maple trees (6.1+): B-trees of ranges. ma_root is NULL, the entry of index 0, or leads to a node. A node is 256
 * bytes, aligned so, and its type is in bits 3..6 of the pointer to it. Its slots cover consecutive ranges; pivot[i] is
 * the last index of slot i, and the last slot ends where the node ends. How many slots are used is told by the node's
 * metadata, by a pivot that reaches the node's end, or by all pivots being used (ma_data_end() in lib/maple_tree.c).
 *
 * A node's parent word holds the parent's address (256-byte aligned) and the slot; a root's has bit 0 set; a node that
 * was replaced points at itself.
 */
import { FaultError, type KdbgError } from '../errors.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import {
  isMapleNode,
  MAPLE_NODE_SIZE,
  type MapleLayout,
  type MapleType,
  mapleDataEnd,
  mapleLayouts,
  mapleNodeAddress,
  maplePivot,
  mapleTypeNumber,
} from './maple-node.ts';
import { defineStruct, pointer } from './struct.ts';
import { prefetchTree } from './tree-prefetch.ts';
import { Walk, type WalkOptions } from './walk.ts';

const MapleTree = defineStruct('maple_tree', { root: pointer('ma_root') });

const INDEX_MAX = (1n << 64n) - 1n;
/** MAPLE_HEIGHT_MAX. */
const DEPTH_MAX = 31;
/** Internal entries below MAPLE_RESERVED_RANGE are not a user's: reserved (zero) entries and markers. */
const RESERVED_RANGE = 4096n;

/** A range of indices and what is stored for it. */
export interface MapleEntry {
  readonly kind: 'entry';
  readonly first: bigint;
  readonly last: bigint;
  /** The slot's content as it is. */
  readonly entry: bigint;
  /** The integer of a value entry (xa_mk_value), undefined for a pointer. */
  readonly value: bigint | undefined;
  /** The way from the root, a slot number a level: `root/0/3`. */
  readonly position: string;
}

/** A node of the tree itself. */
export interface MapleNode {
  readonly kind: 'node';
  readonly first: bigint;
  readonly last: bigint;
  /** Address of the struct maple_node. */
  readonly address: bigint;
  readonly type: MapleType;
  readonly depth: number;
  readonly position: string;
}

/**
 * The entries of a struct maple_tree, by index; ranges that hold nothing are left out. Damaged parts are left out as
 * well; the first is thrown at the end (DataError, FaultError), unless `options.damaged` is told of them.
 */
export function* walkMapleTree(kernel: Kernel, tree: bigint, options: WalkOptions = {}): Generator<MapleEntry, void> {
  for (const item of walkMapleNodes(kernel, tree, options)) if (item.kind === 'entry') yield item;
}

/** As walkMapleTree, with each node before what is in it: how the tree is built. */
export function* walkMapleNodes(
  kernel: Kernel,
  tree: bigint,
  options: WalkOptions = {},
): Generator<MapleEntry | MapleNode, void> {
  const walk = new Walk(kernel, `maple tree at ${formatAddress(tree)}`, options);
  const root = kernel.struct(MapleTree).at(tree).root;
  // Bits 0..1 of a root are 10 when it leads to a node; anything else is the entry of index 0.
  if (isKernelAddress(root) && (root & 3n) === 2n) {
    prefetch(kernel, root);
    const place = { pointer: root, parent: undefined, first: 0n, last: INDEX_MAX, depth: 0, position: 'root' };
    yield* walkNode(kernel, walk, place);
  } else {
    const entry = describe(root, 0n, 0n, 'root');
    if (entry !== undefined) yield entry;
  }
  walk.finish();
}

/** A node to go into: the pointer with its type, and the range that it covers. */
interface Place {
  readonly pointer: bigint;
  readonly parent: bigint | undefined;
  readonly first: bigint;
  readonly last: bigint;
  readonly depth: number;
  readonly position: string;
}

function* walkNode(kernel: Kernel, walk: Walk, at: Place): Generator<MapleEntry | MapleNode, void> {
  const node = enter(kernel, walk, at);
  if (node === undefined) return;
  const { layout, view } = node;
  const { first, last, depth, position } = at;
  yield { kind: 'node', first, last, address: mapleNodeAddress(at.pointer), type: layout.type, depth, position };
  const end = mapleDataEnd(layout, view, last);
  let from = first;
  for (let slot = 0; slot <= end; slot++) {
    const to = slot === end && layout.pivots > 0 ? last : maplePivot(layout, view, slot, from, last);
    const where = `${position}/${slot}`;
    if (to < from || to > last) {
      walk.damage(walk.broken(`is inconsistent at ${where}: its range ends at ${to.toString(16)}`));
      return;
    }
    const entry = view.getBigUint64(layout.slotOffset + slot * 8, true);
    if (layout.leaf) {
      const found = describe(entry, from, to, where);
      if (found !== undefined) yield found;
    } else if (isMapleNode(entry)) {
      const parent = mapleNodeAddress(at.pointer);
      yield* walkNode(kernel, walk, {
        pointer: entry,
        parent,
        first: from,
        last: to,
        depth: depth + 1,
        position: where,
      });
    } else {
      walk.damage(walk.broken(`has ${formatAddress(entry)} at ${where}, which is not a node`));
    }
    if (to === last) return;
    from = to + 1n;
  }
}

/** The node's layout and bytes when it is sound; what is wrong with it is noted as damage. */
function enter(
  kernel: Kernel,
  walk: Walk,
  at: Place,
): { readonly layout: MapleLayout; readonly view: DataView } | undefined {
  const address = mapleNodeAddress(at.pointer);
  for (;;) {
    const found = inspect(kernel, walk, at, address);
    if ('view' in found) return found;
    if (walk.retry(address, MAPLE_NODE_SIZE)) continue;
    walk.damage(found);
    return undefined;
  }
}

function inspect(
  kernel: Kernel,
  walk: Walk,
  at: Place,
  address: bigint,
): { readonly layout: MapleLayout; readonly view: DataView } | KdbgError {
  const where = `${at.position} (${formatAddress(address)})`;
  const layout = mapleLayouts(kernel).get(mapleTypeNumber(at.pointer));
  if (layout === undefined) return walk.broken(`has a node of unknown type ${mapleTypeNumber(at.pointer)} at ${where}`);
  if (at.depth > DEPTH_MAX) return walk.broken(`is more than ${DEPTH_MAX} levels deep`);
  const bytes = kernel.memory.tryRead(address, MAPLE_NODE_SIZE, `maple_node ${at.position} of the ${walk.place}`);
  if (bytes instanceof Fault) return new FaultError(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const parent = view.getBigUint64(0, true);
  if (parent === address) return walk.broken(`has a dead node at ${where}: it was replaced while the tree was read`);
  const sound = at.parent === undefined ? (parent & 1n) === 1n : mapleNodeAddress(parent) === at.parent;
  if (!sound) return walk.broken(`is inconsistent at ${where}: its parent is ${formatAddress(parent)}`);
  return walk.visit(address) ? { layout, view } : walk.broken(`comes back to a node at ${where}`);
}

function describe(entry: bigint, first: bigint, last: bigint, position: string): MapleEntry | undefined {
  if (entry === 0n || ((entry & 3n) === 2n && entry < RESERVED_RANGE)) return undefined;
  const value = (entry & 1n) === 1n ? entry >> 1n : undefined;
  return { kind: 'entry', first, last, entry, value, position };
}

function prefetch(kernel: Kernel, root: bigint): void {
  const known = mapleLayouts(kernel);
  prefetchTree(kernel, {
    root,
    address: mapleNodeAddress,
    length: MAPLE_NODE_SIZE,
    what: 'maple_node',
    children(bytes, node) {
      const layout = known.get(mapleTypeNumber(node));
      if (layout === undefined || layout.leaf) return [];
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      const children: bigint[] = [];
      for (let slot = 0; slot < layout.slots; slot++) {
        const entry = view.getBigUint64(layout.slotOffset + slot * 8, true);
        if (isMapleNode(entry)) children.push(entry);
      }
      return children;
    },
  });
}
