/**
 * What a task waits for whose lock is an rt_mutex: task->pi_blocked_on is its waiter, which names the lock. On PREEMPT_RT
 * the function further out says whether that is inside a mutex, an rwsem or a spinlock; below futex_lock_pi() it is a PI
 * futex.
 */
import { formatAddress, isKernelAddress } from '../../memory/address.ts';
import { findStructMember } from '../member.ts';
import type { FoundWait } from './found-wait.ts';
import type { Evidence } from './lock.ts';
import { attempt, type LockScene } from './lock-reading.ts';
import { rtMutexOffset } from './rt-mutex.ts';
import { candidates, type Sleeper, wordsEqual } from './sleeper.ts';
import { waiterEvidence } from './stack-waiter.ts';
import type { WaitFunction } from './wait-function.ts';

export function findRtWait(scene: LockScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const offset = waits.kind === 'pi_futex' ? 0 : rtMutexOffset(scene.kernel, waits.kind);
  if (offset === undefined) return undefined;
  const waiter = findWaiter(scene, sleeper);
  const named: Evidence[] = waits.within === '' ? [] : [{ by: 'function', text: `it waits in ${waits.within}` }];
  if (waiter === undefined) {
    return waits.kind === 'rwsem' && waits.mode === 'write' ? drainingWriter(scene, sleeper, waits) : undefined;
  }
  const address = waiter.lock - BigInt(offset);
  const { node, evidence } = waiter;
  return { kind: waits.kind, address, mode: waits.mode, node, sure: 'certain', evidence: [...evidence, ...named] };
}

interface RtWaiter {
  readonly node: bigint;
  readonly lock: bigint;
  readonly evidence: readonly Evidence[];
}

function findWaiter(scene: LockScene, sleeper: Sleeper): RtWaiter | undefined {
  const { kernel } = scene;
  const taskAt = findStructMember(kernel, 'rt_mutex_waiter', 'task');
  const lockAt = findStructMember(kernel, 'rt_mutex_waiter', 'lock');
  if (taskAt === undefined || lockAt === undefined) return undefined;
  const { entry } = sleeper;
  const read = (node: bigint) =>
    attempt(() => {
      const task = kernel.memory.u64(node + BigInt(taskAt.offset), 'rt_mutex_waiter.task');
      const lock = kernel.memory.u64(node + BigInt(lockAt.offset), 'rt_mutex_waiter.lock');
      return task === entry.task && isKernelAddress(lock) ? lock : undefined;
    });
  const named = isKernelAddress(entry.piBlockedOn) ? read(entry.piBlockedOn) : undefined;
  if (named !== undefined) {
    const text = `task->pi_blocked_on, an rt_mutex_waiter at ${formatAddress(entry.piBlockedOn)}`;
    return { node: entry.piBlockedOn, lock: named, evidence: [{ by: 'task', text }] };
  }
  for (const at of wordsEqual(sleeper, entry.task)) {
    const node = at - BigInt(taskAt.offset);
    const lock = node < sleeper.from ? undefined : read(node);
    if (lock !== undefined && isRtMutex(scene, lock)) {
      return { node, lock, evidence: [waiterEvidence(sleeper, 'rt_mutex_waiter', node)] };
    }
  }
  return undefined;
}

/** Its owner word names a task, or nobody. */
function isRtMutex(scene: LockScene, lock: bigint): boolean {
  const { kernel, tasks } = scene;
  const owner = findStructMember(kernel, kernel.hasStruct('rt_mutex_base') ? 'rt_mutex_base' : 'rt_mutex', 'owner');
  if (owner === undefined) return false;
  const value = attempt(() => kernel.memory.u64(lock + BigInt(owner.offset), 'rt_mutex.owner'));
  return value !== undefined && tasks.find(value & ~1n) !== undefined;
}

/** A writer of PREEMPT_RT's rwsem that has the rt_mutex and waits until the readers are gone: it is on no queue. */
function drainingWriter(scene: LockScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const { kernel } = scene;
  const owner = findStructMember(kernel, 'rw_semaphore', 'rwbase.rtmutex.owner');
  if (owner === undefined) return undefined;
  const found = candidates(sleeper, waits.frame + 2);
  const at = BigInt(owner.offset);
  kernel.memory.prefetch(
    found.map(({ value }) => ({ space: 'virtual', address: value + at, length: 8, what: 'rwsem' })),
  );
  const lock = found.find(({ value }) => {
    const word = attempt(() => kernel.memory.u64(value + at, 'rwbase_rt.rtmutex.owner'));
    return word !== undefined && (word & ~1n) === sleeper.entry.task;
  });
  if (lock === undefined) return undefined;
  const text = `${lock.text} points to it, and its rt_mutex is the task's: it waits for readers`;
  const evidence: Evidence[] = [
    { by: lock.by, text },
    { by: 'function', text: `it waits in ${waits.within}` },
  ];
  return { kind: 'rwsem', address: lock.value, mode: 'write', node: undefined, sure: 'certain', evidence };
}
