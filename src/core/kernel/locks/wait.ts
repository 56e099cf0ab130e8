/**
 * What tasks wait for, best evidence first: what the task_struct itself says (blocker, blocked_on, pi_blocked_on), the
 * waiter's structure on the task's own stack, the functions on it, and the words and registers that lead to a lock on
 * whose list the task is.
 */
import { isKernelAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { threadSize } from '../stack.ts';
import { TASK_NOLOAD, TASK_RTLOCK_WAIT, TASK_UNINTERRUPTIBLE } from '../task-state.ts';
import { PF_IDLE } from '../task-struct.ts';
import { findWait } from './find-wait.ts';
import type { FoundWait, WaitScene } from './found-wait.ts';
import type { Evidence, LockKind, Wait } from './lock.ts';
import { attempt } from './lock-reading.ts';
import { type Sleeper, sleepersOf, wordsEqual } from './sleeper.ts';
import { spinWaits } from './spin-wait.ts';
import { readTasksAgain, type TaskEntry, taskTable } from './task-table.ts';
import { sleepsIn } from './wait-function.ts';
import { type WaitMeaning, waitMeaning } from './wait-meaning.ts';
import { waitTarget } from './wait-owner.ts';

/**
 * Which tasks are looked at. `blocked`: uninterruptible ones, and those whose task_struct names a lock. `sleeping`: every
 * task that is not on a CPU, which reads all their stacks.
 */
export type WaitScope = 'blocked' | 'sleeping';

/** How often a live task whose wait is unclear is looked at. */
const ATTEMPTS = 2;
/** Sleepers whose structures are fetched together. */
const BATCH = 1024;

/**
 * What one task (the address of a task_struct) waits for; undefined when it runs, or sleeps for nothing that is known.
 * Throws as unwindTask does.
 */
export function waitOf(kernel: Kernel, task: bigint): Wait | undefined {
  return waitsOf(kernel, [task])[0];
}

/** As waitOf, of many tasks with few requests; those that wait for nothing known are left out. */
export function waitsOf(kernel: Kernel, tasks: readonly bigint[]): readonly Wait[] {
  const known = kernel.memo('waits by task', 'command', () => new Map<bigint, Wait | undefined>());
  const table = taskTable(kernel);
  const missing = [...new Set(tasks)].filter((task) => !known.has(task));
  const entries = missing.map((task) => table.find(task)).filter((entry) => entry !== undefined);
  for (const [task, wait] of search(kernel, entries)) known.set(task, wait);
  return tasks.flatMap((task) => known.get(task) ?? spinWaits(kernel).find((wait) => wait.task === task) ?? []);
}

/** What all tasks wait for, longest first; on a frozen target with what its CPUs spin for, at the end. */
export function waits(kernel: Kernel, scope: WaitScope = 'blocked'): readonly Wait[] {
  const chosen = taskTable(kernel).all.filter((entry) => isWaiting(entry, scope));
  const found = waitsOf(
    kernel,
    chosen.map(({ task }) => task),
  );
  return [...found, ...spinWaits(kernel)].sort((a, b) => (b.waitedMs ?? 0) - (a.waitedMs ?? 0) || a.pid - b.pid);
}

/** True for a task of the scope. */
export function isWaiting(entry: TaskEntry, scope: WaitScope): boolean {
  const { state, exitState, flags } = entry;
  if (exitState !== 0 || (flags & PF_IDLE) !== 0 || entry.pid === 0) return false;
  if (isKernelAddress(entry.blocker) || isKernelAddress(entry.blockedOn) || isKernelAddress(entry.piBlockedOn))
    return true;
  if (entry.onCpu) return false;
  if (scope === 'sleeping') return state !== 0;
  return ((state & TASK_UNINTERRUPTIBLE) !== 0 && (state & TASK_NOLOAD) === 0) || (state & TASK_RTLOCK_WAIT) !== 0;
}

/**
 * The tasks' waits as they are now, on a live target: nothing read of the tasks before is used again. Those that wait for
 * nothing known any more are left out.
 */
export function waitsAgain(kernel: Kernel, tasks: readonly bigint[]): readonly Wait[] {
  const table = taskTable(kernel);
  for (const entry of tasks.flatMap((task) => table.find(task) ?? [])) forgetStack(kernel, entry);
  const entries = readTasksAgain(kernel, tasks).filter((entry) => isWaiting(entry, 'sleeping'));
  return [...search(kernel, entries)].flatMap(([, wait]) => wait ?? []);
}

function* search(kernel: Kernel, entries: readonly TaskEntry[]): Generator<readonly [bigint, Wait | undefined], void> {
  let scene = newScene(kernel);
  for (let at = 0; at < entries.length; at += BATCH) {
    let pending = entries.slice(at, at + BATCH);
    for (let attempt = 1; pending.length > 0; attempt++) {
      const sleepers = [...sleepersOf(kernel, pending)];
      prefetchNeighbours(kernel, sleepers);
      const unclear: Sleeper[] = [];
      for (const sleeper of sleepers) {
        const wait = toWait(scene, sleeper);
        if (kernel.liveness === 'frozen' || !isUnclear(sleeper, wait)) yield [sleeper.entry.task, wait];
        else if (attempt < ATTEMPTS) unclear.push(sleeper);
        else yield [sleeper.entry.task, wait && { ...wait, moved: true }];
      }
      if (unclear.length === 0) break;
      // What was read of the lists is of another moment than what comes now.
      scene = newScene(kernel);
      for (const { entry } of unclear) forgetStack(kernel, entry);
      const again = readTasksAgain(
        kernel,
        unclear.map(({ entry }) => entry.task),
      );
      pending = again.filter((entry) => isWaiting(entry, 'sleeping'));
      const still = new Set(pending.map(({ task }) => task));
      for (const { entry } of unclear) if (!still.has(entry.task)) yield [entry.task, undefined];
    }
  }
}

function newScene(kernel: Kernel): WaitScene {
  const rings = { mutex: new Map(), rwsem: new Map(), semaphore: new Map() };
  return { kernel, tasks: taskTable(kernel), rings };
}

/** A live task that moved while it was looked at, or sits in a lock's function and on no queue: it may be let in just now. */
function isUnclear(sleeper: Sleeper, wait: Wait | undefined): boolean {
  if (sleeper.stack.moved) return true;
  return sleeper.waits !== undefined && wait?.address === undefined && !WITHOUT_OBJECT.includes(wait?.kind ?? 'mutex');
}

/** Kinds whose waits need not have an object that could be found. */
const WITHOUT_OBJECT: readonly LockKind[] = ['rcu', 'work', 'io'];

/** The pages of a task's stack: where its waiter is. */
function forgetStack(kernel: Kernel, entry: TaskEntry): void {
  if (entry.stack !== 0n) kernel.memory.refresh(entry.stack, threadSize(kernel));
}

/** Kinds that say little themselves: what they wait for is in the functions further out. */
const MEANT: readonly LockKind[] = ['completion', 'wait_queue', 'bit', 'folio'];

function toWait(scene: WaitScene, sleeper: Sleeper): Wait | undefined {
  const { entry, stack, waits: waiting } = sleeper;
  const found = findWait(scene, sleeper);
  const lowLevel = found?.kind ?? waiting?.kind;
  // Who waits for a mutex waits for its owner, wherever the function that wants it comes from.
  const meaning =
    lowLevel === undefined || MEANT.includes(lowLevel) ? waitMeaning(stack, waiting?.frame ?? 0) : undefined;
  if (found === undefined && waiting === undefined && meaning === undefined && !entry.inIowait) return undefined;
  const target = waitTarget(scene, found, meaning);
  // An RCU grace period or a flush is waited for by a completion that only the waiter knows.
  const kind = special(found, meaning) ?? found?.kind ?? waiting?.kind ?? 'io';
  const evidence: Evidence[] = [...(found?.evidence ?? [])];
  if (meaning !== undefined) evidence.push({ by: 'function', text: `it got there from ${meaning.within}` });
  else if (found === undefined && waiting !== undefined) {
    evidence.push({ by: 'function', text: `it waits in ${waiting.within}` });
  }
  return {
    task: entry.task,
    pid: entry.pid,
    comm: entry.comm,
    kind,
    address: kind === found?.kind ? found.address : target.address,
    mode: found?.mode ?? waiting?.mode ?? 'any',
    within: waiting?.within ?? meaning?.within ?? sleepsIn(stack),
    what: target.what ?? found?.what ?? meaning?.what,
    owners: target.owners,
    node: found?.node,
    waitedMs: entry.waitedMs,
    sure: found?.sure ?? (waiting === undefined && meaning === undefined ? 'hint' : 'likely'),
    evidence,
    moved: stack.moved,
  };
}

/** The kind that outer functions make of a wait for a completion, or of one whose object was not found. */
function special(found: FoundWait | undefined, meaning: WaitMeaning | undefined): LockKind | undefined {
  return found === undefined || found.kind === 'completion' ? meaning?.kind : undefined;
}

/**
 * Brings in what the waiters on the stacks are linked to, for all in two requests: next to each word that is the task's own
 * address are the links of the waiter that it may belong to, before it or after it.
 */
function prefetchNeighbours(kernel: Kernel, sleepers: readonly Sleeper[]): void {
  const near = new Set<bigint>();
  for (const sleeper of sleepers) {
    const { image } = sleeper.stack;
    for (const at of wordsEqual(sleeper, sleeper.entry.task)) {
      for (const distance of LINKS) {
        const link = attempt(() => kernel.memory.u64(at + distance, 'waiter'));
        if (link === undefined || !isKernelAddress(link) || (link & 7n) !== 0n) continue;
        if (image === undefined || link < image.stack.start || link >= image.stack.end) near.add(link);
      }
    }
    for (const pointer of [sleeper.entry.blocker & ~3n, sleeper.entry.blockedOn])
      if (isKernelAddress(pointer)) near.add(pointer);
  }
  prefetchAround(kernel, near);
  const next = new Set<bigint>();
  for (const link of near) {
    for (const distance of [0n, 8n]) {
      const further = attempt(() => kernel.memory.u64(link + distance, 'waiter'));
      if (further !== undefined && isKernelAddress(further) && (further & 7n) === 0n) next.add(further);
    }
  }
  prefetchAround(kernel, next);
}

/** From a waiter's task pointer to its links: list_head before it, swait's after it, wait_queue_entry's after func. */
const LINKS = [-16n, -8n, 8n, 16n, 24n];

function prefetchAround(kernel: Kernel, links: Iterable<bigint>): void {
  kernel.memory.prefetch(
    [...links].map((link) => ({ space: 'virtual', address: link - 32n, length: 96, what: 'wait list' }) as const),
  );
}
