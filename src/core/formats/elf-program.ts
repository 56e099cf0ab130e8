/**
 * The symbols of a program or library, read out of its file in few ranges: the headers, then the tables that section
 * headers point at (System V ABI, chapter 4). `.dynsym` is what it offers and takes from others, with versions
 * (.gnu.version, .gnu.version_d of the LSB); `.symtab` all its functions, where it was not stripped. A file without
 * section headers has the first by PT_DYNAMIC.
 */
import { DataError } from '../errors.ts';
import type { ProgramRange } from '../memory/backend.ts';
import { decodeCString } from '../memory/text.ts';
import {
  ELF_HEADER_LENGTH,
  type ElfSection,
  type ElfSegment,
  ET_DYN,
  ET_EXEC,
  PF_X,
  PT_LOAD,
  parseElfHeader,
  parseSections,
  parseSegments,
  segmentsEnd,
} from './elf.ts';
import { dynamicSymbolTable } from './elf-dynamic.ts';
import { ElfNames } from './elf-names.ts';

const SHT_SYMTAB = 2;
const SHT_DYNAMIC = 6;
const SHT_DYNSYM = 11;
const SHT_GNU_VERDEF = 0x6fff_fffd;
const SHT_GNU_VERSYM = 0x6fff_ffff;
const DT_NEEDED = 1;
const SECTION_LENGTH = 64;
const SEGMENTS_MAX = 4096;
const SECTIONS_MAX = 16_384;
/** Of one table: a million symbols. */
const TABLE_MAX = 32 * 1024 * 1024;
/** Of a file that has no section headers, which is read as far as it is loaded. */
const IMAGE_MAX = 16 * 1024 * 1024;
const NEEDED_MAX = 256;
const NAME_MAX = 256;

/** Ranges of the file, each whole. */
export type ReadRanges = (ranges: readonly ProgramRange[]) => readonly Uint8Array[];

export interface Program {
  readonly segments: readonly ElfSegment[];
  /** What it offers and what it takes from others; undefined where it is linked with nothing. */
  readonly dynamic: ElfNames | undefined;
  /** Names of the libraries that it wants. */
  readonly needed: readonly string[];
  /** All its symbols; undefined where they were stripped. Read when they are first asked for. */
  readonly all: () => ElfNames | undefined;
}

/** Throws DataError for what is no program for a 64-bit machine, or whose tables cannot be. */
export function readProgram(read: ReadRanges): Program {
  const [head = NOTHING] = read([{ offset: 0, length: ELF_HEADER_LENGTH }]);
  const header = parseElfHeader(head);
  if (header.type !== ET_EXEC && header.type !== ET_DYN) throw new DataError('an ELF file that is no program');
  const { segmentsAt, segmentCount, sectionsAt, sectionCount } = header;
  if (segmentCount > SEGMENTS_MAX || sectionCount > SECTIONS_MAX || (header.needsSection0 && sectionsAt > 0)) {
    throw new DataError(`a program with ${segmentCount} program headers and ${sectionCount} sections`);
  }
  const [segmentBytes = NOTHING, sectionBytes = NOTHING] = read([
    { offset: segmentsAt, length: segmentsEnd(header) - segmentsAt },
    { offset: sectionsAt, length: sectionCount * SECTION_LENGTH },
  ]);
  const segments = parseSegments(segmentBytes, { ...header, segmentsAt: 0 });
  // Their names are not wanted: they are known by their types.
  const sections = parseSections(sectionBytes, { ...header, sectionsAt: 0, sectionNamesIndex: sectionCount });
  if (sections.length === 0)
    return { segments, dynamic: unsectioned(read, segments), needed: [], all: () => undefined };
  const all = sections.find(({ type }) => type === SHT_SYMTAB);
  let names: ElfNames | undefined;
  return {
    segments,
    ...readDynamic(read, sections),
    all: () => {
      names ??= all && readNames(read, sections, all);
      return names;
    },
  };
}

const NOTHING = new Uint8Array(0);

function readDynamic(read: ReadRanges, sections: readonly ElfSection[]): Pick<Program, 'dynamic' | 'needed'> {
  const table = sections.find(({ type }) => type === SHT_DYNSYM);
  if (table === undefined) return { dynamic: undefined, needed: [] };
  const ofType = (wanted: number): ElfSection | undefined => sections.find(({ type }) => type === wanted);
  const [symbols, strings, versions, definitions, tags] = readSections(read, [
    table,
    sections[table.link],
    ofType(SHT_GNU_VERSYM),
    ofType(SHT_GNU_VERDEF),
    ofType(SHT_DYNAMIC),
  ]) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array];
  return { dynamic: new ElfNames({ symbols, strings, versions, definitions }), needed: neededIn(tags, strings) };
}

function readNames(read: ReadRanges, sections: readonly ElfSection[], table: ElfSection): ElfNames {
  const [symbols = NOTHING, strings = NOTHING] = readSections(read, [table, sections[table.link]]);
  return new ElfNames({ symbols, strings });
}

/** Their bytes; none of one that is not there. */
function readSections(read: ReadRanges, wanted: readonly (ElfSection | undefined)[]): readonly Uint8Array[] {
  for (const section of wanted) {
    if (section !== undefined && section.length > TABLE_MAX) {
      throw new DataError(`a program with a table of ${section.length} bytes: ${TABLE_MAX} are read at most`);
    }
  }
  const there = wanted.filter((section) => section !== undefined);
  const bytes = read(there.map(({ offset, length }) => ({ offset, length })));
  return wanted.map((section) => (section === undefined ? NOTHING : (bytes[there.indexOf(section)] ?? NOTHING)));
}

/** DT_NEEDED, the d_val of an Elf64_Dyn, is the place of a name in the strings. */
function neededIn(tags: Uint8Array, strings: Uint8Array): readonly string[] {
  const view = new DataView(tags.buffer, tags.byteOffset, tags.byteLength);
  const names: string[] = [];
  for (let at = 0; at + 16 <= tags.length && names.length < NEEDED_MAX; at += 16) {
    if (view.getBigUint64(at, true) !== BigInt(DT_NEEDED)) continue;
    const place = Number(view.getBigUint64(at + 8, true));
    if (place < strings.length) names.push(decodeCString(strings, place, Math.min(strings.length, place + NAME_MAX)));
  }
  return names;
}

function unsectioned(read: ReadRanges, segments: readonly ElfSegment[]): ElfNames | undefined {
  const loaded = segments.filter(({ type }) => type === PT_LOAD);
  const end = loaded.reduce((most, { offset, fileLength }) => {
    const last = offset + fileLength;
    return last > most ? last : most;
  }, 0n);
  if (end > BigInt(IMAGE_MAX)) throw new DataError('a program of more than 16 MiB without section headers');
  const [image = NOTHING] = read([{ offset: 0, length: Number(end) }]);
  return new ElfNames(dynamicSymbolTable(image));
}

/** Where in the file the code at an address is; undefined where there is none. */
export function codeOffset({ segments }: Program, address: bigint): bigint | undefined {
  const segment = segments.find(
    ({ type, flags, virtual, fileLength }) =>
      type === PT_LOAD && (flags & PF_X) !== 0 && address >= virtual && address < virtual + fileLength,
  );
  return segment && address - segment.virtual + segment.offset;
}
