import { describe, expect, test } from 'vitest';
import { directMap, physicalAddress } from '../../../src/core/kernel/direct-map.ts';
import { readUser, readUserMany, translate } from '../../../src/core/kernel/user-memory.ts';
import { Fault } from '../../../src/core/memory/fault.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { FakeKernel, POINTER, struct, U32, U64 } from '../../support/fake-kernel.ts';

const MM = struct('mm_struct', { pgd: { type: POINTER, at: 0x48 } }, { size: 0x400 });

/** A process whose page tables are in the direct map at `base`. */
function process(levels: 4 | 5 = 4) {
  const base = levels === 4 ? 0xffff_8880_0000_0000n : 0xff11_0000_0000_0000n;
  const fake = new FakeKernel();
  fake.types.add(MM);
  fake.globalInteger('page_offset_base', U64, base);
  const table = (physical: bigint) => fake.memory.write(base + physical, new Uint8Array(4096));
  const root = 0x10_0000n;
  table(root);
  let next = root;
  const map = (address: bigint, entry: bigint) => {
    let at = root;
    for (let level = levels - 1; level > 0; level--) {
      const slot = base + at + ((address >> BigInt(12 + 9 * level)) & 511n) * 8n;
      const page = fake.memory.pages.get(slot & ~0xfffn) as Uint8Array;
      const existing = new DataView(page.buffer).getBigUint64(Number(slot & 0xfffn), true);
      if (existing === 0n) {
        next += 0x1000n;
        table(next);
        fake.memory.u64(slot, next | 0x67n);
        at = next;
      } else at = existing & ~0xfffn;
    }
    fake.memory.u64(base + at + ((address >> 12n) & 511n) * 8n, entry);
  };
  const mm = fake.place(MM, { pgd: base + root });
  return { fake, base, mm, map };
}

describe.each([4, 5] as const)('with %i levels', (levels) => {
  const { fake, base, mm, map } = process(levels);
  map(0x7ffc_0000_0000n, 0x90_0067n);
  map(0x7ffc_0000_1000n, 0x80_0067n);
  map(0x7ffc_0000_2000n, 0x1234_5000n << 24n);
  fake.memory.write(base + 0x90_0ff8n, encodeText('/usr/sbi'));
  fake.memory.write(base + 0x80_0000n, encodeText('n/init'));
  const kernel = fake.kernel();
  const read = (address: bigint, length: number) => readUser(kernel, { mm, address, length, what: 'arguments' });

  test('memory that lies across pages is put together', () => {
    expect(read(0x7ffc_0000_0ff8n, 14)).toEqual(encodeText('/usr/sbin/init'));
    expect(fake.memory.reads.length).toBeLessThanOrEqual(levels + 3);
  });

  test.each([
    ['a page that was swapped out', 0x7ffc_0000_2000n, 8, /not in memory.*swap entry/],
    ['a page that was never there', 0x7ffc_0000_3000n, 8, /cannot read arguments .*not in memory/],
    ['a range that runs into one', 0x7ffc_0000_1ff8n, 16, /swap entry/],
    ['kernel memory', 0xffff_8880_0000_0000n, 8, /not a user address/],
    ['an impossible length', 0x7ffc_0000_0000n, 1 << 30, /impossible length/],
    ['a range that ends beyond user memory', 0x00ff_ffff_ffff_fff8n, 64, /not a user address/],
  ])('%s is a fault that says so', (_what, address, length, message) => {
    const fault = read(address, length);
    expect(fault instanceof Fault ? fault.message : 'bytes').toMatch(message);
  });

  test('the way of a translation is shown entry by entry', () => {
    const walk = translate(kernel, mm, 0x7ffc_0000_0123n);
    expect(walk.steps).toHaveLength(levels);
    expect(walk.steps[0]?.address).toBeGreaterThanOrEqual(0x10_0000n);
    expect(walk.result).toMatchObject({ kind: 'mapped', physical: 0x90_0123n });
  });

  test('the levels are known by where the direct map is', () => {
    expect(directMap(kernel)).toMatchObject({ base, levels });
  });
});

test('many processes are read in as many requests as one', () => {
  const { fake, mm, map } = process();
  for (let i = 0n; i < 100n; i++) {
    map(0x40_0000n + i * 0x20_0000n, ((0x4000n + i) << 12n) | 0x67n);
    fake.memory.writeInteger(0xffff_8880_0000_0000n + ((0x4000n + i) << 12n), 8, i);
  }
  const other = fake.place(MM, { pgd: 0xdead_beefn });
  const kernel = fake.kernel();
  const ranges = Array.from({ length: 100 }, (_, i) => ({
    mm,
    address: 0x40_0000n + BigInt(i) * 0x20_0000n,
    length: 1,
    what: 'a byte',
  }));
  const answers = readUserMany(kernel, [...ranges, { mm: other, address: 0x1000n, length: 1, what: 'a byte' }]);
  expect(answers.slice(0, 100).map((bytes) => (bytes instanceof Fault ? -1 : bytes[0]))).toEqual(
    ranges.map((_, i) => i),
  );
  expect(answers[100]).toMatchObject({ what: 'mm_struct.pgd', reason: 'unmapped' });
  expect(fake.memory.reads.length).toBeLessThanOrEqual(7);
});

test('addresses of the kernel image are behind phys_base', () => {
  const { fake, base } = process();
  fake.globalInteger('phys_base', U64, -0x100_0000n);
  fake.globalInteger('__pgtable_l5_enabled', U32, 0);
  const kernel = fake.kernel();
  expect(physicalAddress(kernel, 0xffff_ffff_8200_0000n)).toBe(0x100_0000n);
  expect(physicalAddress(kernel, base + 0x1234n)).toBe(0x1234n);
  expect(physicalAddress(kernel, 0xffff_c900_0000_0000n)).toBeUndefined();
});
