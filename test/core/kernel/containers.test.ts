import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, FaultError, KdbgError, NotFoundError, UnsupportedError } from '../../../src/core/errors.ts';
import { bitsOf, readBitmap, walkBitmap } from '../../../src/core/kernel/bitmap.ts';
import { cpus, namedCpus } from '../../../src/core/kernel/cpu.ts';
import { walkHlist, walkHlistOf } from '../../../src/core/kernel/hlist.ts';
import { walkIdr } from '../../../src/core/kernel/idr.ts';
import type { Kernel } from '../../../src/core/kernel/kernel.ts';
import { walkLlist, walkLlistOf } from '../../../src/core/kernel/llist.ts';
import { walkMapleTree } from '../../../src/core/kernel/mapletree.ts';
import { findStructMember, memberOffset } from '../../../src/core/kernel/member.ts';
import { namesakeType } from '../../../src/core/kernel/namesake.ts';
import { isPerCpuSymbol, perCpuAddress, perCpuOffset, perCpuSymbol } from '../../../src/core/kernel/percpu.ts';
import { walkPlist } from '../../../src/core/kernel/plist.ts';
import { describePoison } from '../../../src/core/kernel/poison.ts';
import { walkXarray, walkXarrayFrom } from '../../../src/core/kernel/xarray.ts';
import { loadXarray } from '../../../src/core/kernel/xarray-lookup.ts';
import { sizeOf } from '../../../src/core/types/type.ts';
import { FakeKernel, fakeFiles, INT, LIST_HEAD, struct, U32, U64 } from '../../support/fake-kernel.ts';
import { plantMapleTree, plantXarray, TREE_TYPES } from '../../support/fake-trees.ts';
import { typedKernel } from '../../support/fake-types-kernel.ts';
import { seededRandom } from '../../support/mutations.ts';

const POINTER = 0xffff_8880_1234_5600n;

/** What a walk gave before it ended, and the error that it ended with. */
function drain<T>(walk: Iterable<T>): { got: T[]; error: unknown } {
  const got: T[] = [];
  try {
    for (const entry of walk) {
      got.push(entry);
      if (got.length > 10_000) throw new Error('the walk does not end');
    }
  } catch (error) {
    return { got, error };
  }
  return { got, error: undefined };
}

const HASHED = struct('hashed', { id: INT, next: U64, pprev: U64 });

/** A chain of pointers at offset 8, each entry on a page of its own, from a head that is one pointer. */
function chained(count: number) {
  const fake = new FakeKernel();
  fake.types.add(HASHED);
  const head = fake.allocate(8, { page: true });
  const nodes = Array.from(
    { length: count },
    (_, id) => fake.place(HASHED, { id }, fake.allocate(24, { page: true })) + 8n,
  );
  fake.memory.u64(head, nodes[0] ?? 0n);
  for (const [i, node] of nodes.entries()) {
    fake.memory.u64(node, nodes[i + 1] ?? 0n);
    fake.memory.u64(node + 8n, nodes[i - 1] ?? head);
  }
  return { fake, head, nodes };
}

const PRIORITY = struct('plist_node', { prio: INT, prio_list: LIST_HEAD, node_list: LIST_HEAD });

function prioritised(count: number) {
  const fake = new FakeKernel();
  fake.types.add(PRIORITY);
  const head = fake.place(
    fake.types.add(struct('plist_head', { node_list: LIST_HEAD })),
    {},
    fake.allocate(16, { page: true }),
  );
  const nodes = Array.from({ length: count }, (_, prio) =>
    fake.place(PRIORITY, { prio }, fake.allocate(PRIORITY.size, { page: true })),
  );
  fake.linkList(head, nodes, PRIORITY, 'node_list');
  return { fake, head, nodes };
}

const WALKS = [
  { name: 'hlist', plant: chained, walk: (kernel: Kernel, head: bigint) => walkHlist(kernel, head) },
  { name: 'llist', plant: chained, walk: (kernel: Kernel, head: bigint) => walkLlist(kernel, head) },
  {
    name: 'plist',
    plant: prioritised,
    walk: function* (kernel: Kernel, head: bigint) {
      for (const { address } of walkPlist(kernel, head)) yield address;
    },
  },
] as const;

