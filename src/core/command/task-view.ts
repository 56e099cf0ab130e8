/**
 * How tasks are named in output: the line that heads what is said of one, and what a screen needs to follow it.
 */
import type { TaskSummary } from '../kernel/task-summary.ts';
import { formatAddress } from '../memory/address.ts';
import { type Line, type Ref, type Span, span } from '../output/line.ts';

/** The cells that every row about one task begins with. */
export type TaskCells = {
  readonly pid: number;
  readonly task: bigint | null;
  readonly cpu: number;
  readonly comm: string;
};

export function taskCells(task: TaskSummary): TaskCells {
  return { pid: task.pid, task: task.task?.address ?? null, cpu: task.cpu, comm: task.comm };
}

/** Without an address a task is followed by its PID. */
export function taskRef(task: Pick<TaskSummary, 'task' | 'pid'>): Ref {
  const address = task.task?.address;
  return address === undefined ? { kind: 'task', pid: task.pid } : { kind: 'task', task: address, pid: task.pid };
}

const NO_ADDRESS = '-'.repeat(16);

/** `PID: 8812     TASK: ffff91c2046d8000  CPU: 7    COMMAND: "kworker/7:2H"`, as crash heads tasks. */
export function taskHeading(task: TaskSummary, before: readonly Span[] = []): Line {
  const ref = taskRef(task);
  const address = task.task?.address;
  return [
    ...before,
    'PID: ',
    span(String(task.pid), ref, 'task'),
    `${' '.repeat(Math.max(7 - String(task.pid).length, 0))}  TASK: `,
    address === undefined ? NO_ADDRESS : span(formatAddress(address), ref, 'address'),
    `  CPU: ${String(task.cpu).padEnd(3)}  COMMAND: "${task.comm}"`,
  ];
}

/** `812 (cat)`. */
export function taskName(task: Pick<TaskSummary, 'task' | 'pid' | 'comm'>): Span {
  return span(`${task.pid} (${task.comm})`, taskRef(task), 'task');
}
