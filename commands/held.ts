/**
 * Locks that a task holds.
 */
import { defineCommand, flag, many } from '../src/core/command/define.ts';
import { counted, lockName, lockSpans, placesOf, sureSpans } from '../src/core/command/lock-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { type TaskSelector, taskSelector } from '../src/core/command/task-kinds.ts';
import { eachTask, headingItem, tasksOf } from '../src/core/command/task-operands.ts';
import { taskCells } from '../src/core/command/task-view.ts';
import { type HeldLock, heldBy } from '../src/core/kernel/locks/held.ts';
import { structOf, type TaskSummary } from '../src/core/kernel/task-summary.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';

export default defineCommand({
  name: 'held',
  group: 'locks',
  summary: 'locks that a task holds, as far as can be known',
  description: [
    'The kernel keeps no list of the locks that a task holds, unless it has lockdep. What can be found: locks that somebody waits for and whose owner word names the task; locks that lockdep lists; and mutexes and rw_semaphores whose address, or whose inode, mm or other known object, is still on the stack of the task. Each says how it was found.',
    'A lock that is free of waiters and left no trace on the stack is not found, and neither is a rw_semaphore that the task has for reading: an empty answer does not mean that the task holds nothing.',
  ],
  needs: ['memory', 'symbols', 'types'],
  input: 'task',
  options: { a: flag('also locks that only tasks in interruptible sleep wait for') },
  operands: { tasks: many(taskSelector, 'TASK', "a PID, an address, a name, a 'regex'; without one the context") },
  examples: [
    { line: 'held lab_ab', shows: 'the locks of one task' },
    { line: 'held UN', shows: 'those of all tasks in uninterruptible sleep' },
  ],
  run: (scope, args) => show(scope, args as unknown as HeldArgs),
});

interface HeldArgs {
  readonly a: boolean;
  readonly tasks: readonly TaskSelector[];
}

function show(scope: Scope, args: HeldArgs): Iterable<Item> {
  return eachTask(scope, tasksOf(scope, args.tasks), (task, index) => heldItems(scope, args, task, index));
}

function* heldItems(scope: Scope, args: HeldArgs, task: TaskSummary, index: number): Iterable<Item> {
  const found = heldBy(scope.kernel, structOf(scope.kernel, task).address, { sleeping: args.a });
  const places = placesOf(scope, found);
  yield headingItem(task, index);
  for (const lock of found) {
    const { kind, address, mode, sure, how, waiters } = lock;
    const place = places.get(lock);
    const data = { ...taskCells(task), lock: address, kind, name: lockName(place) ?? null, mode, sure, how, waiters };
    yield row(data, () => lines(lock, lockSpans(lock, place)));
  }
  if (found.length === 0) yield notice('none that somebody waits for or that its stack leads to');
}

function lines({ mode, sure, how, waiters }: HeldLock, name: Line): readonly Line[] {
  const has = mode === 'read' || mode === 'write' ? `, to ${mode}` : '';
  const queue = waiters === 0 ? 'nobody waits' : counted(waiters, 'waiter');
  return [
    ['  ', ...name, ...sureSpans(sure)],
    [`    ${queue}${has}; `, span(how, undefined, 'dim')],
  ];
}
