/**
 * ELF64, little-endian, as far as a debugger needs it: the header and program headers of /proc/kcore and of dumps, the
 * section headers of vmlinux and of modules. (System V ABI, chapters 4 and 5; elf(5).)
 *
 *     0   e_ident[16]: 7f 45 4c 46, class 2, data 1          32  e_phoff u64      54  e_phentsize u16   60  e_shnum u16
 *     16  e_type u16    18  e_machine u16                    40  e_shoff u64      56  e_phnum u16       62  e_shstrndx u16
 *     24  e_entry u64                                        48  e_flags u32      58  e_shentsize u16
 *
 * A count that does not fit 16 bits is elsewhere: with e_phnum = PN_XNUM (0xffff) in sh_info of section 0, with
 * e_shnum = 0 in its sh_size, with e_shstrndx = SHN_XINDEX (0xffff) in its sh_link. Dumps of large machines need it.
 *
 * Everything here reads bytes that the caller has, and throws DataError when they are not what the header promises.
 */
import { DataError } from '../errors.ts';
import { decodeCString } from '../memory/text.ts';

export const ELF_HEADER_LENGTH = 64;
const SEGMENT_LENGTH = 56;
const SECTION_LENGTH = 64;
const PN_XNUM = 0xffff;
const SHN_XINDEX = 0xffff;
/** A dump has a segment for each range of memory: tens of thousands at the very most. */
const SEGMENTS_MAX = 1 << 20;
const SECTIONS_MAX = 1 << 20;

/** e_machine of x86-64 and aarch64. */
export const EM_X86_64 = 62;
export const EM_AARCH64 = 183;
/** e_type. */
export const ET_EXEC = 2;
export const ET_DYN = 3;
/** p_type. */
export const PT_LOAD = 1;
export const PT_NOTE = 4;
/** p_flags. */
export const PF_X = 1;
/** sh_type of sections without bytes in the file. */
export const SHT_NOBITS = 8;

export interface ElfHeader {
  /** e_type: 1 relocatable (a module), 2 executable (vmlinux), 3 shared, 4 core (kcore, dumps). */
  readonly type: number;
  readonly machine: number;
  readonly entry: bigint;
  /** Where the program headers are in the file, and how many. */
  readonly segmentsAt: number;
  readonly segmentCount: number;
  readonly sectionsAt: number;
  readonly sectionCount: number;
  readonly sectionNamesIndex: number;
  /** True when counts are in section 0 and it was not within the bytes given: parse again with `sectionsAt` + 64 bytes. */
  readonly needsSection0: boolean;
}

/** A program header. */
export interface ElfSegment {
  readonly type: number;
  readonly flags: number;
  /** p_offset: a bigint, for /proc/kcore's exceed 2^53 under 5-level paging. */
  readonly offset: bigint;
  readonly virtual: bigint;
  readonly physical: bigint;
  /** p_filesz and p_memsz in bytes. */
  readonly fileLength: bigint;
  readonly memoryLength: bigint;
}

/** A section header. */
export interface ElfSection {
  readonly name: string;
  readonly type: number;
  readonly flags: bigint;
  readonly address: bigint;
  readonly offset: number;
  /** Bytes; 0 in the file when `type` is SHT_NOBITS. */
  readonly length: number;
  readonly link: number;
  readonly info: number;
  readonly entryLength: number;
}

/** Parses the file header at the start of `bytes`; with them holding section 0 too, the extended counts. */
export function parseElfHeader(bytes: Uint8Array): ElfHeader {
  if (bytes.length < ELF_HEADER_LENGTH) throw new DataError(`not an ELF file: ${bytes.length} bytes`);
  const view = viewOf(bytes);
  if (view.getUint32(0) !== 0x7f454c46) throw new DataError('not an ELF file: no magic number');
  if (bytes[4] !== 2 || bytes[5] !== 1) throw new DataError('not a 64-bit little-endian ELF file');
  const segmentsAt = fileOffset(view.getBigUint64(32, true), 'e_phoff');
  const sectionsAt = fileOffset(view.getBigUint64(40, true), 'e_shoff');
  let segmentCount = view.getUint16(56, true);
  let sectionCount = view.getUint16(60, true);
  let sectionNamesIndex = view.getUint16(62, true);
  if (segmentCount > 0 && view.getUint16(54, true) !== SEGMENT_LENGTH) {
    throw new DataError(`ELF program headers of ${view.getUint16(54, true)} bytes, not ${SEGMENT_LENGTH}`);
  }
  const extended =
    sectionsAt > 0 && (segmentCount === PN_XNUM || sectionCount === 0 || sectionNamesIndex === SHN_XINDEX);
  const hasSection0 = extended && sectionsAt + SECTION_LENGTH <= bytes.length;
  if (hasSection0) {
    if (segmentCount === PN_XNUM) segmentCount = view.getUint32(sectionsAt + 44, true);
    if (sectionCount === 0) sectionCount = fileOffset(view.getBigUint64(sectionsAt + 32, true), 'sh_size');
    if (sectionNamesIndex === SHN_XINDEX) sectionNamesIndex = view.getUint32(sectionsAt + 40, true);
  }
  if (segmentCount > SEGMENTS_MAX) throw new DataError(`ELF file with ${segmentCount} program headers`);
  if (sectionCount > SECTIONS_MAX) throw new DataError(`ELF file with ${sectionCount} sections`);
  return {
    type: view.getUint16(16, true),
    machine: view.getUint16(18, true),
    entry: view.getBigUint64(24, true),
    segmentsAt,
    segmentCount,
    sectionsAt,
    sectionCount,
    sectionNamesIndex,
    needsSection0: extended && !hasSection0,
  };
}

