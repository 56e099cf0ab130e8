/**
 * rt_mutexes: locks with priority inheritance. The owner word is the task that has it, with HAS_WAITERS in bit 0; the
 * waiters are a red-black tree by priority, of struct rt_mutex_waiter on their stacks. They are struct rt_mutex until
 * 830e6acc8a1c "locking/rtmutex: Split out the inner parts of 'struct rtmutex'" (v5.15), then a struct rt_mutex_base in
 * it. PI futexes use them on every kernel; PREEMPT_RT builds mutexes, rwsems and spinlocks of them.
 */
import type { KdbgError } from '../../errors.ts';
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember, memberOffset } from '../member.ts';
import { walkRbtreeOf } from '../rbtree.ts';
import type { LockKind, LockMode, LockWord, Owner } from './lock.ts';
import { attempt, type LockReading, type LockScene, nameTask, noTask, ownerOf, type Queued } from './lock-reading.ts';
import { heldByReaders } from './rwsem.ts';
import { WAITERS_MAX } from './wait-list.ts';

const RT_MUTEX_HAS_WAITERS = 1n;

/** Where each kind has its rt_mutex: the path of the member, newest first. */
const INNER: Partial<Readonly<Record<LockKind, readonly [structure: string, ...paths: readonly string[]]>>> = {
  rt_mutex: ['rt_mutex', 'rtmutex'],
  mutex: ['mutex', 'rtmutex'],
  ww_mutex: ['ww_mutex', 'base.rtmutex'],
  rwsem: ['rw_semaphore', 'rwbase.rtmutex'],
  spinlock: ['spinlock', 'lock'],
};

/** Readers of a struct rwbase_rt: the count is biased until a writer is there (kernel/locking/rwbase_rt.c). */
const READER_BIAS = 0x8000_0000;
const WRITER_BIAS = 0x4000_0000;

/** The structure that has an rt_mutex's members on this kernel. */
function structure(kernel: Kernel): string {
  return kernel.hasStruct('rt_mutex_base') ? 'rt_mutex_base' : 'rt_mutex';
}

/** Offset of the rt_mutex_base in a lock of this kind; undefined where the kind is not built of one on this kernel. */
export function rtMutexOffset(kernel: Kernel, kind: LockKind): number | undefined {
  const [outer, ...paths] = INNER[kind] ?? [];
  if (outer === undefined) return undefined;
  for (const path of paths) {
    const member = findStructMember(kernel, outer, path);
    // A spinlock's `lock` is an rt_mutex on PREEMPT_RT only.
    if (member !== undefined && findStructMember(kernel, outer, `${path}.waiters`) !== undefined) return member.offset;
  }
  return kind === 'rt_mutex' || kind === 'pi_futex' ? 0 : undefined;
}

/** A lock that is an rt_mutex, or is built of one. Throws FaultError, NotFoundError. */
export function readRtMutex(scene: LockScene, kind: LockKind, address: bigint): LockReading {
  const { kernel } = scene;
  const base = address + BigInt(rtMutexOffset(kernel, kind) ?? 0);
  const read = readBase(scene, base, kind === 'rwsem' ? 'write' : 'exclusive');
  return kind === 'rwsem' ? withReaders(scene, address, read) : read;
}

function readBase(scene: LockScene, base: bigint, mode: LockMode): LockReading {
  const { kernel, tasks } = scene;
  const name = structure(kernel);
  const notes: string[] = [];
  const at = base + BigInt(memberOffset(kernel, name, 'owner').offset);
  const value = kernel.memory.u64(at, `${name}.owner`);
  const pointer = value & ~RT_MUTEX_HAS_WAITERS;
  const task = tasks.find(pointer);
  const owners: Owner[] = [];
  if (task !== undefined) {
    owners.push(ownerOf(task, { mode, role: 'owner', sure: 'certain' }, { by: 'owner', text: `${name}.owner` }));
  } else if (pointer !== 0n) {
    notes.push(noTask(`${name}.owner`, pointer));
  }
  const who = task === undefined ? (pointer === 0n ? 'no owner' : 'no task') : nameTask(task);
  const meaning = `${who}${(value & RT_MUTEX_HAS_WAITERS) === 0n ? '' : ', HAS_WAITERS'}`;
  return {
    owners,
    readers: undefined,
    // Nothing in the tree says whether one that waits for an rwsem wants to read or to write.
    queue: readTree(scene, base, name, mode === 'write' ? 'any' : mode, notes),
    words: [{ member: 'owner', address: at, value, meaning }],
    state: pointer === 0n ? 'free' : 'held',
    notes,
  };
}

/** Waiters by priority, the most urgent first; of equals in the order in which they came. */
function readTree(scene: LockScene, base: bigint, name: string, mode: LockMode, notes: string[]): readonly Queued[] {
  const { kernel } = scene;
  const root = base + BigInt(memberOffset(kernel, name, ['waiters.rb_root', 'waiters']).offset);
  const taskAt = BigInt(memberOffset(kernel, 'rt_mutex_waiter', 'task').offset);
  const options = { limit: WAITERS_MAX, damaged: (error: KdbgError) => void notes.push(error.message) };
  const queue: Queued[] = [];
  // Renamed by f7853c342418 "locking/rtmutex: Fix task->pi_waiters integrity" (v6.5), which gave each tree a key of its own.
  for (const node of walkRbtreeOf(kernel, root, 'rt_mutex_waiter', ['tree.entry', 'tree_entry', 'tree'], options)) {
    const pointer = attempt(() => kernel.memory.u64(node + taskAt, 'rt_mutex_waiter.task'));
    const task = pointer === undefined ? undefined : scene.tasks.find(pointer);
    if (task === undefined) notes.push(`the rt_mutex_waiter at ${formatAddress(node)} is of no task that exists`);
    const text = `rt_mutex_waiter at ${formatAddress(node)} in its tree of waiters`;
    queue.push({ node, task, mode, evidence: { by: 'list', text } });
  }
  return queue;
}

/** Adds what the reader count of a struct rwbase_rt says; a reader waits on the rt_mutex too, as if it were a writer. */
function withReaders(scene: LockScene, address: bigint, read: LockReading): LockReading {
  const { kernel } = scene;
  const member = findStructMember(kernel, 'rw_semaphore', 'rwbase.readers');
  if (member === undefined) return read;
  const at = address + BigInt(member.offset);
  const value = kernel.memory.u32(at, 'rwbase_rt.readers');
  const isWriter = value === WRITER_BIAS;
  const readers = isWriter ? 0 : value >= READER_BIAS ? value - READER_BIAS : value;
  const meaning = isWriter
    ? 'a writer has it'
    : `${heldByReaders(readers)}${value < READER_BIAS ? ', a writer comes' : ''}`;
  const word: LockWord = { member: 'rwbase.readers', address: at, value: BigInt(value), meaning };
  return {
    ...read,
    readers,
    // Who has the rt_mutex while readers are in is a writer that waits for them: it does not have the lock yet.
    owners: readers > 0 ? [] : read.owners,
    words: [word, ...read.words],
    state: isWriter ? 'held for writing' : heldByReaders(readers),
  };
}
