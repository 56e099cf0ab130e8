/**
 * All tasks: the idle task of each CPU, then every thread by PID. They are found through the PID numbers of the
 * initial namespace (an IDR of struct pid) and not along the task lists, because a table can be read in a few batches
 * where a list is one pointer after the other, and because a thread that is being taken off a list does not end the
 * walk. Where that table is damaged the lists are followed instead.
 */
import { KdbgError, NotFoundError, UnsupportedError } from '../errors.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import { cpus } from './cpu.ts';
import { walkIdr } from './idr.ts';
import type { Kernel } from './kernel.ts';
import { chaseTask } from './pid-chase.ts';
import { isLinked, prefetchTask, seenTasks } from './pid-link.ts';
import { runqueues } from './runqueue.ts';
import { defineStruct, embedded, pointer } from './struct.ts';
import { tasksByLists } from './task-lists.ts';
import { type Task, TaskStruct } from './task-struct.ts';
import { loadXarray } from './xarray-lookup.ts';

const PidNamespace = defineStruct('pid_namespace', { idr: embedded('idr'), xarray: embedded('idr.idr_rt') });
// hlist heads by pid_type: PIDTYPE_PID is 0 in every kernel.
const PidStruct = defineStruct('pid', { firstTask: pointer('tasks[0].first') });

/** Structures asked for with one request. */
const BATCH = 4096;
/** PID_MAX_LIMIT. */
const PIDS_MAX = 4 * 1024 * 1024;

/** True when tasks can be read from memory: it is there, and so are the symbols and types to find them by. */
export function hasTasksInMemory(kernel: Kernel): boolean {
  if (!kernel.hasMemory) return false;
  return kernel.memo('has tasks in memory', 'session', () => {
    try {
      kernel.struct(TaskStruct);
      return kernel.addressOf('init_pid_ns') !== undefined;
    } catch (error) {
      if (error instanceof UnsupportedError || error instanceof NotFoundError) return false;
      throw error;
    }
  });
}

/** Every task, idle tasks first, then by PID. Nothing of a task is read but where it is. Throws FaultError. */
export function tasks(kernel: Kernel): readonly Task[] {
  return kernel.memo('tasks', 'command', () => [...idleTasks(kernel), ...threads(kernel)]);
}

/** The swapper of each CPU that is there. */
export function idleTasks(kernel: Kernel): readonly Task[] {
  return kernel.memo('idle tasks', 'session', () => {
    const struct = kernel.struct(TaskStruct);
    const queues = runqueues(kernel);
    const idle = cpus(kernel, 'present').map((cpu) => queues.get(cpu)?.idle ?? 0n);
    const known = idle.filter(isKernelAddress);
    // A kernel without SMP has no run queue per CPU.
    return (known.length > 0 ? known : [kernel.symbol('init_task').address]).map((address) => struct.at(address));
  });
}

/** Threads of all processes, kernel threads too, by PID. */
function threads(kernel: Kernel): readonly Task[] {
  const struct = kernel.struct(TaskStruct);
  let damage: KdbgError | undefined;
  const damaged = (error: KdbgError) => {
    damage ??= error;
  };
  const found = threadsByPid(kernel, damaged);
  if (damage === undefined) return found.map((address) => struct.at(address));
  const listed = tasksByLists(kernel);
  kernel.notice(`tasks may be missing: ${damage.message}`);
  const both = [...new Set([...found, ...listed])].map((address) => struct.at(address));
  return both.filter((task) => pidOf(task) !== undefined).sort((a, b) => (pidOf(a) ?? 0) - (pidOf(b) ?? 0));
}

/** Addresses of the tasks in the PID table, in order of PID. */
function threadsByPid(kernel: Kernel, damaged: (error: KdbgError) => void): readonly bigint[] {
  const namespace = kernel.struct(PidNamespace).at(kernel.symbol('init_pid_ns').address);
  const struct = kernel.struct(PidStruct);
  const entries = [...walkIdr(kernel, namespace.idr, { limit: PIDS_MAX, damaged })];
  const found: bigint[] = [];
  const seen = seenTasks(kernel);
  seen.clear();
  for (let at = 0; at < entries.length; at += BATCH) {
    const batch = entries.slice(at, at + BATCH);
    struct.prefetch(batch.map((entry) => entry.pointer));
    for (const { id, pointer: pid } of batch) {
      try {
        const task = taskOfPid(kernel, pid);
        if (task === undefined) continue;
        found.push(task);
        if (kernel.liveness === 'live') seen.set(Number(id), { task, pid });
      } catch (error) {
        if (!(error instanceof KdbgError) || error.endsCommand) throw error;
        damaged(error);
      }
    }
  }
  return found;
}

