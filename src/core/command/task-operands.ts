/**
 * The tasks that a command is about: those of a typed pipe, those that its operands choose, or the context.
 */
import { KdbgError, UsageError } from '../errors.ts';
import { findTaskAt } from '../kernel/task.ts';
import { summaryOf, type TaskSummary, taskSummaries } from '../kernel/task-summary.ts';
import { formatAddress } from '../memory/address.ts';
import { type Item, text } from '../output/item.ts';
import { type Span, span } from '../output/line.ts';
import { contextSummary } from './context.ts';
import { type TaskReference, tasksIn } from './pipe.ts';
import { progressOver } from './progress.ts';
import type { Scope } from './scope.ts';
import { selectTasks, type TaskSelector } from './task-kinds.ts';
import { taskHeading } from './task-view.ts';

/** The tasks that the words choose or the pipe brings; the context where there is neither. */
export function tasksOf(scope: Scope, selectors: readonly TaskSelector[]): Iterable<TaskSummary> {
  return chosenTasks(scope, selectors) ?? [contextSummary(scope)];
}

/** The tasks that the words choose or the pipe brings; undefined where there is neither. */
export function chosenTasks(scope: Scope, selectors: readonly TaskSelector[]): Iterable<TaskSummary> | undefined {
  if (scope.input === undefined) return selectors.length === 0 ? undefined : selectTasks(scope.kernel, selectors);
  if (selectors.length > 0) throw new UsageError('the tasks come from the pipe; none can be given as well');
  return pipedTasks(scope, scope.input);
}

/** The tasks that rows of a pipe stand for. What is no task of this kernel is told of in a notice. */
export function* pipedTasks(scope: Scope, input: Iterable<Item>): Iterable<TaskSummary> {
  const { kernel } = scope;
  for (const reference of tasksIn(input)) {
    scope.check();
    const task = lookUp(scope, reference);
    if (task !== undefined) yield task;
    else if (reference.task !== undefined)
      kernel.notice(`no task of this kernel is at ${formatAddress(reference.task)}`);
    else kernel.notice(`no task has the PID ${reference.pid}`);
  }
}

/** What is shown of each task; a task that cannot be read spoils its own part and not the command. */
export function* eachTask(
  scope: Scope,
  tasks: Iterable<TaskSummary>,
  show: (task: TaskSummary, index: number) => Iterable<Item>,
): Iterable<Item> {
  const told = progressOver(scope.kernel, tasks);
  let index = 0;
  for (const task of tasks) {
    scope.check();
    told();
    try {
      yield* show(task, index++);
    } catch (error) {
      if (!isOfOneTask(error)) throw error;
      scope.kernel.notice(`task ${task.pid} (${task.comm}): ${error.message}`);
    }
  }
}

/** Tasks as they come, so many at a time: what is read of each is asked for together. */
export function* inBatches<T>(items: Iterable<T>, size: number): Iterable<readonly T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length < size) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}

/** An error of one task among many: not a wrong command line, not the user's Ctrl-C. */
export function isOfOneTask(error: unknown): error is KdbgError {
  return error instanceof KdbgError && error.status === 1 && !error.endsCommand;
}

/** A task's heading as an item of its own, with a blank line before all but the first. */
export function headingItem(task: TaskSummary, index: number): Item {
  return index === 0 ? text(taskHeading(task)) : text('', taskHeading(task));
}

/** The reason why there is nothing to show, on a line of its own. */
export function reasonSpan(reason: string): Span {
  return span(`    (${reason})`, undefined, 'warn');
}

/** Rows of our own commands name tasks that were read already; a pointer in other rows is looked up. */
function lookUp(scope: Scope, { task, pid }: TaskReference): TaskSummary | undefined {
  const { kernel } = scope;
  if (task === undefined) return pid === undefined ? undefined : byPid(scope).get(pid);
  const known = byAddress(scope).get(task);
  if (known !== undefined) return known;
  const found = findTaskAt(kernel, task);
  return found && summaryOf(found);
}

function byAddress(scope: Scope): ReadonlyMap<bigint, TaskSummary> {
  return scope.kernel.memo('task summaries by address', 'command', () => {
    const all = taskSummaries(scope.kernel);
    return new Map(all.flatMap((each) => (each.task === undefined ? [] : [[each.task.address, each] as const])));
  });
}

function byPid(scope: Scope): ReadonlyMap<number, TaskSummary> {
  return scope.kernel.memo('task summaries by PID', 'command', () => {
    return new Map(taskSummaries(scope.kernel).map((each) => [each.pid, each]));
  });
}
