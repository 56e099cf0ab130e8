/**
 * What names a task and says how it is: enough to choose tasks by name or state and to head what is said of them. From
 * memory or, where there is none, from /proc.
 */
import { KdbgError, NotFoundError, UnsupportedError } from '../errors.ts';
import { decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import { hasTasksInMemory, tasks } from './task.ts';
import { parseStat, procTaskRows } from './task-procfs.ts';
import type { TaskRow } from './task-row.ts';
import { stateOfLetter, taskState } from './task-state.ts';
import { isKernelThread, PF_KTHREAD, type Task, TaskStruct } from './task-struct.ts';

export type TaskSummary = Pick<TaskRow, 'task' | 'pid' | 'tgid' | 'cpu' | 'state' | 'kernelThread' | 'comm'> & {
  /** When it last came onto a CPU, by the clock of task-last-run.ts; undefined where that is not kept. */
  readonly lastRun?: bigint | undefined;
};

/** Task structures asked for with one request. */
const BATCH = 512;
const FILE_LENGTH_MAX = 4096;

/** Every task, idle tasks first, then by PID. One that cannot be read is told of in a notice. */
export function taskSummaries(kernel: Kernel): readonly TaskSummary[] {
  return kernel.memo('task summaries', 'command', () =>
    isFromMemory(kernel) ? fromMemory(kernel, tasks(kernel)) : procRows(kernel),
  );
}

/** Where tasks come from: memory, unless only /proc tells of them. With neither, memory is what says why not. */
export function isFromMemory(kernel: Kernel): boolean {
  return hasTasksInMemory(kernel) || !kernel.hasFiles;
}

/** The rows of a target without memory, read once for each command. */
export function procRows(kernel: Kernel): readonly TaskRow[] {
  return kernel.memo('task rows from /proc', 'command', () => [...procTaskRows(kernel)]);
}

/** Of one task in memory. Throws FaultError. */
export function summaryOf(task: Task): TaskSummary {
  return {
    task,
    pid: task.pid,
    tgid: task.tgid,
    cpu: task.cpu ?? 0,
    state: taskState(task),
    kernelThread: isKernelThread(task),
    comm: task.comm,
    lastRun: task.lastArrival,
  };
}

/** The thread with this PID by its files in /proc; undefined when there is none. */
export function findProcSummary(kernel: Kernel, pid: number): TaskSummary | undefined {
  const [statFile, statusFile] = kernel.files.readMany([`/proc/${pid}/stat`, `/proc/${pid}/status`], FILE_LENGTH_MAX);
  const stat = statFile?.ok === true ? parseStat(decodeText(statFile.bytes)) : undefined;
  if (stat === undefined) return undefined;
  const status = statusFile?.ok === true ? decodeText(statusFile.bytes) : '';
  return {
    task: undefined,
    pid: stat.pid,
    tgid: Number(/^Tgid:\t(\d{1,9})$/m.exec(status)?.[1] ?? stat.tgid),
    cpu: stat.cpu,
    state: stateOfLetter(stat.state),
    kernelThread: (stat.flags & PF_KTHREAD) !== 0,
    comm: stat.comm,
  };
}

/** The task_struct of a summary. Throws UnsupportedError for one that came from /proc. */
export function structOf(kernel: Kernel, summary: Pick<TaskSummary, 'task' | 'pid'>): Task {
  if (summary.task !== undefined) return summary.task;
  // Without memory this says what is missing.
  void kernel.memory;
  throw new UnsupportedError(`the task_struct of task ${summary.pid} is not known`);
}

function fromMemory(kernel: Kernel, all: readonly Task[]): readonly TaskSummary[] {
  const struct = kernel.struct(TaskStruct);
  const found: TaskSummary[] = [];
  for (let at = 0; at < all.length; at += BATCH) {
    const batch = all.slice(at, at + BATCH);
    struct.prefetch(batch.map((task) => task.address));
    for (const task of batch) {
      try {
        found.push(summaryOf(task));
      } catch (error) {
        if (!(error instanceof KdbgError) || error.endsCommand) throw error;
        kernel.notice(`a task is left out: ${error.message}`);
      }
    }
  }
  return found;
}

/** Tasks of one thread group, the leader first, then by PID. Throws NotFoundError when there is none. */
export function threadGroup(kernel: Kernel, tgid: number): readonly TaskSummary[] {
  const members = taskSummaries(kernel).filter((task) => task.tgid === tgid && task.pid !== 0);
  if (members.length === 0) throw new NotFoundError('task', String(tgid));
  return [...members].sort((a, b) => Number(b.pid === tgid) - Number(a.pid === tgid) || a.pid - b.pid);
}