/**
 * The task whose PID a struct pid is; undefined for one that only names a process group or session by now. Tasks are
 * linked to it by pid_links[PIDTYPE_PID], since 2c4704756cab "pids: Move the pgrp and session pid pointers from
 * task_struct to signal_struct" (v4.19).
 */
function taskOfPid(kernel: Kernel, pid: bigint): bigint | undefined {
  const link = kernel.struct(PidStruct).at(pid).firstTask;
  if (link === 0n) return undefined;
  return link - BigInt(kernel.struct(TaskStruct).offset('pidLinks') as number);
}

function pidOf(task: Task): number | undefined {
  try {
    return task.pid;
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return undefined;
    throw error;
  }
}

/** The task at an address, without checking that one is there. */
export function taskAt(kernel: Kernel, address: bigint): Task {
  return kernel.struct(TaskStruct).at(address);
}

/** The thread with this PID (a TID): a look-up, not a walk. PID 0 is the idle task of the first CPU. */
export function findTaskByPid(kernel: Kernel, pid: number): Task | undefined {
  if (pid === 0) return idleTasks(kernel)[0];
  if (!Number.isInteger(pid) || pid < 0 || pid > PIDS_MAX) return undefined;
  const seen = seenTasks(kernel).get(pid);
  if (seen !== undefined) {
    prefetchTask(kernel, seen.task, seen.pid);
    if (isLinked(kernel, seen.task, pid)) return taskAt(kernel, seen.task);
  }
  const namespace = kernel.struct(PidNamespace).at(kernel.symbol('init_pid_ns').address);
  const guess = chaseTask(kernel, pid, {
    table: namespace.xarray,
    firstTask: kernel.struct(PidStruct).offset('firstTask') as number,
    link: kernel.struct(TaskStruct).offset('pidLinks') as number,
  });
  if (guess !== undefined) {
    prefetchTask(kernel, guess.task, guess.pid);
    if (isLinked(kernel, guess.task, pid)) {
      seenTasks(kernel).set(pid, guess);
      return taskAt(kernel, guess.task);
    }
  }
  const found = loadXarray(kernel, namespace.xarray, BigInt(pid));
  const address = isKernelAddress(found) ? taskOfPid(kernel, found) : undefined;
  if (address === undefined) return undefined;
  prefetchTask(kernel, address);
  const task = taskAt(kernel, address);
  if (pidOf(task) !== pid) return undefined;
  if (kernel.liveness === 'live') seenTasks(kernel).set(pid, { task: address, pid: found });
  return task;
}

/** The task that a pointer leads to, if it is one that the kernel knows: never follow a pointer to a freed one. */
export function findTaskAt(kernel: Kernel, address: bigint): Task | undefined {
  if (!isKernelAddress(address)) return undefined;
  prefetchTask(kernel, address);
  const task = taskAt(kernel, address);
  const pid = pidOf(task);
  if (pid === undefined || pid < 0) return undefined;
  if (pid === 0) return idleTasks(kernel).find((idle) => idle.address === address);
  if (isLinked(kernel, address, pid)) return task;
  return findTaskByPid(kernel, pid)?.address === address ? task : undefined;
}

/** PID of the parent as /proc tells it: the thread group of real_parent; 0 for idle tasks. Throws FaultError. */
export function parentPid(kernel: Kernel, task: Task): number {
  if (task.pid === 0) return 0;
  return taskAt(kernel, task.realParent).tgid;
}

/** Threads of one process, its leader first, the others by PID. */
export function threadsOf(kernel: Kernel, tgid: number): readonly Task[] {
  const members = tasks(kernel).filter((task) => task.tgid === tgid && task.pid !== 0);
  return [...members].sort((a, b) => Number(b.pid === tgid) - Number(a.pid === tgid) || a.pid - b.pid);
}

/** As findTaskByPid; throws NotFoundError. */
export function getTaskByPid(kernel: Kernel, pid: number): Task {
  const task = findTaskByPid(kernel, pid);
  if (task === undefined) throw new NotFoundError('task', String(pid));
  return task;
}

/** A short name of a task for messages: `812 (bash) at ffff888003a41b40`. */
export function describeTask(task: Task): string {
  return `${task.pid} (${task.comm}) at ${formatAddress(task.address)}`;
}
