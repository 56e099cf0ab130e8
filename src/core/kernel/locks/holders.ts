/**
 * Who may have a lock that does not say who has it: readers of an rwsem, holders of a semaphore. A task that took it mostly
 * still has a pointer to it, or to the object that embeds it, on its stack. So may one that let go: these are hints.
 */
import type { Kernel } from '../kernel.ts';
import { describeLock } from './describe.ts';
import type { Lock, Owner } from './lock.ts';
import { ownerOf } from './lock-reading.ts';
import { sleepersOf, wordsEqual } from './sleeper.ts';
import { taskTable } from './task-table.ts';
import { isWaiting, type WaitScope } from './wait.ts';

/** Tasks of a scope whose stacks lead to the lock and that do not wait for it; reads their stacks. */
export function possibleHolders(kernel: Kernel, lock: Lock, scope: WaitScope = 'sleeping'): readonly Owner[] {
  const known = new Set([...lock.waiters, ...lock.owners].map(({ task }) => task));
  const chosen = taskTable(kernel).all.filter((entry) => isWaiting(entry, scope) && !known.has(entry.task));
  const { object } = describeLock(kernel, lock);
  const found: Owner[] = [];
  for (const sleeper of sleepersOf(kernel, chosen)) {
    const [direct] = wordsEqual(sleeper, lock.address);
    const [indirect] = object === undefined ? [] : wordsEqual(sleeper, object.address);
    const at = direct ?? indirect;
    if (at === undefined) continue;
    const frame = sleeper.stack.frames.find(({ end }) => end !== undefined && at < end);
    const place = frame?.symbol === undefined ? 'its stack' : `its stack, in the frame of ${frame.symbol.name},`;
    const text = `${place} has the address of ${direct === undefined ? `the ${object?.type} that embeds it` : 'the lock'}`;
    found.push(ownerOf(sleeper.entry, { mode: 'any', role: 'last', sure: 'hint' }, { by: 'stack', text }));
  }
  return found;
}
