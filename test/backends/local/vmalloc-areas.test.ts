import { describe, expect, it } from 'vitest';
import { parseAreas, VmallocAreas } from '../../../src/backends/local/vmalloc-areas.ts';
import type { FileSource } from '../../../src/core/memory/backend.ts';
import { encodeText } from '../../../src/core/memory/text.ts';

// Lines of kernels 6.1 and 6.12.
const TEXT = `0xffffb91a80000000-0xffffb91a80005000   20480 dup_task_struct+0x5b/0x1a0 pages=4 vmalloc N0=4
0xffffb91a80005000-0xffffb91a80007000    8192 acpi_os_map_iomem+0x1ff/0x220 phys=0x000000003ffe1000 ioremap
0xffffb91a80200000-0xffffb91a80401000 2101248 alloc_large_system_hash+0x1a1/0x260 pages=512 vmalloc vpages N0=512
0xffffd91a7fe00000-0xffffd91a80000000 2097152 pcpu_get_vm_areas+0x0/0x8c0 vmalloc
0xffffffffc0327000-0xffffffffc0331000   40960 move_module+0x23/0x170 pages=9 vmalloc N0=9
`;
const SEGMENT = { virtual: 0xffffb91a80000000n, physical: undefined, offset: 0n, length: 0x2000_0000n };

describe('vmallocinfo', () => {
  it('ends an area where its pages end', () => {
    expect(parseAreas(TEXT)).toEqual([
      { start: 0xffffb91a80000000n, end: 0xffffb91a80004000n, isDevice: false },
      { start: 0xffffb91a80005000n, end: 0xffffb91a80007000n, isDevice: true },
      { start: 0xffffb91a80200000n, end: 0xffffb91a80400000n, isDevice: false },
      { start: 0xffffd91a7fe00000n, end: 0xffffd91a80000000n, isDevice: false },
      { start: 0xffffffffc0327000n, end: 0xffffffffc0330000n, isDevice: false },
    ]);
  });

  it('is empty where addresses are hidden, and skips lines of another form', () => {
    expect(parseAreas('0x0000000000000000-0x0000000000000000   20480 fork pages=4 vmalloc\n')).toEqual([]);
    expect(parseAreas('0x(____ptrval____)-0x(____ptrval____) 20480 fork\nnonsense\n\n')).toEqual([]);
  });
});

describe('holes', () => {
  const files = (
    answers: readonly (string | undefined)[],
  ): { readonly source: FileSource; readonly reads: () => number } => {
    let reads = 0;
    const read = (): unknown => {
      const text = answers[Math.min(reads++, answers.length - 1)];
      return text === undefined
        ? { ok: false, failure: { path: '/proc/vmallocinfo', reason: 'denied', detail: 'no' } }
        : { ok: true, bytes: encodeText(text), truncated: false };
    };
    return { source: { read } as unknown as FileSource, reads: () => reads };
  };

  it('are between areas, in their guard pages and over devices', () => {
    const areas = new VmallocAreas(files([TEXT]).source);
    expect(areas.holeAt(0xffffb91a80003ff8n, SEGMENT)).toBeUndefined();
    expect(areas.holeAt(0xffffb91a80004000n, SEGMENT)).toEqual({ reason: 'unmapped' });
    expect(areas.holeAt(0xffffb91a80005000n, SEGMENT)).toEqual({ reason: 'denied', detail: 'device memory' });
    expect(areas.holeAt(0xffffb91a80100000n, SEGMENT)).toEqual({ reason: 'unmapped' });
  });

  it('are not told in a range without areas, nor where the list cannot be read', () => {
    const vmemmap = { ...SEGMENT, virtual: 0xffffea0000000000n };
    expect(new VmallocAreas(files([TEXT]).source).holeAt(0xffffea0000001000n, vmemmap)).toBeUndefined();
    expect(new VmallocAreas(files([undefined]).source).holeAt(0xffffb91a80004000n, SEGMENT)).toBeUndefined();
  });

  it('are looked up again when the list is old: an area may be new', () => {
    let now = 0;
    const { source, reads } = files(['', TEXT]);
    const areas = new VmallocAreas(source, () => now);
    expect(areas.holeAt(0xffffb91a80000000n, SEGMENT)).toBeUndefined();
    now = 100;
    expect(areas.holeAt(0xffffb91a80000000n, SEGMENT)).toBeUndefined();
    expect(areas.holeAt(0xffffb91a80004000n, SEGMENT)).toEqual({ reason: 'unmapped' });
    expect(reads()).toBe(2);
    now = 900;
    areas.holeAt(0xffffb91a80000000n, SEGMENT);
    expect(reads()).toBe(2);
    areas.holeAt(0xffffb91a80004000n, SEGMENT);
    expect(reads()).toBe(3);
  });
});
