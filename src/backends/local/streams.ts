/** Files of this machine that flow: read without blocking, by the engine's own thread. */
import { closeSync, constants, openSync, readSync } from 'node:fs';
import type { FileFailure, FileStream, StreamSource } from '../../core/memory/backend.ts';
import { failureOf, refusedStream } from './paths.ts';

/** Taken at once at most. */
const TAKEN_MAX = 1024 * 1024;
const PIECE = 64 * 1024;
/** How often a file is looked at that has nothing yet. */
const POLL_MS = 20;

export function createLocalStreams(count: (bytes: number) => void): StreamSource {
  return {
    open(path): FileStream | FileFailure {
      const refused = refusedStream(path);
      if (refused !== undefined) return refused;
      try {
        return new LocalStream(path, openSync(path, constants.O_RDONLY | constants.O_NONBLOCK), count);
      } catch (error) {
        return failureOf(path, error);
      }
    },
  };
}

/** A file that is read without blocking; its end is not told. */
export class LocalStream implements FileStream {
  readonly #path: string;
  readonly #count: (bytes: number) => void;
  #fd: number | undefined;
  #ended: string | undefined;
  #held: Buffer[] = [];
  /** Read into, then copied: a record of the log is much smaller. */
  readonly #piece = Buffer.allocUnsafe(PIECE);
  #length = 0;

  constructor(path: string, fd: number, count: (bytes: number) => void) {
    this.#path = path;
    this.#fd = fd;
    this.#count = count;
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  take(): Uint8Array {
    this.#fill();
    const bytes = Buffer.concat(this.#held);
    this.#held = [];
    this.#length = 0;
    this.#count(bytes.length);
    return bytes;
  }

  wait(milliseconds: number): boolean {
    const idle = new Int32Array(new SharedArrayBuffer(4));
    const until = performance.now() + milliseconds;
    for (;;) {
      this.#fill();
      if (this.#length > 0 || this.#ended !== undefined) return true;
      const left = until - performance.now();
      if (left <= 0) return false;
      Atomics.wait(idle, 0, 0, Math.min(left, POLL_MS));
    }
  }

  finish(): Uint8Array {
    const bytes = Buffer.concat(this.#held);
    this.close();
    return bytes;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
    this.#ended ??= 'it was closed';
  }

  #fill(): void {
    while (this.#fd !== undefined && this.#length < TAKEN_MAX) {
      try {
        const length = readSync(this.#fd, this.#piece, 0, PIECE, null);
        if (length === 0) return;
        this.#held.push(Buffer.from(this.#piece.subarray(0, length)));
        this.#length += length;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // The kernel log says EPIPE once where records were overwritten before they were read.
        if (code === 'EPIPE') continue;
        if (code !== 'EAGAIN') this.#ended = failureOf(this.#path, error).detail;
        return;
      }
    }
  }
}
