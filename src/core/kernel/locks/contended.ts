/** The locks that somebody waits for: what waits name, read, each with the waiters that were found joined to its queue. */
import type { Kernel } from '../kernel.ts';
import type { Lock, LockKind, Wait, Waiter } from './lock.ts';
import { lockKey } from './lock-key.ts';
import { readLocks } from './read-lock.ts';
import { type WaitScope, waitOf, waits } from './wait.ts';

export interface ContendedOptions {
  readonly scope?: WaitScope;
  /** Only these kinds. */
  readonly kinds?: readonly LockKind[];
}

/** Kinds that have no object to be read. */
const WITHOUT_OBJECT: readonly LockKind[] = ['rcu', 'work', 'io'];

/**
 * Every contended lock with its owners and queue, the longest wait first. Waits without an object (io, an unknown lock)
 * are in `waits` and not here.
 */
export function contendedLocks(kernel: Kernel, options: ContendedOptions = {}): readonly Lock[] {
  const { scope = 'blocked', kinds } = options;
  const found = waits(kernel, scope).filter(({ kind }) => kinds === undefined || kinds.includes(kind));
  return locksOfWaits(kernel, found);
}

/** Locks that have to do with a task. */
export interface TaskLocks {
  readonly waits: Wait | undefined;
  /** The lock that it waits for; undefined when it has no object. */
  readonly lock: Lock | undefined;
  readonly holds: readonly Lock[];
}

/** What a task (the address of a task_struct) waits for, and which contended locks it owns. */
export function locksOf(kernel: Kernel, task: bigint): TaskLocks {
  const wait = waitOf(kernel, task);
  const all = contendedLocks(kernel);
  const key = wait && lockKey(wait);
  return {
    waits: wait,
    lock: all.find((lock) => lockKey(lock) === key) ?? (wait && locksOfWaits(kernel, [wait])[0]),
    holds: all.filter(({ owners }) => owners.some((owner) => owner.task === task)),
  };
}

/** The locks that waits are for, in the waits' order; one that cannot be read has its waiters and says why. */
export function locksOfWaits(kernel: Kernel, found: readonly Wait[]): readonly Lock[] {
  const groups = new Map<string, Wait[]>();
  for (const wait of found) {
    const key = WITHOUT_OBJECT.includes(wait.kind) ? undefined : lockKey(wait);
    if (key === undefined) continue;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [wait]);
    else group.push(wait);
  }
  const references = [...groups.values()].map(([wait]) => ({
    kind: wait?.kind ?? 'mutex',
    address: wait?.address ?? 0n,
  }));
  const locks = readLocks(kernel, references);
  return [...groups.values()].map((group, i) => {
    const lock = locks[i];
    const { kind, address } = references[i] as (typeof references)[number];
    return joined(kernel, lock instanceof Error || lock === undefined ? unread(kind, address, lock) : lock, group);
  });
}

function unread(kind: LockKind, address: bigint, error: Error | undefined): Lock {
  return {
    kind,
    address,
    owners: [],
    readers: undefined,
    waiters: [],
    leaving: [],
    words: [],
    state: 'unknown',
    notes: error === undefined ? [] : [error.message],
    moved: false,
  };
}

/**
 * The lock with what the waits know of its queue, and of who has to act where the lock itself does not say. A task that a
 * wait puts on the lock and that its queue does not have is looked at again on a live target; if it still waits for the lock
 * it comes last, as a hint.
 */
function joined(kernel: Kernel, lock: Lock, group: readonly Wait[]): Lock {
  const byTask = new Map(group.map((wait) => [wait.task, wait]));
  const onQueue = lock.waiters.map((waiter): Waiter => {
    const wait = byTask.get(waiter.task);
    byTask.delete(waiter.task);
    if (wait === undefined) return waiter;
    const mode = waiter.mode === 'any' ? wait.mode : waiter.mode;
    return { ...waiter, mode, evidence: [...wait.evidence, ...waiter.evidence] };
  });
  for (const { task } of lock.leaving) byTask.delete(task);
  const others = [...byTask.values()].flatMap((wait): Waiter[] => {
    const { task, pid, comm, mode, node, waitedMs, evidence } = wait;
    const known = lock.state === 'unknown' || node === undefined;
    // Let in since its stack was read.
    if (!known && kernel.liveness === 'live' && lock.owners.some((owner) => owner.task === task)) return [];
    return [{ task, pid, comm, mode, order: -1, node, waitedMs, sure: known ? wait.sure : 'hint', evidence }];
  });
  const gone = others.filter(({ sure }) => sure === 'hint').length;
  const notes =
    gone === 0 || kernel.liveness === 'frozen'
      ? lock.notes
      : [...lock.notes, `${gone} of those that waited for it are not on its queue any more`];
  const known = new Set(lock.owners.map(({ task }) => task));
  const owners = new Map(group.flatMap((wait) => wait.owners).map((owner) => [owner.task, owner]));
  const further = [...owners.values()].filter(({ task }) => !known.has(task));
  return { ...lock, owners: [...lock.owners, ...further], waiters: [...onQueue, ...others], notes };
}
