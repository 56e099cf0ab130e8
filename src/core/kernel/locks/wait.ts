/**
 * What tasks wait for, best evidence first: what the task_struct itself says (blocker, blocked_on, pi_blocked_on), the
 * waiter's structure on the task's own stack, the functions on it, and the words and registers that lead to a lock on
 * whose list the task is.
 */
import type { Kernel } from '../kernel.ts';
import type { Wait } from './lock.ts';

/**
 * Which tasks are looked at. `blocked`: uninterruptible ones, and those whose task_struct names a lock. `sleeping`: every
 * task that is not on a CPU, which reads all their stacks.
 */
export type WaitScope = 'blocked' | 'sleeping';

/**
 * What one task (the address of a task_struct) waits for; undefined when it runs, or sleeps for nothing that is known.
 * Throws as unwindTask does.
 */
export function waitOf(_kernel: Kernel, _task: bigint): Wait | undefined {
  return undefined;
}

/** As waitOf, of many tasks with few requests; those that wait for nothing known are left out. */
export function waitsOf(_kernel: Kernel, _tasks: readonly bigint[]): readonly Wait[] {
  return [];
}

/** What all tasks wait for, longest first. Kept for the command. */
export function waits(_kernel: Kernel, _scope: WaitScope = 'blocked'): readonly Wait[] {
  return [];
}
