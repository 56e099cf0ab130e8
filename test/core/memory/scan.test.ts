import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors.ts';
import { findTexts, findWords } from '../../../src/core/memory/find.ts';
import { SCAN_CHUNK, type ScanProgress, scanMemory } from '../../../src/core/memory/scan.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { FakeMemory } from '../../support/fake-kernel.ts';

const START = 0xffff_8880_0000_0000n;
const PAGE = 4096;

function scan(memory: FakeMemory, address: bigint, length: number, check: () => void = () => undefined) {
  const progress: ScanProgress = { done: 0, unreadable: 0 };
  const pieces = [...scanMemory(memory, { space: 'virtual', address, length, what: 'test' }, progress, check)];
  return { pieces, progress };
}

describe('scanMemory', () => {
  it('gives whole pages in order, a chunk with one request', () => {
    const memory = new FakeMemory();
    memory.write(START, new Uint8Array(2 * SCAN_CHUNK).fill(7));
    const { pieces, progress } = scan(memory, START + 100n, 2 * SCAN_CHUNK - 200);
    expect(pieces.map(({ address, bytes }) => [address, bytes.length])).toEqual([
      [START, SCAN_CHUNK],
      [START + BigInt(SCAN_CHUNK), SCAN_CHUNK],
    ]);
    expect(progress).toEqual({ done: 2 * SCAN_CHUNK, unreadable: 0 });
    expect(memory.reads.length).toBe(2);
  });

  it('leaves out what cannot be read, page by page, in three requests a chunk', () => {
    const memory = new FakeMemory();
    memory.write(START, new Uint8Array(SCAN_CHUNK).fill(7));
    memory.fault(START + 5n * 4096n);
    memory.fault(START + 200n * 4096n);
    const { pieces, progress } = scan(memory, START, SCAN_CHUNK);
    const pages = new Set<bigint>();
    let last = 0n;
    for (const { address, bytes } of pieces) {
      expect(address > last).toBe(true);
      last = address;
      for (let at = 0; at < bytes.length; at += PAGE) pages.add((address + BigInt(at) - START) / 4096n);
      expect(bytes.every((byte) => byte === 7)).toBe(true);
    }
    expect(pages.size).toBe(SCAN_CHUNK / PAGE - 2);
    expect(pages.has(5n) || pages.has(200n)).toBe(false);
    expect(progress).toEqual({ done: SCAN_CHUNK, unreadable: 2 * PAGE });
    expect(memory.reads.length).toBe(3);
  });

  it('ends when it is cancelled', () => {
    const memory = new FakeMemory();
    let left = 3;
    const check = () => {
      if (left-- <= 0) throw new CancelledError();
    };
    expect(() => scan(memory, START, 1 << 30, check)).toThrow(CancelledError);
    expect(memory.reads.length).toBe(3);
  });
});

describe('findWords', () => {
  const naive = (bytes: Uint8Array, unit: number, values: readonly bigint[], ignore: bigint) => {
    const found: { offset: number; index: number }[] = [];
    for (const [index, value] of values.entries()) {
      for (let offset = 0; offset + unit <= bytes.length; offset += unit) {
        let word = 0n;
        for (let i = unit - 1; i >= 0; i--) word = (word << 8n) | BigInt(bytes[offset + i] as number);
        const keep = ((1n << BigInt(unit * 8)) - 1n) & ~ignore;
        if ((word & keep) === (value & keep)) found.push({ offset, index });
      }
    }
    return found;
  };

  it('finds what a look at each word finds', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(2 as const, 4 as const, 8 as const),
        fc.uint8Array({ maxLength: 96 }),
        fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 3 }),
        fc.constantFrom(0n, 0xfen, 0xff00n, 0xffff_ffff_0000_0000n, 0xffff_ffff_ffff_ff00n),
        fc.nat({ max: 7 }),
        (unit, random, picks, ignore, shift) => {
          // Few different bytes, so that words repeat; at any place in a buffer.
          const backing = new Uint8Array(random.length + shift);
          backing.set(
            random.map((byte) => (byte % 3 === 0 ? 0xff : byte % 2)),
            shift,
          );
          const bytes = backing.subarray(shift);
          const words = Math.max(Math.floor(bytes.length / unit), 1);
          const values = picks.map((pick) => {
            let word = 0n;
            for (let i = unit - 1; i >= 0; i--) word = (word << 8n) | BigInt(bytes[(pick % words) * unit + i] ?? 0);
            return word;
          });
          expect([...findWords(bytes, { unit, values, ignore })]).toEqual(naive(bytes, unit, values, ignore));
        },
      ),
      { numRuns: 500 },
    );
  });
});

describe('findTexts', () => {
  it('finds every place, overlapping ones too', () => {
    const texts = ['aa', 'ab', 'b'].map(encodeText);
    expect([...findTexts(encodeText('aaab'), texts)]).toEqual([
      { offset: 0, index: 0 },
      { offset: 1, index: 0 },
      { offset: 2, index: 1 },
      { offset: 3, index: 2 },
    ]);
    expect([...findTexts(encodeText('a'), texts)]).toEqual([]);
    expect([...findTexts(encodeText('abc'), [new Uint8Array(0)])]).toEqual([]);
  });
});
