/**
 * struct completion: `done` counts the completions that nobody took yet (UINT_MAX after complete_all). Its waiters are
 * struct swait_queue since a5c6234e1028 "completion: Use simple wait queues" (v5.7), wait queue entries before. Nobody
 * owns it: who will complete it is not written anywhere.
 */
import type { KdbgError } from '../../errors.ts';
import { formatAddress } from '../../memory/address.ts';
import { walkListOf } from '../list.ts';
import { findStructMember, memberOffset } from '../member.ts';
import { attempt, type LockReading, type LockScene, type Queued } from './lock-reading.ts';
import { WAITERS_MAX } from './wait-list.ts';
import { readWaitQueue } from './wait-queue.ts';

const UINT_MAX = 0xffff_ffff;

/** Throws FaultError, NotFoundError. */
export function readCompletion(scene: LockScene, address: bigint): LockReading {
  const { kernel } = scene;
  const notes: string[] = [];
  const at = address + BigInt(memberOffset(kernel, 'completion', 'done').offset);
  const done = kernel.memory.u32(at, 'completion.done');
  const meaning = done === 0 ? 'not done' : done >= UINT_MAX >>> 1 ? 'done for all' : `done ${done} times`;
  return {
    owners: [],
    readers: undefined,
    queue: queueOf(scene, address, notes),
    words: [{ member: 'done', address: at, value: BigInt(done), meaning }],
    state: meaning,
    notes,
  };
}

function queueOf(scene: LockScene, address: bigint, notes: string[]): readonly Queued[] {
  const { kernel, tasks } = scene;
  const simple = findStructMember(kernel, 'completion', 'wait.task_list');
  if (simple === undefined) {
    return readWaitQueue(scene, address + BigInt(memberOffset(kernel, 'completion', 'wait').offset), notes);
  }
  const options = { limit: WAITERS_MAX, damaged: (error: KdbgError) => void notes.push(error.message) };
  const taskAt = BigInt(memberOffset(kernel, 'swait_queue', 'task').offset);
  const queue: Queued[] = [];
  for (const node of walkListOf(kernel, address + BigInt(simple.offset), 'swait_queue', 'task_list', options)) {
    const pointer = attempt(() => kernel.memory.u64(node + taskAt, 'swait_queue.task'));
    const task = pointer === undefined ? undefined : tasks.find(pointer);
    if (task === undefined) notes.push(`the swait_queue at ${formatAddress(node)} is of no task that exists`);
    const text = `swait_queue at ${formatAddress(node)} on its queue`;
    queue.push({ node, task, mode: 'any', evidence: { by: 'list', text } });
  }
  return queue;
}
