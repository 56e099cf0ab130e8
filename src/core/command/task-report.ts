/**
 * More about each task than a line of a table: `ps -t`, `-a`, `-r`, `-S`.
 */
import type { Kernel } from '../kernel/kernel.ts';
import { prefetchArguments, type TaskArguments, taskArguments } from '../kernel/task-arguments.ts';
import { prefetchLimits, procLimits, type ResourceLimit, resourceLimits } from '../kernel/task-limits.ts';
import type { TaskRow } from '../kernel/task-row.ts';
import type { TaskState } from '../kernel/task-state.ts';
import type { Task } from '../kernel/task-struct.ts';
import { isFromMemory, structOf, type TaskSummary } from '../kernel/task-summary.ts';
import { formatUptime, kernelTime } from '../kernel/time.ts';
import type { FileResult } from '../memory/backend.ts';
import { Fault } from '../memory/fault.ts';
import { decodeText } from '../memory/text.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import type { Scope } from './scope.ts';
import { eachTask, inBatches, isOfOneTask } from './task-operands.ts';
import { taskCells, taskHeading } from './task-view.ts';

const NS = 1e9;
/** Tasks read together. */
const BATCH = 128;
const ARGUMENTS_MAX = 128 * 1024;

/** `-t`: when it started and what CPU time it has had. */
export function* timeItems(scope: Scope, tasks: Iterable<TaskRow>): Iterable<Item> {
  const now = kernelTime(scope.kernel)?.boottime;
  yield* eachTask(scope, tasks as Iterable<TaskSummary>, function* (summary, index) {
    const { times } = summary as TaskRow;
    const running = now === undefined || now < times.start ? undefined : now - times.start;
    const data = {
      ...taskCells(summary),
      runTime: running === undefined ? null : seconds(running),
      startTime: seconds(times.start),
      utime: seconds(times.user),
      stime: seconds(times.system),
    };
    yield row(data, () => [
      ...heading(summary, index),
      `    RUN TIME: ${running === undefined ? '(unknown)' : formatUptime(running)}`,
      `  START TIME: ${fixed(times.start)} s after boot`,
      `       UTIME: ${fixed(times.user)} s`,
      `       STIME: ${fixed(times.system)} s`,
    ]);
  });
}

/** `-a`: command line and environment. */
export function* argumentItems(scope: Scope, tasks: Iterable<TaskSummary>): Iterable<Item> {
  const { kernel } = scope;
  // On a live target the kernel itself reads the process, swapped out or not; elsewhere the page tables are walked.
  const fromFiles = kernel.liveness === 'live' && kernel.hasFiles;
  let shown = 0;
  for (const batch of inBatches(tasks, BATCH)) {
    const files = fromFiles ? argumentFiles(kernel, batch) : undefined;
    if (!fromFiles) attempt(() => prefetchArguments(kernel, structsOf(kernel, batch)));
    yield* eachTask(scope, batch, function* (task) {
      const found = files === undefined ? taskArguments(kernel, structOf(kernel, task)) : files.get(task);
      yield argumentItem(task, found, shown++);
    });
  }
}

function argumentItem(task: TaskSummary, found: TaskArguments | undefined, index: number): Item {
  const data = {
    ...taskCells(task),
    arguments: found?.arguments ?? null,
    environment: found?.environment ?? null,
  };
  return row(data, () => [
    ...heading(task, index),
    ...(found === undefined
      ? ['(no user memory: a kernel thread, or ended)']
      : [...labelled('ARG', found.arguments, ' '), ...labelled('ENV', found.environment, undefined)]),
  ]);
}

