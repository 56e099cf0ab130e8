/**
 * The tasks as locks see them, read in one go: which pointers lead to a task, what each task_struct says that it waits
 * for, how long it has been off the CPU. A pointer that is not here is never followed as a task: the owner word of a lock
 * may be stale, and the memory behind it something else by now.
 */
import { FaultError, KdbgError } from '../../errors.ts';
import { isKernelAddress } from '../../memory/address.ts';
import { resolve } from '../../types/type.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { threadSize } from '../stack.ts';
import { chars, defineStruct, int, type Loaded, long, optional, pointer } from '../struct.ts';
import { findTaskAt, tasks } from '../task.ts';
import { schedulerClock } from '../task-last-run.ts';
import type { LockTask } from './lock.ts';

const LockTaskStruct = defineStruct('task_struct', {
  pid: int('pid'),
  comm: chars('comm'),
  // Renamed by 2f064a59a11f "sched: Change task_struct::state" (v5.14).
  state: int('__state', 'state'),
  exitState: int('exit_state'),
  flags: int('flags'),
  onCpu: optional(int('on_cpu')),
  onRq: optional(int('on_rq')),
  // Since 152e11f6df29 "sched/fair: Implement delayed dequeue" (v6.12) a task that sleeps stays queued until it is picked.
  schedDelayed: optional(int('se.sched_delayed')),
  voluntarySwitches: optional(long('nvcsw')),
  involuntarySwitches: optional(long('nivcsw')),
  stack: pointer('stack'),
  mm: pointer('mm'),
  signal: pointer('signal'),
  vforkDone: optional(pointer('vfork_done')),
  // CONFIG_DETECT_HUNG_TASK_BLOCKER: the mutex (blocker_mutex) since 3cf67d61ff98 (v6.15), the lock of any kind with its
  // type in the two low bits since e711faaafbe5 "hung_task: replace blocker_mutex with encoded blocker" (v6.16).
  blocker: optional(pointer('blocker', 'blocker_mutex')),
  blockedOn: optional(pointer('blocked_on')),
  piBlockedOn: optional(pointer('pi_blocked_on')),
  lastArrival: optional(long('sched_info.last_arrival')),
  inIowait: optional(int('in_iowait')),
});

const BATCH = 2048;
const MS = 1_000_000n;

/** A task with what its task_struct says of waiting. */
export interface TaskEntry extends LockTask {
  /** `__state`. */
  readonly state: number;
  readonly exitState: number;
  readonly flags: number;
  readonly onCpu: boolean;
  /** On a run queue to run, whatever its state says: it runs, lost its CPU, or was woken. */
  readonly onRunQueue: boolean;
  /** How often it went off a CPU: while this stays the same, and it sleeps, it has not run. */
  readonly switches: bigint;
  /** Lowest address of its stack; 0 for a dead task that gave it back. */
  readonly stack: bigint;
  readonly waitedMs: number | undefined;
  readonly inIowait: boolean;
  readonly mm: bigint;
  readonly signal: bigint;
  /** The completion that its parent waits for, of a vfork child that has not run a program yet. */
  readonly vforkDone: bigint;
  /** Its pointers to what it waits for; 0 where they are unset or not kept. */
  readonly blocker: bigint;
  readonly blockedOn: bigint;
  readonly piBlockedOn: bigint;
}

export interface TaskTable {
  readonly all: readonly TaskEntry[];
  /** The task at an address; undefined when none that the kernel knows is there. */
  find(address: bigint): TaskEntry | undefined;
  /** True when an address is on the stack of the task. */
  onStackOf(task: TaskEntry, address: bigint): boolean;
}

/** All tasks. Kept for the command. Throws as tasks() does. */
export function taskTable(kernel: Kernel): TaskTable {
  return kernel.memo('lock task table', 'command', () => readTable(kernel));
}

