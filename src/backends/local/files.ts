/**
 * The kernel's files on this machine. Pseudo-files have no size worth asking for (0 in /proc, a page in /sys), so each
 * is read until it ends, and never past its limit; never waiting either, for some files wait for what happens next.
 */
import { closeSync, constants, fstatSync, openSync, readdirSync, readlinkSync, readSync } from 'node:fs';
import type { FileFailure, FileResult, FileSource, ListResult } from '../../core/memory/backend.ts';
import { joinBytes } from '../../core/memory/bytes.ts';
import { readKernelLog } from './kernel-log.ts';
import { failureOf, KERNEL_LOG, resolveLinkPath, resolveTargetPath } from './paths.ts';

/** Read of a file at most, where the caller says nothing: kallsyms and BTF of the largest kernels are 20 MB. */
export const FILE_LENGTH_MAX = 64 * 1024 * 1024;
const FIRST_READ = 64 * 1024;
const NEXT_READ = 1024 * 1024;
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW | constants.O_NOCTTY;

/** Told of every answer: how many bytes came. */
export type CountBytes = (bytes: number) => void;

export function createLocalFiles(count: CountBytes): FileSource {
  const first = Buffer.alloc(FIRST_READ);
  const read = (path: string, limit = FILE_LENGTH_MAX): FileResult => {
    const resolved = resolveTargetPath(path);
    return 'reason' in resolved ? failed(resolved) : readFile(path, resolved.path, Math.max(0, limit), first);
  };
  return {
    read(path, limit) {
      const result = read(path, limit);
      count(lengthOf(result));
      return result;
    },
    readMany(paths, limit) {
      const results = paths.map((path) => read(path, limit));
      count(results.reduce((sum, result) => sum + lengthOf(result), 0));
      return results;
    },
    list(path) {
      const result = list(path);
      count(result.ok ? result.names.length : 0);
      return result;
    },
    link(path) {
      count(0);
      const resolved = resolveLinkPath(path);
      if (resolved === undefined) return undefined;
      try {
        return readlinkSync(resolved);
      } catch {
        // Not a link, not there, or not ours to read: the contract has one answer for all three.
        return undefined;
      }
    },
  };
}

function list(path: string): ListResult {
  const resolved = resolveTargetPath(path);
  if ('reason' in resolved) return failed(resolved);
  try {
    return { ok: true, names: readdirSync(resolved.path) };
  } catch (error) {
    return failed(failureOf(path, error));
  }
}

function readFile(path: string, resolved: string, limit: number, first: Buffer): FileResult {
  let fd: number | undefined;
  try {
    fd = openSync(resolved, OPEN_FLAGS);
    const open = fd;
    if (path === KERNEL_LOG) return readKernelLog((buffer) => readSync(open, buffer), limit);
    if (!fstatSync(open).isFile()) return failed({ path, reason: 'denied', detail: 'it is no plain file' });
    return readToEnd(open, limit, first);
  } catch (error) {
    return failed(failureOf(path, error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** Most files fit the first buffer and are copied out of it; long ones are read into pieces of their own. */
function readToEnd(fd: number, limit: number, first: Buffer): FileResult {
  const pieces: Buffer[] = [];
  let length = 0;
  let buffer = first;
  let used = 0;
  while (length <= limit) {
    // One byte more than the limit tells whether the file goes on.
    const count = readSome(fd, buffer, used, Math.min(buffer.length - used, limit + 1 - length));
    if (count === 0) break;
    used += count;
    length += count;
    if (used < buffer.length) continue;
    pieces.push(buffer === first ? Buffer.from(first) : buffer);
    buffer = Buffer.allocUnsafe(NEXT_READ);
    used = 0;
  }
  pieces.push(buffer.subarray(0, used));
  const bytes = joinBytes(pieces);
  const truncated = length > limit;
  return { ok: true, bytes: truncated ? bytes.subarray(0, limit) : bytes, truncated };
}

/** 0 at the end, and where a file that waits has nothing more for now. */
function readSome(fd: number, buffer: Buffer, offset: number, length: number): number {
  try {
    return length === 0 ? 0 : readSync(fd, buffer, offset, length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EAGAIN') return 0;
    throw error;
  }
}

function failed(failure: FileFailure): { readonly ok: false; readonly failure: FileFailure } {
  return { ok: false, failure };
}

function lengthOf(result: FileResult): number {
  return result.ok ? result.bytes.length : 0;
}
