import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type KcoreMemory, openKcore } from '../../../src/backends/local/kcore.ts';
import { DataError } from '../../../src/core/errors.ts';
import type { ReadRequest } from '../../../src/core/memory/backend.ts';
import { Fault } from '../../../src/core/memory/fault.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { coreFile, joined, note, type TestSegment } from '../../support/elf-builder.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

// A file with two ranges of RAM that are neighbours in the file, one of vmalloc, one of RAM that holds the page table,
// and one that the file ends within.
const RAM = 0xffff888000001000n;
const MORE_RAM = 0xffff888000005000n;
const VMALLOC = 0xffffc90000000000n;
const TABLES = 0xffff888000100000n;
const CUT = 0xffffffff81000000n;
const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const SEGMENTS: readonly TestSegment[] = [
  { type: 1, virtual: RAM, physical: 0x1000n, offset: 0x2000n, length: 0x4000n },
  { type: 1, virtual: MORE_RAM, physical: 0x5000n, offset: 0x6000n, length: 0x2000n },
  { type: 1, virtual: VMALLOC, physical: ALL_ONES, offset: 0x8000n, length: 0x6000n },
  { type: 1, virtual: TABLES, physical: 0x100000n, offset: 0xe000n, length: 0x5000n },
  { type: 1, virtual: CUT, physical: 0x1000000n, offset: 0x13000n, length: 0x10000n },
];
const FILE_LENGTH = 0x14000;
const INFO = 'OSRELEASE=6.12.0\nSYMBOL(_stext)=ffffffff81000000\nSYMBOL(init_top_pgt)=ffff888000100000';

/** What the pages of the vmalloc range map; a page that is not in it is not mapped. */
const MAPPED: readonly (readonly [page: number, physical: bigint])[] = [
  [0, 0x1000n],
  // Zeros that are data: a page of zeros behind the tables.
  [1, 0x104000n],
  // No RAM: a device.
  [4, 0xbffe1000n],
  // What the kernel gives as zeros though it is not (vm_map_ram before 6.3).
  [5, 0x2000n],
];

/** Four levels of page table, one page each, as they are in RAM from 0x100000 on. */
function pageTables(): Uint8Array {
  const bytes = new Uint8Array(0x5000);
  const view = new DataView(bytes.buffer);
  const index = (level: number): number => Number((VMALLOC >> BigInt(12 + 9 * level)) & 511n);
  const PRESENT_RW = 3n;
  for (const [table, level] of [3, 2, 1].entries()) {
    view.setBigUint64(table * 0x1000 + index(level) * 8, 0x100000n + BigInt((table + 1) * 0x1000) + PRESENT_RW, true);
  }
  for (const [page, physical] of MAPPED) view.setBigUint64(0x3000 + page * 8, physical + PRESENT_RW, true);
  return bytes;
}

const byteAt = (offset: number): number => ((offset * 7) % 255) + 1;

const read = (address: bigint, length: number, space: 'virtual' | 'physical' = 'virtual'): ReadRequest => ({
  space,
  address,
  length,
  what: 'a test',
});

