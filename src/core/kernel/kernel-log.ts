/** The kernel log of any target: from the ring in memory, from the log of older kernels, or from /dev/kmsg. */
import { DataError, FaultError, NotFoundError, UnsupportedError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { parseKmsg } from './kmsg.ts';
import type { LogRecord } from './log-record.ts';
import { readPrintkRing } from './printk.ts';
import { readPrintkLog } from './printk-log.ts';

const PATH = '/dev/kmsg';
const LENGTH_MAX = 256 * 1024 * 1024;

export interface KernelLog {
  /** Those that are still there, oldest first. */
  readonly records: readonly LogRecord[];
  /** Where they come from: `printk ring buffer`, `log_buf`, `/dev/kmsg`. */
  readonly source: string;
}

/** Throws UnsupportedError; FaultError or DataError when the log in memory cannot be read and no file has it. */
export function kernelLog(kernel: Kernel): KernelLog {
  return kernel.memo('kernel log', 'command', () => {
    const inMemory = kernel.hasMemory ? fromMemory(kernel) : undefined;
    if (inMemory !== undefined && !(inMemory instanceof Error)) return inMemory;
    const file = kernel.hasFiles ? kernel.files.read(PATH, LENGTH_MAX) : undefined;
    if (file?.ok === true) return { records: parseKmsg(file.bytes), source: PATH };
    if (inMemory !== undefined) throw inMemory;
    const why = file === undefined ? '' : `: ${PATH}: ${file.failure.detail}`;
    const help = kernel.backend.capabilities().find(({ name }) => name === 'log')?.help;
    throw new UnsupportedError(`${kernel.backend.name} does not give the kernel log${why}`, help);
  });
}

/** The log, or why it cannot be read; undefined where neither symbols nor types tell of one. */
function fromMemory(kernel: Kernel): KernelLog | FaultError | DataError | undefined {
  try {
    const ring = readPrintkRing(kernel);
    if (ring !== undefined) return { records: ring, source: 'printk ring buffer' };
    const buffer = readPrintkLog(kernel);
    return buffer && { records: buffer, source: 'log_buf' };
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return undefined;
    if (error instanceof FaultError || error instanceof DataError) return error;
    throw error;
  }
}
