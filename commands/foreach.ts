/**
 * A command for each of many tasks.
 */
import { contextOf } from '../src/core/command/context.ts';
import { type Command, defineCommand, rest } from '../src/core/command/define.ts';
import { type ForeachLine, foreachLine } from '../src/core/command/foreach-line.ts';
import { progressOver } from '../src/core/command/progress.ts';
import { startCommand } from '../src/core/command/run.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { chosenTasks, eachTask, headingItem } from '../src/core/command/task-operands.ts';
import { taskCells } from '../src/core/command/task-view.ts';
import { type TaskSummary, taskSummaries } from '../src/core/kernel/task-summary.ts';
import { type Item, row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'foreach',
  group: 'tasks',
  summary: 'run a command for each of many tasks',
  description: [
    "TASK chooses as for ps: PIDs, addresses, names, 'regex', states, kernel, user, gleader, active; all tasks where none is given. The first word that is a command begins the COMMAND; a task of such a name is chosen by \\NAME.",
    'A command that takes tasks (bt, ps, task, set) is given all of them and reads them together. Any other is run with each task as the context in its turn: foreach user rd -u ADDRESS. A task for which it fails does not stop the others.',
  ],
  input: 'task',
  optionsFirst: true,
  operands: {
    line: rest(foreachLine, '[TASK]... COMMAND [ARGUMENT]...', 'which tasks, and the command to run for each'),
  },
  examples: [
    { line: 'foreach bt', shows: 'the stacks of all tasks' },
    { line: 'foreach UN bt -s', shows: 'the stacks of tasks in uninterruptible sleep' },
    { line: "foreach kernel 'kworker' bt -R process_one_work", shows: 'kworkers that are at work' },
    { line: 'foreach gleader task -R pid,comm,nvcsw', shows: 'members of each process' },
  ],
  *run(scope, { line }) {
    const { selectors, invocation } = line as ForeachLine;
    const tasks = chosenTasks(scope, selectors) ?? taskSummaries(scope.kernel);
    if (invocation.command.input === 'task') {
      const running = startCommand(invocation, { ...scope, input: taskItems(scope, tasks) });
      for (const item of running.items) yield withView(item, invocation.command);
      return;
    }
    yield* eachTask(scope, tasks, function* (task, index) {
      yield headingItem(task, index);
      const running = startCommand(invocation, { ...scope, context: contextOf(task), input: undefined });
      for (const item of running.items) yield withTask(withView(item, invocation.command), task);
    });
  },
});

/** The tasks as a pipe brings them. */
function* taskItems(scope: Scope, tasks: Iterable<TaskSummary>): Iterable<Item> {
  const told = progressOver(scope.kernel, tasks);
  for (const task of tasks) {
    told();
    yield row(taskCells(task));
  }
}

/** Its own table, which this command does not have. */
function withView(item: Item, command: Command): Item {
  return item.kind === 'row' && item.view === undefined ? { ...item, view: command.columns } : item;
}

/** Rows that do not say of which task they are, say so. */
function withTask(item: Item, task: TaskSummary): Item {
  return item.kind === 'row' ? { ...item, data: { ...taskCells(task), ...item.data } } : item;
}
