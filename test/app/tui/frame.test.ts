import { expect, test } from 'vitest';
import { Styles } from '../../../src/app/tui/cells.ts';
import { FrameReader } from '../../../src/app/tui/frame.ts';

const SIZE = { width: 8, height: 2 };

function stylesOf(frame: string, plain = false): readonly string[] {
  const styles = new Styles();
  const grid = new FrameReader(styles, plain).read(frame, SIZE);
  return Array.from(grid.style.subarray(0, SIZE.width), (style) => styles.sgr(style));
}

test.each([
  ['plain', 'ab', ['', '']],
  ['bold and its end', '\x1b[1ma\x1b[22mb', ['1', '']],
  ['colours and their ends', '\x1b[31m\x1b[44ma\x1b[39mb\x1b[49mc', ['31;44', '44', '']],
  ['several parameters at once', '\x1b[1;31;7ma\x1b[0mb', ['1;7;31', '']],
  ['256 and true colours', '\x1b[38;5;200ma\x1b[48;2;1;2;3mb', ['38;5;200', '38;5;200;48;2;1;2;3']],
  ['bold and dim end together', '\x1b[1m\x1b[2ma\x1b[22mb', ['1;2', '']],
])('styles: %s', (_, frame, expected) => {
  expect(stylesOf(frame).slice(0, expected.length)).toEqual(expected);
});

test('without colours the attributes stay', () => {
  expect(stylesOf('\x1b[1;31ma\x1b[48;5;9mb', true).slice(0, 2)).toEqual(['1', '1']);
});

test('lines end where the frame ends, and a shorter line erases the longer one before it', () => {
  const reader = new FrameReader(new Styles(), false);
  expect(reader.read('abcdefghijk\n漢字\nbelow', SIZE).rows()).toEqual(['abcdefgh', '漢字    ']);
  expect(reader.read('ab\n漢', SIZE).rows()).toEqual(['ab      ', '漢      ']);
  expect(reader.read('x', { width: 3, height: 1 }).rows()).toEqual(['x  ']);
});

test('what is no style does nothing', () => {
  const reader = new FrameReader(new Styles(), false);
  expect(reader.read('a\x1b[2Jb\x1b[5;5Hc\x1b7d', SIZE).rows()[0]).toBe('abcd    ');
});