function readTable(kernel: Kernel): TaskTable {
  const struct = kernel.struct(LockTaskStruct);
  const clock = clockOf(kernel);
  const size = BigInt(threadSize(kernel));
  const byAddress = new Map<bigint, TaskEntry>();
  const found = tasks(kernel);
  let unreadable = 0;
  for (let at = 0; at < found.length; at += BATCH) {
    const batch = found.slice(at, at + BATCH);
    struct.prefetch(batch.map((task) => task.address));
    for (const { address } of batch) {
      const entry = tryEntry(struct.at(address), clock);
      if (entry === undefined) unreadable++;
      else byAddress.set(address, entry);
    }
  }
  if (unreadable > 0) kernel.notice(`${unreadable} tasks cannot be read: locks that they wait for or hold are missing`);
  return {
    all: [...byAddress.values()],
    find(address) {
      const known = byAddress.get(address);
      if (known !== undefined || kernel.liveness === 'frozen' || !isKernelAddress(address)) return known;
      // Started since the table was read.
      const late = isTask(kernel, address) ? tryEntry(struct.at(address), clock) : undefined;
      if (late !== undefined) byAddress.set(address, late);
      return late;
    },
    onStackOf: (task, address) => task.stack !== 0n && address >= task.stack && address < task.stack + size,
  };
}

/** Tasks as they are now: live ones move while locks are read. One that cannot be read any more is left out. */
export function readTasksAgain(kernel: Kernel, tasks: readonly bigint[]): readonly TaskEntry[] {
  const struct = kernel.struct(LockTaskStruct);
  for (const task of tasks) {
    for (const range of struct.ranges(task)) kernel.memory.refresh(range.address, range.length);
  }
  struct.prefetch(tasks);
  const clock = clockOf(kernel);
  return tasks.flatMap((task) => tryEntry(struct.at(task), clock) ?? []);
}

/** What task->blocked_on points at: the waiter or the lock; undefined where the kernel has no such member. */
export function blockedOnTarget(kernel: Kernel): 'waiter' | 'mutex' | undefined {
  const member = findStructMember(kernel, 'task_struct', 'blocked_on');
  const type = member && resolve(member.type);
  if (type?.kind !== 'pointer') return undefined;
  // With CONFIG_DEBUG_MUTEXES the struct mutex_waiter, until 44e4e0297c3c "locking/mutex: Rework task_struct::blocked_on"
  // (v6.17) made it the struct mutex, on every kernel.
  const target = resolve(type.target);
  return target.kind === 'struct' && target.name === 'mutex_waiter' ? 'waiter' : 'mutex';
}

/** True when task->blocker is of the first form: always a mutex, without a type in its low bits. */
export function blockerIsMutex(kernel: Kernel): boolean {
  return findStructMember(kernel, 'task_struct', 'blocker') === undefined;
}

function isTask(kernel: Kernel, address: bigint): boolean {
  try {
    return findTaskAt(kernel, address) !== undefined;
  } catch (error) {
    if (error instanceof FaultError) return false;
    throw error;
  }
}

function tryEntry(task: Loaded<typeof LockTaskStruct.fields>, clock: bigint | undefined): TaskEntry | undefined {
  try {
    return {
      task: task.address,
      pid: task.pid,
      comm: task.comm,
      state: task.state,
      exitState: task.exitState,
      flags: task.flags,
      onCpu: (task.onCpu ?? 0) !== 0,
      switches: (task.voluntarySwitches ?? 0n) + (task.involuntarySwitches ?? 0n),
      onRunQueue: (task.onRq ?? 0) !== 0 && (task.schedDelayed ?? 0) === 0,
      stack: task.stack,
      waitedMs: waitedMs(task.lastArrival, clock),
      inIowait: (task.inIowait ?? 0) !== 0,
      mm: task.mm,
      signal: task.signal,
      vforkDone: task.vforkDone ?? 0n,
      blocker: task.blocker ?? 0n,
      blockedOn: task.blockedOn ?? 0n,
      piBlockedOn: task.piBlockedOn ?? 0n,
    };
  } catch (error) {
    if (error instanceof KdbgError && error.status !== 130) return undefined;
    throw error;
  }
}

/** From when it last came onto a CPU: what it did there before it slept is counted too, and is short. */
function waitedMs(arrival: bigint | undefined, clock: bigint | undefined): number | undefined {
  if (arrival === undefined || clock === undefined || arrival === 0n) return undefined;
  const last = BigInt.asUintN(64, arrival);
  return last >= clock ? 0 : Number((clock - last) / MS);
}

function clockOf(kernel: Kernel): bigint | undefined {
  try {
    return schedulerClock(kernel);
  } catch (error) {
    if (error instanceof KdbgError && error.status !== 130) return undefined;
    throw error;
  }
}
