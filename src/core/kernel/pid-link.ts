/**
 * A task and its PID point at each other for as long as the task lives: task_struct.thread_pid leads to a struct pid
 * (2c4704756cab, v4.19) whose list of tasks of the type PIDTYPE_PID leads back. __unhash_process() cuts both when the
 * task is released. So an address that was a task's a moment ago is checked with one request, where finding it by its
 * PID takes one for each level of the PID table.
 */
import { KdbgError, NotFoundError } from '../errors.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { StackTask } from './stack-task.ts';
import { defineStruct, embedded, int, optional, pointer } from './struct.ts';
import { TaskStruct } from './task-struct.ts';

const PidLink = defineStruct('task_struct', {
  pid: int('pid'),
  threadPid: optional(pointer('thread_pid')),
  pidLinks: embedded('pid_links'),
});
/** hlist heads by pid_type: PIDTYPE_PID is 0 in every kernel. */
const PidTasks = defineStruct('pid', { firstTask: pointer('tasks[0].first') });

/** Where a task and its struct pid were when they were last seen. */
export interface SeenTask {
  readonly task: bigint;
  readonly pid: bigint;
}

/** By PID, what this session saw of tasks: a guess that is to be checked. */
export function seenTasks(kernel: Kernel): Map<number, SeenTask> {
  return kernel.memo('seen tasks', 'session', () => new Map<number, SeenTask>());
}

/** True when the task at this address lives and has this PID, as far as the two links tell. */
export function isLinked(kernel: Kernel, task: bigint, pid: number): boolean {
  try {
    const link = kernel.struct(PidLink).at(task);
    const { threadPid } = link;
    if (link.pid !== pid || threadPid === undefined || !isKernelAddress(threadPid)) return false;
    return kernel.struct(PidTasks).at(threadPid).firstTask === link.pidLinks;
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return false;
    throw error;
  }
}

/** Brings in, with one request, what is read of a task first: that it lives, its summary, where its stack is. */
export function prefetchTask(kernel: Kernel, task: bigint, pid?: bigint): void {
  kernel.memory.prefetch([
    ...kernel.struct(TaskStruct).ranges(task),
    ...stackRanges(kernel, task),
    ...kernel.struct(PidLink).ranges(task),
    ...(pid === undefined ? [] : kernel.struct(PidTasks).ranges(pid)),
  ]);
}

/** None where the kernel's types do not say where stacks are: tasks are listed all the same. */
function stackRanges(kernel: Kernel, task: bigint): readonly ReadRequest[] {
  try {
    return kernel.struct(StackTask).ranges(task);
  } catch (error) {
    if (error instanceof NotFoundError) return [];
    throw error;
  }
}
