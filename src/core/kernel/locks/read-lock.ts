/** Reading locks of a known kind, with their owners and their queues. */
import { UnsupportedError } from '../../errors.ts';
import type { Kernel } from '../kernel.ts';
import { readCompletion } from './completion.ts';
import { readFutex } from './futex.ts';
import { readHashed } from './hashed-wait.ts';
import { ownWaiters, sleepCounts, withoutLeaving } from './leaving.ts';
import { type Lock, type LockKind, type LockReference, type Waiter, weaker } from './lock.ts';
import type { LockReading, LockScene } from './lock-reading.ts';
import { readMutex } from './mutex.ts';
import { readPercpuRwsem } from './percpu-rwsem.ts';
import { readRtMutex, rtMutexOffset } from './rt-mutex.ts';
import { readRwsem } from './rwsem.ts';
import { readSemaphore } from './semaphore.ts';
import { readSpinlock } from './spinlock.ts';
import { taskTable } from './task-table.ts';
import { readEventpoll, readWaitQueueHead } from './wait-queue.ts';

/** How often a lock that keeps changing is read again. */
const ATTEMPTS = 3;
/** No lock is larger; what is read of one may lie in two pages. */
const LOCK_LENGTH = 256;
const FRONT = 64;

/**
 * The lock at an address. On a live target it is read again after its queue; while the two differ it is read anew, a few
 * times, and then marked `moved`. Throws FaultError, NotFoundError (the kernel's types lack it), UnsupportedError for a
 * kind that has no object.
 */
export function readLock(kernel: Kernel, kind: LockKind, address: bigint): Lock {
  const [lock] = readLocks(kernel, [{ kind, address }]);
  if (lock instanceof Error) throw lock;
  if (lock === undefined) throw new Error('readLocks answers every lock');
  return lock;
}

/** As readLock, for many, with few requests; one that cannot be read is its error. */
export function readLocks(
  kernel: Kernel,
  locks: readonly { readonly kind: LockKind; readonly address: bigint }[],
): readonly (Lock | Error)[] {
  const scene: LockScene = { kernel, tasks: taskTable(kernel) };
  prefetch(kernel, locks);
  const found: Seen[] = locks.map((lock) => seen(scene, lock));
  if (kernel.liveness === 'live') {
    let pending = found;
    for (let attempts = 1; pending.length > 0; attempts++) {
      pending = lookAgain(scene, pending);
      if (attempts < ATTEMPTS) continue;
      for (const each of pending) each.lock = markMoved(each.lock);
      break;
    }
  }
  settleOwnWaiters(scene, found);
  return found.map(({ lock }) => lock);
}

/** A lock with what was read of it last. */
interface Seen {
  readonly of: LockReference;
  reading: LockReading | Error;
  lock: Lock | Error;
}

function seen(scene: LockScene, of: LockReference): Seen {
  const reading = tryRead(scene, of);
  return { of, reading, lock: toLock(of, reading) };
}

/** Reads locks and their queues again, and gives those that are not what they were; they are what they are now. */
function lookAgain(scene: LockScene, locks: readonly Seen[]): Seen[] {
  const { kernel } = scene;
  const ranges = locks.flatMap(({ of, reading }) => [of.address ?? 0n, ...frontOf(reading)]).map(rangeOf);
  for (const { address, length } of ranges) kernel.memory.refresh(address, length);
  kernel.memory.prefetch(ranges);
  return locks.filter((each) => {
    const before = stamp(each.reading);
    each.reading = tryRead(scene, each.of);
    each.lock = toLock(each.of, each.reading);
    return stamp(each.reading) !== before;
  });
}

/** The waiters that are looked at again: a lock passes on at the front of its queue. */
function frontOf(reading: LockReading | Error): readonly bigint[] {
  return reading instanceof Error ? [] : reading.queue.slice(0, FRONT).map(({ node }) => node);
}

/**
 * An owner among the waiters is on its way out of the queue, or waits for itself. On a live target it does the latter when
 * the lock is the same between two looks at the task, and the task has not run in between.
 */
