import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import {
  kcoreHeadersLength,
  kcoreSegmentAt,
  kcoreSegmentAtPhysical,
  parseKcore,
} from '../../../src/core/formats/kcore.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { coreFile, joined, note } from '../../support/elf-builder.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const SEGMENTS = [
  { type: 1, virtual: 0xffffffff81000000n, physical: 0x1000000n, offset: 0x7fff81003000n, length: 0x2000000n },
  { type: 1, virtual: 0xffffc90000000000n, physical: ALL_ONES, offset: 0x490000003000n, length: 0x1fffffffffffn },
  { type: 1, virtual: 0xffff888000001000n, physical: 0x1000n, offset: 0x4000n, length: 0x9e000n },
  { type: 1, virtual: 0xff11000000001000n, physical: 0x1000n, offset: 0x00ef_1100_0000_4000n, length: 0n },
];
const NOTES = joined(
  note('CORE', 1, new Uint8Array(336)),
  note('VMCOREINFO', 0, encodeText('OSRELEASE=6.12.0\nSYMBOL(_stext)=ffffffff81000000\n')),
);

describe('kcore', () => {
  const bytes = coreFile({ notes: NOTES, segments: SEGMENTS });

  it('asks for its headers, then for its notes', () => {
    const first = kcoreHeadersLength(bytes.subarray(0, 64));
    expect(first).toBe(64 + 5 * 56);
    expect(kcoreHeadersLength(bytes.subarray(0, first))).toBe(bytes.length);
    expect(kcoreHeadersLength(bytes)).toBe(bytes.length);
  });

  it('gives the ranges by address and VMCOREINFO', () => {
    const kcore = parseKcore(bytes);
    expect(kcore.segments).toEqual([
      { virtual: 0xffff888000001000n, physical: 0x1000n, offset: 0x4000n, length: 0x9e000n },
      { virtual: 0xffffc90000000000n, physical: undefined, offset: 0x490000003000n, length: 0x1fffffffffffn },
      { virtual: 0xffffffff81000000n, physical: 0x1000000n, offset: 0x7fff81003000n, length: 0x2000000n },
    ]);
    expect(kcore.vmcoreinfo?.symbol('_stext')).toBe(0xffffffff81000000n);
  });

  it('finds the range of an address, virtual or physical', () => {
    const { segments } = parseKcore(bytes);
    expect(kcoreSegmentAt(segments, 0xffffffff81000000n)?.offset).toBe(0x7fff81003000n);
    expect(kcoreSegmentAt(segments, 0xffffffff82ffffffn)?.offset).toBe(0x7fff81003000n);
    expect(kcoreSegmentAt(segments, 0xffffffff83000000n)).toBeUndefined();
    expect(kcoreSegmentAt(segments, 0xffff888000000fffn)).toBeUndefined();
    expect(kcoreSegmentAtPhysical(segments, 0x1000n)?.virtual).toBe(0xffff888000001000n);
    expect(kcoreSegmentAtPhysical(segments, 0xfffn)).toBeUndefined();
  });

  it('takes no physical address from a kernel that gives none', () => {
    const zeroed = SEGMENTS.map((segment) => ({ ...segment, physical: 0n }));
    const { segments } = parseKcore(coreFile({ notes: NOTES, segments: zeroed }));
    expect(segments.every((segment) => segment.physical === undefined)).toBe(true);
  });

  it('says so when it is empty', () => {
    expect(() => parseKcore(coreFile({ segments: [] }))).toThrow(/no memory/);
  });

  it('survives 10,000 damaged headers', () => {
    const random = seededRandom(6);
    for (let i = 0; i < 10_000; i++) {
      const damaged = mutate(bytes, random);
      try {
        expect(kcoreHeadersLength(damaged)).toBeLessThanOrEqual(16 * 1024 * 1024);
        const { segments } = parseKcore(damaged);
        kcoreSegmentAt(segments, 0xffffffff81000000n);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }
  });
});
