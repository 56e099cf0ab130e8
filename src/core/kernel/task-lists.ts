/**
 * Tasks along the kernel's lists: thread group leaders from init_task.tasks, the threads of each from
 * signal_struct.thread_head. Slower than the PID table (task.ts), independent of it, and so its check and its
 * replacement where it is damaged.
 */
import type { KdbgError } from '../errors.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { walkListOf } from './list.ts';
import { memberOffset } from './member.ts';
import { defineStruct, embedded } from './struct.ts';
import { TaskStruct } from './task-struct.ts';

const SignalStruct = defineStruct('signal_struct', { threads: embedded('thread_head') });
const TASKS_MAX = 4 * 1024 * 1024;

/** Addresses of all threads but the idle tasks. Damaged lists end where they are damaged, with a notice. */
export function tasksByLists(kernel: Kernel): readonly bigint[] {
  const struct = kernel.struct(TaskStruct);
  const signals = kernel.struct(SignalStruct);
  const options = { limit: TASKS_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const found: bigint[] = [];
  const head = struct.at(kernel.symbol('init_task').address).tasks;
  const leaders = [...walkListOf(kernel, head, 'task_struct', 'tasks', options)];
  prefetchThreadLists(kernel, leaders);
  for (const leader of leaders) {
    const { signal } = struct.at(leader);
    const threads = isKernelAddress(signal)
      ? [...walkListOf(kernel, signals.at(signal).threads, 'task_struct', 'thread_node', options)]
      : [];
    // A leader whose other threads live on after it has exited is on no thread list.
    if (!threads.includes(leader)) found.push(leader);
    found.push(...threads);
  }
  return found;
}

/** Brings in, with two requests, where the thread lists of all processes begin: most have one entry. */
function prefetchThreadLists(kernel: Kernel, leaders: readonly bigint[]): void {
  const struct = kernel.struct(TaskStruct);
  const thread = memberOffset(kernel, 'task_struct', 'thread_node').offset;
  kernel.memory.prefetch(
    leaders.flatMap((leader) => [
      ...struct.ranges(leader),
      { space: 'virtual', address: leader + BigInt(thread), length: 16, what: 'task_struct.thread_node' } as const,
    ]),
  );
  const signals = leaders.flatMap((leader) => {
    const offset = struct.offset('signal');
    const pointer =
      offset === undefined ? undefined : kernel.memory.tryRead(leader + BigInt(offset), 8, 'task_struct.signal');
    if (!(pointer instanceof Uint8Array)) return [];
    return new DataView(pointer.buffer, pointer.byteOffset).getBigUint64(0, true);
  });
  kernel.struct(SignalStruct).prefetch(signals.filter(isKernelAddress));
}
