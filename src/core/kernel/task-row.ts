/**
 * What `ps` shows of a task, from memory or, where there is none, from /proc: one shape for both. From memory the rows
 * come in batches, each batch in a few requests, because a machine may have more tasks than the page cache has pages.
 */
import { KdbgError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { memorySize } from './memory-size.ts';
import { currentTasks } from './runqueue.ts';
import { hasTasksInMemory, taskAt, tasks } from './task.ts';
import { mmSize, prefetchMmSizes } from './task-memory.ts';
import { procTaskRows } from './task-procfs.ts';
import { type TaskState, taskState } from './task-state.ts';
import { isKernelThread, type Task, TaskStruct } from './task-struct.ts';

export interface TaskRow {
  /** The task in memory; undefined for a row from /proc. */
  readonly task: Task | undefined;
  /** The thread's own PID. */
  readonly pid: number;
  /** PID of the thread group: the process. */
  readonly tgid: number;
  /** PID of the parent process. */
  readonly ppid: number;
  /** The CPU that it runs on or last ran on. */
  readonly cpu: number;
  readonly state: TaskState;
  /** It is on a CPU now. */
  readonly active: boolean;
  readonly kernelThread: boolean;
  /** KiB of address space and in memory, and the latter as percent of all memory; undefined where not known. */
  readonly vsz: number | undefined;
  readonly rss: number | undefined;
  readonly mem: number | undefined;
  readonly comm: string;
  /** Nanoseconds of CPU time, and since boot when it was started. */
  readonly times: TaskTimes;
}

export interface TaskTimes {
  readonly user: bigint;
  readonly system: bigint;
  readonly start: bigint;
}

const BATCH = 1024;

/** A row for each task, idle tasks first, then by PID. One that cannot be read is told of in a notice. */
export function* taskRows(kernel: Kernel): Generator<TaskRow, void> {
  if (hasTasksInMemory(kernel)) yield* rowsOf(kernel, tasks(kernel));
  else yield* procTaskRows(kernel);
}

/** Rows of some tasks in memory. */
export function* rowsOf(kernel: Kernel, chosen: readonly Task[]): Generator<TaskRow, void> {
  const active = new Set(currentTasks(kernel).values());
  const total = memorySize(kernel)?.managed;
  const parents = new Map<bigint, number>();
  for (let at = 0; at < chosen.length; at += BATCH) {
    const batch = chosen.slice(at, at + BATCH);
    prefetchRows(kernel, batch);
    for (const task of batch) {
      const row = readRow(kernel, task, { active, total, parents });
      if (row !== undefined) yield row;
    }
  }
}

/** Tasks first; then their parents and mm_structs, whose addresses they hold. */
function prefetchRows(kernel: Kernel, batch: readonly Task[]): void {
  const struct = kernel.struct(TaskStruct);
  struct.prefetch(batch.map((task) => task.address));
  const readable = batch.filter((task) => attempt(() => task.mm) !== undefined);
  const parents = new Set(readable.map((task) => attempt(() => task.realParent) ?? 0n));
  kernel.memory.prefetch(
    [...parents].map((parent) => ({
      space: 'virtual' as const,
      address: parent + BigInt(struct.offset('tgid') as number),
      length: 4,
      what: 'task_struct.tgid',
    })),
  );
  prefetchMmSizes(
    kernel,
    readable.map((task) => task.mm),
  );
}

interface Shared {
  readonly active: ReadonlySet<bigint>;
  readonly total: bigint | undefined;
  /** tgid by address: many tasks have one parent. */
  readonly parents: Map<bigint, number>;
}

function readRow(kernel: Kernel, task: Task, shared: Shared): TaskRow | undefined {
  try {
    const { pid, mm } = task;
    // It ended since the PID table was read.
    if (kernel.liveness === 'live' && pid !== 0 && task.threadPid === 0n) return undefined;
    const size = mm === 0n ? { vsz: 0, rss: 0 } : attempt(() => mmSize(kernel, mm));
    const rss = size?.rss;
    const mem = rss === undefined || shared.total === undefined ? undefined : (rss * 1024 * 100) / Number(shared.total);
    return {
      task,
      pid,
      tgid: task.tgid,
      ppid: pid === 0 ? 0 : parentOf(kernel, task, shared.parents),
      cpu: task.cpu ?? 0,
      state: taskState(task),
      active: shared.active.has(task.address),
      kernelThread: isKernelThread(task),
      vsz: size?.vsz,
      rss,
      mem,
      comm: task.comm,
      times: { user: task.utime, system: task.stime, start: task.startTime },
    };
  } catch (error) {
    if (!(error instanceof KdbgError) || error.endsCommand) throw error;
    kernel.notice(`a task is left out: ${error.message}`);
    return undefined;
  }
}

function parentOf(kernel: Kernel, task: Task, known: Map<bigint, number>): number {
  const parent = task.realParent;
  const found = known.get(parent);
  if (found !== undefined) return found;
  const tgid = taskAt(kernel, parent).tgid;
  known.set(parent, tgid);
  return tgid;
}

/** Undefined for what cannot be read: one bad pointer spoils one value. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return undefined;
    throw error;
  }
}
