import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Grid, Styles } from '../../../src/app/tui/cells.ts';
import { DARK_THEME } from '../../../src/app/tui/theme.ts';
import { PaintWindow } from '../../../src/app/tui/window.ts';
import type { Line } from '../../../src/core/output/line.ts';

function painted(width: number, paint: (window: PaintWindow) => void): readonly string[] {
  const grid = new Grid({ width: width + 4, height: 3 });
  paint(new PaintWindow(grid, { x: 2, y: 1, width, height: 1 }, new Styles(), DARK_THEME));
  return grid.rows();
}

test('text is clipped to its window', () => {
  const rows = painted(5, (window) => {
    window.text(0, 0, 'abcdefgh');
    window.text(0, 1, 'below');
    window.text(0, -1, 'above');
  });
  expect(rows).toEqual(['         ', '  abcde  ', '         ']);
});

test('escape sequences, wide and combining characters of the target move nothing', () => {
  expect(painted(12, (window) => window.text(0, 0, 'a\x1b[2Jb'))[1]).toBe('  a\\x1b[2Jb     ');
  expect(painted(5, (window) => window.text(0, 0, '漢漢漢'))[1]).toBe('  漢漢   ');
  expect(painted(9, (window) => window.text(0, 0, '\u202eabc'))[1]).toBe('  \\u202eabc  ');
});

test('tabs go to the next stop, from the start of the line', () => {
  const line: Line = ['ab', { text: '\tc', tone: 'dim' }];
  expect(painted(12, (window) => window.line(0, 0, line))[1]).toBe('  ab      c     ');
  expect(painted(12, (window) => window.line(0, 0, line, { from: 6 }))[1]).toBe('    c           ');
});

test('a line scrolled to the side shows its cells from there on', () => {
  const line: Line = ['0123', { text: '4567', tone: 'address' }, '89'];
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 12 }), (from) => {
      const row = painted(10, (window) => window.line(0, 0, line, { from }))[1];
      expect(row).toBe(`  ${'0123456789'.slice(from).padEnd(10)}  `);
    }),
  );
});

test('no text leaves the window', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer({ min: 0, max: 9 }), (text, from) => {
      const rows = painted(7, (window) => {
        window.line(0, 0, text, { from });
        window.text(from, 0, text);
      });
      expect(rows[0]?.trim()).toBe('');
      expect(rows[2]?.trim()).toBe('');
      expect(rows[1]?.startsWith('  ')).toBe(true);
      expect(rows[1]?.endsWith('  ')).toBe(true);
      expect(rows[1]).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    }),
    { numRuns: 2000 },
  );
});

test('a line of 10,000 columns is painted in no time', () => {
  const grid = new Grid({ width: 100, height: 1 });
  const window = new PaintWindow(grid, { x: 0, y: 0, width: 100, height: 1 }, new Styles(), DARK_THEME);
  const lines = ['x'.repeat(10_000), '漢'.repeat(10_000), `e\u0301`.repeat(10_000)];
  const started = performance.now();
  for (let i = 0; i < 20; i++) for (const line of lines) window.line(0, 0, line);
  expect(performance.now() - started).toBeLessThan(500);
});
