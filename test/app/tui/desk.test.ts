/** Which panes stand on the screen at first. */
import { expect, test } from 'vitest';
import type { Size } from '../../../src/app/tui/contract.ts';
import { Desk } from '../../../src/app/tui/desk.ts';
import { type LayoutNode, parseLayout } from '../../../src/app/tui/layout.ts';
import type { PaneHost } from '../../../src/app/tui/pane.ts';

const SIZE: Size = { width: 160, height: 50 };
// Panes ask nothing of it before they are shown.
const host = {} as unknown as PaneHost;

function leaves(lesson: boolean, layout: string): ReadonlyMap<string, Size> {
  const name = lesson ? 'lesson 160x24' : '150x44';
  const layouts = new Map([[name, parseLayout(layout) as LayoutNode]]);
  return new Desk(host, SIZE, { layouts, lesson }).arrangement.leaves;
}

test('an arrangement is taken as it was kept', () => {
  expect([...leaves(false, '(walk:1/shell:1):83|tasks:76').keys()].sort()).toEqual(['shell', 'tasks', 'walk']);
});

test('a lesson begins without the panes that were opened beside another', () => {
  const shown = leaves(true, '(walk:1/shell:1):60|(lesson:1/locks:2):100');
  expect([...shown.keys()].sort()).toEqual(['lesson', 'shell']);
  expect(shown.get('lesson')?.width).toBeGreaterThan(90);
});
