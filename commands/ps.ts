/**
 * The task table.
 */
import { defineCommand, flag, type Kind, many, option } from '../src/core/command/define.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { cpuList } from '../src/core/command/target-kinds.ts';
import { ancestorItems, childrenItems, groupItems } from '../src/core/command/task-family.ts';
import { activeFilter, type TaskSelector, taskSelector } from '../src/core/command/task-kinds.ts';
import { lastRunItems } from '../src/core/command/task-last-run.ts';
import { chosenTasks, inBatches } from '../src/core/command/task-operands.ts';
import { argumentItems, limitItems, stateItems, timeItems } from '../src/core/command/task-report.ts';
import {
  MarkedRows,
  policyColumns,
  stackPointerColumns,
  taskColumns,
  taskRowCells,
} from '../src/core/command/task-table.ts';
import { UsageError } from '../src/core/errors.ts';
import { StackTask } from '../src/core/kernel/stack-task.ts';
import { findPolicy, SCHEDULING_POLICIES, schedulingPolicy } from '../src/core/kernel/task-policy.ts';
import { rowsOf, type TaskRow, taskRows } from '../src/core/kernel/task-row.ts';
import { isFromMemory, procRows, structOf, type TaskSummary, taskSummaries } from '../src/core/kernel/task-summary.ts';
import { tableLine } from '../src/core/output/columns.ts';
import { type Item, type Row, row } from '../src/core/output/item.ts';

/** Numbers or names, as crash takes them: `fifo,rr` or `1,2`. */
const policies: Kind<readonly number[]> = {
  name: 'policies',
  parse: (text) =>
    text.split(',').map((each) => {
      const policy = findPolicy(each);
      if (policy === undefined) {
        throw new UsageError(`"${each}" is no scheduling policy`, { column: Math.max(text.indexOf(each), 0) });
      }
      return policy;
    }),
  complete: () => ({ candidates: SCHEDULING_POLICIES.map(({ name }) => ({ text: name })) }),
};

/** Rows made together. */
const BATCH = 256;

export default defineCommand({
  name: 'ps',
  group: 'tasks',
  summary: 'list tasks',
  description: [
    'Every thread is a task and has a line; > marks those that are on a CPU. The names of kernel threads are in brackets. Sizes are in KiB.',
    "TASK is a PID, the address of a task_struct, a name (\\NAME for one that looks like something else), a 'regex' over names, a state such as UN, or one of kernel, user, gleader, active. Names add to each other; states and words narrow.",
    'Without kernel memory the tasks are read from /proc: there are no addresses, no idle tasks, and what only memory tells is refused.',
  ],
  input: 'task',
  options: {
    k: flag('only kernel threads'),
    u: flag('only tasks of user processes'),
    G: flag('only the leaders of thread groups'),
    A: flag('only tasks that are on a CPU'),
    y: option(policies, 'POLICY', 'only tasks of this scheduling policy: normal, fifo, rr, batch, idle, deadline, ext'),
    C: option(cpuList, 'CPUS', 'only tasks of these CPUs; with -l or -m in groups by CPU'),
    s: flag('kernel stack pointers in the place of task addresses'),
    Y: flag('scheduling policy and priority in the place of sizes'),
    p: flag('each task under its ancestors'),
    c: flag('the children of each task'),
    g: flag('processes with their threads'),
    t: flag('start time and CPU times of each task'),
    l: flag('by the time each last ran, the latest first'),
    m: flag('the same, as how long ago'),
    a: flag('arguments and environment of each task'),
    r: flag('resource limits of each task'),
    S: flag('how many tasks are in each state'),
    H: flag('without the header'),
  },
  operands: {
    tasks: many(taskSelector, 'TASK', "a PID, an address, a name, a 'regex', a state; kernel, user, gleader, active"),
  },
  columns: taskColumns(),
  examples: [
    { line: 'ps', shows: 'all tasks' },
    { line: 'ps UN', shows: 'tasks in uninterruptible sleep' },
    { line: 'ps -m UN', shows: 'the same by how long they have been stuck' },
    { line: "ps -k 'kworker'", shows: 'kworkers' },
    { line: 'ps -S', shows: 'how many tasks are in each state' },
    { line: 'ps -p 1', shows: 'a task and its ancestors' },
  ],
  run: (scope, args) => show(scope, args as unknown as PsArgs),
});

