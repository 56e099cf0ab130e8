/**
 * Wait queues: struct wait_queue_head with struct wait_queue_entry {flags, private, func, entry}. What an entry is, its
 * wake-up function says: for the default ones `private` is the task that sleeps; an epoll entry passes the wake-up on to
 * an eventpoll; waits for a bit or a folio share hashed queues, and the entry lies in a structure that says for which.
 */
import type { KdbgError } from '../../errors.ts';
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { walkListOf } from '../list.ts';
import { memberOffset } from '../member.ts';
import { defineStruct, embedded, int, pointer } from '../struct.ts';
import type { LockReading, LockScene, Queued } from './lock-reading.ts';
import { attempt } from './lock-reading.ts';
import { baseName } from './wait-function.ts';
import { WAITERS_MAX } from './wait-list.ts';

export const WaitQueueEntry = defineStruct('wait_queue_entry', {
  flags: int('flags'),
  private: pointer('private'),
  func: pointer('func'),
  entry: embedded('entry'),
});

/** What an entry is, by its function. `task`: private is the task that sleeps. */
export type EntryKind = 'task' | 'bit' | 'folio' | 'percpu_rwsem' | 'epoll' | 'poll' | 'other';

const KINDS: Readonly<Record<string, EntryKind>> = {
  default_wake_function: 'task',
  autoremove_wake_function: 'task',
  woken_wake_function: 'task',
  child_wait_callback: 'task',
  rq_qos_wake_function: 'task',
  wake_bit_function: 'bit',
  var_wake_function: 'bit',

  wake_page_function: 'folio',
  percpu_rwsem_wake_function: 'percpu_rwsem',
  ep_poll_callback: 'epoll',
  ep_autoremove_wake_function: 'task',
  pollwake: 'poll',
};
/** Kinds whose private pointer is the task. */
const OF_TASK: readonly EntryKind[] = ['task', 'bit', 'folio', 'percpu_rwsem'];

export interface QueueEntry extends Queued {
  readonly flags: number;
  readonly kind: EntryKind;
  /** The wake-up function's name. */
  readonly wakes: string | undefined;
}

/** What a wait_queue_entry's function says that it is; undefined when that is no function. */
export function entryKind(
  kernel: Kernel,
  func: bigint,
): { readonly kind: EntryKind; readonly name: string } | undefined {
  if (!kernel.symbols.isText(func)) return undefined;
  const found = kernel.symbols.nearest(func);
  if (found === undefined || found.offset !== 0) return undefined;
  const { name } = found.symbol;
  return { kind: KINDS[baseName(name) ?? name] ?? 'other', name };
}

/** The entries on the queue of a struct wait_queue_head, in order. What is wrong with it is told in `notes`. */
export function readWaitQueue(scene: LockScene, head: bigint, notes: string[]): readonly QueueEntry[] {
  const { kernel, tasks } = scene;
  const struct = kernel.struct(WaitQueueEntry);
  const list = head + BigInt(memberOffset(kernel, 'wait_queue_head', 'head').offset);
  const options = { limit: WAITERS_MAX, damaged: (error: KdbgError) => void notes.push(error.message) };
  const queue: QueueEntry[] = [];
  for (const node of walkListOf(kernel, list, 'wait_queue_entry', 'entry', options)) {
    const entry = attempt(() => {
      const { flags, private: pointer, func } = struct.at(node);
      return { flags, pointer, found: entryKind(kernel, func) };
    });
    if (entry === undefined) continue;
    const kind = entry.found?.kind ?? 'other';
    const task = OF_TASK.includes(kind) || kind === 'other' ? tasks.find(entry.pointer) : undefined;
    const wakes = entry.found?.name;
    const text = `wait_queue_entry at ${formatAddress(node)}, woken by ${wakes ?? 'an unknown function'}`;
    queue.push({ node, task, mode: 'any', flags: entry.flags, kind, wakes, evidence: { by: 'list', text } });
  }
  return queue;
}

/** A wait queue as a lock: nobody owns it. */
export function readWaitQueueHead(scene: LockScene, head: bigint): LockReading {
  const notes: string[] = [];
  const queue = readWaitQueue(scene, head, notes);
  const others = queue.filter(({ task }) => task === undefined);
  const kinds = [...new Set(others.map(({ kind, wakes }) => (kind === 'other' ? (wakes ?? 'unknown') : kind)))];
  if (others.length > 0) notes.push(`${others.length} of its entries are of no task: ${kinds.join(', ')}`);
  return {
    owners: [],
    readers: undefined,
    queue: queue.filter(({ task }) => task !== undefined),
    words: [],
    state: queue.length === 0 ? 'nobody waits' : 'waited on',
    notes,
  };
}

/** An eventpoll: those that sleep in epoll_wait() on it. Throws FaultError, NotFoundError. */
export function readEventpoll(scene: LockScene, eventpoll: bigint): LockReading {
  return readWaitQueueHead(scene, eventpoll + BigInt(memberOffset(scene.kernel, 'eventpoll', 'wq').offset));
}
