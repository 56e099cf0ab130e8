/**
 * Tasks that a wait itself names, where its lock cannot: the worker that runs the work, the journal's thread that makes the
 * commit, the vfork child, the readers that hold up a grace period, the server of a FUSE file system.
 */
import { embeddedLocks } from './embedding.ts';
import type { FoundWait } from './found-wait.ts';
import { fuseServers } from './fuse-server.ts';
import { readMember } from './known-object.ts';
import type { Owner } from './lock.ts';
import { attempt, type LockScene, ownerOf } from './lock-reading.ts';
import { gracePeriodHolders } from './rcu.ts';
import type { WaitMeaning } from './wait-meaning.ts';
import { flushedWork } from './work.ts';

/** What a wait turns out to be for. */
export interface WaitTarget {
  readonly owners: readonly Owner[];
  /** What is waited for instead of the completion: the work, rcu_state. */
  readonly address?: bigint;
  readonly what?: string;
}

/** The functions that wait for the journal's own thread. */
const OF_JOURNAL = /jbd2/;
const OF_FUSE = /FUSE/;

export function waitTarget(
  scene: LockScene,
  found: FoundWait | undefined,
  meaning: WaitMeaning | undefined,
): WaitTarget {
  if (meaning?.kind === 'rcu') {
    const address = scene.kernel.addressOf('rcu_state');
    return { owners: gracePeriodHolders(scene), ...(address === undefined ? {} : { address }) };
  }
  if (found?.address === undefined) return { owners: [] };
  if (meaning?.kind === 'work' && found.kind === 'completion') {
    const flushed = flushedWork(scene, found.address);
    if (flushed === undefined) return { owners: [] };
    return { owners: [flushed.owner], address: flushed.work, what: `work ${flushed.function ?? 'item'} to end` };
  }
  if (found.kind === 'completion') return { owners: vforkChild(scene, found.address) };
  if (found.kind === 'wait_queue' && meaning !== undefined && OF_JOURNAL.test(meaning.what)) {
    return { owners: journalThread(scene, found.address) };
  }
  if (found.kind === 'wait_queue' && meaning !== undefined && OF_FUSE.test(meaning.what)) {
    return { owners: fuseServers(scene, found.address) };
  }
  return { owners: [] };
}

/** A vfork child (and, until 5.16, a kernel thread that is being stopped) has the completion in its task_struct. */
function vforkChild(scene: LockScene, completion: bigint): readonly Owner[] {
  const child = scene.tasks.all.find(({ vforkDone }) => vforkDone === completion);
  if (child === undefined) return [];
  const evidence = { by: 'owner', text: 'its task_struct.vfork_done is this completion' } as const;
  return [ownerOf(child, { mode: 'any', role: 'worker', sure: 'certain' }, evidence)];
}

/** The thread of the journal that has this wait queue. */
function journalThread(scene: LockScene, queue: bigint): readonly Owner[] {
  const { kernel, tasks } = scene;
  for (const { path, offset } of embeddedLocks(kernel, 'journal_s', 'wait_queue', 'jbd2')?.locks ?? []) {
    const journal = queue - BigInt(offset);
    const task = attempt(() => tasks.find(readMember(kernel, journal, 'journal_s', 'jbd2', 'j_task') ?? 0n));
    if (task === undefined) continue;
    const evidence = { by: 'owner', text: `j_task of the journal whose ${path} it waits on` } as const;
    return [ownerOf(task, { mode: 'any', role: 'worker', sure: 'likely' }, evidence)];
  }
  return [];
}
