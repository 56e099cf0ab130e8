/** Trees as the kernel builds them, from sorted content: red-black trees, xarrays, maple trees. */
import { getMember } from '../../src/core/types/member-path.ts';
import { sizeOf } from '../../src/core/types/type.ts';
import { type FakeKernel, RB_NODE } from './fake-kernel.ts';

export const TREE_TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct xarray { unsigned int xa_lock; unsigned int xa_flags; void *xa_head; };
  struct xa_node {
    unsigned char shift, offset, count, nr_values;
    struct xa_node *parent;
    struct xarray *array;
    struct list_head private_list;
    void *slots[64];
    unsigned long marks[3][1];
  };
  struct idr { struct xarray idr_rt; unsigned int idr_base, idr_next; };
  struct ida { struct xarray xa; };
  struct maple_metadata { unsigned char end, gap; };
  struct maple_range_64 {
    void *parent;
    unsigned long pivot[15];
    union { void *slot[16]; struct { void *pad[15]; struct maple_metadata meta; }; };
  };
  struct maple_arange_64 {
    void *parent;
    unsigned long pivot[9];
    void *slot[10];
    unsigned long gap[10];
    struct maple_metadata meta;
  };
  enum maple_type { maple_dense, maple_leaf_64, maple_range_64, maple_arange_64 };
  struct maple_node {
    union {
      struct { void *parent; void *slot[31]; };
      struct maple_range_64 mr64;
      struct maple_arange_64 ma64;
    };
  };
  struct maple_tree { unsigned int ma_lock; unsigned int ma_flags; void *ma_root; };
