/** Programs of this machine, in ranges. What a path leads to is looked at before it is opened, and again when it is. */
import { closeSync, constants, fstatSync, openSync, readSync, type Stats, statSync } from 'node:fs';
import { ELF_HEADER_LENGTH, ET_DYN, ET_EXEC } from '../../core/formats/elf.ts';
import type { FileFailure, ProgramRange, ProgramResult, ProgramSource } from '../../core/memory/backend.ts';
import type { CountBytes } from './files.ts';
import { failureOf, refusedProgram } from './paths.ts';

/** Of all ranges of one request. */
export const PROGRAM_BYTES_MAX = 128 * 1024 * 1024;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Magic number, class, byte order and e_type. */
const START_LENGTH = 18;

export function createLocalPrograms(count: CountBytes): ProgramSource {
  return {
    read(path, ranges) {
      const result = readProgramRanges(path, ranges);
      count(result.ok ? lengthOf(ranges) : 0);
      return result;
    },
  };
}

/** Why so much is not read at once; undefined when it is. */
export function refusedRanges(path: string, ranges: readonly ProgramRange[]): FileFailure | undefined {
  if (lengthOf(ranges) <= PROGRAM_BYTES_MAX) return undefined;
  return { path, reason: 'denied', detail: `more than ${PROGRAM_BYTES_MAX} bytes of it` };
}

function readProgramRanges(path: string, ranges: readonly ProgramRange[]): ProgramResult {
  const refused = refusedProgram(path) ?? refusedRanges(path, ranges);
  if (refused !== undefined) return { ok: false, failure: refused };
  const failed = (detail: string): ProgramResult => ({ ok: false, failure: { path, reason: 'denied', detail } });
  let fd: number | undefined;
  try {
    if (!mayBeProgram(statSync(path))) return failed('it is no program');
    fd = openSync(path, OPEN_FLAGS);
    const open = fd;
    if (!mayBeProgram(fstatSync(open)) || !isProgram(open)) return failed('it is no program');
    const bytes = ranges.map((range) => readRange(open, range));
    if (bytes.every((each) => each !== undefined)) return { ok: true, bytes };
    return { ok: false, failure: { path, reason: 'io', detail: 'the file ends' } };
  } catch (error) {
    return { ok: false, failure: failureOf(path, error) };
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Files of tracefs that reading empties have no size. */
function mayBeProgram(stats: Stats): boolean {
  return stats.isFile() && stats.size >= ELF_HEADER_LENGTH;
}

/** An ELF executable or shared object; dumps of processes are ELF files as well, and hold their memory. */
function isProgram(fd: number): boolean {
  const start = readRange(fd, { offset: 0, length: START_LENGTH });
  if (start === undefined || Buffer.from(start).readUInt32BE(0) !== 0x7f454c46) return false;
  return [ET_EXEC, ET_DYN].includes(Buffer.from(start).readUInt16LE(16));
}

/** Undefined where the file ends before the range does. */
function readRange(fd: number, { offset, length }: ProgramRange): Uint8Array | undefined {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const count = readSync(fd, bytes, done, length - done, offset + done);
    if (count === 0) return undefined;
    done += count;
  }
  return bytes;
}

function lengthOf(ranges: readonly ProgramRange[]): number {
  return ranges.reduce((sum, { length }) => sum + length, 0);
}
