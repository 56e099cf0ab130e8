/**
 * Who runs the work that a flush waits for. flush_work() queues a struct wq_barrier, whose completion it waits for, behind
 * the work: on the list `scheduled` of the worker that runs it, or, while it is not running, on its pool's list.
 */
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { memberOffset } from '../member.ts';
import { defineStruct, pointer } from '../struct.ts';
import type { Owner } from './lock.ts';
import { attempt, type LockScene, ownerOf } from './lock-reading.ts';
import { isLinked } from './wait-list.ts';

const Worker = defineStruct('worker', {
  work: pointer('current_work'),
  func: pointer('current_func'),
  task: pointer('task'),
});

/** PF_WQ_WORKER. */
const PF_WQ_WORKER = 0x20;
/** Barriers on one worker's list. */
const SCHEDULED_MAX = 256;

export interface FlushedWork {
  /** The struct work_struct that runs. */
  readonly work: bigint;
  /** The name of its function. */
  readonly function: string | undefined;
  readonly owner: Owner;
}

/** The work that runs in front of the barrier whose completion is at this address; undefined when none does. */
export function flushedWork(scene: LockScene, completion: bigint): FlushedWork | undefined {
  const { kernel } = scene;
  if (!kernel.hasStruct('wq_barrier') || !kernel.hasStruct('worker')) return undefined;
  return attempt(() => {
    const barrier = completion - BigInt(memberOffset(kernel, 'wq_barrier', 'done').offset);
    const entry = barrier + BigInt(memberOffset(kernel, 'wq_barrier', 'work.entry').offset);
    return isLinked(kernel, entry) ? workerOf(scene, entry) : undefined;
  });
}

/** The list that the barrier is on is headed by a worker, if one runs the work. */
function workerOf(scene: LockScene, entry: bigint): FlushedWork | undefined {
  const { kernel, tasks } = scene;
  const struct = kernel.struct(Worker);
  const scheduled = BigInt(memberOffset(kernel, 'worker', 'scheduled').offset);
  let at = entry;
  for (let i = 0; i < SCHEDULED_MAX; i++) {
    at = kernel.memory.u64(at, 'work_struct.entry');
    if (at === entry) return undefined;
    const address = at - scheduled;
    const worker = attempt(() => {
      const { task, work, func } = struct.at(address);
      return { task: tasks.find(task), work, func };
    });
    if (worker?.task === undefined || (worker.task.flags & PF_WQ_WORKER) === 0) continue;
    const name = functionName(kernel, worker.func);
    const text = `the worker at ${formatAddress(address)} runs ${name ?? formatAddress(worker.func)}`;
    const owner = ownerOf(worker.task, { mode: 'any', role: 'worker', sure: 'certain' }, { by: 'list', text });
    return { work: worker.work, function: name, owner };
  }
  return undefined;
}

function functionName(kernel: Kernel, func: bigint): string | undefined {
  const found = kernel.symbols.nearest(func);
  return found?.offset === 0 ? found.symbol.name : undefined;
}
