/**
 * Red-black trees: struct rb_root {rb_node} leads to struct rb_node {__rb_parent_color, rb_right, rb_left}, embedded in
 * the structures that the tree sorts. The parent's address shares a word with the colour (bit 0) and serves as a
 * check: a node whose parent is another one is left out with what is below it. struct rb_root_cached starts with its
 * rb_root, so its address serves as well.
 */
import { FaultError, type KdbgError } from '../errors.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { memberOffset } from './member.ts';
import { defineStruct, pointer } from './struct.ts';
import { prefetchTree } from './tree-prefetch.ts';
import { Walk, type WalkOptions } from './walk.ts';

const RbRoot = defineStruct('rb_root', { node: pointer('rb_node') });
const RbNode = defineStruct('rb_node', {
  parentColor: pointer('__rb_parent_color'),
  left: pointer('rb_left'),
  right: pointer('rb_right'),
});

/** The kernel's own bound is 2 log2(n + 1); a deeper tree is corrupt. */
const DEPTH_MAX = 128;

/** A node of a red-black tree. */
export interface TreeNode {
  /** Address of the rb_node. */
  readonly address: bigint;
  /** The way from the root: `root/l/r`. */
  readonly position: string;
}

/**
 * The nodes of the tree below a struct rb_root, in order. Damaged parts are left out; the first is thrown at the end
 * (DataError, FaultError), unless `options.damaged` is told of them.
 */
export function* walkRbtree(kernel: Kernel, root: bigint, options: WalkOptions = {}): Generator<TreeNode, void> {
  const walk = new Walk(kernel, `red-black tree at ${formatAddress(root)}`, options);
  yield* walkBelow(kernel, walk, kernel.struct(RbRoot).at(root).node, 0n);
}

/** As walkRbtree, for the part of a tree from one struct rb_node down. */
export function* walkRbtreeFrom(kernel: Kernel, top: bigint, options: WalkOptions = {}): Generator<TreeNode, void> {
  const walk = new Walk(kernel, `red-black tree below ${formatAddress(top)}`, options);
  yield* walkBelow(kernel, walk, top, kernel.struct(RbNode).at(top).parentColor & ~3n);
}

function* walkBelow(kernel: Kernel, walk: Walk, top: bigint, aboveTop: bigint): Generator<TreeNode, void> {
  const node = kernel.struct(RbNode);
  prefetch(kernel, top);
  const above: TreeNode[] = [];
  let next: TreeNode | undefined = { address: top, position: 'root' };
  let parent = aboveTop;
  for (;;) {
    while (next !== undefined) {
      if (!enter(kernel, walk, next, parent, above.length)) break;
      above.push(next);
      parent = next.address;
      next = { address: node.at(next.address).left, position: `${next.position}/l` };
    }
    const here = above.pop();
    if (here === undefined) break;
    yield here;
    parent = here.address;
    next = rightOf(kernel, walk, here);
  }
  walk.finish();
}

/** The structures in a tree, in order; `member` is the path of their rb_node, newest name first. */
export function* walkRbtreeOf(
  kernel: Kernel,
  root: bigint,
  structure: string,
  member: string | readonly string[],
  options: WalkOptions = {},
): Generator<bigint, void> {
  const offset = BigInt(memberOffset(kernel, structure, member).offset);
  for (const node of walkRbtree(kernel, root, options)) yield node.address - offset;
}

/** True when a node is sound and can be gone into. What is wrong with it is noted as damage. */
function enter(kernel: Kernel, walk: Walk, at: TreeNode, parent: bigint, depth: number): boolean {
  if (at.address === 0n) return false;
  for (;;) {
    const error = inspect(kernel, walk, at, parent, depth);
    if (error === undefined) return true;
    if (walk.retry(at.address, kernel.struct(RbNode).size)) continue;
    walk.damage(error);
    return false;
  }
}

function inspect(kernel: Kernel, walk: Walk, at: TreeNode, parent: bigint, depth: number): KdbgError | undefined {
  const where = `${at.position} (${formatAddress(at.address)})`;
  if (depth >= DEPTH_MAX) return walk.broken(`is more than ${DEPTH_MAX} levels deep`);
  try {
    const up = kernel.struct(RbNode).at(at.address).parentColor & ~3n;
    if (up !== parent) return walk.broken(`is inconsistent at ${where}: its parent is ${formatAddress(up)}`);
  } catch (error) {
    if (error instanceof FaultError) return error;
    throw error;
  }
  return walk.visit(at.address) ? undefined : walk.broken(`comes back to a node at ${where}`);
}

function rightOf(kernel: Kernel, walk: Walk, at: TreeNode): TreeNode | undefined {
  try {
    return { address: kernel.struct(RbNode).at(at.address).right, position: `${at.position}/r` };
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    walk.damage(error);
    return undefined;
  }
}

function prefetch(kernel: Kernel, root: bigint): void {
  if (!isKernelAddress(root)) return;
  const node = kernel.struct(RbNode);
  const left = node.offset('left') as number;
  const right = node.offset('right') as number;
  prefetchTree(kernel, {
    root,
    address: (address) => address,
    length: node.size,
    what: 'rb_node',
    children(bytes) {
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      return [view.getBigUint64(left, true), view.getBigUint64(right, true)].filter(isKernelAddress);
    },
  });
}
