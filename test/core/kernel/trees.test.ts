import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError, FaultError, KdbgError } from '../../../src/core/errors.ts';
import { walkIda, walkIdr } from '../../../src/core/kernel/idr.ts';
import { walkMapleNodes, walkMapleTree } from '../../../src/core/kernel/mapletree.ts';
import { walkRbtree, walkRbtreeOf } from '../../../src/core/kernel/rbtree.ts';
import { walkXarray } from '../../../src/core/kernel/xarray.ts';
import { loadXarray } from '../../../src/core/kernel/xarray-lookup.ts';
import { FakeKernel, INT, RB_NODE, struct, U64 } from '../../support/fake-kernel.ts';
import {
  INDEX_MAX,
  type PlantedEntry,
  type PlantedRange,
  plantMapleTree,
  plantRbtree,
  plantXarray,
  TREE_TYPES,
} from '../../support/fake-trees.ts';
import { seededRandom } from '../../support/mutations.ts';

const POINTER = 0xffff_8880_1234_5600n;

/** What a walk gave before it ended, and the error that it ended with. */
function drain<T>(walk: Iterable<T>): { got: T[]; error: unknown } {
  const got: T[] = [];
  try {
    for (const entry of walk) {
      got.push(entry);
      if (got.length > 100_000) throw new Error('the walk does not end');
    }
  } catch (error) {
    return { got, error };
  }
  return { got, error: undefined };
}

function trees(): FakeKernel {
  const fake = new FakeKernel();
  fake.c(TREE_TYPES);
  return fake;
}

/** Overwrites words of nodes with whatever misleads most; every walk has to end with an error of ours or none. */
function torment(
  fake: FakeKernel,
  nodes: readonly bigint[],
  words: number,
  others: readonly bigint[],
  walk: (live: boolean) => Iterable<unknown>,
): void {
  const random = seededRandom(7);
  const below = (n: number) => Math.floor(random() * n);
  const before = new Map([...fake.memory.pages].map(([page, bytes]) => [page, bytes.slice()]));
  for (let round = 0; round < 10_000; round++) {
    const node = nodes[below(nodes.length)] as bigint;
    const value = [0n, 1n, INDEX_MAX, nodes[below(nodes.length)] as bigint, others[below(others.length)] as bigint][
      below(5)
    ] as bigint;
    fake.memory.u64(node + BigInt(8 * below(words)), value ^ BigInt(below(2) === 0 ? 0 : below(256)));
    const { got, error } = drain(walk(below(2) === 0));
    expect(got.length).toBeLessThan(50_000);
    if (error !== undefined && !(error instanceof KdbgError)) throw error;
    if (round % 5 === 4) for (const [page, bytes] of before) fake.memory.pages.set(page, bytes.slice());
  }
}

