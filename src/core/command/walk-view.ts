/** What a walk sees from where it stands: the task, the lock that it waits for with its queue, the locks that it owns. */
import { NotFoundError } from '../errors.ts';
import { contendedLocks, locksOf } from '../kernel/locks/contended.ts';
import type { Lock, Owner, Wait, Waiter } from '../kernel/locks/lock.ts';
import { lockKey } from '../kernel/locks/lock-key.ts';
import { readLock } from '../kernel/locks/read-lock.ts';
import { taskAt } from '../kernel/task.ts';
import { summaryOf, type TaskSummary } from '../kernel/task-summary.ts';
import type { Scope } from './scope.ts';
import type { WalkPlace } from './walk-cursor.ts';

export interface WalkView {
  readonly place: WalkPlace;
  /** Undefined on a lock. */
  readonly task: TaskSummary | undefined;
  /** What the task waits for; undefined on a lock, and of one that waits for nothing known. */
  readonly wait: Wait | undefined;
  /** The lock that the task waits for, or the one that the walk stands on. */
  readonly lock: Lock | undefined;
  /** Who has it, or does what is waited for. */
  readonly owners: readonly Owner[];
  /** Contended locks that the task owns, the longest wait first. */
  readonly holds: readonly Lock[];
}

/** Reads what is there now. Throws NotFoundError for a task that has ended, FaultError. */
export function walkView(scope: Scope, place: WalkPlace): WalkView {
  const { kernel } = scope;
  if (place.kind === 'lock') {
    const key = lockKey(place.lock);
    const contended = contendedLocks(kernel).find((each) => lockKey(each) === key);
    const lock = contended ?? readLock(kernel, place.lock.kind, place.lock.address);
    return { place, task: undefined, wait: undefined, lock, owners: lock.owners, holds: [] };
  }
  const task = summaryAt(scope, place.task);
  const { waits, lock, holds } = locksOf(kernel, place.task);
  const owners = lock !== undefined && lock.owners.length > 0 ? lock.owners : (waits?.owners ?? []);
  return { place, task, wait: waits, lock, owners, holds };
}

function summaryAt(scope: Scope, address: bigint): TaskSummary {
  const task = summaryOf(taskAt(scope.kernel, address));
  if (task.state === 'DE' && scope.kernel.liveness === 'live') {
    throw new NotFoundError('task', String(task.pid), [], 'any more: it has ended');
  }
  return task;
}

/** The place of the task in the queue that it waits in; -1 when it is not there. */
export function placeInQueue({ place, lock }: WalkView): number {
  if (place.kind === 'lock') return -1;
  return lock?.waiters.findIndex(({ task }) => task === place.task) ?? -1;
}

export function neighbour(view: WalkView, distance: number): Waiter | undefined {
  const at = placeInQueue(view);
  return at < 0 && view.place.kind === 'task' ? undefined : view.lock?.waiters[at + distance];
}
