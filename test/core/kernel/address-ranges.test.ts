import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { systemRam } from '../../../src/core/kernel/physical-memory.ts';
import { clip, directMapRanges, imageRanges, subtract, totalLength } from '../../../src/core/kernel/search-ranges.ts';
import { vmas } from '../../../src/core/kernel/vma.ts';
import { vmallocAreas } from '../../../src/core/kernel/vmalloc.ts';
import { FakeKernel, U32, U64 } from '../../support/fake-kernel.ts';
import { plantMapleTree, TREE_TYPES } from '../../support/fake-trees.ts';

const VMALLOC_TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct rb_root { void *rb_node; };
  struct vm_struct { struct vm_struct *next; void *addr; unsigned long size, flags; };
  struct vmap_area {
    unsigned long va_start, va_end;
    struct list_head list;
    union { unsigned long subtree_max_size; struct vm_struct *vm; };
  };
  struct rb_list { struct rb_root root; struct list_head head; };
  struct vmap_node { int pool[3]; struct rb_list busy; };
`;
const AT = 0xffff_c900_0000_0000n;

function plantArea(fake: FakeKernel, start: bigint, pages: bigint, flags: bigint | undefined): bigint {
  const end = start + (pages + 1n) * 4096n;
  const vm =
    flags === undefined ? 0n : fake.place(fake.type('vm_struct'), { addr: start, size: (pages + 1n) * 4096n, flags });
  return fake.place(fake.type('vmap_area'), { va_start: start, va_end: end, vm });
}

describe('vmalloc areas', () => {
  const shown = (kernel: Parameters<typeof vmallocAreas>[0]) => {
    return vmallocAreas(kernel).map(({ start, end, isDevice }) => [start - AT, end - start, isDevice]);
  };

  it('hang in one list', () => {
    const fake = new FakeKernel();
    fake.c(VMALLOC_TYPES);
    const head = fake.global('vmap_area_list', fake.type('list_head'));
    const areas = [
      plantArea(fake, AT, 4n, 2n),
      plantArea(fake, AT + 0x1_0000n, 1n, 1n),
      // Without a vm_struct all of it is mapped; not yet mapped; without a guard page.
      plantArea(fake, AT + 0x2_0000n, 1n, undefined),
      plantArea(fake, AT + 0x3_0000n, 1n, 0x22n),
      plantArea(fake, AT + 0x4_0000n, 1n, 0x42n),
    ];
    fake.linkList(head, areas, fake.type('vmap_area'), 'list');
    expect(shown(fake.kernel())).toEqual([
      [0n, 0x4000n, false],
      [0x1_0000n, 0x1000n, true],
      [0x2_0000n, 0x2000n, false],
      [0x4_0000n, 0x2000n, false],
    ]);
  });

  it('hang in the lists of several nodes, and come by address', () => {
    const fake = new FakeKernel();
    fake.c(VMALLOC_TYPES);
    const nodes = fake.allocate(2 * 48);
    fake.globalInteger('vmap_nodes', U64, nodes);
    fake.globalInteger('nr_vmap_nodes', U32, 2);
    const head = (i: bigint) => nodes + i * 40n + 24n;
    fake.linkList(head(0n), [plantArea(fake, AT + 0x1_0000n, 1n, 2n)], fake.type('vmap_area'), 'list');
    fake.linkList(head(1n), [plantArea(fake, AT, 2n, 2n)], fake.type('vmap_area'), 'list');
    expect(shown(fake.kernel())).toEqual([
      [0n, 0x2000n, false],
      [0x1_0000n, 0x1000n, false],
    ]);
  });

  it('end where a list is broken, with a notice', () => {
    const fake = new FakeKernel();
    fake.c(VMALLOC_TYPES);
    const head = fake.global('vmap_area_list', fake.type('list_head'));
    const areas = [plantArea(fake, AT, 1n, 2n), plantArea(fake, AT + 0x1_0000n, 1n, 2n)];
    fake.linkList(head, areas, fake.type('vmap_area'), 'list');
    fake.set(fake.type('vmap_area'), areas[1] as bigint, 'list.next', 0x1234n);
    const notices: string[] = [];
    expect(shown(fake.kernel({ notice: (text) => notices.push(text) })).length).toBe(2);
    expect(notices.length).toBe(1);
  });
});

const RESOURCE_TYPES = `
  struct resource {
    unsigned long start, end;
    const char *name;
    unsigned long flags, desc;
    struct resource *parent, *sibling, *child;
  };
