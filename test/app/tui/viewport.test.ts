import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Grid, Styles } from '../../../src/app/tui/cells.ts';
import { matcher } from '../../../src/app/tui/line-search.ts';
import { findSqueeze, squeezed } from '../../../src/app/tui/squeeze.ts';
import { PLAIN_THEME } from '../../../src/app/tui/theme.ts';
import { targetsOf, Viewport } from '../../../src/app/tui/viewport.ts';
import { PaintWindow } from '../../../src/app/tui/window.ts';
import type { Line } from '../../../src/core/output/line.ts';
import { textOf } from '../../../src/core/output/line.ts';

function painted(viewport: Viewport, width = 20, height = 5): readonly string[] {
  const grid = new Grid({ width, height });
  const window = new PaintWindow(grid, { x: 0, y: 0, width, height }, new Styles(), PLAIN_THEME);
  viewport.paint(window, true);
  return grid.rows().map((row) => row.trimEnd());
}

function numbered(count: number): Line[] {
  return Array.from({ length: count }, (_, i) => `line ${i}`);
}

function viewportOf(lines: readonly Line[]): Viewport {
  const viewport = new Viewport();
  viewport.replace(lines);
  painted(viewport);
  return viewport;
}

const TASK: Line = [
  '  ',
  { text: ' 136', ref: { kind: 'task', task: 0xffffn, pid: 136 } },
  ' in ',
  { text: 'schedule', ref: { kind: 'symbol', name: 'schedule', address: 1n } },
];

describe('a viewport', () => {
  test('keeps the chosen line in sight', () => {
    const steps = fc.array(fc.constantFrom('up', 'down', 'page', 'back', 'end', 'wheel', 'home'), { maxLength: 40 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), steps, (count, moves) => {
        const viewport = viewportOf(numbered(count));
        for (const move of moves) {
          if (move === 'up') viewport.move(-1);
          if (move === 'down') viewport.move(1);
          if (move === 'page') viewport.page(1);
          if (move === 'back') viewport.page(-1);
          if (move === 'end') viewport.choose(count);
          if (move === 'home') viewport.choose(0);
          if (move === 'wheel') viewport.scroll(3);
          expect(painted(viewport)).toContain(`line ${viewport.chosen}`);
        }
      }),
    );
  });

  test('pages as less does: the window goes on, and the choice with it', () => {
    const viewport = viewportOf(numbered(12));
    const pages = ([1, 1, 1, -1, -1, -1] as const).map((direction) => {
      viewport.page(direction);
      return [viewport.top, viewport.chosen];
    });
    expect(pages).toEqual([
      [4, 4],
      [7, 8],
      [7, 11],
      [3, 7],
      [0, 3],
      [0, 0],
    ]);
  });

  test('follows new lines at the end until one goes up', () => {
    const viewport = viewportOf(numbered(3));
    viewport.follows = true;
    viewport.append(numbered(20).slice(3));
    expect(painted(viewport).at(-1)).toBe('line 19');
    viewport.move(-1);
    viewport.append(['line 20']);
    expect(painted(viewport).at(-1)).toBe('line 19');
    viewport.choose(20);
    viewport.follows = true;
    viewport.append(['line 21']);
    expect(painted(viewport).at(-1)).toBe('line 21');
  });

  test('finds a line again among others, in its row', () => {
    const lines: Line[] = Array.from({ length: 30 }, (_, i) => [`line ${i}`]);
    const viewport = viewportOf(lines);
    painted(viewport);
    viewport.choose(20);
    expect(painted(viewport).at(-1)).toBe('line 20');
    expect(viewport.replaceAround(lines[20], lines.slice(10, 21))).toBe(true);
    expect(viewport.chosen).toBe(10);
    expect(painted(viewport).at(-1)).toBe('line 20');
    viewport.replaceAround(lines[20], lines);
    viewport.showBelow(3);
    expect(painted(viewport)[1]).toBe('line 20');
    viewport.showBelow(30);
    expect(painted(viewport)[0]).toBe('line 20');
    expect(viewport.replaceAround(lines[20], lines.slice(21))).toBe(false);
  });

  test('filters lines that are there and lines that come', () => {
    const viewport = viewportOf(numbered(12));
    viewport.filter(matcher('1'));
    expect(painted(viewport)).toEqual(['line 1', 'line 10', 'line 11', '', '']);
    viewport.append(['line 12', 'line 22', 'line 21']);
    expect(viewport.length).toBe(5);
    viewport.filter(matcher('!1'));
    expect(viewport.lines.map(textOf)).not.toContain('line 21');
    viewport.filter(undefined);
    expect(viewport.length).toBe(15);
  });

  test('finds the next line round the end', () => {
    const viewport = viewportOf(['a', 'b', 'a', 'c']);
    expect(viewport.search(matcher('a'), 1) && viewport.chosen).toBe(2);
    expect(viewport.search(matcher('a'), 1) && viewport.chosen).toBe(0);
    expect(viewport.search(matcher('c'), -1) && viewport.chosen).toBe(3);
    expect(viewport.search(matcher('x'), 1)).toBe(false);
  });

  test('knows the objects of a line, their cells, and the one under the mouse', () => {
    expect(targetsOf(TASK).map(({ from, to, text }) => [from, to, text])).toEqual([
      [3, 6, '136'],
      [10, 18, 'schedule'],
    ]);
    const viewport = viewportOf(['nothing', TASK]);
    viewport.choose(1);
    expect(viewport.target?.text).toBe('136');
    expect(viewport.side(1)).toBe(true);
    expect(viewport.target?.text).toBe('schedule');
    expect(viewport.point(4, 1)).toBe(true);
    expect(viewport.target?.text).toBe('136');
    expect(viewport.point(8, 1)).toBe(false);
    expect(viewport.point(0, 4)).toBe(false);
  });

  test('knows them behind tabs, and one in pieces as one', () => {
    const ref = { kind: 'symbol', name: 'mutex_lock', address: 1n } as const;
    const line: Line = [
      'call\t',
      { text: 'mutex', ref, tone: 'match' },
      { text: '_lock', ref },
      ' ',
      { text: 'x\ty', ref },
    ];
    expect(targetsOf(line)).toEqual([
      { from: 8, to: 18, text: 'mutex_lock', ref },
      { from: 19, to: 25, text: 'x\ty', ref },
    ]);
  });
});

