/**
 * Files of commands or arguments, which a person wrote: read whole, bounded, and text. A device or a named pipe in such
 * a place could block for ever or never end, so only regular files are read unless a stream is expected.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { UsageError } from '../core/errors.ts';

const TEXT_FILE_MAX = 1024 * 1024;
const BLOCK = 64 * 1024;

/** `~/` is the user's home. */
export function expandHome(path: string): string {
  return path.startsWith('~/') ? homedir() + path.slice(1) : path;
}

/** The text of the file. `isStream` lets pipes be read as well. Throws UsageError, with the line of what is no text. */
export function readTextFile(path: string, options: { readonly isStream?: boolean } = {}): string {
  const bytes = readBytes(path, options.isStream === true);
  const nul = bytes.indexOf(0);
  if (nul >= 0) {
    const line = bytes.subarray(0, nul).filter((byte) => byte === 0x0a).length + 1;
    throw new UsageError(`${path}:${line}: not a text file (a byte of it is zero)`);
  }
  return bytes.toString('utf8').replace(/^\ufeff/, '');
}

function readBytes(path: string, isStream: boolean): Buffer {
  let file: number | undefined;
  try {
    file = openSync(expandHome(path), constants.O_RDONLY | (isStream ? 0 : constants.O_NONBLOCK));
    const status = fstatSync(file);
    if (status.isDirectory()) throw new UsageError(`cannot read ${path}: it is a directory`);
    if (!status.isFile() && !isStream) throw new UsageError(`cannot read ${path}: it is no regular file`);
    const blocks: Buffer[] = [];
    let length = 0;
    // The size of a file in /proc is 0, and a file may grow: what counts is what is read.
    for (;;) {
      const block = Buffer.alloc(BLOCK);
      const got = readSync(file, block, 0, BLOCK, null);
      if (got === 0) return Buffer.concat(blocks);
      blocks.push(block.subarray(0, got));
      length += got;
      if (length > TEXT_FILE_MAX) {
        throw new UsageError(`${path} is too large for a file of commands (${TEXT_FILE_MAX >> 20} MiB at most)`);
      }
    }
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`cannot read ${path}: ${reasonOf(error)}`);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Throws UsageError where the file could not be written. What it holds stays; one that is not there is made, empty. */
export function checkWritable(path: string): void {
  attempt(path, () => closeSync(openSync(expandHome(path), 'a', 0o600)));
}

/** Writes a text that need not fit into memory. Throws UsageError when it cannot; what `pieces` throws passes through. */
export function writeTextFile(path: string, pieces: Iterable<string>): void {
  const file = attempt(path, () => openSync(expandHome(path), 'w', 0o600));
  try {
    for (const piece of pieces) attempt(path, () => writeFileSync(file, piece));
  } finally {
    closeSync(file);
  }
}

function attempt<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EEXIST: 'it exists',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of the path is no directory',
  ELOOP: 'too many symbolic links',
  ENAMETOOLONG: 'the name is too long',
  ENOSPC: 'no space is left',
  EROFS: 'the file system is read-only',
  EIO: 'input/output error',
};

/** Why a system call failed, in words. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === undefined) return error instanceof Error ? error.message : String(error);
  return REASONS[code] ?? code;
}
