/**
 * Where everything stands. A layout is a tree of rows and columns with panes at its leaves, written as text so that it
 * can be kept in a file and read by a person: `(tasks:2/shell:3):55|(stacks:3/log:2):45`. `/` sets one below the other,
 * `|` beside each other, `:N` gives a share of the room. The shell, which is the scrollback and the prompt, is a leaf
 * like the others; it is always there.
 */
import { PANE_NAMES, type PaneName, type Rect, type Size } from './contract.ts';

export type Leaf = PaneName | 'shell';

export type LayoutNode =
  | { readonly kind: 'leaf'; readonly name: Leaf; readonly share: number }
  | { readonly kind: 'rows' | 'columns'; readonly children: readonly LayoutNode[]; readonly share: number };

/** The least room that a pane makes sense in, its title included. */
const LEAST: Size = { width: 16, height: 3 };
const LEAST_SHELL: Size = { width: 30, height: 5 };
/** Shares are relative; whole numbers of this size keep a dragged border where it was left. */
const SHARE_MAX = 10_000;
const DEPTH_MAX = 8;

/** The layouts that fit a terminal, by its least width and height; the first that fits counts. */
export const PRESETS: readonly (Size & { readonly layout: string })[] = [
  { width: 190, height: 50, layout: '(tasks:28/locks:20/shell:52):100|(stacks:38/symbols:22/trace:20/log:20):100' },
  { width: 150, height: 44, layout: '(tasks:30/shell:70):88|(stacks:50/locks:25/log:25):72' },
  { width: 110, height: 34, layout: '(tasks:60|stacks:60):45/shell:55' },
  { width: 0, height: 0, layout: 'stacks:45/shell:55' },
];

/** The same for a session that is for a lesson: beside the shell where its text fits, and no pane that tells the answers. */
export const LESSON_PRESETS: typeof PRESETS = [
  { width: 160, height: 24, layout: 'shell:83|lesson:76' },
  { width: 0, height: 0, layout: 'lesson:55/shell:45' },
];

/** The name under which a layout for a terminal of this size is kept, and the layout that it has by default. */
export function presetOf(
  { width, height }: Size,
  { lesson = false } = {},
): { readonly name: string; readonly layout: string } {
  const presets = lesson ? LESSON_PRESETS : PRESETS;
  const preset = presets.find((each) => width >= each.width && height >= each.height) ?? (presets.at(-1) as never);
  return { name: `${lesson ? 'lesson ' : ''}${preset.width}x${preset.height}`, layout: preset.layout };
}

/** Reads a layout's text; undefined when it is none: unknown names, a pane twice, no shell. */
export function parseLayout(text: string): LayoutNode | undefined {
  const tokens = text.match(/[a-z]+|\d+|[()/|:]|\S/g) ?? [];
  let at = 0;
  const seen = new Set<string>();
  const share = (): number | undefined => {
    if (tokens[at] !== ':') return 1;
    at++;
    const number = Number(tokens[at++]);
    return Number.isInteger(number) && number > 0 && number <= SHARE_MAX ? number : undefined;
  };
  const single = (depth: number): LayoutNode | undefined => {
    const token = tokens[at++];
    if (token === '(') {
      const inner = group(depth + 1);
      if (inner === undefined || tokens[at++] !== ')') return undefined;
      const part = share();
      return part === undefined ? undefined : { ...inner, share: part };
    }
    if (token === undefined || seen.has(token)) return undefined;
    if (token !== 'shell' && !PANE_NAMES.includes(token as PaneName)) return undefined;
    seen.add(token);
    const part = share();
    return part === undefined ? undefined : { kind: 'leaf', name: token as Leaf, share: part };
  };
  const group = (depth: number): LayoutNode | undefined => {
    if (depth > DEPTH_MAX) return undefined;
    const first = single(depth);
    const operator = tokens[at];
    if (first === undefined || (operator !== '/' && operator !== '|')) return first;
    const children = [first];
    while (tokens[at] === operator) {
      at++;
      const next = single(depth);
      if (next === undefined) return undefined;
      children.push(next);
    }
    return { kind: operator === '/' ? 'rows' : 'columns', children, share: 1 };
  };
  const root = group(0);
  return at === tokens.length && seen.has('shell') ? root : undefined;
}

/** The layout as `parseLayout` reads it. */
export function layoutText(node: LayoutNode, isRoot = true): string {
  const share = isRoot ? '' : `:${node.share}`;
  if (node.kind === 'leaf') return `${node.name}${share}`;
  const inner = node.children.map((child) => layoutText(child, false)).join(node.kind === 'rows' ? '/' : '|');
  return isRoot ? inner : `(${inner})${share}`;
}