describe('a table that is too wide', () => {
  const table: Line[] = ['  PID   COMM     X', '    1   init     y', '  136   lab_ab    '];

  test('loses the blanks that all lines have', () => {
    const omitted = findSqueeze(table, 10);
    expect(table.map((line) => textOf(squeezed(line, omitted)))).toEqual([
      'PID COMM   X',
      '  1 init   y',
      '136 lab_ab  ',
    ]);
  });

  test('stays as it is where it fits, or is no plain text', () => {
    expect(findSqueeze(table, 40)).toBeUndefined();
    expect(findSqueeze([...table, 'a\tb'], 10)).toBeUndefined();
    expect(findSqueeze([...table, 'x'.repeat(5000)], 10)).toBeUndefined();
  });

  test('keeps its objects, and no line loses text', () => {
    const cells = fc.array(fc.constantFrom(' ', '  ', 'ab', 'c', '     '), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.array(cells, { minLength: 2, maxLength: 6 }), (rows) => {
        const lines = rows.map((row) => row.map((text) => ({ text, tone: 'dim' as const })));
        const omitted = findSqueeze(lines, 3);
        for (const line of lines) {
          expect(textOf(squeezed(line, omitted)).replace(/ /g, '')).toBe(textOf(line).replace(/ /g, ''));
        }
      }),
    );
    const wide = [TASK, ['  ', '       ', '                 x']];
    expect(targetsOf(squeezed(TASK, findSqueeze(wide, 5))).map(({ text }) => text)).toEqual(['136', 'schedule']);
  });
});