`;
const RAM = 0x0100_0200n;

describe('System RAM', () => {
  function planted() {
    const fake = new FakeKernel();
    fake.c(RESOURCE_TYPES);
    const type = fake.type('resource');
    const code = fake.place(type, { start: 0x20_0000n, end: 0x2f_ffffn, flags: RAM });
    const high = fake.place(type, { start: 0x1_0000_0000n, end: 0x1_3fff_ffffn, flags: RAM });
    const nested = fake.place(type, { start: 0x9000_0000n, end: 0x9fff_ffffn, flags: RAM });
    const bus = fake.place(type, {
      start: 0x8000_0000n,
      end: 0xffff_ffffn,
      flags: 0x200n,
      child: nested,
      sibling: high,
    });
    const low = fake.place(type, { start: 0x10_0000n, end: 0x7fff_ffffn, flags: RAM, child: code, sibling: bus });
    fake.global('iomem_resource', type, { end: -1n, child: low });
    return { fake, type, high, low };
  }

  it('is found at any depth, and its parts are not counted again', () => {
    const { fake } = planted();
    expect(systemRam(fake.kernel())).toEqual([
      { start: 0x10_0000n, end: 0x8000_0000n },
      { start: 0x9000_0000n, end: 0xa000_0000n },
      { start: 0x1_0000_0000n, end: 0x1_4000_0000n },
    ]);
    expect(systemRam(new FakeKernel().kernel())).toEqual([]);
  });

  it('is refused where the tree loops', () => {
    const { fake, type, high, low } = planted();
    fake.set(type, high, 'sibling', low);
    expect(() => systemRam(fake.kernel())).toThrow(DataError);
  });

  it('is searched in the direct map, without the image of the kernel', () => {
    const { fake } = planted();
    const map = 0xffff_8880_0000_0000n;
    fake.globalInteger('page_offset_base', U64, map);
    fake.globalInteger('phys_base', U64, 0n);
    fake.symbols.add('_text', 0xffff_ffff_8020_0000n);
    fake.symbols.add('_etext', 0xffff_ffff_8030_0800n);
    const kernel = fake.kernel();
    expect(imageRanges(kernel)).toEqual([{ start: 0xffff_ffff_8020_0000n, end: 0xffff_ffff_8030_0800n }]);
    // The page that text ends within is searched in both places.
    expect(directMapRanges(kernel).slice(0, 2)).toEqual([
      { start: map + 0x10_0000n, end: map + 0x20_0000n },
      { start: map + 0x30_0000n, end: map + 0x8000_0000n },
    ]);
  });
});

describe('ranges', () => {
  const range = fc.tuple(fc.nat({ max: 60 }), fc.nat({ max: 20 })).map(([start, length]) => {
    return { start: BigInt(start), end: BigInt(start + length) };
  });
  const covered = (ranges: readonly { readonly start: bigint; readonly end: bigint }[]) => {
    const places = new Set<bigint>();
    for (const { start, end } of ranges) for (let at = start; at < end; at++) places.add(at);
    return places;
  };

  it('without holes, and within bounds, are what is left place by place', () => {
    fc.assert(
      fc.property(fc.array(range, { maxLength: 4 }), fc.array(range, { maxLength: 4 }), (ranges, holes) => {
        const rest = covered(holes);
        const wanted = new Set([...covered(ranges)].filter((at) => !rest.has(at)));
        expect(covered(subtract(ranges, holes))).toEqual(wanted);
        const bounded = clip(ranges, 10n, 30n);
        expect(covered(bounded)).toEqual(new Set([...covered(ranges)].filter((at) => at >= 10n && at < 30n)));
        expect(totalLength(bounded)).toBe(bounded.reduce((sum, { start, end }) => sum + end - start, 0n));
      }),
    );
  });
});

describe('mappings of a process', () => {
  const COMMON =
    'struct vm_area_struct { unsigned long vm_start, vm_end; struct vm_area_struct *vm_next; unsigned long vm_flags; };';
  const expected = [
    [0x40_0000n, 0x40_1000n, 5n],
    [0x7f00_0000_0000n, 0x7f00_0000_2000n, 3n],
  ];
  const shown = (kernel: Parameters<typeof vmas>[0], mm: bigint) =>
    vmas(kernel, mm).map((vma) => [vma.start, vma.end, vma.flags]);

  it('are in the maple tree', () => {
    const fake = new FakeKernel();
    fake.c(`${TREE_TYPES} ${COMMON} struct mm_struct { struct maple_tree mm_mt; };`);
    const areas = expected.map(([start = 0n, end = 0n, flags = 0n]) => {
      const address = fake.place(fake.type('vm_area_struct'), { vm_start: start, vm_end: end, vm_flags: flags });
      return { first: start, last: end - 1n, entry: address };
    });
    const mm = fake.place(fake.type('mm_struct'));
    plantMapleTree(fake, mm, areas);
    expect(shown(fake.kernel(), mm)).toEqual(expected);
  });

  it('are in a list before 6.1', () => {
    const fake = new FakeKernel();
    fake.c(`${COMMON} struct mm_struct { struct vm_area_struct *mmap; };`);
    const next = fake.place(fake.type('vm_area_struct'), {
      vm_start: 0x7f00_0000_0000n,
      vm_end: 0x7f00_0000_2000n,
      vm_flags: 3n,
    });
    const first = fake.place(fake.type('vm_area_struct'), {
      vm_start: 0x40_0000n,
      vm_end: 0x40_1000n,
      vm_flags: 5n,
      vm_next: next,
    });
    expect(shown(fake.kernel(), fake.place(fake.type('mm_struct'), { mmap: first }))).toEqual(expected);
    expect(shown(fake.kernel(), fake.place(fake.type('mm_struct')))).toEqual([]);
  });
});