`;

export const INDEX_MAX = (1n << 64n) - 1n;

/** Links rb_nodes, in order, into a balanced tree below the struct rb_root at `root`. */
export function plantRbtree(fake: FakeKernel, root: bigint, nodes: readonly bigint[]): void {
  const link = (low: number, high: number, parent: bigint): bigint => {
    if (low > high) return 0n;
    const middle = (low + high) >> 1;
    const node = nodes[middle] as bigint;
    fake.set(RB_NODE, node, '__rb_parent_color', parent | 1n);
    fake.set(RB_NODE, node, 'rb_left', link(low, middle - 1, node));
    fake.set(RB_NODE, node, 'rb_right', link(middle + 1, high, node));
    return node;
  };
  fake.memory.u64(root, link(0, nodes.length - 1, 0n));
}

/** An entry of an xarray; `order` covers 2^order indices from `index`. */
export interface PlantedEntry {
  readonly index: bigint;
  readonly entry: bigint;
  readonly order?: number;
}

/** Stores entries in the struct xarray at `array`. Gives the addresses of its nodes, the top one first. */
export function plantXarray(fake: FakeKernel, array: bigint, entries: readonly PlantedEntry[]): readonly bigint[] {
  const nodes: bigint[] = [];
  const head = getMember(fake.type('xarray'), 'xa_head').offset;
  const only = entries[0];
  if (only === undefined || (entries.length === 1 && only.index === 0n && (only.order ?? 0) === 0)) {
    fake.memory.u64(array + BigInt(head), only?.entry ?? 0n);
    return nodes;
  }
  const last = entries.reduce((max, { index, order = 0 }) => {
    const end = index + (1n << BigInt(order)) - 1n;
    return end > max ? end : max;
  }, 0n);
  let shift = 0;
  while (last >> BigInt(shift + 6) !== 0n) shift += 6;
  const top = node(fake, nodes, array, { shift, slot: 0, parent: 0n }, entries);
  fake.memory.u64(array + BigInt(head), top | 2n);
  return nodes;
}

function node(
  fake: FakeKernel,
  nodes: bigint[],
  array: bigint,
  at: { readonly shift: number; readonly slot: number; readonly parent: bigint },
  entries: readonly PlantedEntry[],
): bigint {
  const type = fake.type('xa_node');
  const { shift, slot, parent } = at;
  const address = fake.place(type, { shift, offset: slot, parent, array }, fake.allocate(sizeOf(type), { align: 64 }));
  nodes.push(address);
  const below = new Map<number, PlantedEntry[]>();
  for (const planted of entries) {
    const number = Number((planted.index >> BigInt(shift)) & 63n);
    const order = planted.order ?? 0;
    if (order < shift || (shift === 0 && order === 0)) {
      if (shift > 0) below.set(number, [...(below.get(number) ?? []), planted]);
      else fake.set(type, address, `slots[${number}]`, planted.entry);
      continue;
    }
    fake.set(type, address, `slots[${number}]`, planted.entry);
    for (let sibling = 1; sibling < 1 << (order - shift); sibling++) {
      fake.set(type, address, `slots[${number + sibling}]`, (BigInt(number) << 2n) | 2n);
    }
  }
  for (const [number, under] of below) {
    const child = node(fake, nodes, array, { shift: shift - 6, slot: number, parent: address }, under);
    fake.set(type, address, `slots[${number}]`, child | 2n);
  }
  return address;
}

/** A range and what is stored for it; 0n for a gap. */
export interface PlantedRange {
  readonly first: bigint;
  readonly last: bigint;
  readonly entry: bigint;
}

/**
 * Stores ranges, sorted and apart, in the struct maple_tree at `tree`. `allocation` makes inner nodes of the form that
 * tracks gaps; `fill` is how many slots of a node are used. Gives the addresses of the nodes, the root first.
 */
export function plantMapleTree(
  fake: FakeKernel,
  tree: bigint,
  ranges: readonly PlantedRange[],
  options: { readonly allocation?: boolean; readonly fill?: number } = {},
): readonly bigint[] {
  const whole = withGaps(ranges);
  const root = getMember(fake.type('maple_tree'), 'ma_root').offset;
  const fill = options.fill ?? 10;
  const nodes: bigint[] = [];
  let level = group(whole, fill).map((slots) => mapleNode(fake, nodes, 'leaf', slots));
  while (level.length > 1) {
    level = group(level, Math.min(fill, 10)).map((slots) =>
      mapleNode(fake, nodes, options.allocation === true ? 'arange' : 'range', slots),
    );
  }
  const top = level[0] as Built;
  fake.memory.u64(top.entry & ~255n, tree | 1n);
  fake.memory.u64(tree + BigInt(root), (top.entry & ~4n) | 2n);
  return nodes.reverse();
}

interface Built {
  readonly first: bigint;
  readonly last: bigint;
  /** A user's entry, or the encoded pointer to a node. */
  readonly entry: bigint;
}

const KINDS = {
  leaf: { number: 1n, structure: 'maple_range_64', pivots: 15 },
  range: { number: 2n, structure: 'maple_range_64', pivots: 15 },
  arange: { number: 3n, structure: 'maple_arange_64', pivots: 9 },
} as const;

function mapleNode(fake: FakeKernel, nodes: bigint[], kind: keyof typeof KINDS, slots: readonly Built[]): Built {
  const { number, structure, pivots } = KINDS[kind];
  const type = fake.type(structure);
  const address = fake.allocate(256, { align: 256 });
  nodes.push(address);
  for (const [i, slot] of slots.entries()) {
    fake.set(type, address, `slot[${i}]`, slot.entry);
    if (i < pivots && i < slots.length - 1) fake.set(type, address, `pivot[${i}]`, slot.last);
    if (kind !== 'leaf') fake.memory.u64(slot.entry & ~255n, address | BigInt(i << 3) | 6n);
  }
  // The last pivot is written where there is room for it; a full node has no room for metadata either.
  if (slots.length <= pivots) fake.set(type, address, `pivot[${slots.length - 1}]`, (slots.at(-1) as Built).last);
  if (kind === 'arange' || slots.length < 16) fake.set(type, address, 'meta.end', slots.length - 1);
  const [first, last] = [slots[0] as Built, slots.at(-1) as Built];
  return { first: first.first, last: last.last, entry: address | (number << 3n) | 4n };
}

/** Covers 0..ULONG_MAX, as a maple tree does. */
function withGaps(ranges: readonly PlantedRange[]): readonly Built[] {
  const whole: Built[] = [];
  let next = 0n;
  for (const range of ranges) {
    if (range.first > next) whole.push({ first: next, last: range.first - 1n, entry: 0n });
    whole.push(range);
    next = range.last + 1n;
  }
  if (next <= INDEX_MAX) whole.push({ first: next, last: INDEX_MAX, entry: 0n });
  return whole;
}

function group<T>(items: readonly T[], size: number): readonly (readonly T[])[] {
  const groups: T[][] = [];
  for (let at = 0; at < items.length; at += size) groups.push(items.slice(at, at + size));
  return groups;
}
