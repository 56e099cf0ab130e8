/**
 * struct percpu_rw_semaphore: readers count themselves on their own CPU, so that a reader costs nothing until a writer
 * comes. Since 7f26482a872c "locking/percpu-rwsem: Remove the embedded rwsem" (v5.7) `block` says that a writer has it or
 * is coming, `writer` is one that waits until the readers are gone, and whoever waits is on the wait queue `waiters`. Before,
 * it contains an rwsem (`rw_sem`) that both wait on, and `readers_block` is that flag. Nothing says who a writer that has
 * it is, but for that rwsem.
 */
import { formatAddress } from '../../memory/address.ts';
import { cpus } from '../cpu.ts';
import { findStructMember, memberOffset } from '../member.ts';
import { perCpuAddress } from '../percpu.ts';
import type { LockWord, Owner } from './lock.ts';
import { attempt, type LockReading, type LockScene, nameTask, type Queued } from './lock-reading.ts';
import { readRwsem } from './rwsem.ts';
import { readWaitQueue } from './wait-queue.ts';

const STRUCT = 'percpu_rw_semaphore';
/**
 * WQ_FLAG_CUSTOM, which percpu_rwsem_wait() sets for readers: 4, and 8 before "sched: remove wait bookmarks" (v6.7). No
 * entry of such a queue has the other of the two.
 */
export const WQ_FLAG_CUSTOM = 0xc;

/** Throws FaultError, NotFoundError. */
export function readPercpuRwsem(scene: LockScene, address: bigint): LockReading {
  const { kernel } = scene;
  const notes: string[] = [];
  const readers = readerSum(scene, address);
  const block = memberOffset(kernel, STRUCT, ['block', 'readers_block']);
  const blockAt = address + BigInt(block.offset);
  const blocked = kernel.memory.u32(blockAt, `${STRUCT}.block`);
  const blockWord = {
    member: 'block',
    address: blockAt,
    value: BigInt(blocked),
    meaning: blockMeaning(blocked, readers),
  };
  const readersWord = {
    member: 'read_count',
    address,
    value: BigInt(readers),
    meaning: `${readers} readers on all CPUs`,
  };
  const draining = drainingWriter(scene, address);
  const inner = findStructMember(kernel, STRUCT, 'rw_sem');
  const old = inner === undefined ? undefined : readRwsem(scene, address + BigInt(inner.offset));
  const words: LockWord[] = [blockWord, readersWord, ...(draining === undefined ? [] : [draining.word])];
  return {
    owners: ownersOf(old, readers),
    readers: Math.max(readers, 0),
    queue: [...(draining?.queued === undefined ? [] : [draining.queued]), ...queueOf(scene, address, old, notes)],
    words: [...words, ...(old?.words ?? [])],
    state:
      readers > 0
        ? `held by ${readers} reader${readers === 1 ? '' : 's'}`
        : blocked !== 0
          ? 'held for writing'
          : 'free',
    notes: [...notes, ...(old?.notes ?? [])],
  };
}

/** Only the embedded rwsem names one, and only once the readers are gone is it the owner of the whole. */
function ownersOf(old: LockReading | undefined, readers: number): readonly Owner[] {
  return old === undefined || readers > 0 ? [] : old.owners.filter((owner) => owner.mode === 'write');
}

function blockMeaning(blocked: number, readers: number): string {
  if (blocked === 0) return 'no writer';
  return readers > 0 ? 'a writer waits until the readers are gone' : 'a writer has it';
}

/** The sum of read_count over CPUs: a reader may come on one CPU and go on another, so only the sum says anything. */
function readerSum(scene: LockScene, address: bigint): number {
  const { kernel } = scene;
  const at = address + BigInt(memberOffset(kernel, STRUCT, 'read_count').offset);
  const pointer = kernel.memory.u64(at, `${STRUCT}.read_count`);
  const counts = cpus(kernel, 'possible').map((cpu) => perCpuAddress(kernel, pointer, cpu));
  kernel.memory.prefetch(counts.map((count) => ({ space: 'virtual', address: count, length: 4, what: 'read_count' })));
  return counts.reduce((sum, count) => (sum + kernel.memory.u32(count, `${STRUCT}.read_count`)) | 0, 0);
}

/** A writer that waits for readers to leave is not on the queue: `writer.task` names it, as a struct rcuwait. */
function drainingWriter(scene: LockScene, address: bigint): { word: LockWord; queued: Queued | undefined } | undefined {
  const { kernel, tasks } = scene;
  const member = findStructMember(kernel, STRUCT, 'writer.task');
  if (member === undefined) return undefined;
  const at = address + BigInt(member.offset);
  const pointer = attempt(() => kernel.memory.u64(at, `${STRUCT}.writer`));
  if (pointer === undefined) return undefined;
  const task = tasks.find(pointer);
  const meaning =
    task === undefined ? 'no writer waits for readers' : `${nameTask(task)} waits until the readers are gone`;
  const evidence = { by: 'list', text: `${STRUCT}.writer names it` } as const;
  return {
    word: { member: 'writer.task', address: at, value: pointer, meaning },
    queued: task && { node: at, task, mode: 'write', evidence },
  };
}

function queueOf(scene: LockScene, address: bigint, old: LockReading | undefined, notes: string[]): readonly Queued[] {
  const waiters = findStructMember(scene.kernel, STRUCT, 'waiters');
  if (waiters === undefined) return old?.queue ?? [];
  return readWaitQueue(scene, address + BigInt(waiters.offset), notes).map((entry) => ({
    ...entry,
    mode: (entry.flags & WQ_FLAG_CUSTOM) === 0 ? 'write' : 'read',
    evidence: { by: 'list', text: `wait_queue_entry at ${formatAddress(entry.node)} on its queue of waiters` },
  }));
}
