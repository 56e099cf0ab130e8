/** Lines that are kept, packed and let go; lines set into rows; text found in them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { clustersOf, showCluster } from '../../../../src/app/prompt/graphemes.ts';
import { findLine, holds, placesOf, withMatches } from '../../../../src/app/tui/scrollback/find-text.ts';
import { LINE_CHARACTERS_MAX, LineStore } from '../../../../src/app/tui/scrollback/line-store.ts';
import { rowsOf } from '../../../../src/app/tui/scrollback/rows-of.ts';
import { type Line, textOf } from '../../../../src/core/output/line.ts';

const text = fc.string({
  unit: fc.constantFrom('a', ' ', '\t', '\u6f22', 'e\u0301', '\x1b', '\u{1f600}', 'xyz'),
  maxLength: 40,
});
const line: fc.Arbitrary<Line> = fc.oneof(
  text,
  fc.array(
    fc.oneof(
      text,
      text.map((piece) => ({
        text: piece,
        tone: 'address' as const,
        ref: { kind: 'address' as const, address: 0xffffffff81000000n },
      })),
    ),
    { maxLength: 4 },
  ),
);

describe('lines that are kept', () => {
  it('are what was appended, packed or not, and gone from the oldest on when they are too many', () => {
    fc.assert(
      fc.property(fc.array(fc.array(line, { maxLength: 30 }), { maxLength: 20 }), fc.boolean(), (batches, isSmall) => {
        const store = new LineStore({ chunkLines: 7, hotChunks: 2, packedBytes: isSmall ? 400 : 1e9 });
        for (const batch of batches) store.append(batch);
        const all = batches.flat();
        expect(store.end).toBe(all.length);
        if (!isSmall) expect(store.first).toBe(0);
        for (const [i, each] of all.entries()) expect(store.at(i)).toEqual(i < store.first ? undefined : each);
        expect(store.at(all.length)).toBeUndefined();
        expect(store.at(-1)).toBeUndefined();
      }),
      { numRuns: 60 },
    );
  });

  it('are continued in the next when they are too long to be laid out', () => {
    const store = new LineStore();
    const long = `${'x'.repeat(LINE_CHARACTERS_MAX)}\u{1f600}${'y'.repeat(10)}`;
    store.append(['before', [long.slice(0, 5), { text: long.slice(5) }], 'after']);
    expect(store.end).toBe(4);
    expect(textOf(store.at(1) ?? '') + textOf(store.at(2) ?? '')).toBe(long);
  });

  it('of endless output take bounded memory', () => {
    const store = new LineStore({ packedBytes: 64 * 1024 });
    const lines = Array.from({ length: 1024 }, (_, i) => `${i} ${Math.sin(i)} ${'z'.repeat(60)}`);
    for (let i = 0; i < 100; i++) store.append(lines);
    expect(store.end).toBe(102_400);
    expect(store.first).toBeGreaterThan(50_000);
    expect(store.at(store.first)).toBe(lines[store.first % 1024]);
    expect(store.at(store.end - 1)).toBe(lines[1023]);
  });
});

describe('rows of a line', () => {
  const cells = (of: string): number => clustersOf(of).reduce((sum, cluster) => sum + showCluster(cluster).width, 0);
  const expanded = (of: string): string => {
    let [out, at] = ['', 0];
    for (const [i, piece] of of.split('\t').entries()) {
      if (i > 0) {
        const blanks = 8 - (at % 8);
        out += ' '.repeat(blanks);
        at += blanks;
      }
      out += piece;
      at += cells(piece);
    }
    return out;
  };

  it('hold all of it, none wider than the window', () => {
    fc.assert(
      fc.property(line, fc.integer({ min: 4, max: 30 }), (each, width) => {
        const rows = rowsOf(each, width);
        expect(rows.length).toBeGreaterThan(0);
        let start = 0;
        for (const row of rows) {
          expect(row.start).toBe(start);
          const own = (typeof row.line === 'string' ? [row.line] : row.line).reduce(
            (sum, part) => sum + cells(typeof part === 'string' ? part : part.text),
            0,
          );
          // One cluster that is written as an escape may be wider than the window itself.
          if (own > width) expect(clustersOf(textOf(row.line))).toHaveLength(1);
          start += own;
        }
        const spans = typeof each === 'string' ? [each] : each;
        if (spans.length === 1) expect(rows.map((row) => textOf(row.line)).join('')).toBe(expanded(textOf(each)));
        expect(
          rows
            .map((row) => textOf(row.line))
            .join('')
            .replaceAll(' ', ''),
        ).toBe(textOf(each).replaceAll(/[\t ]/g, ''));
      }),
    );
  });

  it('are exact for plain text, tabs and wide characters', () => {
    expect(rowsOf('abcdef', 4)).toEqual([
      { line: 'abcd', start: 0 },
      { line: 'ef', start: 4 },
    ]);
    expect(rowsOf('', 4)).toEqual([{ line: '', start: 0 }]);
    expect(rowsOf('abc\u6f22', 4).map(({ start }) => start)).toEqual([0, 3]);
    expect(rowsOf('a\tb', 80).map((row) => textOf(row.line))).toEqual(['a       b']);
  });
});

describe('text in lines', () => {
  it('is found in any case, unless it has capitals, and marked without changing the line', () => {
    expect(placesOf('Mutex mutex', 'mutex')).toEqual([
      [0, 5],
      [6, 11],
    ]);
    expect(placesOf('Mutex mutex', 'Mutex')).toEqual([[0, 5]]);
    expect(placesOf('abc', '')).toEqual([]);
    expect(holds([{ text: 'spl' }, 'it'], 'SPLIT'.toLowerCase())).toBe(true);
    expect(withMatches(['ab', { text: 'cd', tone: 'symbol' }], 'bc')).toEqual([
      { text: 'a' },
      { text: 'b', tone: 'match' },
      { text: 'c', tone: 'match' },
      { text: 'd', tone: 'symbol' },
    ]);
    fc.assert(
      fc.property(line, text, (each, wanted) => {
        expect(textOf(withMatches(each, wanted))).toBe(textOf(each));
      }),
    );
  });

  it('is looked for in both directions, once round, and no further when it is given up', async () => {
    const store = new LineStore({ chunkLines: 16, hotChunks: 1 });
    store.append(Array.from({ length: 1000 }, (_, i) => (i % 250 === 7 ? `needle ${i}` : `hay ${i}`)));
    const find = (
      from: number,
      direction: 1 | -1,
      signal = new AbortController().signal,
    ): Promise<number | undefined> => findLine({ store, wanted: 'needle', from, direction, signal });
    expect(await find(999, -1)).toBe(757);
    expect(await find(756, -1)).toBe(507);
    expect(await find(6, -1)).toBe(757);
    expect(await find(758, 1)).toBe(7);
    expect(await findLine({ store, wanted: 'none', from: 3, direction: 1, signal: new AbortController().signal })).toBe(
      undefined,
    );
  });
});