describe('red-black trees', () => {
  const ITEM = struct('item', { id: INT, node: RB_NODE });

  function planted(count: number, page = false) {
    const fake = new FakeKernel();
    fake.types.add(ITEM);
    const items = Array.from({ length: count }, (_, id) =>
      fake.place(ITEM, { id }, fake.allocate(ITEM.size, { page })),
    );
    const root = fake.allocate(8, { page: true });
    plantRbtree(
      fake,
      root,
      items.map((item) => item + 8n),
    );
    return { fake, root, items };
  }

  it.each([0, 1, 2, 3, 7, 100])('gives %i structures in order', (count) => {
    const { fake, root, items } = planted(count);
    expect([...walkRbtreeOf(fake.kernel(), root, 'item', 'node')]).toEqual(items);
  });

  it('tells the way from the root', () => {
    const { fake, root } = planted(3);
    expect([...walkRbtree(fake.kernel(), root)].map((node) => node.position)).toEqual(['root/l', 'root', 'root/r']);
  });

  it('reads a level with one request', () => {
    const { fake, root, items } = planted(1023, true);
    const kernel = fake.kernel();
    expect([...walkRbtreeOf(kernel, root, 'item', 'node')]).toEqual(items);
    expect(kernel.memory.requests).toBeLessThanOrEqual(11);
  });

  it('leaves out what is below a node that faults, and says so at the end', () => {
    const { fake, root, items } = planted(7, true);
    fake.memory.fault(items[1] as bigint);
    const { got, error } = drain(walkRbtreeOf(fake.kernel(), root, 'item', 'node'));
    expect(got).toEqual(items.slice(3));
    expect(error).toBeInstanceOf(FaultError);
    const told: string[] = [];
    expect([...walkRbtreeOf(fake.kernel(), root, 'item', 'node', { damaged: (e) => told.push(e.message) })]).toEqual(
      got,
    );
    expect(told).toHaveLength(1);
  });

  it('finds a node that comes back, and one whose parent is another', () => {
    const { fake, root, items } = planted(7);
    fake.set(ITEM, items[6] as bigint, 'node.rb_right', (items[3] as bigint) + 8n);
    expect(drain(walkRbtree(fake.kernel(), root))).toMatchObject({ got: { length: 7 }, error: expect.any(DataError) });
    fake.set(ITEM, items[6] as bigint, 'node.rb_right', 0n);
    fake.set(ITEM, items[5] as bigint, 'node.__rb_parent_color', 0x1234n);
    const { got, error } = drain(walkRbtree(fake.kernel(), root));
    expect(got).toHaveLength(4);
    expect((error as Error).message).toContain('is inconsistent at root/r');
  });

  it('reads a node again that a live kernel is changing', () => {
    const { fake, root, items } = planted(7, true);
    const parent = (items[3] as bigint) + 8n;
    fake.set(ITEM, items[5] as bigint, 'node.__rb_parent_color', 0x1234n);
    let reads = 0;
    fake.memory.beforeRead = (requests) => {
      if (requests.some((request) => request.address === items[5]) && ++reads === 2) {
        fake.set(ITEM, items[5] as bigint, 'node.__rb_parent_color', parent | 1n);
      }
    };
    expect(drain(walkRbtree(fake.kernel({ liveness: 'live' }), root))).toMatchObject({
      got: { length: 7 },
      error: undefined,
    });
  });

  it('survives 10,000 corruptions', { timeout: 60_000 }, () => {
    const { fake, root, items } = planted(60);
    const nodes = items.map((item) => item + 8n);
    torment(fake, nodes, 3, [root, 0xdead_0000_0000_0100n], (live) =>
      walkRbtree(fake.kernel({ liveness: live ? 'live' : 'frozen' }), root),
    );
  });
});

