/**
 * struct semaphore: a count of how many may still take it. It has no owner. With DETECT_HUNG_TASK_BLOCKER, `last_holder`
 * is who took it last, since 194a9b9e843b "hung_task: show the blocker task if the task is hung on semaphore" (v6.16); it
 * is cleared by who lets go, if that is the same task.
 */
import { findStructMember, memberOffset } from '../member.ts';
import type { Owner } from './lock.ts';
import { type LockReading, type LockScene, nameTask, noTask, ownerOf } from './lock-reading.ts';
import { readWaitList, waitListLayout } from './wait-list.ts';

/** Throws FaultError, NotFoundError. */
export function readSemaphore(scene: LockScene, address: bigint): LockReading {
  const { kernel, tasks } = scene;
  const notes: string[] = [];
  const countAt = address + BigInt(memberOffset(kernel, 'semaphore', 'count').offset);
  const count = kernel.memory.u32(countAt, 'semaphore.count');
  const words = [{ member: 'count', address: countAt, value: BigInt(count), meaning: `${count} may take it` }];
  const owners: Owner[] = [];
  const holder = findStructMember(kernel, 'semaphore', 'last_holder');
  if (holder !== undefined) {
    const at = address + BigInt(holder.offset);
    const pointer = kernel.memory.u64(at, 'semaphore.last_holder');
    const task = tasks.find(pointer);
    const meaning = task === undefined ? (pointer === 0n ? 'nobody' : 'no task') : nameTask(task);
    words.push({ member: 'last_holder', address: at, value: pointer, meaning });
    if (task !== undefined && count === 0) {
      const evidence = { by: 'owner', text: 'semaphore.last_holder: the last that took it' } as const;
      owners.push(ownerOf(task, { mode: 'any', role: 'last', sure: 'hint' }, evidence));
    } else if (pointer !== 0n && task === undefined) {
      notes.push(noTask('semaphore.last_holder', pointer));
    }
  }
  const layout = waitListLayout(kernel, 'semaphore');
  const queue = layout === undefined ? [] : readWaitList(scene, layout, address, notes);
  return { owners, readers: undefined, queue, words, state: count === 0 ? 'held' : `free for ${count}`, notes };
}
