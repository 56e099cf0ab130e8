/** Binary files of the user's machine, such as a trace.dat: read whole, bounded, inflated where they are packed. */
import { closeSync, constants, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { DataError, UsageError } from '../core/errors.ts';
import { expandHome, reasonOf } from './text-file.ts';

const FILE_MAX = 1024 * 1024 * 1024;

/** The bytes of a regular file. Throws UsageError. */
export function readBinaryFile(path: string): Uint8Array {
  let file: number | undefined;
  try {
    file = openSync(expandHome(path), constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(file);
    if (!status.isFile()) throw new UsageError(`cannot read ${path}: it is no regular file`);
    if (status.size > FILE_MAX) throw new UsageError(`${path} is too large: ${FILE_MAX >> 20} MiB at most are read`);
    const bytes = new Uint8Array(status.size);
    let length = 0;
    while (length < bytes.length) {
      const got = readSync(file, bytes, length, bytes.length - length, null);
      if (got === 0) break;
      length += got;
    }
    return bytes.subarray(0, length);
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Writes a file whole; a new one only the user may read, for it holds what the kernel had. Throws UsageError. */
export function writeBinaryFile(path: string, bytes: Uint8Array): void {
  try {
    writeFileSync(expandHome(path), bytes, { mode: 0o600 });
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

/** A zlib stream (RFC 1950) of exactly this many bytes. Throws DataError. */
export function inflate(bytes: Uint8Array, length: number): Uint8Array {
  let raw: Uint8Array;
  try {
    raw = inflateSync(bytes, { maxOutputLength: Math.max(1, length) });
  } catch (error) {
    throw new DataError(`its zlib data cannot be inflated: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
  }
  if (raw.length !== length) throw new DataError(`its zlib data gives ${raw.length} bytes in the place of ${length}`);
  return raw;
}