describe('kcore', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kdbg-kcore-'));
  const path = join(folder, 'kcore');
  let memory: KcoreMemory;
  let counted: number[] = [];

  beforeAll(() => {
    const headers = coreFile({ notes: note('VMCOREINFO', 0, encodeText(`${INFO}\n`)), segments: SEGMENTS });
    const bytes = Uint8Array.from({ length: FILE_LENGTH }, (_, i) => byteAt(i));
    bytes.set(headers);
    // The first page of the vmalloc range holds data, the others read as zeros.
    bytes.fill(0, 0x9000, 0xe000);
    bytes.set(pageTables(), 0xe000);
    writeFileSync(path, bytes);
    memory = openKcore(path, { count: (length) => counted.push(length) });
  });
  afterAll(() => {
    memory.close();
    rmSync(folder, { recursive: true });
  });

  const bytesAt = (offset: number, length: number): number[] => Array.from({ length }, (_, i) => byteAt(offset + i));
  const reason = (answer: Uint8Array | Fault | undefined): string =>
    answer instanceof Fault ? `${answer.reason}${answer.detail === undefined ? '' : ` (${answer.detail})`}` : 'bytes';

  it('serves virtual and physical addresses', () => {
    const answers = memory.read([read(RAM + 0x10n, 8), read(0x1010n, 8, 'physical'), read(0x1000010n, 4, 'physical')]);
    expect(answers).toEqual([
      Uint8Array.from(bytesAt(0x2010, 8)),
      Uint8Array.from(bytesAt(0x2010, 8)),
      Uint8Array.from(bytesAt(0x13010, 4)),
    ]);
  });

  it('answers in the order of the requests, whatever their order in the file, and counts a batch once', () => {
    counted = [];
    const answers = memory.read([read(MORE_RAM, 4096), read(RAM, 4096), read(RAM + 0x1000n, 4096)]);
    expect(answers.map((answer) => (answer as Uint8Array)[0])).toEqual([0x6000, 0x2000, 0x3000].map(byteAt));
    expect(counted).toEqual([3 * 4096]);
  });

  it('reads across two ranges that meet', () => {
    const [answer] = memory.read([read(RAM + 0x3ffcn, 8)]);
    expect(answer).toEqual(Uint8Array.from(bytesAt(0x5ffc, 8)));
  });

  it('says why an address cannot be read, and spares its neighbours', () => {
    const answers = memory.read([
      read(0x1000n, 8),
      read(MORE_RAM + 0x1ffcn, 8),
      read(CUT, 0x1000),
      read(CUT + 0x1000n, 8),
      read(CUT + 0xffcn, 8),
      read(0xffff_ffff_ffff_fffcn, 8),
      read(0x10_0000_0000n, 8, 'physical'),
    ]);
    expect(answers.map(reason)).toEqual([
      'unmapped',
      'unmapped',
      'bytes',
      'truncated',
      'truncated',
      'unmapped',
      'unmapped',
    ]);
  });

  it('tells zeros that are data from zeros that stand for nothing', () => {
    const answers = memory.read([
      read(VMALLOC, 8),
      read(VMALLOC + 0x1000n, 8),
      read(VMALLOC + 0x2000n, 8),
      read(VMALLOC + 0x3000n, 8),
      read(VMALLOC + 0x4000n, 8),
      read(VMALLOC + 0x1ff8n, 16),
      read(VMALLOC, 0x2000),
      read(VMALLOC, 0x2001),
    ]);
    expect(answers.map(reason)).toEqual([
      'bytes',
      'bytes',
      'unmapped',
      'unmapped',
      'denied (device memory)',
      'unmapped',
      'bytes',
      'unmapped',
    ]);
    expect(answers[1]).toEqual(new Uint8Array(8));
  });

  it('gives what is mapped where the kernel gives zeros for it', () => {
    expect(memory.read([read(VMALLOC + 0x5010n, 16)])).toEqual([Uint8Array.from(bytesAt(0x3010, 16))]);
  });

  it.each([
    ['is not told', INFO.replace('init_top_pgt', 'swapper_pg_dir')],
    ['cannot be read', INFO.replace('ffff888000100000', 'ffff888000006000')],
    ['is nowhere', INFO.replace('ffff888000100000', 'ffff999000006000')],
  ])('takes zeros as they are where the page table %s', (_what, info) => {
    const other = join(folder, 'other');
    const bytes = readFileSync(path);
    bytes.set(coreFile({ notes: note('VMCOREINFO', 0, encodeText(`${info}\n`)), segments: SEGMENTS }));
    // The page that the second one names is a table whose entries lead out of RAM.
    bytes.fill(0xff, 0x7000, 0x8000);
    writeFileSync(other, bytes);
    const opened = openKcore(other);
    expect(opened.read([read(VMALLOC + 0x3000n, 8)]).map(reason)).toEqual(['bytes']);
    opened.close();
  });

  it('gives VMCOREINFO', () => {
    expect(memory.vmcoreinfo).toBe(INFO);
  });

  it('looks for memory that was added since, but not at each read', () => {
    const grown = join(folder, 'grown');
    writeFileSync(grown, coreFile({ segments: SEGMENTS.slice(0, 1) }));
    truncateSync(grown, FILE_LENGTH);
    let now = 0;
    const growing = openKcore(grown, { now: () => now });
    const fd = openSync(grown, 'r+');
    writeSync(fd, coreFile({ segments: SEGMENTS.slice(0, 2) }), 0);
    closeSync(fd);
    expect(growing.read([read(MORE_RAM, 8)]).map(reason)).toEqual(['unmapped']);
    now = 2000;
    expect(growing.read([read(MORE_RAM, 8)]).map(reason)).toEqual(['bytes']);
    growing.close();
  });

  it('refuses what is no kcore', () => {
    const bad = join(folder, 'bad');
    for (const [content, message] of [
      [new Uint8Array(0), /empty/],
      [new Uint8Array(4096), /ELF/],
      [coreFile({ segments: [] }), /no memory/],
      [coreFile({ segments: SEGMENTS }).subarray(0, 70), /empty|truncated|headers/],
    ] as const) {
      writeFileSync(bad, content);
      expect(() => openKcore(bad)).toThrow(DataError);
      expect(() => openKcore(bad)).toThrow(message);
    }
  });

  it('opens or refuses any damaged header, in bounded time', () => {
    const random = seededRandom(1);
    const whole = joined(coreFile({ notes: note('VMCOREINFO', 0, encodeText(INFO)), segments: SEGMENTS }));
    const damaged = join(folder, 'damaged');
    for (let round = 0; round < 1000; round++) {
      writeFileSync(damaged, mutate(whole, random));
      try {
        const opened = openKcore(damaged);
        opened.read([read(RAM, 64), read(VMALLOC, 64), read(0x1000n, 64, 'physical')]);
        opened.close();
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});