function settleOwnWaiters(scene: LockScene, found: readonly Seen[]): void {
  const { kernel } = scene;
  const own = found.filter(({ lock }) => !(lock instanceof Error) && ownWaiters(lock).length > 0);
  if (own.length === 0) return;
  const tasks = own.flatMap(({ lock }) => ownWaiters(lock as Lock));
  const before = sleepCounts(kernel, tasks);
  const moved = kernel.liveness === 'frozen' ? [] : lookAgain(scene, own);
  const after = kernel.liveness === 'frozen' ? before : sleepCounts(kernel, tasks);
  const asleep = new Map([...before].filter(([task, switches]) => after.get(task) === switches));
  for (const each of own) {
    if (each.lock instanceof Error) continue;
    each.lock = withoutLeaving(each.lock, asleep);
    if (moved.includes(each)) each.lock = markMoved(each.lock);
  }
}

/** Reads a lock once; an error that a user may meet is an answer. */
export function tryRead(scene: LockScene, lock: LockReference): LockReading | Error {
  try {
    return read(scene, lock.kind, lock.address ?? 0n);
  } catch (error) {
    if (error instanceof Error && 'status' in error && error.status === 1) return error;
    throw error;
  }
}

function read(scene: LockScene, kind: LockKind, address: bigint): LockReading {
  if (kind === 'pi_futex' || rtMutexOffset(scene.kernel, kind) !== undefined) return readRtMutex(scene, kind, address);
  switch (kind) {
    case 'mutex':
    case 'ww_mutex':
      return readMutex(scene, address);
    case 'rwsem':
      return readRwsem(scene, address);
    case 'percpu_rwsem':
      return readPercpuRwsem(scene, address);
    case 'semaphore':
      return readSemaphore(scene, address);
    case 'completion':
      return readCompletion(scene, address);
    case 'wait_queue':
      return readWaitQueueHead(scene, address);
    case 'epoll':
      return readEventpoll(scene, address);
    case 'bit':
    case 'folio':
      return readHashed(scene, kind, address);
    case 'futex':
      return readFutex(scene, address);
    case 'spinlock':
      return readSpinlock(scene, address);
    default:
      throw new UnsupportedError(`a wait of kind ${kind} has no lock that could be read`);
  }
}

function toLock(lock: LockReference, reading: LockReading | Error): Lock | Error {
  if (reading instanceof Error) return reading;
  const waiters = reading.queue.flatMap((queued, order): Waiter[] => {
    const { task } = queued;
    if (task === undefined) return [];
    return [
      {
        task: task.task,
        pid: task.pid,
        comm: task.comm,
        mode: queued.mode,
        order,
        node: queued.node,
        waitedMs: task.waitedMs,
        sure: 'certain',
        evidence: [queued.evidence],
      },
    ];
  });
  const { owners, readers, words, state, notes } = reading;
  const { kind, address = 0n } = lock;
  return { kind, address, owners, readers, waiters, leaving: [], words, state, notes, moved: false };
}

/**
 * Of a lock that passes on all the time the owner was so at one moment. Its queue is of several: waiters that never stood
 * together, even those of another lock that the same tasks queue for.
 */
function markMoved(lock: Lock | Error): Lock | Error {
  if (lock instanceof Error) return lock;
  return {
    ...lock,
    owners: lock.owners.map((owner) => ({ ...owner, sure: weaker(owner.sure, 'likely') })),
    waiters: lock.waiters.map((waiter) => ({ ...waiter, sure: 'hint' })),
    moved: true,
    notes: [...lock.notes, 'it changed each time that it was read: what is shown is of more than one moment'],
  };
}

/** What has to be the same for two readings to be of one moment. */
function stamp(reading: LockReading | Error): string {
  if (reading instanceof Error) return reading.message;
  const words = reading.words.map(({ value }) => value.toString(16));
  const queue = reading.queue.map(({ node, task }) => `${node.toString(16)}=${task?.pid ?? ''}`);
  return `${words.join()} ${queue.join()}`;
}

function prefetch(kernel: Kernel, locks: readonly LockReference[]): void {
  kernel.memory.prefetch(locks.flatMap(({ address }) => (address === undefined ? [] : [rangeOf(address)])));
}

function rangeOf(address: bigint) {
  return { space: 'virtual', address, length: LOCK_LENGTH, what: 'lock' } as const;
}
