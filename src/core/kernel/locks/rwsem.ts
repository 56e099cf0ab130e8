/**
 * struct rw_semaphore. Since 64489e78004c "locking/rwsem: Implement a new locking scheme" (v5.3) the count says whether a
 * writer has it, who waits, and how many readers have it. The owner word is certain for a writer. For readers it is the
 * last one that took it, who may have let go long ago; the kernel keeps no list of them. With DEBUG_RWSEMS, or with
 * DETECT_HUNG_TASK_BLOCKER since 77da18de55ac "hung_task: extend hung task blocker tracking to rwsems" (v6.17), a reader
 * clears it when it lets go while it is named, so that one that is named still has it.
 */
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember, memberOffset } from '../member.ts';
import type { Owner } from './lock.ts';
import { flagNames, type LockReading, type LockScene, nameTask, noTask, ownerOf } from './lock-reading.ts';
import { readWaitList, waitListLayout } from './wait-list.ts';

const RWSEM_WRITER_LOCKED = 1n;
export const RWSEM_FLAG_WAITERS = 2n;
const RWSEM_FLAG_HANDOFF = 4n;
const RWSEM_FLAG_READFAIL = 1n << 63n;
const RWSEM_READER_SHIFT = 8n;
const READERS_MASK = (1n << 55n) - 1n;
const COUNT_NAMES = [
  [RWSEM_WRITER_LOCKED, 'WRITER_LOCKED'],
  [RWSEM_FLAG_WAITERS, 'WAITERS'],
  [RWSEM_FLAG_HANDOFF, 'HANDOFF'],
  [RWSEM_FLAG_READFAIL, 'READFAIL'],
] as const;

const RWSEM_READER_OWNED = 1n;
/** Up to three flags: 5.3 to 5.10 have one NONSPINNABLE for readers and one for writers. */
const OWNER_FLAGS = 7n;
const OWNER_NAMES = [
  [RWSEM_READER_OWNED, 'READER_OWNED'],
  [6n, 'NONSPINNABLE'],
] as const;

/** An rwsem that is not of PREEMPT_RT. Throws FaultError, NotFoundError. */
export function readRwsem(scene: LockScene, address: bigint): LockReading {
  const { kernel, tasks } = scene;
  const notes: string[] = [];
  const countAt = address + BigInt(memberOffset(kernel, 'rw_semaphore', 'count').offset);
  const ownerAt = address + BigInt(memberOffset(kernel, 'rw_semaphore', 'owner').offset);
  const count = kernel.memory.u64(countAt, 'rw_semaphore.count');
  const owner = kernel.memory.u64(ownerAt, 'rw_semaphore.owner');
  const pointer = owner & ~OWNER_FLAGS;
  const task = tasks.find(pointer);
  const isWriter = (count & RWSEM_WRITER_LOCKED) !== 0n;
  const readers = Number((count >> RWSEM_READER_SHIFT) & READERS_MASK);
  const owners: Owner[] = [];
  if (task !== undefined && isWriter && (owner & RWSEM_READER_OWNED) === 0n) {
    const evidence = { by: 'owner', text: 'rw_semaphore.owner, and its count says that a writer has it' } as const;
    owners.push(ownerOf(task, { mode: 'write', role: 'owner', sure: 'certain' }, evidence));
  } else if (task !== undefined && !isWriter && readers > 0 && (owner & RWSEM_READER_OWNED) !== 0n) {
    owners.push(lastReader(scene, task, readers));
  } else if (pointer !== 0n && task === undefined && (isWriter || readers > 0)) {
    notes.push(noTask('rw_semaphore.owner', pointer));
  }
  if (isWriter && owners.length === 0)
    notes.push('its count says that a writer has it, its owner word does not say who');
  const layout = waitListLayout(kernel, 'rwsem');
  const queue = layout === undefined ? [] : readWaitList(scene, layout, address, notes);
  return {
    owners,
    readers: isWriter ? 0 : readers,
    queue,
    words: [
      { member: 'count', address: countAt, value: count, meaning: countMeaning(count, readers) },
      { member: 'owner', address: ownerAt, value: owner, meaning: ownerMeaning(owner, task && nameTask(task)) },
    ],
    state: isWriter ? 'held for writing' : heldByReaders(readers),
    notes,
  };
}

export function heldByReaders(readers: number): string {
  if (readers === 0) return 'free';
  return readers === 1 ? 'held by 1 reader' : `held by ${readers} readers`;
}

function lastReader(scene: LockScene, task: Parameters<typeof ownerOf>[0], readers: number): Owner {
  const cleared = clearsReader(scene.kernel);
  const text = cleared
    ? 'rw_semaphore.owner: a reader that is named clears it when it lets go'
    : `rw_semaphore.owner: the last reader that took it, which may have let go; ${readers} hold it`;
  return ownerOf(task, { mode: 'read', role: 'last', sure: cleared ? 'likely' : 'hint' }, { by: 'owner', text });
}

/** True when a reader that lets go takes itself out of the owner word. */
function clearsReader(kernel: Kernel): boolean {
  if (findStructMember(kernel, 'rw_semaphore', 'magic') !== undefined) return true;
  // The same series made the owner's helpers global functions.
  const tracks = findStructMember(kernel, 'task_struct', 'blocker') !== undefined;
  return tracks && kernel.addressOf('is_rwsem_reader_owned') !== undefined;
}

function countMeaning(count: bigint, readers: number): string {
  const held = (count & RWSEM_WRITER_LOCKED) !== 0n ? 'a writer' : readers === 1 ? '1 reader' : `${readers} readers`;
  const flags = flagNames(count & (RWSEM_FLAG_WAITERS | RWSEM_FLAG_HANDOFF | RWSEM_FLAG_READFAIL), COUNT_NAMES);
  return `${held}, ${flags}`;
}

function ownerMeaning(owner: bigint, named: string | undefined): string {
  const pointer = owner & ~OWNER_FLAGS;
  const who = named ?? (pointer === 0n ? 'nobody' : `no task: ${formatAddress(pointer)}`);
  return `${who}, ${flagNames(owner & OWNER_FLAGS, OWNER_NAMES)}`;
}