/** Of many processes with one request. */
function argumentFiles(kernel: Kernel, tasks: readonly TaskSummary[]): ReadonlyMap<TaskSummary, TaskArguments> {
  const users = tasks.filter((task) => !task.kernelThread);
  const paths = users.flatMap(({ pid }) => [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`]);
  const results = kernel.files.readMany(paths, ARGUMENTS_MAX);
  const found = new Map<TaskSummary, TaskArguments>();
  for (const [i, task] of users.entries()) {
    const [command, environment] = [0, 1].map((part) =>
      stringsOf(paths[2 * i + part] as string, results[2 * i + part]),
    );
    found.set(task, { arguments: command ?? [], environment: environment ?? [] });
  }
  return found;
}

function stringsOf(path: string, result: FileResult | undefined): readonly string[] | Fault {
  if (result?.ok === true) return strings(decodeText(result.bytes));
  const request = { space: 'virtual', address: 0n, length: 0, what: path } as const;
  return new Fault(request, result?.failure.reason === 'denied' ? 'denied' : 'io', result?.failure.detail);
}

function strings(text: string): readonly string[] {
  const found = text.split('\0');
  if (found.at(-1) === '') found.pop();
  return found;
}

/** Arguments stand on one line, each variable on its own. */
function labelled(label: string, values: readonly string[] | Fault, joint: string | undefined): readonly Line[] {
  if (values instanceof Fault) return [[`${label}: `, span(`(${values.message})`, undefined, 'warn')]];
  if (joint !== undefined) return [`${label}: ${values.join(joint)}`];
  return values.length === 0 ? [`${label}:`] : values.map((each, i) => `${i === 0 ? `${label}:` : '    '} ${each}`);
}

/** `-r`: resource limits. */
export function* limitItems(scope: Scope, tasks: Iterable<TaskSummary>): Iterable<Item> {
  const { kernel } = scope;
  const fromMemory = isFromMemory(kernel);
  let shown = 0;
  for (const batch of inBatches(tasks, BATCH)) {
    const files = fromMemory ? undefined : procLimits(kernel, batch.map(pidOf));
    if (fromMemory) attempt(() => prefetchLimits(kernel, structsOf(kernel, batch)));
    yield* eachTask(scope, batch, function* (task, i) {
      const limits = files === undefined ? resourceLimits(kernel, structOf(kernel, task)) : files[i];
      if (limits === undefined) kernel.notice(`/proc/${task.pid}/limits cannot be read`);
      else yield limitItem(task, limits, shown++);
    });
  }
}

function pidOf(task: TaskSummary): number {
  return task.pid;
}

function limitItem(task: TaskSummary, limits: readonly ResourceLimit[], index: number): Item {
  const data = {
    ...taskCells(task),
    limits: limits.map(({ name, current, maximum }) => ({
      name,
      current: current === undefined ? null : Number(current),
      maximum: maximum === undefined ? null : Number(maximum),
    })),
  };
  return row(data, () => [...heading(task, index), '    RLIMIT     CURRENT       MAXIMUM', ...limits.map(limitLine)]);
}

function limitLine({ name, current, maximum }: ResourceLimit): Line {
  const shown = (limit: bigint | undefined) => (limit === undefined ? '(unlimited)' : String(limit));
  return `${name.padStart(10)}  ${shown(current).padEnd(12)}  ${shown(maximum)}`;
}

/** `-S`: how many tasks are in each state. */
export function* stateItems(tasks: Iterable<TaskSummary>): Iterable<Item> {
  const counts = new Map<TaskState, number>();
  for (const { state } of tasks) counts.set(state, (counts.get(state) ?? 0) + 1);
  for (const [state, count] of counts) yield row({ state, count }, () => [[`  ${state}: ${count}`]]);
}

function structsOf(kernel: Kernel, tasks: readonly TaskSummary[]): readonly Task[] {
  return tasks.map((task) => structOf(kernel, task));
}

/** Reading ahead: what fails here is met, and told, when the task itself is read. */
function attempt(prefetch: () => void): void {
  try {
    prefetch();
  } catch (error) {
    if (!isOfOneTask(error)) throw error;
  }
}

function heading(task: TaskSummary, index: number): readonly Line[] {
  return index === 0 ? [taskHeading(task)] : ['', taskHeading(task)];
}

function seconds(nanoseconds: bigint): number {
  return Number(nanoseconds) / NS;
}

function fixed(nanoseconds: bigint): string {
  return seconds(nanoseconds).toFixed(3);
}
