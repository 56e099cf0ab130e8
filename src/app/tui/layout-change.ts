/**
 * What a person does to a layout: borders dragged, panes made larger, exchanged, shown and hidden. Each is a function
 * from one tree to the next.
 */
import type { Rect } from './contract.ts';
import { arrange, type Border, type LayoutNode, type Leaf, leavesOf } from './layout.ts';

type Group = Exclude<LayoutNode, { kind: 'leaf' }>;

function at(root: LayoutNode, path: readonly number[]): LayoutNode {
  return path.reduce((node, index) => (node as Group).children[index] as LayoutNode, root);
}

function replace(root: LayoutNode, path: readonly number[], make: (node: LayoutNode) => LayoutNode): LayoutNode {
  const [first, ...rest] = path;
  if (first === undefined || root.kind === 'leaf') return make(root);
  const children = root.children.map((child, i) => (i === first ? replace(child, rest, make) : child));
  return { ...root, children };
}

function pathOf(root: LayoutNode, name: Leaf): readonly number[] | undefined {
  if (root.kind === 'leaf') return root.name === name ? [] : undefined;
  for (const [i, child] of root.children.entries()) {
    const rest = pathOf(child, name);
    if (rest !== undefined) return [i, ...rest];
  }
  return undefined;
}

/** Cells along an axis that a node's leaves cover. */
function extent(node: LayoutNode, leaves: ReadonlyMap<Leaf, Rect>, axis: 'x' | 'y'): { from: number; to: number } {
  let [from, to] = [Number.POSITIVE_INFINITY, 0];
  for (const name of leavesOf(node)) {
    const rect = leaves.get(name);
    if (rect === undefined) continue;
    from = Math.min(from, rect[axis]);
    to = Math.max(to, rect[axis] + (axis === 'x' ? rect.width : rect.height));
  }
  return { from, to };
}

/** Moves a border to a column or row of the screen: its two neighbours change, nothing else. */
export function moveBorder(root: LayoutNode, area: Rect, border: Border, to: number): LayoutNode {
  const { leaves } = arrange(root, area);
  return replace(root, border.path, (node) => {
    if (node.kind === 'leaf') return node;
    // In cells instead of shares, so that the others stay as they are.
    const sizes = node.children.map((child) => {
      const { from, to: end } = extent(child, leaves, border.axis);
      return Math.max(1, end - from);
    });
    const [first, second] = [border.after, border.after + 1];
    const start = extent(node.children[first] as LayoutNode, leaves, border.axis).from;
    const both = (sizes[first] as number) + (sizes[second] as number);
    const wanted = Math.max(1, Math.min(both - 1, to - start));
    sizes[first] = wanted;
    sizes[second] = both - wanted;
    return { ...node, children: node.children.map((child, i) => ({ ...child, share: sizes[i] as number })) };
  });
}

/** Makes a leaf larger (or smaller, with a negative number) by cells, against its neighbour along the axis. */
export function grow(root: LayoutNode, area: Rect, name: Leaf, axis: 'x' | 'y', cells: number): LayoutNode {
  const path = pathOf(root, name);
  if (path === undefined) return root;
  for (let depth = path.length - 1; depth >= 0; depth--) {
    const group = at(root, path.slice(0, depth)) as Group;
    if ((group.kind === 'rows') !== (axis === 'y')) continue;
    const index = path[depth] as number;
    const isLast = index === group.children.length - 1;
    const { leaves } = arrange(root, area);
    const own = extent(group.children[index] as LayoutNode, leaves, axis);
    const border: Border = {
      path: path.slice(0, depth),
      after: isLast ? index - 1 : index,
      axis,
      rect: area,
    };
    // moveBorder counts to where the first neighbour ends.
    const gap = axis === 'x' ? 1 : 0;
    return moveBorder(root, area, border, isLast ? own.from - gap - cells : own.to + cells);
  }
  return root;
}

/** Exchanges two leaves that are both there. */
export function swap(root: LayoutNode, one: Leaf, other: Leaf): LayoutNode {
  const leaves = leavesOf(root);
  return leaves.includes(one) && leaves.includes(other) ? exchanged(root, one, other) : root;
}

function exchanged(node: LayoutNode, one: Leaf, other: Leaf): LayoutNode {
  if (node.kind !== 'leaf') return { ...node, children: node.children.map((child) => exchanged(child, one, other)) };
  if (node.name === one) return { ...node, name: other };
  return node.name === other ? { ...node, name: one } : node;
}

/** Takes a leaf out; the others get its room. The shell stays. */
export function hide(root: LayoutNode, name: Leaf): LayoutNode {
  if (name === 'shell') return root;
  return without(root, name) ?? root;
}

function without(node: LayoutNode, name: Leaf): LayoutNode | undefined {
  if (node.kind === 'leaf') return node.name === name ? undefined : node;
  const children = node.children.flatMap((child) => without(child, name) ?? []);
  if (children.length === 0) return undefined;
  return children.length === 1 ? { ...(children[0] as LayoutNode), share: node.share } : { ...node, children };
}

/**
 * Shows a leaf: above the shell where that is `instead` and large; else below `instead`, or in its place where the screen
 * is too small for one more.
 */
export function show(root: LayoutNode, area: Rect, name: Leaf, instead: Leaf): LayoutNode {
  if (pathOf(root, name) !== undefined) return root;
  if (instead === 'shell' && (arrange(root, area).leaves.get('shell')?.height ?? 0) >= SHELL_TO_SPLIT) {
    return replace(root, pathOf(root, 'shell') ?? [], (node) => ({
      kind: 'rows',
      share: node.share,
      children: [
        { kind: 'leaf', name, share: 1 },
        { ...node, share: 1 },
      ],
    }));
  }
  const isThere = instead !== 'shell' && pathOf(root, instead) !== undefined;
  const anchor = isThere ? instead : leavesOf(root).find((leaf) => leaf !== 'shell');
  if (anchor === undefined) {
    return {
      kind: 'rows',
      share: 1,
      children: [
        { kind: 'leaf', name, share: 1 },
        { ...root, share: 1 },
      ],
    };
  }
  const path = pathOf(root, anchor) ?? [];
  const split = replace(root, path, (node) => ({
    kind: 'rows',
    share: node.share,
    children: [
      { ...node, share: 1 },
      { kind: 'leaf', name, share: 1 },
    ],
  }));
  const { leaves } = arrange(split, area);
  const height = leaves.get(name)?.height ?? 0;
  if (leaves.has(anchor) && height >= ROOM_TO_SPLIT) return split;
  return replace(root, path, (node) => ({ kind: 'leaf', name, share: node.share }));
}

/** Rows, with its title, below which half a pane is of no use. */
const ROOM_TO_SPLIT = 7;
/** Rows of the shell from which it gives half of them to a pane. */
const SHELL_TO_SPLIT = 20;
