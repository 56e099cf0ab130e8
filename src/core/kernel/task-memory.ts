/** How much memory a task has: the counters of its mm_struct. */
import { Fault } from '../memory/fault.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { findMember } from '../types/member-path.ts';
import { resolve, sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { type Counter, counterOf, prefetchCounters } from './percpu-counter.ts';
import { MmStruct, type Task } from './task-struct.ts';

/** What counts as resident; MM_SWAPENTS does not. */
const RESIDENT = ['MM_FILEPAGES', 'MM_ANONPAGES', 'MM_SHMEMPAGES'] as const;
const PAGE_KIB = 4;

export interface TaskMemory {
  /** KiB of address space. */
  readonly vsz: number;
  /** KiB in memory; undefined where this kernel counts in a way that is not known here. */
  readonly rss: number | undefined;
}

/** Zero for tasks without an mm of their own (kernel threads, zombies). Throws FaultError. */
export function taskMemory(kernel: Kernel, task: Task): TaskMemory {
  const { mm } = task;
  return mm === 0n ? { vsz: 0, rss: 0 } : mmSize(kernel, mm);
}

/** The sizes of one mm_struct. Threads of a process share it, so it is read once for each command. */
export function mmSize(kernel: Kernel, mm: bigint): TaskMemory {
  const known = kernel.memo('mm sizes', 'command', () => new Map<bigint, TaskMemory>());
  const found = known.get(mm);
  if (found !== undefined) return found;
  const { rssStat, totalVm } = kernel.struct(MmStruct).at(mm);
  const counters = residentCounters(kernel);
  const pages = counters?.offsets.reduce((sum, offset) => sum + counters.counter.read(rssStat + offset), 0);
  const size = {
    vsz: Number(totalVm) * PAGE_KIB,
    rss: pages === undefined ? undefined : Math.max(pages, 0) * PAGE_KIB,
  };
  known.set(mm, size);
  return size;
}

/** Brings in what mmSize reads of many mm_structs, with two requests. */
export function prefetchMmSizes(kernel: Kernel, addresses: readonly bigint[]): void {
  const struct = kernel.struct(MmStruct);
  const mms = [...new Set(addresses)].filter((mm) => mm !== 0n);
  struct.prefetch(mms);
  const counters = residentCounters(kernel);
  const offset = struct.offset('rssStat');
  if (counters === undefined || offset === undefined) return;
  const places = mms.flatMap((mm) => counters.offsets.map((at) => mm + BigInt(offset) + at));
  const readable = places.filter(
    (place) => !(kernel.memory.tryRead(place, counters.size, 'mm_struct') instanceof Fault),
  );
  prefetchCounters(kernel, counters.counter, readable);
}

interface ResidentCounters {
  readonly counter: Counter;
  /** sizeof one. */
  readonly size: number;
  /** Within rss_stat. */
  readonly offsets: readonly bigint[];
}

/**
 * The counters within mm->rss_stat. Since f1a7941243c1 "mm: convert mm's rss stats into percpu_counter" (v6.2) an array
 * of percpu_counter; before, struct mm_rss_stat with an array of atomics, to which each thread adds later what it
 * gathered (the kernel's own figures leave that out as well).
 */
function residentCounters(kernel: Kernel): ResidentCounters | undefined {
  return kernel.memo('rss_stat counters', 'session', () => {
    const member = findStructMember(kernel, 'mm_struct', 'rss_stat');
    if (member === undefined) return undefined;
    const inner = findMember(member.type, 'count');
    const array = resolve(inner?.type ?? member.type);
    const counter = array.kind === 'array' ? counterOf(kernel, array.element) : undefined;
    if (array.kind !== 'array' || counter === undefined) return undefined;
    const size = sizeOf(array.element);
    const offsets: bigint[] = [];
    for (const name of RESIDENT) {
      const index = kernel.types.enumerator(name, VMLINUX)?.value;
      if (index === undefined || index < 0n || index >= BigInt(array.count)) continue;
      offsets.push(BigInt(inner?.offset ?? 0) + index * BigInt(size));
    }
    return offsets.length > 0 ? { counter, size, offsets } : undefined;
  });
}
