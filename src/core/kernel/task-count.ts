/** How many tasks there are, without listing them. */
import { cpus } from './cpu.ts';
import type { Kernel } from './kernel.ts';
import { fileText } from './text-file.ts';

/**
 * All threads and the idle task of each possible CPU, as `ps` lists them. From `nr_threads`, which counts no idle tasks;
 * without memory the threads alone, from /proc/loadavg. Undefined where this target does not tell. Throws FaultError.
 */
export function taskCount(kernel: Kernel): number | undefined {
  const at = kernel.hasMemory ? kernel.addressOf('nr_threads') : undefined;
  if (at !== undefined) return kernel.memory.u32(at, 'nr_threads') + cpus(kernel, 'possible').length;
  const threads = /^\S+ \S+ \S+ \d+\/(\d{1,9}) /.exec(fileText(kernel, '/proc/loadavg') ?? '')?.[1];
  return threads === undefined ? undefined : Number(threads);
}
