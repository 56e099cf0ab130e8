import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type PageTableFormat,
  pageFlags,
  rootOfCr3,
  walkPageTables,
} from '../../../../src/core/arch/x86_64/page-table.ts';
import { Fault } from '../../../../src/core/memory/fault.ts';

const ROOT = 0x1000n;
const FRAME = 0x000f_ffff_ffff_f000n;

/** Page tables in a map from physical address to entry. */
class Tables implements PageTableFormat {
  readonly levels: 4 | 5;
  readonly physicalMask: bigint;
  readonly entries = new Map<bigint, bigint>();
  batches = 0;
  #next = 0x2000n;

  constructor(levels: 4 | 5 = 4, physicalMask = (1n << 52n) - 1n) {
    this.levels = levels;
    this.physicalMask = physicalMask;
  }

  /** Maps an address with an entry at a level (0 is the PTE), making the tables above it. */
  map(address: bigint, entry: bigint, level = 0): void {
    let table = ROOT;
    for (let at = this.levels - 1; at > level; at--) {
      const slot = table + ((address >> BigInt(12 + 9 * at)) & 511n) * 8n;
      const existing = this.entries.get(slot);
      table = existing === undefined ? this.#next : existing & FRAME & this.physicalMask;
      if (existing === undefined) {
        this.entries.set(slot, this.#next | 0x67n | (~this.physicalMask & FRAME));
        this.#next += 0x1000n;
      }
    }
    this.entries.set(table + ((address >> BigInt(12 + 9 * level)) & 511n) * 8n, entry);
  }

  read(addresses: readonly bigint[]): readonly (bigint | Fault)[] {
    this.batches++;
    return addresses.map((address) => this.entries.get(address) ?? 0n);
  }

  translate(address: bigint) {
    const [walk] = walkPageTables(this, [{ root: ROOT, address }]);
    if (walk === undefined) throw new Error('no walk');
    return walk;
  }
}

describe('a walk', () => {
  test.each([4, 5] as const)('over %i levels', (levels) => {
    const tables = new Tables(levels);
    tables.map(0x7f12_3456_7000n, 0x8000_0000_0abc_d067n);
    const { steps, result } = tables.translate(0x7f12_3456_7123n);
    expect(steps.map((step) => step.level)).toEqual(
      levels === 4 ? ['PGD', 'PUD', 'PMD', 'PTE'] : ['PGD', 'P4D', 'PUD', 'PMD', 'PTE'],
    );
    expect(result).toEqual({
      kind: 'mapped',
      physical: 0xabc_d123n,
      pageSize: 4096,
      entry: 0x8000_0000_0abc_d067n,
      inaccessible: false,
    });
    expect(tables.batches).toBe(levels);
  });

  test.each([
    [1, 0x20_0000, 0x1_2345n],
    [2, 0x4000_0000, 0x1234_5678n],
  ])('ends at a large page of level %i', (level, pageSize, offset) => {
    const tables = new Tables();
    // Bit 12 of a large page's entry is PAT, not address.
    tables.map(0x4000_0000n, 0x1_4000_10e7n, level);
    expect(tables.translate(0x4000_0000n + offset).result).toMatchObject({
      physical: 0x1_4000_0000n + offset,
      pageSize,
    });
  });

  test('the bit that marks encrypted memory is no address', () => {
    const tables = new Tables(4, ((1n << 52n) - 1n) & ~(1n << 47n));
    tables.map(0x5000n, 0x9067n | (1n << 47n));
    expect(tables.translate(0x5010n).result).toMatchObject({ physical: 0x9010n });
  });

  test('PROT_NONE pages are there, with inverted addresses', () => {
    const tables = new Tables();
    tables.map(0x5000n, (0x9000n ^ FRAME) | 0x120n);
    expect(tables.translate(0x5678n).result).toMatchObject({ kind: 'mapped', physical: 0x9678n, inaccessible: true });
  });

  test('a swap entry says which area and slot', () => {
    const tables = new Tables();
    const offset = 0x1234n;
    const value = ((BigInt.asUintN(64, ~offset << 14n) >> 5n) & ((1n << 59n) - 1n)) | (3n << 59n);
    tables.map(0x5000n, value & ~1n & ~0x100n);
    expect(tables.translate(0x5000n).result).toMatchObject({ kind: 'swapped', type: 3, offset });
  });

  test('what was never there is absent, at the level where it ends', () => {
    const tables = new Tables();
    tables.map(0x5000n, 0x9067n);
    expect(tables.translate(0x6000n).result).toEqual({ kind: 'absent', level: 'PTE' });
    expect(tables.translate(0x7f00_0000_0000n).result).toEqual({ kind: 'absent', level: 'PGD' });
  });

  test('an entry that cannot be read is said with its fault', () => {
    const fault = new Fault({ space: 'physical', address: 0n, length: 8, what: 'page table' }, 'excluded');
    const format: PageTableFormat = { levels: 4, physicalMask: FRAME, read: (addresses) => addresses.map(() => fault) };
    expect(walkPageTables(format, [{ root: ROOT, address: 0n }])[0]?.result).toEqual({
      kind: 'unreadable',
      level: 'PGD',
      fault,
    });
  });

  test('many addresses take as many reads as one', () => {
    const tables = new Tables();
    const addresses = Array.from({ length: 100 }, (_, i) => 0x7f00_0000_0000n + BigInt(i) * 0x1_0000_1000n);
    for (const [i, address] of addresses.entries()) tables.map(address, (BigInt(i) << 12n) | 0x67n);
    const walks = walkPageTables(
      tables,
      addresses.map((address) => ({ root: ROOT, address })),
    );
    expect(walks.map(({ result }) => (result.kind === 'mapped' ? result.physical >> 12n : undefined))).toEqual(
      addresses.map((_, i) => BigInt(i)),
    );
    expect(tables.batches).toBe(4);
  });

  test('any entries end it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }), { minLength: 5, maxLength: 5 }),
        fc.constantFrom<4 | 5>(4, 5),
        fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
        (values, levels, address) => {
          let reads = 0;
          const format: PageTableFormat = {
            levels,
            physicalMask: FRAME,
            read: (addresses) => addresses.map(() => values[reads++] as bigint),
          };
          const [walk] = walkPageTables(format, [{ root: values[0] as bigint, address }]);
          expect(walk?.steps.length).toBeLessThanOrEqual(levels);
        },
      ),
      { numRuns: 10_000 },
    );
  });
});

test('CR3 without process context, and with page table isolation without the half', () => {
  expect(rootOfCr3(0x8000_0001_2345_7abcn, false)).toBe(0x1_2345_7000n);
  expect(rootOfCr3(0x1_2345_7abcn, true)).toBe(0x1_2345_6000n);
});

test('flags by name', () => {
  expect(pageFlags(0x8000_0000_0000_0067n)).toEqual(['PRESENT', 'RW', 'USER', 'ACCESSED', 'DIRTY', 'NX']);
});
