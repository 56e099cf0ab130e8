/** trace.dat of version 7: sections in any order, found by options, each perhaps compressed (trace-cmd.dat.v7(5)). */
import { DataError } from '../errors.ts';
import type { DatBuffer, DatFormat, DatTools, TraceDat } from './trace-dat.ts';
import { DatCursor } from './trace-dat-bytes.ts';
import {
  BUFFERS_MAX,
  CPUS_MAX,
  DatOptionList,
  OPTION,
  pagesOf,
  readFormats,
  readHeaderPage,
  readSystems,
} from './trace-dat-options.ts';
import { unzstd } from './zstd.ts';

const COMPRESSED = 1;
const OPTION_SECTIONS_MAX = 1024;
/** One compressed part when it is inflated, and how much smaller it may have been. */
const PART_MAX = 256 * 1024 * 1024;
const RATIO_MAX = 4096;
const SECTIONS_MAX = 512 * 1024 * 1024;

type Inflate = (bytes: Uint8Array, length: number) => Uint8Array;

/** From after the page size on. */
export function readDatV7(cursor: DatCursor, filePageSize: number, tools: DatTools): TraceDat {
  const compression = cursor.string();
  cursor.string();
  const file: File = { cursor, inflate: inflateOf(compression, tools), pageSize: filePageSize, left: SECTIONS_MAX };
  const list = new DatOptionList();
  const formats: DatFormat[] = [];
  const buffers: DatBuffer[] = [];
  let headerPage = '';
  let kallsyms: Uint8Array = new Uint8Array();
  let printk = '';
  let cmdlines = '';
  for (const { id, data } of readOptions(file, cursor.u64())) {
    const option = new DatCursor(data, cursor.isLittle);
    const section = (): DatCursor => readSection(file, option.u64(), id);
    if (id === OPTION.headerInfo) headerPage = readHeaderPage(section());
    else if (id === OPTION.ftraceEvents) readFormats(section(), 'ftrace', formats);
    else if (id === OPTION.eventFormats) readSystems(section(), formats);
    else if (id === OPTION.kallsyms) {
      const from = section();
      kallsyms = from.take(from.u32());
    } else if (id === OPTION.printk) {
      const from = section();
      printk = from.text(from.u32());
    } else if (id === OPTION.cmdlines) {
      const from = section();
      cmdlines = from.text(from.u64());
    } else if (id === OPTION.buffer || id === OPTION.bufferText) {
      if (buffers.length >= BUFFERS_MAX) throw new DataError(`it has more than ${BUFFERS_MAX} buffers`);
      buffers.push(readBuffer(file, option, id === OPTION.bufferText));
    } else list.add(id, data);
  }
  return {
    version: 7,
    isLittle: cursor.isLittle,
    compression,
    pageSize: filePageSize,
    headerPage,
    formats,
    kallsyms,
    printk,
    cmdlines,
    buffers,
    options: list.done(),
  };
}

interface File {
  readonly cursor: DatCursor;
  readonly inflate: Inflate;
  readonly pageSize: number;
  /** Bytes that its sections may still have when they are inflated: several options may name the same one. */
  left: number;
}

function inflateOf(compression: string, tools: DatTools): Inflate {
  if (compression === 'zstd') return unzstd;
  if (compression === 'zlib') return tools.inflate;
  return () => {
    throw new DataError(`it is compressed with "${compression.slice(0, 32)}": kdbg reads zstd and zlib`);
  };
}

/** Bytes with their lengths, stored and raw, before them. */
function readCompressed(cursor: DatCursor, inflate: Inflate): Uint8Array {
  const stored = cursor.u32();
  const raw = cursor.u32();
  if (raw > PART_MAX || raw > (stored + 64) * RATIO_MAX)
    throw new DataError(`it says that ${stored} bytes hold ${raw}`);
  return inflate(cursor.take(stored), raw);
}

/** A section's own bytes. */
function readSection(file: File, at: number, expected: number): DatCursor {
  const { cursor, inflate } = file;
  const from = new DatCursor(cursor.bytes, cursor.isLittle, at);
  const id = from.u16();
  const flags = from.u16();
  from.u32();
  const size = from.u64();
  if (id !== expected) throw new DataError(`it has section ${id} at byte ${at}, where ${expected} is expected`);
  const bytes = (flags & COMPRESSED) === 0 ? from.take(size) : readCompressed(from, inflate);
  file.left -= bytes.length;
  if (file.left < 0) throw new DataError(`its sections are longer than ${SECTIONS_MAX} bytes`);
  return new DatCursor(bytes, cursor.isLittle);
}

/** Options of all their sections; each names the next. */
function* readOptions(file: File, first: number): Iterable<{ readonly id: number; readonly data: Uint8Array }> {
  const seen = new Set<number>();
  for (let at = first; at !== 0; ) {
    if (seen.has(at) || seen.size >= OPTION_SECTIONS_MAX) throw new DataError('its sections of options go round');
    seen.add(at);
    const section = readSection(file, at, OPTION.done);
    at = 0;
    while (!section.isAtEnd) {
      const id = section.u16();
      const data = section.take(section.u32());
      if (id === OPTION.done) {
        at = data.length >= 8 ? new DatCursor(data, section.isLittle).u64() : 0;
        break;
      }
      yield { id, data };
    }
  }
}

/** A buffer's option; its pages are in the file where it says, in pieces where they are compressed. */
function readBuffer(file: File, option: DatCursor, isText: boolean): DatBuffer {
  const { cursor } = file;
  const at = option.u64();
  const instance = option.string() || undefined;
  const clock = option.string() || undefined;
  if (isText) {
    const section = readSection(file, at, OPTION.bufferText);
    return { instance, clock, pageSize: file.pageSize, cpus: [], text: section.text(section.bytes.length) };
  }
  const header = new DatCursor(cursor.bytes, cursor.isLittle, at);
  if (header.u16() !== OPTION.buffer) throw new DataError(`it has no buffer at byte ${at}`);
  const isCompressed = (header.u16() & COMPRESSED) !== 0;
  // The size of its pages stands before the CPUs since trace-cmd 3.2.1: then the lengths fit only so.
  const fits = (count: number, from: number): boolean => from + count * 20 === option.bytes.length;
  const first = option.u32();
  const pageSize = fits(first, option.at) ? file.pageSize : first;
  const count = fits(first, option.at) ? first : option.u32();
  if (count > CPUS_MAX || pageSize < 64 || pageSize > PART_MAX) throw new DataError('it has an impossible buffer');
  const cpus = Array.from({ length: count }, () => ({ cpu: option.u32(), at: option.u64(), size: option.u64() }));
  return {
    instance,
    clock,
    pageSize,
    text: undefined,
    cpus: cpus.flatMap(({ cpu, at: place, size }) => {
      if (size === 0) return [];
      const from = new DatCursor(cursor.bytes, cursor.isLittle, place);
      // Of compressed data it is not said how long it is in the file: its pieces say so.
      if (isCompressed) return [{ cpu, pages: () => inflatedPages(from, place, file, pageSize) }];
      const bytes = from.take(size);
      return [{ cpu, pages: () => pagesOf(bytes, pageSize) }];
    }),
  };
}

function* inflatedPages(cursor: DatCursor, start: number, { inflate }: File, pageSize: number): Iterable<Uint8Array> {
  cursor.at = start;
  for (let left = cursor.u32(); left > 0; left--) yield* pagesOf(readCompressed(cursor, inflate), pageSize);
}
