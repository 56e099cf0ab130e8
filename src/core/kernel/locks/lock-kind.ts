/** Which kind of lock is at an address that a user gave. */
import type { Kernel } from '../kernel.ts';
import { describeLock } from './describe.ts';
import type { LockKind } from './lock.ts';
import { tryRead } from './read-lock.ts';
import { taskTable } from './task-table.ts';
import { waits } from './wait.ts';

/** Kinds that lie in objects, the likeliest first. */
const KINDS: readonly LockKind[] = ['mutex', 'rwsem', 'percpu_rwsem', 'semaphore', 'rt_mutex', 'completion'];

/**
 * The kind of the lock at an address: of a wait for it; else of the member that is there in an object or a global that is
 * recognised; else the one kind whose words make sense there: an owner that is a task, a queue whose waiters are of tasks.
 * Undefined when none or several do.
 */
export function guessLockKind(kernel: Kernel, address: bigint): LockKind | undefined {
  const waited = waits(kernel).find((wait) => wait.address === address);
  if (waited !== undefined) return waited.kind;
  const member = KINDS.find((kind) => describeLock(kernel, { kind, address }).object !== undefined);
  if (member !== undefined) return member;
  const scene = { kernel, tasks: taskTable(kernel) };
  const fitting = KINDS.filter((kind) => {
    const reading = tryRead(scene, { kind, address });
    if (reading instanceof Error || reading.notes.length > 0) return false;
    return reading.owners.length > 0 || reading.queue.some(({ task }) => task !== undefined);
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}