describe('xarrays', () => {
  function planted(entries: readonly PlantedEntry[]) {
    const fake = trees();
    const array = fake.place(fake.type('xarray'));
    const nodes = plantXarray(fake, array, entries);
    return { fake, array, nodes };
  }

  it('gives pointers and values by index', () => {
    const { fake, array } = planted([
      { index: 0n, entry: POINTER },
      { index: 63n, entry: (42n << 1n) | 1n },
      { index: 4096n, entry: POINTER + 64n },
      { index: INDEX_MAX, entry: POINTER + 128n },
    ]);
    expect(
      [...walkXarray(fake.kernel(), array)].map(({ index, last, kind, value }) => [index, last, kind, value]),
    ).toEqual([
      [0n, 0n, 'pointer', undefined],
      [63n, 63n, 'value', 42n],
      [4096n, 4096n, 'pointer', undefined],
      [INDEX_MAX, INDEX_MAX, 'pointer', undefined],
    ]);
  });

  it('keeps a single entry of index 0 in the head', () => {
    const { fake, array } = planted([{ index: 0n, entry: POINTER }]);
    expect([...walkXarray(fake.kernel(), array)]).toMatchObject([{ index: 0n, entry: POINTER, position: 'root' }]);
    expect(loadXarray(fake.kernel(), array, 0n)).toBe(POINTER);
    expect(loadXarray(fake.kernel(), array, 1n)).toBe(0n);
    expect([...walkXarray(planted([]).fake.kernel(), planted([]).array)]).toEqual([]);
  });

  it('gives a multi-index entry once, with its range', () => {
    const { fake, array } = planted([
      { index: 2n, entry: POINTER },
      { index: 8n, entry: POINTER + 64n, order: 3 },
      { index: 512n, entry: POINTER + 128n, order: 9 },
    ]);
    const found = [...walkXarray(fake.kernel(), array)];
    expect(found.map(({ index, last, position }) => [index, last, position])).toEqual([
      [2n, 2n, 'root/0/2'],
      [8n, 15n, 'root/0/8'],
      [512n, 1023n, 'root/8'],
    ]);
    for (const index of [8n, 12n, 15n]) expect(loadXarray(fake.kernel(), array, index)).toBe(POINTER + 64n);
    expect(loadXarray(fake.kernel(), array, 1000n)).toBe(POINTER + 128n);
    expect(loadXarray(fake.kernel(), array, 7n)).toBe(0n);
    expect(loadXarray(fake.kernel(), array, 5000n)).toBe(0n);
  });

  it('passes retry entries over, and reserved ones unless they are asked for', () => {
    const { fake, array } = planted([
      { index: 1n, entry: 0x402n },
      { index: 2n, entry: 0x406n },
      { index: 3n, entry: POINTER },
    ]);
    expect([...walkXarray(fake.kernel(), array)].map(({ index }) => index)).toEqual([3n]);
    expect([...walkXarray(fake.kernel(), array, { reserved: true })].map(({ kind }) => kind)).toEqual([
      'reserved',
      'pointer',
    ]);
    expect(loadXarray(fake.kernel(), array, 2n)).toBe(0n);
  });

  it('agrees with what was stored, for any set of indices', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.bigInt({ min: 0n, max: INDEX_MAX }), { maxLength: 40 }), (indices) => {
        const entries = indices
          .sort((a, b) => (a < b ? -1 : 1))
          .map((index, i) => ({ index, entry: POINTER + BigInt(i * 64) }));
        const { fake, array } = planted(entries);
        const kernel = fake.kernel();
        expect([...walkXarray(kernel, array)].map(({ index, entry }) => ({ index, entry }))).toEqual(entries);
        for (const { index, entry } of entries) expect(loadXarray(kernel, array, index)).toBe(entry);
      }),
      { numRuns: 100 },
    );
  });

  it('reads a level with one request, and looks an entry up with a request a level', () => {
    const fake = trees();
    const array = fake.place(fake.type('xarray'));
    plantXarray(
      fake,
      array,
      Array.from({ length: 300 }, (_, i) => ({ index: BigInt(i * 977), entry: POINTER + BigInt(i * 64) })),
    );
    const kernel = fake.kernel();
    expect([...walkXarray(kernel, array)]).toHaveLength(300);
    expect(kernel.memory.requests).toBeLessThanOrEqual(5);
    const other = fake.kernel();
    loadXarray(other, array, 977n * 150n);
    expect(other.memory.requests).toBeLessThanOrEqual(5);
  });

  it('leaves a node with a wrong shift, slot or parent out', () => {
    for (const [member, value] of [
      ['shift', 12],
      ['offset', 9],
      ['parent', 5],
    ] as const) {
      const { fake, array, nodes } = planted([
        { index: 5n, entry: POINTER },
        { index: 70n, entry: POINTER + 64n },
        { index: 140n, entry: POINTER + 128n },
      ]);
      fake.set(fake.type('xa_node'), nodes[2] as bigint, member, value);
      const { got, error } = drain(walkXarray(fake.kernel(), array));
      expect(got.map(({ index }) => index)).toEqual([5n, 140n]);
      expect((error as Error).message).toContain('is inconsistent at root/1');
    }
  });

  it('survives 10,000 corruptions', { timeout: 60_000 }, () => {
    const { fake, array, nodes } = planted(
      Array.from({ length: 60 }, (_, i) => ({ index: BigInt(i * 37), entry: POINTER + BigInt(i * 64) })),
    );
    torment(
      fake,
      nodes,
      70,
      nodes.map((node) => node | 2n),
      (live) => walkXarray(fake.kernel({ liveness: live ? 'live' : 'frozen' }), array),
    );
  });

  it('serves IDRs with a base, and IDAs with both kinds of bitmap', () => {
    const fake = trees();
    const idr = fake.place(fake.type('idr'), { idr_base: 1 });
    plantXarray(fake, idr, [
      { index: 0n, entry: POINTER },
      { index: 299n, entry: POINTER + 64n },
    ]);
    expect([...walkIdr(fake.kernel(), idr)]).toMatchObject([
      { id: 1n, pointer: POINTER },
      { id: 300n, pointer: POINTER + 64n },
    ]);
    const bitmap = fake.allocate(128);
    fake.memory.u64(bitmap + 8n, 0b101n);
    const ida = fake.place(fake.type('ida'));
    plantXarray(fake, ida, [
      { index: 0n, entry: (0b1011n << 1n) | 1n },
      { index: 3n, entry: bitmap },
    ]);
    expect([...walkIda(fake.kernel(), ida)]).toEqual([0n, 1n, 3n, 3136n, 3138n]);
  });
});

