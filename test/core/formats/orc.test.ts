import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeOrcEntry,
  findOrcIndex,
  ORC_ENTRY_SIZE,
  type OrcEntry,
  type OrcVersion,
  orcFlags,
  orcVersionOfFlags,
  orcVersionOfHeader,
} from '../../../src/core/formats/orc.ts';
import { encodeEntry, encodeTables, entry, HEADERS } from '../../support/fake-orc.ts';

const VERSIONS: readonly OrcVersion[] = [1, 2, 3, 4];

const hexBytes = (hex: string) => Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

describe('an entry decodes the same in every version', () => {
  const entries: readonly OrcEntry[] = [
    entry(),
    entry({ spOffset: 64, bpRegister: 'prev-sp', bpOffset: -16 }),
    entry({ spRegister: 'bp', spOffset: 16, bpRegister: 'prev-sp', bpOffset: -16 }),
    entry({ spRegister: 'bp-indirect', spOffset: -8, bpRegister: 'bp' }),
    entry({ spRegister: 'sp-indirect', spOffset: 16 }),
    entry({ spRegister: 'r10', spOffset: 0 }),
    entry({ spRegister: 'r13', spOffset: 0 }),
    entry({ type: 'regs', spOffset: 0 }),
    entry({ type: 'regs-partial', spRegister: 'dx' }),
    entry({ type: 'regs-partial', spRegister: 'di' }),
    entry({ type: 'end-of-stack', spOffset: 0 }),
    entry({ type: 'undefined', spOffset: 0 }),
  ];
  for (const version of VERSIONS) {
    test.each(entries)(`version ${version}: %o`, (of) => {
      expect(decodeOrcEntry(version, encodeEntry(version, of), 0)).toEqual(of);
    });
  }

  test('ax came with version 4', () => {
    expect(decodeOrcEntry(4, hexBytes('000000000102'), 0).spRegister).toBe('ax');
    expect(decodeOrcEntry(3, hexBytes('000000000102'), 0).spRegister).toBe('prev-sp');
  });

  test('the interrupt frames of version 3 need not be signal frames, those of version 1 always are', () => {
    expect(decodeOrcEntry(3, hexBytes('300000000504'), 0)).toMatchObject({ type: 'regs-partial', signal: false });
    expect(decodeOrcEntry(1, hexBytes('300000000502'), 0)).toMatchObject({ type: 'regs-partial', signal: true });
  });

  test('numbers that no version defines are unknown, not an error', () => {
    expect(decodeOrcEntry(3, hexBytes('000000000f07'), 0)).toMatchObject({ spRegister: 'unknown', type: 'unknown' });
    expect(decodeOrcEntry(1, hexBytes('000000000503'), 0).type).toBe('unknown');
  });
});

describe('the version', () => {
  test.each(VERSIONS.filter((version) => version > 1))('%i is known by its header', (version) => {
    expect(orcVersionOfHeader(hexBytes(HEADERS[version] as string))).toBe(version);
  });

  test('a header of a later kernel is not taken for an earlier one', () => {
    expect(orcVersionOfHeader(hexBytes('00'.repeat(20)))).toBeUndefined();
    expect(orcVersionOfHeader(new Uint8Array(0))).toBeUndefined();
  });

  const flagsOf = (version: OrcVersion, of: OrcEntry) => orcFlags(encodeEntry(version, of), 0);
  test.each([1, 2, 3] as const)('%i is known by what it says of functions and of the end', (version) => {
    const functions = [entry(), entry(), entry({ bpRegister: 'prev-sp' })].map((of) => flagsOf(version, of));
    const ends = [flagsOf(version, entry({ type: 'end-of-stack' }))];
    expect(orcVersionOfFlags(functions, ends)).toBe(version);
  });

  test('contradicting answers are none', () => {
    const call1 = flagsOf(1, entry());
    const call3 = flagsOf(3, entry());
    const end1 = flagsOf(1, entry({ type: 'end-of-stack' }));
    const end3 = flagsOf(3, entry({ type: 'end-of-stack' }));
    expect(orcVersionOfFlags([call1, call3], [end1])).toBeUndefined();
    expect(orcVersionOfFlags([call1], [end3])).toBeUndefined();
    expect(orcVersionOfFlags([call1], [end1, end3])).toBeUndefined();
    expect(orcVersionOfFlags([], [end1])).toBeUndefined();
    expect(orcVersionOfFlags([call1], [])).toBeUndefined();
    // Most functions do not begin with a call entry: these are not the entries of functions.
    expect(orcVersionOfFlags([call1, 0, 0, 0], [end1])).toBeUndefined();
  });
});

describe('the address table', () => {
  const base = 0xffff_ffff_8300_0000n;
  const text = 0xffff_ffff_8100_0000n;
  const places = [0x10n, 0x20n, 0x20n, 0x31n].map((offset) => [text + offset, entry()] as const);
  const { addresses } = encodeTables(3, places, base);
  const find = (offset: bigint) => findOrcIndex({ base, first: 0, bytes: addresses }, text + offset);

  test.each([
    [0xfn, undefined],
    [0x10n, 0],
    [0x1fn, 0],
    [0x20n, 2],
    [0x30n, 2],
    [0x31n, 3],
    [0xffff_ffffn, 3],
  ])('%s is at entry %s: the last of equal ones', (offset, index) => {
    expect(find(offset)).toBe(index);
  });

  test('a part of the table gives indexes of the whole', () => {
    const part = { base, first: 2, bytes: addresses.subarray(8) };
    expect(findOrcIndex(part, text + 0x25n)).toBe(2);
    expect(findOrcIndex(part, text + 0x10n)).toBeUndefined();
    expect(findOrcIndex({ base, first: 0, bytes: new Uint8Array(3) }, text)).toBeUndefined();
  });
});

test('10,000 mutated tables decode to something, within their bounds', () => {
  const { addresses, entries } = encodeTables(
    3,
    Array.from({ length: 32 }, (_, i) => [0xffff_ffff_8100_0000n + BigInt(i * 16), entry()] as const),
    0xffff_ffff_8300_0000n,
  );
  fc.assert(
    fc.property(
      fc.constantFrom(...VERSIONS),
      fc.array(fc.tuple(fc.nat(addresses.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.array(fc.tuple(fc.nat(entries.length - 1), fc.nat(255)), { maxLength: 8 }),
      fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
      (version, addressEdits, entryEdits, pc) => {
        const mutatedAddresses = addresses.slice();
        const mutatedEntries = entries.slice();
        for (const [at, byte] of addressEdits) mutatedAddresses[at] = byte;
        for (const [at, byte] of entryEdits) mutatedEntries[at] = byte;
        const index = findOrcIndex({ base: 0xffff_ffff_8300_0000n, first: 0, bytes: mutatedAddresses }, pc);
        if (index === undefined) return;
        expect(index).toBeLessThan(32);
        const decoded = decodeOrcEntry(version, mutatedEntries, index * ORC_ENTRY_SIZE);
        expect(Math.abs(decoded.spOffset)).toBeLessThanOrEqual(32_768);
      },
    ),
    { numRuns: 10_000 },
  );
});
