import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PANE_NAMES, type Rect } from '../../../src/app/tui/contract.ts';
import {
  arrange,
  type LayoutNode,
  LESSON_PRESETS,
  type Leaf,
  layoutText,
  leavesOf,
  PRESETS,
  parseLayout,
  presetOf,
} from '../../../src/app/tui/layout.ts';
import { grow, hide, moveBorder, show, swap } from '../../../src/app/tui/layout-change.ts';
import { PROSE_WIDTH } from '../../../src/core/command/lesson-prose.ts';

const AREA: Rect = { x: 0, y: 1, width: 120, height: 38 };

function parsed(text: string): LayoutNode {
  const node = parseLayout(text);
  if (node === undefined) throw new Error(`${text} is no layout`);
  return node;
}

/** A tree over some of the panes and the shell. */
const layouts: fc.Arbitrary<LayoutNode> = fc
  .tuple(fc.shuffledSubarray([...PANE_NAMES], { maxLength: 6 }), fc.infiniteStream(fc.integer({ min: 1, max: 100 })))
  .map(([names, shares]) => {
    const share = (): number => shares.next().value as number;
    const leaves: readonly Leaf[] = ['shell', ...names];
    return leaves.slice(1).reduce<LayoutNode>(
      (node, name, i) => ({
        kind: i % 2 === 0 ? 'rows' : 'columns',
        share: share(),
        children:
          i % 3 === 0 ? [node, { kind: 'leaf', name, share: share() }] : [{ kind: 'leaf', name, share: share() }, node],
      }),
      { kind: 'leaf', name: leaves[0] as Leaf, share: 1 },
    );
  });

function overlaps(a: Rect, b: Rect): boolean {
  return a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height;
}

describe('a layout', () => {
  test.each(LESSON_PRESETS)('for a lesson at $width x $height it has room for the text', ({ width, height }) => {
    const size = { width: Math.max(width, 80), height: Math.max(height, 24) };
    const { name, layout } = presetOf(size, { lesson: true });
    const area = { x: 0, y: 1, width: size.width, height: size.height - 2 };
    const { leaves } = arrange(parsed(layout), area);
    expect(name).toMatch(/^lesson /);
    expect([...leaves.keys()].sort()).toEqual(['lesson', 'shell']);
    expect(leaves.get('lesson')?.width).toBeGreaterThanOrEqual(PROSE_WIDTH);
  });

  test.each(PRESETS)('preset $width x $height is read and fits', ({ width, height, layout }) => {
    const size = { width: Math.max(width, 80), height: Math.max(height, 24) };
    const { leaves } = arrange(parsed(layout), { x: 0, y: 1, width: size.width, height: size.height - 2 });
    expect([...leaves.keys()].sort()).toEqual([...leavesOf(parsed(layout))].sort());
    expect(presetOf(size).layout).toBe(layout);
  });

  test.each(['', 'tasks', 'shell/shell', 'shell/nothing', '(shell', 'shell:0', 'shell:x', 'shell|', 'a'.repeat(5000)])(
    'refuses %s',
    (text) => expect(parseLayout(text)).toBeUndefined(),
  );

  test('bounds how deep a text may nest', () => {
    expect(parseLayout(`${'('.repeat(100_000)}shell${')'.repeat(100_000)}`)).toBeUndefined();
  });

  test('is the same after it was written and read', () => {
    fc.assert(
      fc.property(layouts, (node) => {
        expect(arrange(parsed(layoutText(node)), AREA)).toEqual(arrange(node, AREA));
      }),
    );
  });

  test('covers the area: leaves do not overlap, all within, the shell among them', () => {
    const areas = fc.record({ width: fc.integer({ min: 40, max: 250 }), height: fc.integer({ min: 8, max: 80 }) });
    fc.assert(
      fc.property(layouts, areas, (node, size) => {
        const area = { x: 0, y: 1, ...size };
        const rects = [...arrange(node, area).leaves.values()];
        expect(arrange(node, area).leaves.has('shell')).toBe(true);
        for (const [i, rect] of rects.entries()) {
          expect(rect.width).toBeGreaterThan(0);
          expect(rect.height).toBeGreaterThan(0);
          expect(rect.x + rect.width).toBeLessThanOrEqual(area.width);
          expect(rect.y + rect.height).toBeLessThanOrEqual(area.y + area.height);
          for (const other of rects.slice(i + 1)) expect(overlaps(rect, other)).toBe(false);
        }
      }),
    );
  });
});

describe('a person changes a layout', () => {
  const root = parsed('(tasks:1/shell:1):1|(stacks:1/log:1):1');
  const rectOf = (node: LayoutNode, name: Leaf): Rect => arrange(node, AREA).leaves.get(name) as Rect;

  test('a border goes where it is dragged, and the others stay', () => {
    const { borders } = arrange(root, AREA);
    const border = borders.find(({ axis, rect }) => axis === 'y' && rect.x > 0);
    if (border === undefined) throw new Error('no border');
    const moved = moveBorder(root, AREA, border, 12);
    expect(rectOf(moved, 'log').y).toBe(12);
    expect(rectOf(moved, 'tasks')).toEqual(rectOf(root, 'tasks'));
  });

  test.each(['x', 'y'] as const)('a pane becomes larger along %s, its neighbour smaller', (axis) => {
    const side = axis === 'x' ? 'width' : 'height';
    for (const name of ['tasks', 'stacks', 'log'] as const) {
      const grown = grow(root, AREA, name, axis, 4);
      expect(rectOf(grown, name)[side]).toBe(rectOf(root, name)[side] + 4);
    }
  });

  test('exchanged, hidden and shown panes are where they should be', () => {
    const swapped = swap(root, 'tasks', 'log');
    expect(rectOf(swapped, 'log')).toEqual(rectOf(root, 'tasks'));
    const hidden = hide(root, 'tasks');
    expect(leavesOf(hidden)).toEqual(['shell', 'stacks', 'log']);
    expect(rectOf(hidden, 'shell').height).toBe(AREA.height);
    expect(hide(root, 'shell')).toBe(root);
    expect(leavesOf(show(root, AREA, 'symbols', 'stacks'))).toEqual(['tasks', 'shell', 'stacks', 'symbols', 'log']);
  });

  test('where there is no room for one more pane, it takes another one its place', () => {
    const small: Rect = { x: 0, y: 1, width: 80, height: 22 };
    expect(leavesOf(show(parsed('stacks:45/shell:55'), small, 'tasks', 'shell'))).toEqual(['tasks', 'shell']);
  });

  test('no change loses the shell', () => {
    const names = fc.constantFrom(...PANE_NAMES);
    fc.assert(
      fc.property(layouts, names, names, (node, one, other) => {
        for (const next of [
          hide(node, one),
          swap(node, one, other),
          show(node, AREA, one, other),
          grow(node, AREA, one, 'x', 9),
        ]) {
          expect(leavesOf(next)).toContain('shell');
          expect(new Set(leavesOf(next)).size).toBe(leavesOf(next).length);
        }
      }),
    );
  });
});
