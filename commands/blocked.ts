/**
 * Tasks in uninterruptible sleep by what they wait for.
 */
import { defineCommand, flag, many } from '../src/core/command/define.ts';
import { blockedItems } from '../src/core/command/lock-blocked.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { type TaskSelector, taskSelector } from '../src/core/command/task-kinds.ts';
import { chosenTasks } from '../src/core/command/task-operands.ts';
import { taskSummaries } from '../src/core/kernel/task-summary.ts';

export default defineCommand({
  name: 'blocked',
  group: 'locks',
  summary: 'tasks in uninterruptible sleep, by what they wait for',
  description: [
    'Tasks that wait for the same thing with the same stack stand together, the longest wait first: the lock and its owner, the task at the end of the chain of owners ("held up by") and what that does, or the deadlock that it leads to; then the stack, innermost function first.',
    'HUNG marks the tasks that the kernel itself reports as hung: they have slept uninterruptibly, and not killably, for hung_task_timeout_secs and were not switched since.',
  ],
  needs: ['memory', 'symbols', 'types'],
  input: 'task',
  options: { v: flag('name every task') },
  operands: {
    tasks: many(taskSelector, 'TASK', "a PID, an address, a name, a 'regex'; kernel, user"),
  },
  examples: [
    { line: 'blocked', shows: 'what everything that is stuck is stuck in' },
    { line: 'blocked kernel', shows: 'the same of kernel threads' },
  ],
  run: (scope, args) => show(scope, args as unknown as BlockedArgs),
});

interface BlockedArgs {
  readonly v: boolean;
  readonly tasks: readonly TaskSelector[];
}

function show(scope: Scope, args: BlockedArgs) {
  const chosen = [...(chosenTasks(scope, args.tasks) ?? taskSummaries(scope.kernel))];
  return blockedItems(
    scope,
    chosen.filter(({ state }) => state === 'UN'),
    args.v,
  );
}
