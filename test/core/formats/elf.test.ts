import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import {
  parseElfHeader,
  parseSections,
  parseSegments,
  sectionBytes,
  segmentsEnd,
} from '../../../src/core/formats/elf.ts';
import { parseBuildId, parseNotes } from '../../../src/core/formats/elf-notes.ts';
import { elfSymbolColumns } from '../../../src/core/formats/elf-symbols.ts';
import { columnName } from '../../../src/core/formats/kallsyms-columns.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { coreFile, elfSymbol, joined, note, sectionFile } from '../../support/elf-builder.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const SEGMENTS = [
  { type: 1, virtual: 0xffffffff81000000n, physical: 0x1000000n, offset: 0x7fff81003000n, length: 0x2000000n },
  { type: 1, virtual: 0xffff888000001000n, physical: 0x1000n, offset: 0x4000n, length: 0x9e000n },
];

describe('ELF headers', () => {
  it.each([false, true])('gives the segments (their count in section 0: %s)', (extended) => {
    const bytes = coreFile({ segments: SEGMENTS, extended });
    const header = parseElfHeader(bytes);
    expect(header).toMatchObject({ type: 4, machine: 62, segmentCount: 3, needsSection0: false });
    expect(segmentsEnd(header)).toBe(64 + 3 * 56);
    expect(parseSegments(bytes, header).slice(1)).toMatchObject(
      SEGMENTS.map(({ length, ...segment }) => ({ ...segment, fileLength: length, memoryLength: length })),
    );
  });

  it('says when the count is in a section that was not read', () => {
    const bytes = coreFile({ segments: SEGMENTS, extended: true });
    expect(parseElfHeader(bytes.subarray(0, 64)).needsSection0).toBe(true);
  });

  it('gives sections with names and bytes', () => {
    const bytes = sectionFile([
      { name: '.text', type: 1, bytes: Uint8Array.of(0xc3, 0x90) },
      { name: '.bss', type: 8, bytes: new Uint8Array(0) },
    ]);
    const sections = parseSections(bytes, parseElfHeader(bytes));
    expect(sections.map((section) => section.name)).toEqual(['', '.text', '.bss', '.shstrtab']);
    const [, text, bss] = sections;
    expect([...sectionBytes(bytes, text!)]).toEqual([0xc3, 0x90]);
    expect(sectionBytes(bytes, bss!)).toHaveLength(0);
  });

  it.each([
    ['too short', new Uint8Array(63), /63 bytes/],
    ['no magic', new Uint8Array(64), /magic/],
    ['a 32-bit file', Uint8Array.from({ length: 64 }, (_, i) => [0x7f, 0x45, 0x4c, 0x46, 1, 1][i] ?? 0), /64-bit/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseElfHeader(bytes)).toThrow(message);
  });

  it('refuses headers past the end of what was read', () => {
    const bytes = coreFile({ segments: SEGMENTS });
    const header = parseElfHeader(bytes);
    expect(() => parseSegments(bytes.subarray(0, 100), header)).toThrow(/past the end of the 100 bytes/);
  });

  it('survives 10,000 damaged files', () => {
    const random = seededRandom(3);
    const whole = sectionFile([{ name: '.text', type: 1, bytes: Uint8Array.of(1, 2, 3, 4) }]);
    const core = coreFile({ segments: SEGMENTS, extended: true, notes: note('GNU', 3, Uint8Array.of(1, 2, 3)) });
    for (let i = 0; i < 10_000; i++) {
      const bytes = mutate(i % 2 === 0 ? whole : core, random);
      try {
        const header = parseElfHeader(bytes);
        parseSegments(bytes, header);
        for (const section of parseSections(bytes, header)) sectionBytes(bytes, section);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
      }
    }
  });
});

describe('ELF notes', () => {
  const buildId = Uint8Array.from({ length: 20 }, (_, i) => i * 11);
  const notes = joined(note('Xen', 6, new Uint8Array(8)), note('GNU', 3, buildId), note('CORE', 1, new Uint8Array(3)));

  it('gives name, type and description of each', () => {
    expect([...parseNotes(notes)].map((found) => [found.name, found.type, found.description.length])).toEqual([
      ['Xen', 6, 8],
      ['GNU', 3, 20],
      ['CORE', 1, 3],
    ]);
  });

  it('finds the build id', () => {
    expect(parseBuildId(notes)).toBe('000b16212c37424d58636e79848f9aa5b0bbc6d1');
    expect(parseBuildId(note('Xen', 3, buildId))).toBeUndefined();
  });

  it('keeps the notes before a cut one', () => {
    expect([...parseNotes(notes.subarray(0, notes.length - 8))]).toHaveLength(2);
    expect([...parseNotes(new Uint8Array(40).fill(0xff))]).toHaveLength(0);
  });

  it('survives 10,000 damaged note sections', () => {
    const random = seededRandom(4);
    for (let i = 0; i < 10_000; i++) {
      const damaged = mutate(notes, random);
      expect([...parseNotes(damaged)].length).toBeLessThanOrEqual(damaged.length / 12);
    }
  });
});

describe('ELF symbols', () => {
  // 0 "", 1 "probe", 7 "counter", 15 ".Lloop", 22 "printk", 29 "file.c"
  const strings = encodeText('\0probe\0counter\0.Lloop\0printk\0file.c\0');
  const symbols = joined(
    elfSymbol({ name: 0, info: 0, section: 0, value: 0n }),
    elfSymbol({ name: 29, info: 0x04, section: 0xfff1, value: 0n }),
    elfSymbol({ name: 1, info: 0x02, section: 1, value: 0xffffffffc0201000n }),
    elfSymbol({ name: 15, info: 0x00, section: 1, value: 0xffffffffc0201004n }),
    elfSymbol({ name: 22, info: 0x10, section: 0, value: 0n }),
    elfSymbol({ name: 7, info: 0x11, section: 2, value: 0xffffffffc0203000n }),
    elfSymbol({ name: 4000, info: 0x11, section: 2, value: 0n }),
  );

  function list(types?: Uint8Array): string[] {
    const columns = elfSymbolColumns({
      symbols,
      strings,
      module: 'kdbg_lab',
      ...(types === undefined ? {} : { types }),
    });
    expect(columns.moduleNames).toEqual(['kdbg_lab']);
    return Array.from({ length: columns.count }, (_, i) => {
      const letter = String.fromCharCode(columns.types[i] as number);
      return `${columns.addresses[i]?.toString(16)} ${letter} ${columnName(columns, i)}`;
    });
  }

  it('gives defined symbols with nm letters, and leaves out files and undefined ones', () => {
    expect(list()).toEqual(['ffffffffc0201000 t probe', 'ffffffffc0201004 t .Lloop', 'ffffffffc0203000 D counter']);
  });

  it("takes the kernel's own letters where it keeps them", () => {
    const types = encodeText('..tttUb');
    types[5] = 0x42;
    expect(list(types)).toEqual([
      'ffffffffc0201000 t probe',
      'ffffffffc0201004 t .Lloop',
      'ffffffffc0203000 B counter',
    ]);
  });

  it('survives 10,000 damaged tables', () => {
    const random = seededRandom(5);
    for (let i = 0; i < 10_000; i++) {
      const columns = elfSymbolColumns({ symbols: mutate(symbols, random), strings: mutate(strings, random) });
      for (let k = 0; k < columns.count; k++) expect(columnName(columns, k)).toMatch(/^[!-~]+$/);
    }
  });
});
