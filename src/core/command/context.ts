/**
 * The context: the task that commands mean when none is named. It is kept by PID and looked up when it is needed; on a
 * live target it may have ended since.
 */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { panicTask } from '../kernel/panic-task.ts';
import { currentTasks } from '../kernel/runqueue.ts';
import { findTaskAt, findTaskByPid, idleTasks, taskAt } from '../kernel/task.ts';
import { describeState } from '../kernel/task-state.ts';
import type { Task } from '../kernel/task-struct.ts';
import { findProcSummary, isFromMemory, structOf, summaryOf, type TaskSummary } from '../kernel/task-summary.ts';
import { formatAddress } from '../memory/address.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import type { Context, Scope } from './scope.ts';
import { taskRef } from './task-view.ts';

/** The context's task. Throws NotFoundError when it has ended, UnsupportedError on a target that tells of no tasks. */
export function contextSummary(scope: Scope): TaskSummary {
  const { kernel, context } = scope;
  const found = isFromMemory(kernel) ? summaryIn(kernel, context) : findProcSummary(kernel, context.pid);
  if (found !== undefined) return found;
  throw new NotFoundError('task', String(context.pid), [], '(the context): it has ended; "set PID" chooses another');
}

/** The task_struct of the context's task. Throws UnsupportedError without memory, NotFoundError when it has ended. */
export function contextTask(scope: Scope): Task {
  return structOf(scope.kernel, contextSummary(scope));
}

/** The context that a task is. */
export function contextOf(task: TaskSummary): Context {
  return { task: task.task?.address, pid: task.pid, cpu: task.cpu };
}

/** The context as it was at the start: the task that a dead kernel died in, else what the session began with. */
export function initialContext(scope: Scope): Context {
  const { kernel, shell } = scope;
  const panicked = panicTask(kernel);
  if (panicked !== undefined) return contextOf(summaryOf(taskAt(kernel, panicked)));
  return contextOf(contextSummary({ ...scope, context: { task: undefined, pid: shell.initialPid, cpu: 0 } }));
}

/** The task that a CPU ran when the target stopped. Throws UnsupportedError on a live one, NotFoundError. */
export function taskOnCpu(kernel: Kernel, cpu: number): TaskSummary {
  if (kernel.liveness === 'live') {
    throw new UnsupportedError(
      `what CPU ${cpu} runs changes all the time on a live kernel`,
      '"ps -A" shows what the CPUs run at this moment',
    );
  }
  const address = currentTasks(kernel).get(cpu);
  if (address === undefined) throw new NotFoundError('cpu', String(cpu));
  return summaryOf(taskAt(kernel, address));
}

/** The block that `set` shows of a task; a blank line stands before all but the first. */
export function contextRow(scope: Scope, task: TaskSummary, index = 0): Item {
  const { kernel } = scope;
  const { pid, comm, cpu, state } = task;
  const address = task.task?.address;
  // What the state's bits are is not in /proc.
  const detail = task.task === undefined ? undefined : describeState(task.task);
  const marks = marksOf(kernel, address);
  const data = { pid, comm, task: address ?? null, cpu, state, detail: detail ?? null, marks };
  return row(data, () => [
    ...(index === 0 ? [] : ['']),
    labelled('PID', [span(String(pid), taskRef(task), 'task')]),
    labelled('COMMAND', [`"${comm}"`]),
    labelled('TASK', taskLine(kernel, task)),
    labelled('CPU', [String(cpu)]),
    labelled('STATE', [detail ?? state, ...(marks.length === 0 ? [] : [` (${marks.join('|')})`])]),
  ]);
}

function summaryIn(kernel: Kernel, context: Context): TaskSummary | undefined {
  const { task: address, pid } = context;
  if (address === undefined) {
    const task = findTaskByPid(kernel, pid);
    return task && summaryOf(task);
  }
  const task = kernel.liveness === 'live' ? findTaskAt(kernel, address) : taskAt(kernel, address);
  return task?.pid === pid ? summaryOf(task) : undefined;
}

/** Without memory there is no address; idle tasks share the PID 0, and thread_info is the task_struct's beginning. */
function taskLine(kernel: Kernel, task: TaskSummary): Line {
  const { task: struct } = task;
  if (struct === undefined) return ['(not known without kernel memory)'];
  const idle = task.pid === 0 ? idleTasks(kernel) : [];
  const which = idle.findIndex((each) => each.address === struct.address);
  return [
    span(formatAddress(struct.address), taskRef(task), 'address'),
    ...(which < 0 ? [] : [`  (${which + 1} of ${idle.length})`]),
  ];
}

function marksOf(kernel: Kernel, address: bigint | undefined): readonly string[] {
  if (address === undefined) return [];
  const active = [...currentTasks(kernel).values()].includes(address);
  return [...(active ? ['ACTIVE'] : []), ...(panicTask(kernel) === address ? ['PANIC'] : [])];
}

function labelled(label: string, value: Line): Line {
  return [`${label.padStart(7)}: `, ...(typeof value === 'string' ? [value] : value)];
}
