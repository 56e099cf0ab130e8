/**
 * Where a recording is written: a new file that only its owner can read, appended to in whole chunks.
 */
import { closeSync, constants, fchmodSync, fsyncSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { OpenError } from '../../core/errors.ts';

/** Throws the system's own errors. */
export interface Sink {
  append(parts: readonly Uint8Array[]): void;
  /** Drops what follows this length: the part of a chunk that was written before the disk was full. */
  truncate(length: number): void;
  /** Everything is on the disk when this returns. */
  sync(): void;
  close(): void;
}

/** Creates the file. Throws OpenError when it exists: a recording is never overwritten. */
export function createFileSink(path: string): Sink {
  let fd: number;
  try {
    fd = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND, 0o600);
    fchmodSync(fd, 0o600);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') {
      throw new OpenError(
        `cannot record to ${path}: it exists`,
        'a recording is never overwritten: choose another name',
      );
    }
    throw new OpenError(`cannot record to ${path}: ${code === 'ENOENT' ? 'no such directory' : message}`);
  }
  return {
    append(parts) {
      for (const part of parts) {
        for (let done = 0; done < part.length; ) done += writeSync(fd, part, done);
      }
    },
    truncate: (length) => ftruncateSync(fd, length),
    sync: () => fsyncSync(fd),
    close: () => closeSync(fd),
  };
}