/** Bytes from the start of the file that hold the program headers. */
export function segmentsEnd(header: ElfHeader): number {
  return header.segmentsAt + header.segmentCount * SEGMENT_LENGTH;
}

/** The program headers; `bytes` start where the file does. */
export function parseSegments(bytes: Uint8Array, header: ElfHeader): readonly ElfSegment[] {
  requireWithin(bytes, header.segmentsAt, header.segmentCount * SEGMENT_LENGTH, 'ELF program headers');
  const view = viewOf(bytes);
  return Array.from({ length: header.segmentCount }, (_, i) => {
    const at = header.segmentsAt + i * SEGMENT_LENGTH;
    return {
      type: view.getUint32(at, true),
      flags: view.getUint32(at + 4, true),
      offset: view.getBigUint64(at + 8, true),
      virtual: view.getBigUint64(at + 16, true),
      physical: view.getBigUint64(at + 24, true),
      fileLength: view.getBigUint64(at + 32, true),
      memoryLength: view.getBigUint64(at + 40, true),
    };
  });
}

/** The sections of a whole file in memory, with their names. */
export function parseSections(bytes: Uint8Array, header: ElfHeader): readonly ElfSection[] {
  requireWithin(bytes, header.sectionsAt, header.sectionCount * SECTION_LENGTH, 'ELF section headers');
  const view = viewOf(bytes);
  const place = (i: number) => header.sectionsAt + i * SECTION_LENGTH;
  const names =
    header.sectionNamesIndex < header.sectionCount
      ? fileRange(bytes, view, place(header.sectionNamesIndex))
      : new Uint8Array(0);
  return Array.from({ length: header.sectionCount }, (_, i) => {
    const at = place(i);
    const nameAt = view.getUint32(at, true);
    return {
      name: nameAt < names.length ? decodeCString(names, nameAt, Math.min(names.length, nameAt + 256)) : '',
      type: view.getUint32(at + 4, true),
      flags: view.getBigUint64(at + 8, true),
      address: view.getBigUint64(at + 16, true),
      offset: fileOffset(view.getBigUint64(at + 24, true), 'sh_offset'),
      length: fileOffset(view.getBigUint64(at + 32, true), 'sh_size'),
      link: view.getUint32(at + 40, true),
      info: view.getUint32(at + 44, true),
      entryLength: fileOffset(view.getBigUint64(at + 56, true), 'sh_entsize'),
    };
  });
}

/** The bytes of a section; empty for one that has none in the file. */
export function sectionBytes(bytes: Uint8Array, section: ElfSection): Uint8Array {
  if (section.type === SHT_NOBITS) return new Uint8Array(0);
  requireWithin(bytes, section.offset, section.length, `ELF section ${section.name}`);
  return bytes.subarray(section.offset, section.offset + section.length);
}

function fileRange(bytes: Uint8Array, view: DataView, sectionAt: number): Uint8Array {
  const offset = fileOffset(view.getBigUint64(sectionAt + 24, true), 'sh_offset');
  const length = fileOffset(view.getBigUint64(sectionAt + 32, true), 'sh_size');
  requireWithin(bytes, offset, length, 'ELF section names');
  return bytes.subarray(offset, offset + length);
}

function requireWithin(bytes: Uint8Array, at: number, length: number, what: string): void {
  if (at + length > bytes.length) {
    throw new DataError(`${what} end at ${at + length}, past the end of the ${bytes.length} bytes read`);
  }
}

/** A place in a file that is read whole; nothing beyond 2^53 can be. */
function fileOffset(value: bigint, what: string): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new DataError(`ELF ${what} is 0x${value.toString(16)}`);
  return Number(value);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
