/** The kernel log of any target: from the ring in memory, from the log of older kernels, or from /dev/kmsg. */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { parseKmsg } from './kmsg.ts';
import type { LogRecord } from './log-record.ts';
import { readPrintkRing } from './printk.ts';
import { readPrintkLog } from './printk-log.ts';

const PATH = '/dev/kmsg';
const LENGTH_MAX = 256 * 1024 * 1024;

/** All records that are still there, oldest first. Throws UnsupportedError, FaultError, DataError. */
export function kernelLog(kernel: Kernel): readonly LogRecord[] {
  return kernel.memo('kernel log', 'command', () => {
    const records = kernel.hasMemory ? fromMemory(kernel) : undefined;
    if (records !== undefined) return records;
    const file = kernel.hasFiles ? kernel.files.read(PATH, LENGTH_MAX) : undefined;
    if (file?.ok === true) return parseKmsg(file.bytes);
    const why = file === undefined ? '' : `: ${PATH}: ${file.failure.detail}`;
    throw new UnsupportedError(`${kernel.backend.name} does not give the kernel log${why}`);
  });
}

function fromMemory(kernel: Kernel): readonly LogRecord[] | undefined {
  try {
    return readPrintkRing(kernel) ?? readPrintkLog(kernel);
  } catch (error) {
    // Neither symbols nor types: the file may still tell.
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}