interface PsArgs {
  readonly k: boolean;
  readonly u: boolean;
  readonly G: boolean;
  readonly A: boolean;
  readonly y: readonly number[] | undefined;
  readonly C: readonly number[] | undefined;
  readonly s: boolean;
  readonly Y: boolean;
  readonly p: boolean;
  readonly c: boolean;
  readonly g: boolean;
  readonly t: boolean;
  readonly l: boolean;
  readonly m: boolean;
  readonly a: boolean;
  readonly r: boolean;
  readonly S: boolean;
  readonly H: boolean;
  readonly tasks: readonly TaskSelector[];
}

/** What is shown, and in which form: one of these at a time. */
const FORMS = ['s', 'Y', 'p', 'c', 'g', 't', 'l', 'm', 'a', 'r', 'S'] as const;

function show(scope: Scope, args: PsArgs): Iterable<Item> {
  const forms = FORMS.filter((name) => args[name]);
  if (forms.length > 1) throw new UsageError(`-${forms.join(' and -')} exclude each other`);
  if (args.k && args.u) throw new UsageError('-k and -u exclude each other');
  switch (forms[0]) {
    case 'p':
      return ancestorItems(scope, summaries(scope, args));
    case 'c':
      return childrenItems(scope, summaries(scope, args));
    case 'g':
      return groupItems(scope, summaries(scope, args));
    case 't':
      return timeItems(scope, rows(scope, args));
    case 'l':
    case 'm':
      return lastRunItems(scope, summaries(scope, args), { ago: args.m, cpus: args.C });
    case 'a':
      return argumentItems(scope, summaries(scope, args));
    case 'r':
      return limitItems(scope, summaries(scope, args));
    case 'S':
      return stateItems(summaries(scope, args));
    default:
      return table(scope, args);
  }
}

function* table(scope: Scope, args: PsArgs): Iterable<Item> {
  const marks = new MarkedRows();
  const columns = args.s
    ? stackPointerColumns(marks)
    : args.Y
      ? policyColumns(marks)
      : taskColumns(marks, isFromMemory(scope.kernel));
  for (const batch of inBatches(rows(scope, args), BATCH)) {
    scope.check();
    if (args.s) prefetchStackPointers(scope, batch);
    for (const task of batch) {
      const cells = marks.mark(cellsOf(scope, args, task), task);
      yield row(cells, args.H ? () => [tableLine(columns, cells)] : columns);
    }
  }
}

/** They are not near what else is read of a task. */
function prefetchStackPointers(scope: Scope, batch: readonly TaskRow[]): void {
  const addresses = batch.map((task) => structOf(scope.kernel, task).address);
  scope.kernel.struct(StackTask).prefetch(addresses);
}

function cellsOf(scope: Scope, args: PsArgs, task: TaskRow): Row {
  const cells = taskRowCells(task);
  if (args.s) return { ...cells, ksp: scope.kernel.struct(StackTask).at(structOf(scope.kernel, task).address).sp };
  if (!args.Y) return cells;
  const { policy, prio } = structOf(scope.kernel, task);
  const { pid, ppid, cpu, task: address, comm } = cells;
  return { pid, ppid, cpu, task: address, policy: schedulingPolicy(policy), prio, comm };
}

/** Rows of the tasks that were asked for; of all of them as they are read. */
function rows(scope: Scope, args: PsArgs): Iterable<TaskRow> {
  const { kernel } = scope;
  const all = scope.input === undefined && args.tasks.length === 0 && filters(scope, args).length === 0;
  if (all) return taskRows(kernel);
  const chosen = summaries(scope, args);
  if (isFromMemory(kernel)) {
    return rowsOf(
      kernel,
      chosen.map((task) => structOf(kernel, task)),
    );
  }
  const pids = new Set(chosen.map((task) => task.pid));
  return procRows(kernel).filter((task) => pids.has(task.pid));
}

function summaries(scope: Scope, args: PsArgs): readonly TaskSummary[] {
  const chosen = [...(chosenTasks(scope, args.tasks) ?? taskSummaries(scope.kernel))];
  const tests = filters(scope, args);
  return tests.length === 0 ? chosen : chosen.filter((task) => tests.every((test) => test(task)));
}

function filters(scope: Scope, args: PsArgs): readonly ((task: TaskSummary) => boolean)[] {
  const { kernel } = scope;
  const tests: ((task: TaskSummary) => boolean)[] = [];
  if (args.k) tests.push((task) => task.kernelThread);
  if (args.u) tests.push((task) => !task.kernelThread);
  if (args.G) tests.push((task) => task.pid === task.tgid);
  if (args.A) tests.push(activeFilter(kernel));
  const { y, C } = args;
  if (y !== undefined) tests.push((task) => y.includes(structOf(kernel, task).policy));
  if (C !== undefined) tests.push((task) => C.includes(task.cpu));
  return tests;
}
