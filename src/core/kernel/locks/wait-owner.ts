/**
 * Tasks that a wait itself names, where its lock cannot: the journal's thread that makes the commit, the worker that runs
 * the work, the vfork child.
 */
import type { FoundWait } from './find-wait.ts';
import type { Owner } from './lock.ts';
import type { LockScene } from './lock-reading.ts';
import type { Sleeper } from './sleeper.ts';
import type { WaitMeaning } from './wait-meaning.ts';

export function waitOwners(
  _scene: LockScene,
  _sleeper: Sleeper,
  _found: FoundWait | undefined,
  _meaning: WaitMeaning | undefined,
): readonly Owner[] {
  return [];
}
