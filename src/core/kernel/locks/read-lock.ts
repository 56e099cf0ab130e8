/** Reading locks of a known kind, with their owners and their queues. */
import { FaultError, UnsupportedError } from '../../errors.ts';
import { Fault } from '../../memory/fault.ts';
import type { Kernel } from '../kernel.ts';
import { readCompletion } from './completion.ts';
import { readFutex } from './futex.ts';
import { readHashed } from './hashed-wait.ts';
import type { Lock, LockKind, LockReference, Waiter } from './lock.ts';
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
  const found: (Lock | Error)[] = locks.map(() => new FaultError(new Fault(rangeOf(0n), 'io')));
  let pending = locks.map((_lock, i) => i);
  for (let attempts = 1; pending.length > 0; attempts++) {
    const readings = pending.map((i) => tryRead(scene, locks[i] as LockReference));
    for (const [at, i] of pending.entries()) found[i] = toLock(locks[i] as LockReference, readings[at]);
    if (kernel.liveness === 'frozen') break;
    const again = pending.map((i) => locks[i] as { kind: LockKind; address: bigint });
    for (const { address } of again) kernel.memory.refresh(address, LOCK_LENGTH);
    prefetch(kernel, again);
    const moved = pending.filter((i, at) => {
      const before = readings[at] as LockReading | Error;
      const now = tryRead(scene, locks[i] as LockReference);
      return stamp(before) !== stamp(now);
    });
    if (attempts === ATTEMPTS) {
      for (const i of moved) found[i] = markMoved(found[i] as Lock | Error);
      break;
    }
    for (const [at, i] of pending.entries()) if (moved.includes(i)) forgetQueue(kernel, readings[at]);
    pending = moved;
  }
  return found;
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

function toLock(lock: LockReference, reading: LockReading | Error | undefined): Lock | Error {
  if (reading === undefined || reading instanceof Error) return reading ?? new Error('no reading');
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
  return { kind: lock.kind, address: lock.address ?? 0n, owners, readers, waiters, words, state, notes, moved: false };
}

function markMoved(lock: Lock | Error): Lock | Error {
  if (lock instanceof Error) return lock;
  return {
    ...lock,
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

function forgetQueue(kernel: Kernel, reading: LockReading | Error | undefined): void {
  if (reading === undefined || reading instanceof Error) return;
  for (const { node } of reading.queue) kernel.memory.refresh(node, LOCK_LENGTH);
}

function prefetch(kernel: Kernel, locks: readonly LockReference[]): void {
  kernel.memory.prefetch(locks.flatMap(({ address }) => (address === undefined ? [] : [rangeOf(address)])));
}

function rangeOf(address: bigint) {
  return { space: 'virtual', address, length: LOCK_LENGTH, what: 'lock' } as const;
}
