import { describe, expect, test } from 'vitest';
import { type RingPageLayout, ringPageLayout, ringRecords } from '../../../src/core/formats/ring-page.ts';

const HEADER = `\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;
\tfield: local_t commit;\toffset:8;\tsize:8;\tsigned:1;
\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;
\tfield: char data;\toffset:16;\tsize:4080;\tsigned:0;
`;
const layout = ringPageLayout(HEADER, true);

/** A page that begins at 1000 ns, with these words of 32 bits; `missed` stands behind them. */
function page(
  words: readonly number[],
  options: { missed?: number; stored?: boolean; isLittle?: boolean } = {},
): Uint8Array {
  const { missed, stored = true, isLittle = true } = options;
  const view = new DataView(new ArrayBuffer(4096));
  view.setBigUint64(0, 1000n, isLittle);
  const flags = missed === undefined ? 0 : 0x8000_0000 + (stored ? 0x4000_0000 : 0);
  view.setUint32(isLittle ? 8 : 12, (words.length * 4 + flags) >>> 0, isLittle);
  for (const [i, word] of words.entries()) view.setUint32(16 + 4 * i, word >>> 0, isLittle);
  if (missed !== undefined) view.setBigUint64(16 + 4 * words.length, BigInt(missed), isLittle);
  return new Uint8Array(view.buffer);
}
const head = (type: number, delta: number): number => type + delta * 32;
const read = (bytes: Uint8Array, by: RingPageLayout = layout): readonly unknown[] =>
  [...ringRecords(bytes, by)].map(({ time, data, lost }) => [
    Number(time),
    data.getUint32(0, by.isLittle),
    data.byteLength,
    lost,
  ]);

describe('records', () => {
  test.each<readonly [string, Uint8Array, readonly unknown[]]>([
    [
      'of a word each, time adding up',
      page([head(1, 5), 7, head(1, 6), 8]),
      [
        [1005, 7, 4, 0],
        [1011, 8, 4, 0],
      ],
    ],
    [
      'whose length stands behind the head',
      page([head(0, 1), 12, 7, 8, head(1, 1), 9]),
      [
        [1001, 7, 8, 0],
        [1002, 9, 4, 0],
      ],
    ],
    ['after a long time', page([head(30, 3), 2, head(1, 1), 7]), [[1000 + 2 * 2 ** 27 + 3 + 1, 7, 4, 0]]],
    ['after an absolute time', page([head(31, 9), 1, head(1, 1), 7]), [[2 ** 27 + 10, 7, 4, 0]]],
    ['around one that was thrown away', page([head(29, 4), 8, 0, head(1, 1), 7]), [[1005, 7, 4, 0]]],
    ['up to the padding', page([head(1, 1), 7, head(29, 0), 4000]), [[1001, 7, 4, 0]]],
    [
      'with a count of lost ones',
      page([head(1, 1), 7, head(1, 1), 8], { missed: 42 }),
      [
        [1001, 7, 4, 42],
        [1002, 8, 4, 0],
      ],
    ],
    ['with lost ones that nobody counted', page([head(1, 1), 7], { missed: 42, stored: false }), [[1001, 7, 4, -1]]],
    ['of an impossible length', page([head(1, 1), 7, head(0, 1), 4]), [[1001, 7, 4, 0]]],
    ['that leave the page', page([head(28, 1), 7]), []],
    ['of an empty page', page([]), []],
    ['of half a page', page([head(1, 1), 7]).subarray(0, 12), []],
  ])('%s', (_name, bytes, records) => {
    expect(read(bytes)).toEqual(records);
  });

  test('of a big-endian machine, whose bits lie the other way', () => {
    const big = { ...layout, isLittle: false };
    expect(read(page([(1 << 27) + 5, 7], { isLittle: false }), big)).toEqual([[1005, 7, 4, 0]]);
  });
});

test('a page whose parts nobody names cannot be read', () => {
  expect(() => ringPageLayout('field: u64 timestamp;', true)).toThrow(/no commit/);
  expect(() => ringPageLayout(HEADER.replace('size:8;\tsigned:1', 'size:3;\tsigned:1'), true)).toThrow(/of 3 bytes/);
});