describe.each(WALKS)('$name', ({ plant, walk }) => {
  it.each([0, 1, 2, 40])('gives %i entries', (count) => {
    const { fake, head, nodes } = plant(count);
    expect([...walk(fake.kernel(), head)]).toEqual(nodes);
  });

  it.each([0, 1, 2, 3, 4])('faults at entry %i with the entries before it', (at) => {
    const { fake, head, nodes } = plant(5);
    fake.memory.fault(nodes[at] as bigint, 'excluded');
    const { got, error } = drain(walk(fake.kernel(), head));
    expect(got).toEqual(nodes.slice(0, at));
    expect(error).toBeInstanceOf(FaultError);
    expect((error as Error).message).toContain(`entry ${at} of the`);
  });

  it('survives 10,000 corruptions', { timeout: 60_000 }, () => {
    const { fake, head, nodes } = plant(20);
    const random = seededRandom(3);
    const below = (n: number) => Math.floor(random() * n);
    const before = new Map([...fake.memory.pages].map(([page, bytes]) => [page, bytes.slice()]));
    for (let round = 0; round < 10_000; round++) {
      const node = nodes[below(20)] as bigint;
      const value = [0n, 1n, head, nodes[below(20)] as bigint, 0xdead_0000_0000_0100n, BigInt(below(1 << 30))];
      fake.memory.u64(node + BigInt(8 * below(5)), value[below(6)] as bigint);
      const { got, error } = drain(walk(fake.kernel({ liveness: below(2) === 0 ? 'live' : 'frozen' }), head));
      expect(got.length).toBeLessThan(100);
      if (error !== undefined && !(error instanceof KdbgError)) throw error;
      if (round % 5 === 4) for (const [page, bytes] of before) fake.memory.pages.set(page, bytes.slice());
    }
  });
});

describe('containers of chained nodes', () => {
  it('are the structures that the nodes are in', () => {
    const { fake, head, nodes } = chained(3);
    const structures = nodes.map((node) => node - 8n);
    expect([...walkHlistOf(fake.kernel(), head, 'hashed', 'next')]).toEqual(structures);
    expect([...walkLlistOf(fake.kernel(), head, 'hashed', ['link', 'next'])]).toEqual(structures);
  });

  it('are named by the poison in the pointer that leads to them', () => {
    const { fake, head, nodes } = chained(3);
    fake.memory.u64(nodes[1] as bigint, 0x6b6b_6b6b_6b6b_6b6bn);
    const { got, error } = drain(walkLlist(fake.kernel(), head));
    expect(got).toHaveLength(2);
    expect((error as Error).message).toContain('POISON_FREE, a slab object that was freed');
    expect(describePoison(0xdead_0000_0000_0122n)).toMatch(/^LIST_POISON2/);
    expect(describePoison(POINTER)).toBeUndefined();
  });
});

describe('trees with nodes that cannot be read', () => {
  const indices = Array.from({ length: 30 }, (_, i) => BigInt(i * 40));

  it('an xarray gives all that is below other nodes, whichever node it is', () => {
    const count = 20;
    for (let at = 0; at < count; at++) {
      const fake = new FakeKernel();
      fake.c(TREE_TYPES);
      const array = fake.place(fake.type('xarray'), {}, fake.allocate(64, { page: true }));
      fake.allocate(4096, { page: true });
      const nodes = plantXarray(
        fake,
        array,
        indices.map((index) => ({ index, entry: POINTER + index * 64n })),
      );
      expect(nodes.length).toBe(count);
      const bad = nodes[at] as bigint;
      // A wrong parent stands for an unreadable page: several nodes share one.
      fake.set(fake.type('xa_node'), bad, 'parent', 0x1234n);
      const { got, error } = drain(walkXarray(fake.kernel(), array));
      expect(error).toBeInstanceOf(DataError);
      const lost = at === 0 ? 30 : indices.filter((index) => Number(index / 64n) === at - 1).length;
      expect(got).toHaveLength(30 - lost);
    }
  });

  it('a maple tree gives all that is in other nodes, whichever node it is', () => {
    const ranges = indices.map((first) => ({ first, last: first + 9n, entry: POINTER + first * 64n }));
    const plant = () => {
      const fake = new FakeKernel();
      fake.c(TREE_TYPES);
      const tree = fake.place(fake.type('maple_tree'));
      return { fake, tree, nodes: plantMapleTree(fake, tree, ranges, { fill: 6 }) };
    };
    const { nodes: all } = plant();
    expect(all.length).toBeGreaterThan(10);
    for (const [at] of all.entries()) {
      const { fake, tree, nodes } = plant();
      fake.memory.u64(nodes[at] as bigint, 0x4000n);
      const { got, error } = drain(walkMapleTree(fake.kernel(), tree));
      expect(error).toBeInstanceOf(DataError);
      expect(got.length).toBeLessThan(30);
      expect(got.length === 0).toBe(at === 0);
      const entries = ranges.map(({ entry }) => entry);
      for (const { entry } of got) expect(entries).toContain(entry);
    }
  });
});

