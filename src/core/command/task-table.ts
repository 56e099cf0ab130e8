/**
 * The tables of `ps`. A task that is on a CPU is marked with `>`, and kernel threads stand in brackets, as crash has it.
 */
import type { TaskRow } from '../kernel/task-row.ts';
import { formatAddress } from '../memory/address.ts';
import { type Column, type Columns, decimalColumn, textColumn } from '../output/columns.ts';
import type { Row } from '../output/item.ts';
import type { Ref } from '../output/line.ts';

/** What a table knows of its rows besides their cells: JSON has the same cells whatever is marked. */
export interface TaskMarks {
  readonly isActive: (row: Readonly<Record<string, unknown>>) => boolean;
  readonly isKernelThread: (row: Readonly<Record<string, unknown>>) => boolean;
}

const NO_MARKS: TaskMarks = { isActive: () => false, isKernelThread: () => false };

/** Marks of rows as they are made: a row's own object is what the table sees again. */
export class MarkedRows implements TaskMarks {
  readonly #active = new WeakSet<object>();
  readonly #kernelThreads = new WeakSet<object>();

  mark<T extends object>(row: T, task: Pick<TaskRow, 'active' | 'kernelThread'>): T {
    if (task.active) this.#active.add(row);
    if (task.kernelThread) this.#kernelThreads.add(row);
    return row;
  }

  isActive = (row: object): boolean => this.#active.has(row);
  isKernelThread = (row: object): boolean => this.#kernelThreads.has(row);
}

/** The table of plain `ps`; on a target without memory no task has an address. */
export function taskColumns(marks: TaskMarks = NO_MARKS, withAddress = true): Columns {
  const address = { task: taskColumn('TASK', 'address of the task_struct') };
  return { ...identityColumns(marks), ...(withAddress ? address : {}), ...sizeColumns(marks) };
}

/** `ps -s`: the stack pointer in the place of the task. */
export function stackPointerColumns(marks: TaskMarks): Columns {
  return { ...identityColumns(marks), ksp: taskColumn('KSTACKP', 'kernel stack pointer'), ...sizeColumns(marks) };
}

/** `ps -Y`. */
export function policyColumns(marks: TaskMarks): Columns {
  return {
    ...identityColumns(marks),
    task: taskColumn('TASK', 'address of the task_struct'),
    policy: textColumn('POLICY', 'scheduling policy', { width: 12 }),
    prio: decimalColumn('PRIO', 'priority as the kernel counts: 120 is nice 0, below 100 is real-time', { width: 4 }),
    comm: commColumn(marks),
  };
}

function sizeColumns(marks: TaskMarks): Columns {
  return {
    state: textColumn('ST', 'state: RU running or ready, IN interruptible, UN uninterruptible, ID idle, ...', {
      width: 2,
      tone: 'type',
    }),
    mem: percentColumn('%MEM', 'memory in percent of all'),
    vsz: decimalColumn('VSZ', 'KiB of address space'),
    rss: decimalColumn('RSS', 'KiB in memory'),
    comm: commColumn(marks),
  };
}

function identityColumns(marks: TaskMarks): Columns {
  return {
    pid: {
      ...decimalColumn('PID', 'PID of the thread; > is on a CPU', { width: 9, ref: rowRef, tone: 'task' }),
      text: (value, row) => (marks.isActive(row) ? `> ${String(value).padStart(7)}` : String(value)),
    },
    ppid: decimalColumn('PPID', 'PID of the parent process', { width: 6 }),
    cpu: decimalColumn('CPU', 'the CPU that it runs on or last ran on', { width: 3 }),
  };
}

/** A task's address; a target without memory has none. */
function taskColumn(title: string, doc: string): Column {
  return {
    title,
    doc,
    width: 16,
    align: 'center',
    text: (value) => (typeof value === 'bigint' ? formatAddress(value) : '-'),
    ref: (_value, row) => rowRef(undefined, row),
    tone: 'address',
  };
}

function percentColumn(title: string, doc: string): Column {
  const column = decimalColumn(title, doc, { width: 4 });
  return { ...column, text: (value) => (typeof value === 'number' ? value.toFixed(1) : '-') };
}

function commColumn(marks: TaskMarks): Column {
  return {
    ...textColumn('COMM', 'name; of kernel threads in brackets'),
    text: (value, row) => (marks.isKernelThread(row) ? `[${String(value)}]` : String(value)),
    ref: rowRef,
  };
}

function rowRef(_value: unknown, row: Readonly<Record<string, unknown>>): Ref | undefined {
  const { task, pid } = row;
  if (typeof pid !== 'number') return undefined;
  return typeof task === 'bigint' ? { kind: 'task', task, pid } : { kind: 'task', pid };
}

/** The cells of a task, by the names that `--json` keeps to. */
export function taskRowCells(task: TaskRow): Row {
  return {
    pid: task.pid,
    ppid: task.ppid,
    cpu: task.cpu,
    task: task.task?.address ?? null,
    state: task.state,
    mem: task.mem === undefined ? null : Math.round(task.mem * 10) / 10,
    vsz: task.vsz ?? null,
    rss: task.rss ?? null,
    comm: task.comm,
  };
}
