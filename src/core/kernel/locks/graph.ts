/**
 * Who waits for whom: an edge from each waiting task over the lock to each task that has it. A lock whose holders are not
 * known has no edges, so nothing is joined through it.
 */
import type { Kernel } from '../kernel.ts';
import { locksOfWaits } from './contended.ts';
import { type Lock, type LockTask, type Owner, type Sureness, type Wait, type Waiter, weaker } from './lock.ts';
import { lockKey } from './lock-key.ts';
import { type WaitScope, waits, waitsOf } from './wait.ts';

export { lockKey } from './lock-key.ts';

export interface WaitEdge {
  readonly wait: Wait;
  /** The lock between them; undefined where the wait itself names the task (a worker). */
  readonly lock: Lock | undefined;
  readonly owner: Owner;
  /** The weaker of the wait's and the owner's. */
  readonly sure: Sureness;
}

export interface WaitGraph {
  /** What each waiting task waits for, by the address of its task_struct. */
  readonly waits: ReadonlyMap<bigint, Wait>;
  /** The contended locks by `kind:address`. */
  readonly locks: ReadonlyMap<string, Lock>;
  /** From each waiting task; several where a lock has several known owners. */
  readonly edges: ReadonlyMap<bigint, readonly WaitEdge[]>;
  /** Every task that waits or owns. */
  readonly tasks: ReadonlyMap<bigint, LockTask>;
}

/** How often owners are followed to what they wait for: the length of a chain through tasks that are not in the scope. */
const ROUNDS = 32;

/** The graph of all waits of a scope, with those of owners that are out of it. Kept for the command. */
export function waitGraph(kernel: Kernel, scope: WaitScope = 'blocked'): WaitGraph {
  return kernel.memo(`wait graph ${scope}`, 'command', () => graphFrom(kernel, waits(kernel, scope)));
}

/** The graph from some waits on. */
export function graphFrom(kernel: Kernel, from: readonly Wait[]): WaitGraph {
  const found = new Map<bigint, Wait>();
  const locks = new Map<string, Lock>();
  let fresh: readonly Wait[] = from;
  for (let round = 0; round < ROUNDS && fresh.length > 0; round++) {
    for (const wait of fresh) found.set(wait.task, wait);
    const unread = fresh.filter((wait) => !locks.has(lockKey(wait) ?? ''));
    // The queue of a lock that was read before has the newly found waiters too.
    for (const lock of locksOfWaits(kernel, unread)) locks.set(lockKey(lock) ?? '', lock);
    const owners = new Set<bigint>();
    for (const lock of locks.values()) for (const { task } of lock.owners) owners.add(task);
    for (const wait of fresh) for (const { task } of wait.owners) owners.add(task);
    fresh = waitsOf(
      kernel,
      [...owners].filter((task) => !found.has(task)),
    );
  }
  return { waits: found, locks, edges: edgesOf(found, locks), tasks: tasksOf(found, locks) };
}

function edgesOf(
  found: ReadonlyMap<bigint, Wait>,
  locks: ReadonlyMap<string, Lock>,
): ReadonlyMap<bigint, readonly WaitEdge[]> {
  const edges = new Map<bigint, readonly WaitEdge[]>();
  for (const wait of found.values()) {
    const lock = locks.get(lockKey(wait) ?? '');
    const waiter = lock?.waiters.find(({ task }) => task === wait.task);
    if (lock !== undefined && wasLetIn(wait, lock, waiter)) continue;
    const sureOfWait = wait.moved || lock?.moved === true ? 'hint' : weaker(wait.sure, waiter?.sure ?? wait.sure);
    const owners = new Map([...(lock?.owners ?? []), ...wait.owners].map((owner) => [owner.task, owner]));
    const out = [...owners.values()].flatMap((owner): WaitEdge[] => {
      // The first reader of an rwsem may be the task itself, which waits to write: a deadlock. A handed-over lock is not.
      if (owner.task === wait.task && owner.role === 'next') return [];
      return [
        {
          wait,
          lock: lock?.owners.includes(owner) === true ? lock : undefined,
          owner,
          sure: weaker(sureOfWait, owner.sure),
        },
      ];
    });
    if (out.length > 0) edges.set(wait.task, out);
  }
  return edges;
}

/** True for a wait that is over: not on the lock's queue by now, about to leave it, or the owner of one that passes on. */
function wasLetIn(wait: Wait, lock: Lock, waiter: Waiter | undefined): boolean {
  if (waiter !== undefined && waiter.order < 0 && waiter.node !== undefined && waiter.sure === 'hint') return true;
  if (lock.leaving.some(({ task }) => task === wait.task)) return true;
  const owns = lock.owners.some(({ task, role }) => task === wait.task && (role === 'owner' || role === 'next'));
  return owns && (waiter === undefined || wait.moved || lock.moved);
}

function tasksOf(found: ReadonlyMap<bigint, Wait>, locks: ReadonlyMap<string, Lock>): ReadonlyMap<bigint, LockTask> {
  const all = new Map<bigint, LockTask>();
  const add = ({ task, pid, comm }: LockTask) => {
    if (!all.has(task)) all.set(task, { task, pid, comm });
  };
  for (const wait of found.values()) for (const one of [wait, ...wait.owners]) add(one);
  for (const lock of locks.values()) for (const one of [...lock.waiters, ...lock.owners]) add(one);
  return all;
}
