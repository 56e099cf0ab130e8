/**
 * /dev/kmsg: each read gives one record of the kernel log, "level,sequence,time,flags;text" and lines of " KEY=value".
 * Opened without waiting it gives all records there are and then EAGAIN. When the log moves on under the reader the
 * next read fails once with EPIPE and goes on with the oldest record left (Documentation/ABI/testing/dev-kmsg).
 */
import type { FileResult } from '../../core/memory/backend.ts';

/** Longer than any record: PRINTKRB_RECORD_MAX and its keys, 8 KiB, up to 7.x. */
const RECORD_MAX = 64 * 1024;
/** A log that overtakes the reader this often cannot be read whole. */
const OVERTAKEN_MAX = 1000;

/** All records as one file. `read` is one read of the device: it gives a length, or throws the system's error. */
export function readKernelLog(read: (buffer: Uint8Array) => number, limit: number): FileResult {
  const records: Uint8Array[] = [];
  const buffer = Buffer.alloc(RECORD_MAX);
  let length = 0;
  let overtaken = 0;
  let truncated = false;
  for (;;) {
    let count: number;
    try {
      count = read(buffer);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EAGAIN') break;
      if (code !== 'EPIPE' || ++overtaken > OVERTAKEN_MAX) throw error;
      continue;
    }
    if (count === 0) break;
    if (length + count > limit) {
      truncated = true;
      break;
    }
    records.push(Uint8Array.prototype.slice.call(buffer, 0, count));
    length += count;
  }
  return { ok: true, bytes: new Uint8Array(Buffer.concat(records)), truncated };
}