describe('maple trees', () => {
  function planted(ranges: readonly PlantedRange[], options: Parameters<typeof plantMapleTree>[3] = {}) {
    const fake = trees();
    const tree = fake.place(fake.type('maple_tree'));
    const nodes = plantMapleTree(fake, tree, ranges, options);
    return { fake, tree, nodes };
  }

  function ranges(count: number): PlantedRange[] {
    return Array.from({ length: count }, (_, i) => {
      const first = 0x1000n * BigInt(i) + 0x100n;
      return { first, last: first + 0x5ffn, entry: POINTER + BigInt(i * 64) };
    });
  }

  const bare = (entries: Iterable<{ first: bigint; last: bigint; entry: bigint }>) =>
    [...entries].map(({ first, last, entry }) => ({ first, last, entry }));

  it.each([
    [1, {}],
    [4, {}],
    [7, { fill: 16 }],
    [300, {}],
    [300, { allocation: true }],
    [300, { fill: 15 }],
    [300, { fill: 16 }],
  ])('gives %i ranges, %o', (count, options) => {
    const { fake, tree } = planted(ranges(count), options);
    expect(bare(walkMapleTree(fake.kernel(), tree))).toEqual(ranges(count));
  });

  it('knows empty trees, single entries and the end of the index space', () => {
    const fake = trees();
    const tree = fake.place(fake.type('maple_tree'));
    expect(bare(walkMapleTree(fake.kernel(), tree))).toEqual([]);
    fake.set(fake.type('maple_tree'), tree, 'ma_root', POINTER);
    expect(bare(walkMapleTree(fake.kernel(), tree))).toEqual([{ first: 0n, last: 0n, entry: POINTER }]);
    const ends = [
      { first: 0n, last: 4n, entry: POINTER },
      { first: INDEX_MAX - 9n, last: INDEX_MAX, entry: POINTER + 64n },
    ];
    const whole = planted(ends);
    expect(bare(walkMapleTree(whole.fake.kernel(), whole.tree))).toEqual(ends);
  });

  it('tells values from pointers, and leaves reserved entries out', () => {
    const { fake, tree } = planted([
      { first: 1n, last: 2n, entry: (42n << 1n) | 1n },
      { first: 5n, last: 5n, entry: 0x406n },
      { first: 7n, last: 9n, entry: POINTER },
    ]);
    expect([...walkMapleTree(fake.kernel(), tree)].map(({ first, value }) => [first, value])).toEqual([
      [1n, 42n],
      [7n, undefined],
    ]);
  });

  it('shows how the tree is built', () => {
    const { fake, tree } = planted(ranges(30), { allocation: true });
    const items = [...walkMapleNodes(fake.kernel(), tree)];
    expect(items[0]).toMatchObject({ kind: 'node', type: 'maple_arange_64', depth: 0, first: 0n, last: INDEX_MAX });
    expect(items[1]).toMatchObject({ kind: 'node', type: 'maple_leaf_64', depth: 1, position: 'root/0' });
    expect(items[2]).toMatchObject({ kind: 'entry', position: 'root/0/1' });
  });

  it('agrees with what was stored, for any ranges', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.bigInt({ min: 0n, max: INDEX_MAX }), { maxLength: 80 }),
        fc.integer({ min: 2, max: 16 }),
        fc.boolean(),
        (bounds, fill, allocation) => {
          const sorted = bounds.sort((a, b) => (a < b ? -1 : 1));
          const wanted: PlantedRange[] = [];
          for (let i = 0; i + 1 < sorted.length; i += 2) {
            wanted.push({ first: sorted[i] as bigint, last: sorted[i + 1] as bigint, entry: POINTER + BigInt(i * 64) });
          }
          const { fake, tree } = planted(wanted, { fill, allocation });
          expect(bare(walkMapleTree(fake.kernel(), tree))).toEqual(wanted);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('leaves a dead node out, and one of an unknown type', () => {
    const { fake, tree, nodes } = planted(ranges(60));
    const leaf = nodes.at(-2) as bigint;
    fake.memory.u64(leaf, leaf);
    const { got, error } = drain(walkMapleTree(fake.kernel(), tree));
    expect(got.length).toBe(55);
    expect((error as Error).message).toContain('has a dead node at root/0/1');
  });

  it('survives 10,000 corruptions', { timeout: 60_000 }, () => {
    const { fake, tree, nodes } = planted(ranges(60), { allocation: true });
    torment(
      fake,
      nodes,
      32,
      nodes.map((node) => node | (3n << 3n) | 4n),
      (live) => walkMapleNodes(fake.kernel({ liveness: live ? 'live' : 'frozen' }), tree),
    );
  });
});

describe('types are input as well', () => {
  it('refuses a kernel without the structures', () => {
    const fake = new FakeKernel();
    fake.types.add(struct('maple_tree', { ma_root: U64 }));
    const tree = fake.allocate(16);
    fake.memory.u64(tree, POINTER | 2n);
    expect(() => [...walkMapleTree(fake.kernel(), tree)]).toThrow(KdbgError);
  });
});