describe('other layouts', () => {
  it('an xarray of 16 slots (CONFIG_BASE_SMALL) is walked and looked up', () => {
    const fake = new FakeKernel();
    fake.c(TREE_TYPES.replace('slots[64]', 'slots[16]'));
    const type = fake.type('xa_node');
    const array = fake.place(fake.type('xarray'));
    const top = fake.place(type, { shift: 4, array }, fake.allocate(sizeOf(type), { align: 64 }));
    const low = fake.place(
      type,
      { shift: 0, offset: 3, parent: top, array },
      fake.allocate(sizeOf(type), { align: 64 }),
    );
    fake.set(type, top, 'slots[3]', low | 2n);
    fake.set(type, low, 'slots[15]', POINTER);
    fake.set(fake.type('xarray'), array, 'xa_head', top | 2n);
    expect([...walkXarray(fake.kernel(), array)].map(({ index }) => index)).toEqual([63n]);
    expect(loadXarray(fake.kernel(), array, 63n)).toBe(POINTER);
    expect([...walkXarrayFrom(fake.kernel(), low)].map(({ index }) => index)).toEqual([15n]);
  });

  it('an IDR with a base counts from it, by indices and IDs alike', () => {
    const fake = new FakeKernel();
    fake.c(TREE_TYPES);
    const idr = fake.place(fake.type('idr'), { idr_base: 100 });
    plantXarray(fake, idr, [{ index: 5n, entry: POINTER }]);
    expect([...walkIdr(fake.kernel(), idr)]).toMatchObject([{ id: 105n, index: 105n, pointer: POINTER }]);
  });
});

describe('bitmaps', () => {
  it('give the numbers of the bits, for any set of them', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(500), { maxLength: 40 }), (numbers) => {
        const bytes = new Uint8Array(64);
        for (const bit of numbers) bytes[bit >> 3] = (bytes[bit >> 3] as number) | (1 << (bit & 7));
        const sorted = numbers.toSorted((a, b) => a - b);
        expect([...bitsOf(bytes)]).toEqual(sorted);
        expect([...bitsOf(bytes, 200)]).toEqual(sorted.filter((bit) => bit < 200));
        const fake = new FakeKernel();
        const at = fake.allocate(64);
        fake.memory.write(at, bytes);
        expect([...walkBitmap(fake.kernel(), at, 501)]).toEqual(sorted);
      }),
      { numRuns: 100 },
    );
  });

  it('of an impossible size or in unreadable memory are errors', () => {
    const kernel = new FakeKernel().kernel();
    for (const count of [-1, 1.5, 2 ** 40]) expect(() => readBitmap(kernel, POINTER, count)).toThrow(DataError);
    expect(() => readBitmap(kernel, POINTER, 64)).toThrow(FaultError);
  });
});

