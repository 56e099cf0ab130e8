/**
 * Futexes: a waiter queues a struct futex_q, on its stack, in the hash bucket of the futex's key; a bucket holds waiters
 * of many futexes. The key is {mm, address} of a private futex, {inode or mm, page} of a shared one. As a futex has no object
 * in the kernel, it goes by the address of its first futex_q here. Only PI futexes have an owner that the kernel knows; they
 * wait on an rt_mutex (rt-mutex.ts).
 */
import { KdbgError } from '../../errors.ts';
import { formatAddress, formatHex, isKernelAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { memberOffset } from '../member.ts';
import { walkPlist } from '../plist.ts';
import { defineStruct, embedded, int, pointer } from '../struct.ts';
import { attempt, type LockReading, type LockScene, type Queued } from './lock-reading.ts';
import { isLinked, WAITERS_MAX } from './wait-list.ts';

const FutexQueue = defineStruct('futex_q', {
  list: embedded('list'),
  task: pointer('task'),
  lock: pointer('lock_ptr'),
  /** The mm of a private futex. */
  ptr: pointer('key.both.ptr', 'key.private.mm'),
  word: pointer('key.both.word'),
  offset: int('key.both.offset'),
  piState: pointer('pi_state'),
});

/** What of `key.both.offset` says which kind of key it is (include/linux/futex.h). */
const FUT_OFF_INODE = 1;
const FUT_OFF_MMSHARED = 2;

export interface FutexKey {
  readonly ptr: bigint;
  readonly word: bigint;
  readonly offset: number;
}

/** True when this task's futex_q is there: linked to others or to its bucket, with a key that can be one. */
export function isFutexQueue(kernel: Kernel, address: bigint, task: bigint): boolean {
  return (
    attempt(() => {
      const queue = kernel.struct(FutexQueue).at(address);
      if (queue.task !== task || !isKernelAddress(queue.lock) || queue.offset < 0 || queue.offset > 0xfff) return false;
      return isLinked(kernel, queue.list + BigInt(memberOffset(kernel, 'plist_node', 'node_list').offset));
    }) ?? false
  );
}

/** Offset of futex_q.task. */
export function futexTaskOffset(kernel: Kernel): bigint | undefined {
  if (!kernel.hasStruct('futex_q')) return undefined;
  return BigInt(memberOffset(kernel, 'futex_q', 'task').offset);
}

/** The first futex_q of the same futex in its bucket: what the futex goes by. */
export function futexOf(scene: LockScene, queue: bigint): bigint {
  const notes: string[] = [];
  return sameKey(scene, queue, notes)[0]?.node ?? queue;
}

/** The key of a futex_q. Throws FaultError. */
export function futexKey(kernel: Kernel, address: bigint): FutexKey {
  const { ptr, word, offset } = kernel.struct(FutexQueue).at(address);
  return { ptr, word, offset };
}

/** The user address of a private futex; a shared one's page is of a file. */
export function futexText(key: FutexKey): string {
  if ((key.offset & FUT_OFF_INODE) !== 0) {
    return `shared futex in a file's page ${key.word} at +${formatHex(key.offset & 0xffc)}`;
  }
  const user = key.word + BigInt(key.offset & 0xffc);
  return `${(key.offset & FUT_OFF_MMSHARED) !== 0 ? 'shared ' : ''}futex at user address ${formatHex(user)}`;
}

/** A futex by the address of a futex_q that waits for it. Throws FaultError. */
export function readFutex(scene: LockScene, address: bigint): LockReading {
  const notes: string[] = [];
  const key = futexKey(scene.kernel, address);
  return {
    owners: [],
    readers: undefined,
    queue: sameKey(scene, address, notes),
    words: [],
    state: `waited on: ${futexText(key)}`,
    notes,
  };
}

/** The waiters in the same bucket with the same key, in the order in which they are woken. */
function sameKey(scene: LockScene, address: bigint, notes: string[]): readonly Queued[] {
  const { kernel, tasks } = scene;
  const struct = kernel.struct(FutexQueue);
  const { lock } = struct.at(address);
  const key = futexKey(kernel, address);
  const bucket = lock - BigInt(memberOffset(kernel, 'futex_hash_bucket', 'lock').offset);
  const chain = bucket + BigInt(memberOffset(kernel, 'futex_hash_bucket', 'chain').offset);
  const options = { limit: WAITERS_MAX, damaged: (error: KdbgError) => void notes.push(error.message) };
  const listAt = BigInt(memberOffset(kernel, 'futex_q', 'list').offset);
  const queue: Queued[] = [];
  try {
    for (const entry of walkPlist(kernel, chain, options)) {
      const node = entry.address - listAt;
      const other = attempt(() => futexKey(kernel, node));
      if (other?.ptr !== key.ptr || other.word !== key.word || other.offset !== key.offset) continue;
      const task = tasks.find(struct.at(node).task);
      if (task === undefined) notes.push(`the futex_q at ${formatAddress(node)} is of no task that exists`);
      const text = `futex_q at ${formatAddress(node)} in the hash bucket at ${formatAddress(bucket)}`;
      queue.push({ node, task, mode: 'any', evidence: { by: 'list', text } });
    }
  } catch (error) {
    if (!(error instanceof KdbgError) || error.status !== 1) throw error;
    notes.push(error.message);
  }
  return queue;
}
