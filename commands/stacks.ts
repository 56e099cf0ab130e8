/**
 * Identical stacks, once each with how many tasks have them.
 */
import { defineCommand, flag, many, option, repeated } from '../src/core/command/define.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { groupStacks, runsOf, type StackGroup } from '../src/core/command/stack-groups.ts';
import { moduleReference, passes, type StackReference, stackReference } from '../src/core/command/stack-reference.ts';
import { frameSpans } from '../src/core/command/stack-view.ts';
import { moduleName } from '../src/core/command/target-kinds.ts';
import { type TaskSelector, taskSelector } from '../src/core/command/task-kinds.ts';
import { chosenTasks } from '../src/core/command/task-operands.ts';
import { ALL_STACKS, PROC_STACK_NOTICE, type ShownStack, stacksOf } from '../src/core/command/task-stacks.ts';
import { taskCells, taskName } from '../src/core/command/task-view.ts';
import { taskSummaries } from '../src/core/kernel/task-summary.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, type Span, span } from '../src/core/output/line.ts';

/** Tasks named of each group, unless all are asked for. */
const TASKS_SHOWN = 5;
/** Lines of tasks are broken here. */
const WIDTH = 100;

export default defineCommand({
  name: 'stacks',
  group: 'tasks',
  summary: 'identical stacks of tasks, grouped and counted',
  description: [
    'Tasks whose stacks have the same functions, and that are in the same state, stand together: the largest group first, with how many there are, some of them by name, and their stack once. With -s stacks are the same only where the addresses are, too.',
    'TASK chooses as for ps, and -R, -N and -m by what is on the stack: stacks UN -R __mutex_lock -m xfs. Tasks that have no stack to show (running on a live kernel, or ended) are grouped by why.',
  ],
  input: 'task',
  options: {
    R: repeated(stackReference, 'REF', "only stacks that contain this function, 'regex', [module] or address"),
    N: repeated(stackReference, 'REF', 'only stacks that do not contain it'),
    m: option(moduleName, 'MODULE', 'only stacks that contain a function of this module'),
    s: flag('tell stacks apart by address; show offsets'),
    v: flag('name every task'),
  },
  operands: {
    tasks: many(taskSelector, 'TASK', "a PID, an address, a name, a 'regex', a state; kernel, user, gleader, active"),
  },
  examples: [
    { line: 'stacks', shows: 'what all tasks are doing' },
    { line: 'stacks UN', shows: 'what tasks in uninterruptible sleep wait in' },
    { line: 'stacks -R __mutex_lock -v', shows: 'everybody who waits for a mutex' },
    { line: 'stacks kernel -N worker_thread', shows: 'kernel threads that are no workers' },
  ],
  run: (scope, args) => show(scope, args as unknown as StacksArgs),
});

interface StacksArgs {
  readonly R: readonly StackReference[];
  readonly N: readonly StackReference[];
  readonly m: string | undefined;
  readonly s: boolean;
  readonly v: boolean;
  readonly tasks: readonly TaskSelector[];
}

function* show(scope: Scope, args: StacksArgs): Iterable<Item> {
  const tasks = chosenTasks(scope, args.tasks) ?? taskSummaries(scope.kernel);
  const groups = groupStacks(chosenStacks(scope, args, stacksOf(scope, tasks, ALL_STACKS)), args.s);
  for (const [i, group] of groups.entries()) yield groupItem(scope, args, group, i);
  if (groups.some(({ frames }) => frames.some(({ method }) => method === 'proc'))) yield notice(PROC_STACK_NOTICE);
  if (groups.length === 0) yield notice('no stack is like that');
}

function* chosenStacks(scope: Scope, args: StacksArgs, stacks: Iterable<ShownStack>): Iterable<ShownStack> {
  const all = args.m === undefined ? args.R : [...args.R, moduleReference(args.m)];
  for (const stack of stacks) {
    scope.check();
    if (passes(stack, all, args.N)) yield stack;
  }
}

function groupItem(scope: Scope, args: StacksArgs, group: StackGroup, index: number): Item {
  const { tasks, state, frames, refused } = group;
  const data = {
    count: tasks.length,
    state,
    frames: frames.map(({ symbol, offset, module, reliable }) => ({
      symbol: symbol ?? null,
      ...(args.s ? { offset } : {}),
      module: module ?? null,
      ...(reliable ? {} : { reliable: false }),
    })),
    tasks: tasks.map(taskCells),
    ...(refused === undefined ? {} : { refused }),
  };
  return row(data, () => {
    const radix = offsetRadix(scope.settings);
    const heading: Span[] = [span(String(tasks.length).padStart(5), undefined, 'header'), `  ${state}  `];
    const stack = runsOf(frames, args.s).map(({ frame, count }): Line => {
      const times = count === 1 ? [] : [span(` (${count} times)`, undefined, 'dim')];
      return [' '.repeat(11), ...frameSpans(frame, args.s, radix), ...times];
    });
    return [
      ...(index === 0 ? [] : ['']),
      ...taskLines(heading, group, args.v),
      ...(refused === undefined ? stack : [[' '.repeat(11), span(`(${refused})`, undefined, 'warn')]]),
    ];
  });
}

/** The first tasks, or all of them on as many lines as they take. */
function taskLines(heading: readonly Span[], { tasks }: StackGroup, all: boolean): readonly Line[] {
  const shown = all ? tasks : tasks.slice(0, TASKS_SHOWN);
  const lines: Span[][] = [[...heading]];
  let width = 11;
  for (const [i, task] of shown.entries()) {
    const name = taskName(task);
    const length = typeof name === 'string' ? name.length : name.text.length;
    const wraps = i > 0 && width + length > WIDTH;
    if (i > 0) lines.at(-1)?.push(wraps ? ',' : ', ');
    if (wraps) {
      lines.push([' '.repeat(11)]);
      width = 11;
    }
    lines.at(-1)?.push(name);
    width += length + 2;
  }
  const left = tasks.length - shown.length;
  if (left > 0) lines.at(-1)?.push(` and ${left} more`);
  return lines;
}
