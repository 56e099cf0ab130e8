/**
 * struct mutex. Its owner word is the task that has it, with three flags in the low bits, since 3ca0ff571b09
 * "locking/mutex: Rework mutex::owner" and 9d659ae14b54 (v4.10). On PREEMPT_RT a mutex is an rt_mutex (rt-mutex.ts). A
 * struct ww_mutex starts with its mutex (`base`).
 */
import { formatAddress } from '../../memory/address.ts';
import { memberOffset } from '../member.ts';
import type { Owner } from './lock.ts';
import { flagNames, type LockReading, type LockScene, nameTask, noTask, ownerOf } from './lock-reading.ts';
import { readWaitList, waitListLayout } from './wait-list.ts';

/** kernel/locking/mutex.h. PICKUP: the owner named has been chosen by the one before and has not run yet. */
export const MUTEX_FLAG_WAITERS = 1n;
const MUTEX_FLAG_HANDOFF = 2n;
const MUTEX_FLAG_PICKUP = 4n;
const MUTEX_FLAGS = 7n;
const FLAG_NAMES = [
  [MUTEX_FLAG_WAITERS, 'WAITERS'],
  [MUTEX_FLAG_HANDOFF, 'HANDOFF'],
  [MUTEX_FLAG_PICKUP, 'PICKUP'],
] as const;

/** A mutex that is not of PREEMPT_RT. Throws FaultError, NotFoundError. */
export function readMutex(scene: LockScene, address: bigint): LockReading {
  const { kernel, tasks } = scene;
  const notes: string[] = [];
  const at = address + BigInt(memberOffset(kernel, 'mutex', 'owner').offset);
  const value = kernel.memory.u64(at, 'mutex.owner');
  const pointer = value & ~MUTEX_FLAGS;
  const task = tasks.find(pointer);
  const isNext = (value & MUTEX_FLAG_PICKUP) !== 0n;
  const owners: Owner[] = [];
  if (task !== undefined) {
    const text = isNext ? 'mutex.owner, handed over and not picked up yet' : 'mutex.owner';
    owners.push(
      ownerOf(task, { mode: 'exclusive', role: isNext ? 'next' : 'owner', sure: 'certain' }, { by: 'owner', text }),
    );
  } else if (pointer !== 0n) {
    notes.push(noTask('mutex.owner', pointer));
  }
  const layout = waitListLayout(kernel, 'mutex');
  const queue = layout === undefined ? [] : readWaitList(scene, layout, address, notes);
  const named =
    task === undefined ? (pointer === 0n ? 'no owner' : `no task: ${formatAddress(pointer)}`) : nameTask(task);
  return {
    owners,
    readers: undefined,
    queue,
    words: [
      { member: 'owner', address: at, value, meaning: `${named}, ${flagNames(value & MUTEX_FLAGS, FLAG_NAMES)}` },
    ],
    state: pointer === 0n ? 'free' : isNext ? 'being handed over' : 'held',
    notes,
  };
}