describe('CPUs and their data', () => {
  function smp(possible = 0b1011n) {
    const fake = new FakeKernel();
    const { symbols, memory } = fake;
    fake.globalInteger('nr_cpu_ids', U32, 4);
    symbols.add('__cpu_possible_mask', fake.globalInteger('mask', U64, possible));
    const table = fake.allocate(32);
    symbols.add('__per_cpu_offset', table);
    for (let cpu = 0; cpu < 4; cpu++)
      memory.u64(table + BigInt(8 * cpu), 0xffff_8880_1000_0000n + BigInt(cpu) * 0x1000n);
    symbols.add('__per_cpu_start', 0x10n);
    symbols.add('runqueues', 0x40n);
    symbols.add('__per_cpu_end', 0x1000n);
    return fake;
  }

  it('are those of the mask, and each has its offset', () => {
    const kernel = smp().kernel();
    expect(cpus(kernel, 'possible')).toEqual([0, 1, 3]);
    expect(namedCpus(kernel, 'a', 0)).toEqual([0, 1, 3]);
    expect(perCpuOffset(kernel, 3)).toBe(0xffff_8880_1000_3000n);
    expect(perCpuSymbol(kernel, 'runqueues', 1)).toBe(0xffff_8880_1000_1040n);
    expect(perCpuSymbol(kernel, 'nothing', 1)).toBeUndefined();
    expect(() => perCpuOffset(kernel, 2)).toThrow(NotFoundError);
  });

  it('have addresses that wrap, as symbols above their copies do since 6.15', () => {
    expect(perCpuAddress(smp().kernel(), 0xffff_ffff_8200_0000n, 0)).toBe(0xffff_887f_9200_0000n);
  });

  it('are told apart from other symbols by the per-CPU section', () => {
    const fake = smp();
    const kernel = fake.kernel();
    expect(isPerCpuSymbol(kernel, fake.symbols.get('runqueues'))).toBe(true);
    expect(isPerCpuSymbol(kernel, fake.symbols.get('nr_cpu_ids'))).toBe(false);
  });

  it('are those of a module that kallsyms calls absolute, and no static of a name that vmlinux has per CPU', () => {
    const { fake } = typedKernel('int counter;', { lab: 'long lab_counter;' });
    const kernel = fake.kernel();
    const of = (name: string, type: string, address: bigint) =>
      isPerCpuSymbol(kernel, { name, type, address, module: 'lab', size: undefined });
    expect(of('lab_counter', 'a', 0x34020n)).toBe(true);
    expect(of('lab_counter', 'a', 0xffff_ffff_8300_0020n)).toBe(true);
    expect(of('without_btf', 'a', 0x34020n)).toBe(true);
    expect(of('counter', 'b', 0xffff_ffff_c000_2000n)).toBe(false);
    expect(of('an_absolute_one', 'a', 0xffff_ffff_c000_2000n)).toBe(false);
  });

  it('are told by /sys without memory, and by nothing without either', () => {
    const files = fakeFiles({ '/sys/devices/system/cpu/possible': '0-2,5\n' });
    expect(cpus(new FakeKernel().kernel({ memory: false, files }), 'possible')).toEqual([0, 1, 2, 5]);
    expect(() => cpus(new FakeKernel().kernel({ memory: false }), 'possible')).toThrow(UnsupportedError);
    for (const text of ['0-4294967295', 'all', '', '1,,2', '\x1b[2J']) {
      const odd = fakeFiles({ '/sys/devices/system/cpu/possible': text });
      expect(() => cpus(new FakeKernel().kernel({ memory: false, files: odd }), 'possible')).toThrow(UnsupportedError);
    }
    const wide = fakeFiles({ '/sys/devices/system/cpu/possible': '0-9999' });
    expect(cpus(new FakeKernel().kernel({ memory: false, files: wide }), 'possible')).toHaveLength(8192);
    const none = smp(0n).kernel();
    expect(() => perCpuOffset(none, 0)).toThrow(DataError);
  });

  it('are no more than a kernel can have, whatever memory says', () => {
    const fake = smp();
    fake.memory.writeInteger(fake.symbols.get('nr_cpu_ids').address, 4, 0xffff_ffffn);
    expect(drain(cpus(fake.kernel(), 'possible')).got.every((cpu) => cpu < 8192)).toBe(true);
  });
});

describe('members and namesakes', () => {
  const SOURCE = 'struct thing { long a[10]; int count; }; struct small { long a; }; union either { long b[9]; };';

  it('are looked for by their names, newest first, and a probe reads no BTF of modules', () => {
    const { fake, modulesRead } = typedKernel(SOURCE, { lab: 'struct lab_thing { int x, y; };' });
    const kernel = fake.kernel();
    expect(memberOffset(kernel, 'thing', ['number', 'count'])).toEqual({ offset: 80, size: 88 });
    expect(memberOffset(kernel, 'either', 'b').offset).toBe(0);
    expect(findStructMember(kernel, 'nothing', 'count')).toBeUndefined();
    expect(findStructMember(kernel, 'thing', 'nothing')).toBeUndefined();
    expect(modulesRead).toEqual([]);
    expect(memberOffset(kernel, 'lab_thing', 'y').offset).toBe(4);
    expect(() => memberOffset(kernel, 'nothing', 'x')).toThrow(NotFoundError);
  });

  it.each<[string, string, number | undefined, string, string | undefined]>([
    ['a variable with the room of its namesake', 'thing', 88, 'D', 'thing'],
    ['one that is aligned to a cache line', 'thing', 128, 'b', 'thing'],
    ['a union', 'either', 72, 'd', 'either'],
    ['a pointer', 'thing', 8, 'D', undefined],
    ['an array', 'thing', 880, 'D', undefined],
    ['one of unknown size', 'thing', undefined, 'D', undefined],
    ['one so small that the room says nothing', 'small', 8, 'D', undefined],
    ['a function', 'thing', 88, 'T', undefined],
    ['a name that is no type', 'other', 88, 'D', undefined],
  ])('%s', (_what, name, size, type, expected) => {
    const { fake } = typedKernel(SOURCE);
    const found = namesakeType(fake.kernel(), { name, address: POINTER, type, size, module: undefined });
    expect(found && 'name' in found ? found.name : undefined).toBe(expected);
  });
});
