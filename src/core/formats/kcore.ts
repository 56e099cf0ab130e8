/**
 * /proc/kcore: live kernel memory behind an ELF core header (fs/proc/kcore.c). One PT_NOTE segment with, among others,
 * VMCOREINFO; one PT_LOAD segment for each range: the kernel image, the modules, vmalloc, vmemmap and the direct map
 * of RAM. p_offset is the address less PAGE_OFFSET plus the header's length, so it is large and the file sparse.
 *
 * p_paddr is the physical address for RAM and the kernel image, all ones for the others; before 464920104bf7
 * "/proc/kcore: update physical address for kcore ram and text" (v4.11) it was zero for all.
 */
import { DataError } from '../errors.ts';
import {
  ELF_HEADER_LENGTH,
  type ElfSegment,
  PT_LOAD,
  PT_NOTE,
  parseElfHeader,
  parseSegments,
  segmentsEnd,
} from './elf.ts';
import { parseNotes } from './elf-notes.ts';
import { parseVmcoreinfo, type Vmcoreinfo } from './vmcoreinfo.ts';

/** A range of kernel memory in the file. */
export interface KcoreSegment {
  /** First virtual address. */
  readonly virtual: bigint;
  /** Physical address of the first byte; undefined for memory that is not physically contiguous. */
  readonly physical: bigint | undefined;
  /** Where the range is in the file: a bigint, it can exceed 2^53. */
  readonly offset: bigint;
  /** Bytes. */
  readonly length: bigint;
}

export interface Kcore {
  /** By virtual address. */
  readonly segments: readonly KcoreSegment[];
  readonly vmcoreinfo: Vmcoreinfo | undefined;
}

/** Program headers and notes of the largest machines are some hundreds of KiB. */
const HEADERS_MAX = 16 * 1024 * 1024;
const NO_PHYSICAL = 0xffff_ffff_ffff_ffffn;

/**
 * How many bytes from the start of the file hold all headers and notes, told from the first ones: read
 * ELF_HEADER_LENGTH bytes and ask, read as many as it says and ask again, until it asks for no more than there are.
 */
export function kcoreHeadersLength(bytes: Uint8Array): number {
  const header = parseElfHeader(bytes);
  let end = Math.max(ELF_HEADER_LENGTH, segmentsEnd(header));
  if (header.needsSection0) end = Math.max(end, header.sectionsAt + 64);
  if (end > HEADERS_MAX) throw new DataError(`/proc/kcore with headers of ${end} bytes`);
  if (end > bytes.length) return end;
  for (const segment of parseSegments(bytes, header)) {
    if (segment.type !== PT_NOTE) continue;
    const notesEnd = segment.offset + segment.fileLength;
    if (notesEnd > BigInt(HEADERS_MAX)) throw new DataError(`/proc/kcore with notes of ${segment.fileLength} bytes`);
    end = Math.max(end, Number(notesEnd));
  }
  return end;
}

/** Parses the headers and notes; `bytes` are those that `kcoreHeadersLength` asked for. */
export function parseKcore(bytes: Uint8Array): Kcore {
  const header = parseElfHeader(bytes);
  const segments = parseSegments(bytes, header);
  const ranges = segments
    .filter((segment) => segment.type === PT_LOAD && segment.fileLength > 0n)
    .map(toRange)
    .sort((a, b) => (a.virtual < b.virtual ? -1 : a.virtual > b.virtual ? 1 : 0));
  if (ranges.length === 0) throw new DataError('/proc/kcore has no memory: it is empty for this reader');
  return { segments: ranges, vmcoreinfo: findVmcoreinfo(bytes, segments) };
}

/** The segment that holds this virtual address. The ranges do not overlap. */
export function kcoreSegmentAt(segments: readonly KcoreSegment[], address: bigint): KcoreSegment | undefined {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle] as KcoreSegment).virtual <= address) low = middle + 1;
    else high = middle;
  }
  const segment = segments[low - 1];
  return segment !== undefined && address - segment.virtual < segment.length ? segment : undefined;
}

/** The segment that holds this physical address: for reading physical memory through the direct map. */
export function kcoreSegmentAtPhysical(segments: readonly KcoreSegment[], physical: bigint): KcoreSegment | undefined {
  return segments.find(
    (segment) =>
      segment.physical !== undefined && physical >= segment.physical && physical - segment.physical < segment.length,
  );
}

/** Where all segments have a physical address of zero none has one (see above); RAM that starts at 0 is alone in it. */
function toRange(segment: ElfSegment, _index: number, all: readonly ElfSegment[]): KcoreSegment {
  const unknown = segment.physical === NO_PHYSICAL || (all.length > 1 && all.every((other) => other.physical === 0n));
  return {
    virtual: segment.virtual,
    physical: unknown ? undefined : segment.physical,
    offset: segment.offset,
    length: segment.fileLength,
  };
}

function findVmcoreinfo(bytes: Uint8Array, segments: readonly ElfSegment[]): Vmcoreinfo | undefined {
  for (const segment of segments) {
    if (segment.type !== PT_NOTE || segment.offset + segment.fileLength > BigInt(bytes.length)) continue;
    const start = Number(segment.offset);
    for (const note of parseNotes(bytes.subarray(start, start + Number(segment.fileLength)))) {
      if (note.name === 'VMCOREINFO') return parseVmcoreinfo(note.description);
    }
  }
  return undefined;
}
