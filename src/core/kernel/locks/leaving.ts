/**
 * Waiters that own the lock. Who takes a mutex in its slow path is its owner first and leaves the queue after: for a moment,
 * or for as long as it loses its CPU in between, it is owner and waiter at once. One that waits for a lock of its own, which
 * is a deadlock, looks the same but for two things: it is on no run queue, and it does not run while it is looked at.
 */
import type { Kernel } from '../kernel.ts';
import { TASK_INTERRUPTIBLE, TASK_RTLOCK_WAIT, TASK_UNINTERRUPTIBLE } from '../task-state.ts';
import type { Lock } from './lock.ts';
import { nameTask } from './lock-reading.ts';
import { readTasksAgain, type TaskEntry, taskTable } from './task-table.ts';

const SLEEPING = TASK_INTERRUPTIBLE | TASK_UNINTERRUPTIBLE | TASK_RTLOCK_WAIT;

/**
 * Waiters that are certain owners of the lock too, as task_structs. The last reader of an rwsem is no more than a hint, and
 * may well wait to write.
 */
export function ownWaiters(lock: Lock): readonly bigint[] {
  const owners = lock.owners.filter(({ role, sure }) => sure === 'certain' && (role === 'owner' || role === 'next'));
  return owners.map(({ task }) => task).filter((owner) => lock.waiters.some(({ task }) => task === owner));
}

/** How often each of these tasks has been switched out, of those that sleep. Live tasks are read again. */
export function sleepCounts(kernel: Kernel, tasks: readonly bigint[]): ReadonlyMap<bigint, bigint> {
  const entries = kernel.liveness === 'live' ? readTasksAgain(kernel, tasks) : known(kernel, tasks);
  return new Map(entries.filter(sleeps).map(({ task, switches }) => [task, switches]));
}

/** The lock without those of its own waiters that are on their way out: handed the lock, or not asleep. */
export function withoutLeaving(lock: Lock, asleep: ReadonlyMap<bigint, bigint>): Lock {
  const handed = new Set(lock.owners.filter(({ role }) => role === 'next').map(({ task }) => task));
  const gone = new Set(ownWaiters(lock).filter((task) => handed.has(task) || !asleep.has(task)));
  if (gone.size === 0) return lock;
  const leaving = lock.waiters.filter(({ task }) => gone.has(task));
  const notes = leaving.map(
    (waiter) =>
      `${nameTask(waiter)} ${handed.has(waiter.task) ? 'was handed it' : 'has it'}, and is on its queue until it runs on`,
  );
  const waiters = lock.waiters.filter(({ task }) => !gone.has(task));
  return { ...lock, waiters, leaving, notes: [...lock.notes, ...notes] };
}

function known(kernel: Kernel, tasks: readonly bigint[]): readonly TaskEntry[] {
  const table = taskTable(kernel);
  return tasks.flatMap((task) => table.find(task) ?? []);
}

function sleeps({ state, onCpu, onRunQueue }: TaskEntry): boolean {
  return (state & SLEEPING) !== 0 && !onCpu && !onRunQueue;
}
