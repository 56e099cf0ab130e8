import headless from '@xterm/headless';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isUnicodeLocale, toAscii } from '../../../src/app/tui/ascii.ts';
import { difference, Grid, Styles } from '../../../src/app/tui/cells.ts';

const WIDTH = 17;
const HEIGHT = 4;
const SGR = ['', '1', '31', '1;7', '38;5;120'];

/** One cell to set: what, where, how. */
const edits = fc.array(
  fc.record({
    x: fc.integer({ min: 0, max: WIDTH - 1 }),
    y: fc.integer({ min: 0, max: HEIGHT - 1 }),
    text: fc.constantFrom('a', 'b', ' ', '─', 'é', '漢'),
    style: fc.constantFrom(...SGR),
  }),
  { maxLength: 60 },
);

function edited(grid: Grid, changes: readonly { x: number; y: number; text: string; style: string }[], styles: Styles) {
  for (const { x, y, text, style } of changes) {
    const width = text === '漢' ? 2 : 1;
    if (x + width <= WIDTH) grid.put(x, y, text, width, styles.number(style));
  }
}

/** Each cell as the terminal shows it: text, and whether it is bold, reverse or coloured. */
function shown(terminal: headless.Terminal): readonly string[] {
  const cells: string[] = [];
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const cell = terminal.buffer.active.getLine(y)?.getCell(x);
      const text = cell?.getWidth() === 0 ? '' : cell?.getChars() || ' ';
      cells.push(`${text}|${cell?.isBold() ? 'b' : ''}${cell?.isInverse() ? 'i' : ''}${cell?.getFgColor()}`);
    }
  }
  return cells;
}

function expected(grid: Grid, styles: Styles): readonly string[] {
  const looks: Record<string, string> = { '': '-1', '1': 'b-1', '31': '1', '1;7': 'bi-1', '38;5;120': '120' };
  return grid.text.map((text, i) => `${text}|${looks[styles.sgr(grid.style[i] as number)]}`);
}

test('whatever is drawn over whatever, a terminal shows the last grid', async () => {
  const terminal = new headless.Terminal({ cols: WIDTH, rows: HEIGHT, allowProposedApi: true });
  const write = (bytes: string) => new Promise<void>((done) => terminal.write(bytes, done));
  const styles = new Styles();
  let last: Grid | undefined;
  await fc.assert(
    fc.asyncProperty(edits, fc.boolean(), async (changes, fresh) => {
      const next = new Grid({ width: WIDTH, height: HEIGHT });
      if (last !== undefined && !fresh) next.copy(last, { x: 0, y: 0 });
      edited(next, changes, styles);
      await write(difference(last, next, styles));
      last = next;
      expect(shown(terminal)).toEqual(expected(next, styles));
    }),
    { numRuns: 150 },
  );
});

test('a grid that did not change takes no bytes, a changed cell few', () => {
  const styles = new Styles();
  const last = new Grid({ width: 200, height: 60 });
  const next = new Grid({ width: 200, height: 60 });
  expect(difference(last, next, styles)).toBe('');
  next.put(100, 30, 'x', 1, 0);
  expect(difference(last, next, styles)).toBe('\x1b[31;101Hx');
});

test('half of a wide cluster never stays', () => {
  const grid = new Grid({ width: 4, height: 1 });
  grid.put(1, 0, '漢', 2, 0);
  grid.put(2, 0, 'x', 1, 0);
  expect(grid.text).toEqual([' ', ' ', 'x', ' ']);
  grid.put(1, 0, '漢', 2, 0);
  grid.put(1, 0, 'y', 1, 0);
  expect(grid.text).toEqual([' ', 'y', ' ', ' ']);
});

test('without UTF-8 nothing but ASCII is left', () => {
  const grid = new Grid({ width: 8, height: 1 });
  for (const [x, text] of ['a', '─', '│', '漢', '', 'é', '●'].entries())
    if (text !== '') grid.put(x, 0, text, text === '漢' ? 2 : 1, 0);
  toAscii(grid);
  expect(grid.rows()).toEqual(['a-|? ?* ']);
  expect(isUnicodeLocale({ LANG: 'C.UTF-8' })).toBe(true);
  expect(isUnicodeLocale({ LANG: 'en_US.utf8', LC_ALL: 'C' })).toBe(false);
});
