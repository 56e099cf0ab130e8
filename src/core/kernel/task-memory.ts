/**
 * How much memory a task has: the counters of its mm_struct, in pages.
 */
import { resolve } from '../types/type.ts';
import { cpus } from './cpu.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { perCpuAddress } from './percpu.ts';
import { defineStruct, long, pointer } from './struct.ts';
import { MmStruct, type Task } from './task-struct.ts';

/** MM_FILEPAGES, MM_ANONPAGES and MM_SHMEMPAGES; MM_SWAPENTS, the third, is not in memory. */
const RESIDENT_COUNTERS = [0, 1, 3] as const;
const PAGE_KIB = 4;

const PercpuCounter = defineStruct('percpu_counter', { count: long('count'), counters: pointer('counters') });

export interface TaskMemory {
  /** KiB of address space. */
  readonly vsz: number;
  /** KiB in memory. */
  readonly rss: number;
}

/** Zero for tasks without an mm of their own (kernel threads, zombies). Throws FaultError. */
export function taskMemory(kernel: Kernel, task: Task): TaskMemory {
  const { mm } = task;
  if (mm === 0n) return { vsz: 0, rss: 0 };
  const loaded = kernel.struct(MmStruct).at(mm);
  const pages = RESIDENT_COUNTERS.reduce<number>(
    (sum, counter) => sum + residentPages(kernel, loaded.rssStat, counter),
    0,
  );
  return { vsz: Number(loaded.totalVm) * PAGE_KIB, rss: Math.max(pages, 0) * PAGE_KIB };
}

/** Brings the mm_structs of many tasks in with one request. */
export function prefetchTaskMemory(kernel: Kernel, tasks: readonly Task[]): void {
  kernel.struct(MmStruct).prefetch([...new Set(tasks.map((task) => task.mm))].filter((mm) => mm !== 0n));
}

/**
 * One counter of mm->rss_stat: since f1a7941243c1 "mm: convert mm's rss stats into percpu_counter" (v6.2) a
 * percpu_counter, whose sum over the CPUs is exact; before, an atomic to which threads add what they gathered later.
 */
function residentPages(kernel: Kernel, rssStat: bigint, counter: number): number {
  const perCpu = percpuCounterSize(kernel);
  if (perCpu === undefined) return Number(kernel.memory.s64(rssStat + BigInt(counter * 8), 'mm_struct.rss_stat'));
  const { count, counters } = kernel.struct(PercpuCounter).at(rssStat + BigInt(counter * perCpu));
  if (counters === 0n) return Number(count);
  let sum = Number(count);
  for (const cpu of cpus(kernel, 'online')) {
    sum += kernel.memory.s32(perCpuAddress(kernel, counters, cpu), 'percpu_counter.counters');
  }
  return sum;
}

/** sizeof(struct percpu_counter) where rss_stat is made of them. */
function percpuCounterSize(kernel: Kernel): number | undefined {
  return kernel.memo('rss_stat element', 'session', () => {
    const member = findStructMember(kernel, 'mm_struct', 'rss_stat');
    const type = member === undefined ? undefined : resolve(member.type);
    const element = type?.kind === 'array' ? resolve(type.element) : undefined;
    return element?.kind === 'struct' && element.name === 'percpu_counter' ? element.size : undefined;
  });
}