/** The names of the leaves, from the top left. */
export function leavesOf(node: LayoutNode): readonly Leaf[] {
  return node.kind === 'leaf' ? [node.name] : node.children.flatMap(leavesOf);
}

/** A border between two neighbours, which the mouse can drag. */
export interface Border {
  /** The node whose children it divides, as child indexes from the root. */
  readonly path: readonly number[];
  /** It stands behind this child. */
  readonly after: number;
  readonly axis: 'x' | 'y';
  /** Its cells: a column, or the title row of what is below. */
  readonly rect: Rect;
}

export interface Arrangement {
  /** The rectangle of each leaf that has room; its first row is the title. */
  readonly leaves: ReadonlyMap<Leaf, Rect>;
  readonly borders: readonly Border[];
}

/** Gives each leaf its rectangle. Leaves that find no room are left out, the shell last. */
export function arrange(root: LayoutNode, area: Rect, zoomed?: Leaf): Arrangement {
  if (zoomed !== undefined) return { leaves: new Map([[zoomed, area]]), borders: [] };
  const leaves = new Map<Leaf, Rect>();
  const borders: Border[] = [];
  const place = (node: LayoutNode, rect: Rect, path: readonly number[]): void => {
    if (node.kind === 'leaf') {
      leaves.set(node.name, rect);
      return;
    }
    const along = node.kind === 'rows' ? 'height' : 'width';
    const gap = node.kind === 'rows' ? 0 : 1;
    const kept = fitting(node, rect[along], gap);
    const sizes = divide(kept, rect[along] - gap * (kept.length - 1), along);
    let from = node.kind === 'rows' ? rect.y : rect.x;
    for (const [i, child] of kept.entries()) {
      const size = sizes[i] as number;
      const own: Rect = node.kind === 'rows' ? { ...rect, y: from, height: size } : { ...rect, x: from, width: size };
      const index = node.children.indexOf(child);
      place(child, own, [...path, index]);
      if (i > 0) {
        const before = node.children.indexOf(kept[i - 1] as LayoutNode);
        const cells: Rect = node.kind === 'rows' ? { ...own, height: 1 } : { ...own, x: from - 1, width: 1 };
        borders.push({ path, after: before, axis: node.kind === 'rows' ? 'y' : 'x', rect: cells });
      }
      from += size + gap;
    }
  };
  place(root, area, []);
  return { leaves, borders };
}

function least(node: LayoutNode, along: 'width' | 'height'): number {
  if (node.kind === 'leaf') return node.name === 'shell' ? LEAST_SHELL[along] : LEAST[along];
  const sizes = node.children.map((child) => least(child, along));
  const adds = (node.kind === 'rows') === (along === 'height');
  return adds ? sizes.reduce((sum, size) => sum + size, along === 'width' ? sizes.length - 1 : 0) : Math.max(...sizes);
}

function holdsShell(node: LayoutNode): boolean {
  return leavesOf(node).includes('shell');
}

/** The children that there is room for: those without the shell go first, from the end. */
function fitting(node: Exclude<LayoutNode, { kind: 'leaf' }>, room: number, gap: number): readonly LayoutNode[] {
  const along = node.kind === 'rows' ? 'height' : 'width';
  const kept = [...node.children];
  const need = (): number => kept.reduce((sum, child) => sum + least(child, along), gap * (kept.length - 1));
  while (kept.length > 1 && need() > room) {
    const last = kept.findLastIndex((child) => !holdsShell(child));
    kept.splice(last < 0 ? kept.length - 1 : last, 1);
  }
  return kept;
}

/** Divides the room by the shares, each at least what it needs. */
function divide(nodes: readonly LayoutNode[], room: number, along: 'width' | 'height'): readonly number[] {
  const total = nodes.reduce((sum, node) => sum + node.share, 0);
  const sizes = nodes.map((node) => Math.max(least(node, along), Math.round((room * node.share) / total)));
  // What rounding and least sizes took too much comes from the largest; what they left goes to the last.
  for (let over = sizes.reduce((sum, size) => sum + size, 0) - room; over !== 0; ) {
    const at = over < 0 ? sizes.length - 1 : sizes.indexOf(Math.max(...sizes));
    const step = over < 0 ? over : Math.max(1, Math.min(over, Math.ceil(over / 2)));
    sizes[at] = Math.max(1, (sizes[at] as number) - step);
    over -= step;
  }
  return sizes;
}
