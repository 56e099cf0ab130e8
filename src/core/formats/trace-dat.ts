/**
 * trace.dat, the file of trace-cmd: the pages of the ring buffer of each CPU as the kernel wrote them, with all that
 * it takes to read them elsewhere: the formats of the events, symbols, names of tasks. Versions 6 (trace-cmd.dat.v6(5))
 * and 7 (trace-cmd.dat.v7(5)), whose sections may be compressed.
 */
import { DataError } from '../errors.ts';
import { decodeAscii } from '../memory/text.ts';
import { DatCursor } from './trace-dat-bytes.ts';
import { readDatV6 } from './trace-dat-v6.ts';
import { readDatV7 } from './trace-dat-v7.ts';

/** What a file is read with. */
export interface DatTools {
  /** Inflates a zlib stream (RFC 1950) to exactly this many bytes; throws DataError. */
  readonly inflate: (bytes: Uint8Array, length: number) => Uint8Array;
}

export interface TraceDat {
  readonly version: number;
  readonly isLittle: boolean;
  readonly compression: string;
  readonly pageSize: number;
  /** The text of events/header_page: where in a page its parts are. */
  readonly headerPage: string;
  /** Event formats by system; those of tracers are of the system "ftrace". */
  readonly formats: readonly DatFormat[];
  /** As /proc/kallsyms has it. */
  readonly kallsyms: Uint8Array;
  /** As printk_formats has it: "0xffff... : "text"". */
  readonly printk: string;
  /** "PID COMM" a line. */
  readonly cmdlines: string;
  readonly buffers: readonly DatBuffer[];
  readonly options: DatOptions;
}

export interface DatFormat {
  readonly system: string;
  readonly text: string;
}

/** A trace buffer: the shared one, or an instance. */
export interface DatBuffer {
  /** Undefined for the buffer that everybody shares. */
  readonly instance: string | undefined;
  readonly clock: string | undefined;
  readonly pageSize: number;
  readonly cpus: readonly DatCpu[];
  /** A latency trace is text; else undefined. */
  readonly text: string | undefined;
}

export interface DatCpu {
  readonly cpu: number;
  /** Pages of the ring buffer, one after the other. */
  readonly pages: () => Iterable<Uint8Array>;
}

export interface DatOptions {
  readonly uname: string | undefined;
  /** trace-cmd's own version. */
  readonly tool: string | undefined;
  /** The trace clocks with the chosen one in brackets. */
  readonly clock: string | undefined;
  /** Text of per_cpu/cpuN/stats, CPU by CPU. */
  readonly stats: readonly string[];
  /** Added to each time, in nanoseconds. */
  readonly offset: bigint;
}

const MAGIC = '\x17\x08\x44tracing';
const PAGE_SIZE_MAX = 1024 * 1024;

export function isTraceDat(bytes: Uint8Array): boolean {
  return decodeAscii(bytes, 0, Math.min(MAGIC.length, bytes.length)) === MAGIC;
}

/** Throws DataError; of the pages only where they are, so that damage in them spoils no more than themselves. */
export function readTraceDat(bytes: Uint8Array, tools: DatTools): TraceDat {
  if (!isTraceDat(bytes)) throw new DataError('it is no file of trace-cmd: it does not begin as one');
  const start = new DatCursor(bytes, true, MAGIC.length);
  const version = Number(start.string());
  const [order = 0, longSize = 0] = start.take(2);
  const cursor = new DatCursor(bytes, order === 0, start.at);
  const pageSize = cursor.u32();
  if (order > 1 || (longSize !== 8 && longSize !== 4) || pageSize < 64 || pageSize > PAGE_SIZE_MAX) {
    throw new DataError('it begins as a file of trace-cmd, but what follows is impossible');
  }
  if (version === 6) return readDatV6(cursor, pageSize);
  if (version === 7) return readDatV7(cursor, pageSize, tools);
  throw new DataError(`it is of version ${version}: kdbg reads 6 and 7`);
}
