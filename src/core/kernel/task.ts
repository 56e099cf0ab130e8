/**
 * All tasks: the idle task of each CPU, then every thread by PID. They are found through the PID numbers of the
 * initial namespace (an IDR of struct pid) and not along the task lists, because a table can be read in a few batches
 * where a list is one pointer after the other, and because a thread that is being taken off a list does not end the
 * walk.
 */
import { NotFoundError } from '../errors.ts';
import { formatAddress, parseHex } from '../memory/address.ts';
import { cpus } from './cpu.ts';
import { walkIdr } from './idr.ts';
import type { Kernel } from './kernel.ts';
import { perCpuSymbol } from './percpu.ts';
import { defineStruct, embedded, pointer } from './struct.ts';
import { type Task, TaskStruct } from './task-struct.ts';

const PidNamespace = defineStruct('pid_namespace', { idr: embedded('idr') });
// hlist heads by pid_type: PIDTYPE_PID is 0 in every kernel.
const PidStruct = defineStruct('pid', { firstTask: pointer('tasks[0].first') });
const Runqueue = defineStruct('rq', { idle: pointer('idle'), current: pointer('curr', 'donor') });

/** Structures asked for with one request. */
const BATCH = 512;

/** Every task, idle tasks first, then by PID. Throws FaultError, DataError when the PID table cannot be read at all. */
export function tasks(kernel: Kernel): readonly Task[] {
  return kernel.memo('tasks', 'command', () => [...idleTasks(kernel), ...threads(kernel)]);
}

/** The swapper of each CPU. */
export function idleTasks(kernel: Kernel): readonly Task[] {
  return kernel.memo('idle tasks', 'session', () => {
    const struct = kernel.struct(TaskStruct);
    const found = cpus(kernel, 'possible').map((cpu) => runqueue(kernel, cpu)?.idle ?? 0n);
    const known = found.filter((address) => address !== 0n);
    struct.prefetch(known);
    if (known.length > 0) return known.map((address) => struct.at(address));
    return [struct.at(kernel.symbol('init_task').address)];
  });
}

/** The task that each CPU runs: rq->curr. On a live target true of a moment that is over. */
export function currentTasks(kernel: Kernel): ReadonlyMap<number, bigint> {
  return kernel.memo('current tasks', 'command', () => {
    const online = cpus(kernel, 'online');
    return new Map(online.map((cpu) => [cpu, runqueue(kernel, cpu)?.current ?? 0n]));
  });
}

function runqueue(kernel: Kernel, cpu: number) {
  const address = perCpuSymbol(kernel, 'runqueues', cpu);
  return address === undefined ? undefined : kernel.struct(Runqueue).at(address);
}

/** Threads of all processes, kernel threads too, by PID. */
function threads(kernel: Kernel): readonly Task[] {
  const namespace = kernel.struct(PidNamespace).at(kernel.symbol('init_pid_ns').address);
  const pidStruct = kernel.struct(PidStruct);
  const struct = kernel.struct(TaskStruct);
  // A task is linked to its struct pid by pid_links[PIDTYPE_PID], since 2c4704756cab "pids: Move the pgrp and session
  // pid pointers from task_struct to signal_struct" (v4.19).
  const linkOffset = BigInt(struct.offset('pidLinks') as number);
  const pids = [...walkIdr(kernel, namespace.idr)].map((entry) => entry.pointer);
  const found: Task[] = [];
  for (let at = 0; at < pids.length; at += BATCH) {
    const batch = pids.slice(at, at + BATCH);
    pidStruct.prefetch(batch);
    const addresses = batch.map((pid) => pidStruct.at(pid).firstTask).filter((link) => link !== 0n);
    const starts = addresses.map((link) => link - linkOffset);
    struct.prefetch(starts);
    for (const start of starts) found.push(struct.at(start));
  }
  return found;
}

/** The task at an address, without checking that one is there. */
export function taskAt(kernel: Kernel, address: bigint): Task {
  return kernel.struct(TaskStruct).at(address);
}

/** PID to task; idle tasks all have PID 0 and the first of them is found. */
function byPid(kernel: Kernel): ReadonlyMap<number, Task> {
  return kernel.memo('tasks by pid', 'command', () => {
    const map = new Map<number, Task>();
    for (const task of tasks(kernel)) if (!map.has(task.pid)) map.set(task.pid, task);
    return map;
  });
}

function byAddress(kernel: Kernel): ReadonlyMap<bigint, Task> {
  return kernel.memo('tasks by address', 'command', () => new Map(tasks(kernel).map((task) => [task.address, task])));
}

export function findTaskByPid(kernel: Kernel, pid: number): Task | undefined {
  return byPid(kernel).get(pid);
}

/** The task that a pointer leads to, if it is in the task table: never follow a pointer to a freed one. */
export function findTaskAt(kernel: Kernel, address: bigint): Task | undefined {
  return byAddress(kernel).get(address);
}

/**
 * The task that a text names, by crash's rule: decimal digits are a PID first, hex digits an address, and a PID in hex
 * last. Undefined when it is none of them.
 */
export function findTask(kernel: Kernel, text: string): Task | undefined {
  const decimal = /^\d{1,9}$/.test(text) ? findTaskByPid(kernel, Number(text)) : undefined;
  if (decimal !== undefined) return decimal;
  const hex = parseHex(text);
  if (hex === undefined) return undefined;
  return findTaskAt(kernel, hex) ?? (hex < 1n << 31n ? findTaskByPid(kernel, Number(hex)) : undefined);
}

/** As findTask; throws NotFoundError. */
export function getTask(kernel: Kernel, text: string): Task {
  const task = findTask(kernel, text);
  if (task === undefined) throw new NotFoundError('task', text, nearPids(kernel, text));
  return task;
}

function nearPids(kernel: Kernel, text: string): readonly string[] {
  const named = tasks(kernel).filter((task) => task.comm.startsWith(text));
  return named.slice(0, 5).map((task) => `${task.pid} (${task.comm})`);
}

/** PID of the parent as /proc tells it: the thread group of real_parent; 0 for idle tasks. */
export function parentPid(kernel: Kernel, task: Task): number {
  if (task.pid === 0) return 0;
  return taskAt(kernel, task.realParent).tgid;
}

/** Threads of one process, its leader first. */
export function threadsOf(kernel: Kernel, tgid: number): readonly Task[] {
  const members = tasks(kernel).filter((task) => task.tgid === tgid && task.pid !== 0);
  return [...members].sort((a, b) => Number(b.pid === tgid) - Number(a.pid === tgid) || a.pid - b.pid);
}

/** A short name of a task for messages: `812 (bash)`. */
export function describeTask(task: Task): string {
  return `${task.pid} (${task.comm}) at ${formatAddress(task.address)}`;
}
