import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import type { AddressEncoding } from '../../../src/core/formats/kallsyms-addresses.ts';
import { columnName } from '../../../src/core/formats/kallsyms-columns.ts';
import { readKallsyms } from '../../../src/core/formats/kallsyms-memory.ts';
import { findKallsyms } from '../../../src/core/formats/kallsyms-scan.ts';
import { kallsymsImage, type TestSymbol } from '../../support/kallsyms-builder.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const BASE = 0xffffffff82000000n;
const SYMBOLS: readonly TestSymbol[] = [
  { address: 0xffffffff81000000n, type: 'T', name: '_stext' },
  ...Array.from({ length: 700 }, (_, i) => ({
    address: 0xffffffff81000100n + BigInt(64 * i),
    type: 't',
    name: `function_${i}`,
  })),
];

/** The tables in the middle of other bytes, some of which look like digits in a token table. */
function imageAround(tables: Uint8Array, before: number): Uint8Array {
  const random = seededRandom(9);
  const image = Uint8Array.from({ length: before + tables.length + 5000 }, () => Math.floor(random() * 256));
  for (let digit = 0; digit < 10; digit++) image.set([0x30 + digit, 0], 256 + 2 * digit);
  image.set(tables, before);
  return image;
}

/** What kernels have had: place-relative tables came after the order changed. */
const CASES: readonly (readonly [AddressEncoding, 'since-6.4' | 'before-6.4'])[] = [
  ['absolute', 'before-6.4'],
  ['base-relative', 'before-6.4'],
  ['absolute-percpu', 'before-6.4'],
  ['absolute', 'since-6.4'],
  ['base-relative', 'since-6.4'],
  ['absolute-percpu', 'since-6.4'],
  ['place-relative', 'since-6.4'],
];

describe('kallsyms found in an image', () => {
  it.each(CASES)('%s, %s', (encoding, layout) => {
    const before = 4096;
    const perCpu: TestSymbol[] =
      encoding === 'absolute-percpu' ? [{ address: 0x1000n, type: 'A', name: 'runqueues' }] : [];
    const tables = kallsymsImage([...perCpu, ...SYMBOLS], { encoding, layout, base: BASE + BigInt(before) });
    const image = imageAround(tables.bytes, before);
    expect(findKallsyms(image, BASE)).toEqual(tables.locations);
    const read = (address: bigint, length: number) => {
      const from = Number(address - BASE);
      return image.subarray(from, from + length);
    };
    const { columns } = readKallsyms(read, tables.locations);
    expect(columnName(columns, columns.count - 1)).toBe('function_699');
  });
});

describe('kallsyms looked for in an image', () => {
  it('is not found in other bytes', () => {
    expect(findKallsyms(imageAround(new Uint8Array(0), 4096), BASE)).toBeUndefined();
    expect(findKallsyms(new Uint8Array(0), BASE)).toBeUndefined();
    expect(findKallsyms(new Uint8Array(100_000).fill(0x30), BASE)).toBeUndefined();
    const digits = Uint8Array.from({ length: 1_000_000 }, (_, i) => (i % 2 === 0 ? 0x30 + ((i / 2) % 10) : 0));
    expect(findKallsyms(digits, BASE)).toBeUndefined();
  });

  it('survives 10,000 damaged images', () => {
    const few = SYMBOLS.slice(0, 12);
    const random = seededRandom(10);
    const images = (['since-6.4', 'before-6.4'] as const).map(
      (layout) => kallsymsImage(few, { encoding: 'base-relative', layout, base: BASE }).bytes,
    );
    let found = 0;
    for (let i = 0; i < 10_000; i++) {
      try {
        if (findKallsyms(mutate(images[i % 2] as Uint8Array, random), BASE) !== undefined) found++;
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }
    expect(found).toBeGreaterThan(100);
    expect(found).toBeLessThan(9_000);
  });
});
