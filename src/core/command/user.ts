/**
 * User memory of the context's task, for `-u`.
 */
import { UnsupportedError } from '../errors.ts';
import { readUser, readUserMany, type UserRange } from '../kernel/user-memory.ts';
import { USER_MEMORY } from '../memory/backend.ts';
import type { ValueMemory } from '../types/value-memory.ts';
import { contextTask } from './context.ts';
import type { Scope } from './scope.ts';

/** Reads through the page tables of the context's task. Throws UnsupportedError where it has no memory of its own. */
export function userMemory(scope: Scope): ValueMemory {
  const { kernel } = scope;
  const task = contextTask(scope);
  const { mm } = task;
  if (mm === 0n) {
    throw new UnsupportedError(
      `the context task ${task.pid} (${task.comm}) has no user memory: it is a kernel thread or has ended`,
      '"set PID" chooses another context',
    );
  }
  const range = (address: bigint, length: number, what: string): UserRange => ({
    mm,
    address,
    length,
    // The name by which recordings know what belongs to processes.
    what: what.startsWith(USER_MEMORY) ? what : `${USER_MEMORY}: ${what}`,
  });
  return {
    tryRead: (address, length, what) => readUser(kernel, range(address, length, what)),
    prefetch(ranges) {
      readUserMany(
        kernel,
        ranges.map(({ address, length, what }) => range(address, length, what ?? USER_MEMORY)),
      );
    },
  };
}
