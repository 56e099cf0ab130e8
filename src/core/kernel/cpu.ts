/**
 * CPUs: which are possible (have per-CPU areas), present and online. From the kernel's masks in memory, or from
 * /sys/devices/system/cpu where there is none.
 */
import { UnsupportedError } from '../errors.ts';
import { decodeAscii } from '../memory/text.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { parseCpuList, selectCpus } from '../types/cpu-list.ts';
import { sizeOf } from '../types/type.ts';
import { bitsOf, readBitmap } from './bitmap.ts';
import type { Kernel } from './kernel.ts';

/** CONFIG_NR_CPUS goes to 8192 on x86-64. */
const CPUS_MAX = 8192;

export type CpuMask = 'possible' | 'present' | 'online';

/** The CPUs of a mask, in order. Throws UnsupportedError where neither memory nor /sys tells. */
export function cpus(kernel: Kernel, mask: CpuMask): readonly number[] {
  return kernel.memo(`cpus ${mask}`, mask === 'possible' ? 'session' : 'command', () => {
    const found = fromMemory(kernel, mask) ?? fromSys(kernel, mask);
    if (found !== undefined) return found;
    throw new UnsupportedError(`${kernel.backend.name} does not tell which CPUs are ${mask}`);
  });
}

/** The CPUs that a list names (`1,3-5`, `a`, `all`), of the possible ones. Throws UsageError, NotFoundError. */
export function namedCpus(kernel: Kernel, list: string, current: number): readonly number[] {
  return selectCpus(parseCpuList(list), cpus(kernel, 'possible'), current);
}

/** `struct cpumask __cpu_possible_mask` (`cpu_possible_bits` before 5aec01b834fd, v4.5). */
function fromMemory(kernel: Kernel, mask: CpuMask): readonly number[] | undefined {
  if (!kernel.hasMemory) return undefined;
  const address = kernel.addressOf(`__cpu_${mask}_mask`);
  if (address === undefined) return undefined;
  const count = Math.min(Math.max(cpuCount(kernel), 1), CPUS_MAX);
  return [...bitsOf(readBitmap(kernel, address, count, `__cpu_${mask}_mask`), count)];
}

/** nr_cpu_ids; a kernel built for a fixed number of CPUs has no such variable and masks of just that size. */
function cpuCount(kernel: Kernel): number {
  const at = kernel.addressOf('nr_cpu_ids');
  if (at !== undefined) return kernel.memory.u32(at, 'nr_cpu_ids');
  const type = kernel.types.find('struct', 'cpumask', VMLINUX);
  return type === undefined ? 1 : sizeOf(type) * 8;
}

function fromSys(kernel: Kernel, mask: CpuMask): readonly number[] | undefined {
  if (!kernel.hasFiles) return undefined;
  const result = kernel.files.read(`/sys/devices/system/cpu/${mask}`, 64 * 1024);
  if (!result.ok) return undefined;
  const list = decodeAscii(result.bytes).trim();
  // The file is the target's: only numbers and ranges of CPUs that can exist count.
  if (!/^\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*$/.test(list)) return undefined;
  const selection = parseCpuList(list);
  if (typeof selection === 'string') return undefined;
  return selection.flatMap(({ first, last }) => {
    const end = Math.min(last, CPUS_MAX - 1);
    return Array.from({ length: Math.max(end - first + 1, 0) }, (_, i) => first + i);
  });
}
