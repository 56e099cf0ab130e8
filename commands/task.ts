/**
 * The task_struct of a task, or members of it.
 */
import { defineCommand, flag, many, repeated } from '../src/core/command/define.ts';
import type { Scope } from '../src/core/command/scope.ts';
import {
  type TaskMember,
  type TaskOrMembers,
  taskMembers,
  taskOrMembers,
  taskStructure,
} from '../src/core/command/task-members.ts';
import { eachTask, inBatches, tasksOf } from '../src/core/command/task-operands.ts';
import { taskCells, taskHeading } from '../src/core/command/task-view.ts';
import { formatOptions, type RadixFlags, valueLines } from '../src/core/command/value-view.ts';
import { structOf, type TaskSummary } from '../src/core/kernel/task-summary.ts';
import { type Item, row } from '../src/core/output/item.ts';
import type { Line } from '../src/core/output/line.ts';
import { formatMember, formatStruct } from '../src/core/types/format-value.ts';
import { getMember, type MemberLocation } from '../src/core/types/member-path.ts';
import { sizeOf } from '../src/core/types/type.ts';
import { Value } from '../src/core/types/value.ts';

/** Tasks read together. */
const BATCH = 64;

export default defineCommand({
  name: 'task',
  group: 'tasks',
  summary: 'the task_struct and thread_info of tasks, or members of them',
  description: [
    'Without members both structures are shown whole. Members are chosen with -R, or by naming them: task 1 pid,comm; each may be a path like thread.sp or pids[1].',
    'The context is meant where no task is given.',
  ],
  needs: ['memory', 'types'],
  input: 'task',
  options: {
    R: repeated(taskMembers, 'MEMBER[,MEMBER]', 'only these members'),
    x: flag('integers in hex'),
    d: flag('integers in decimal'),
  },
  operands: {
    what: many(taskOrMembers, 'TASK|MEMBER[,MEMBER]', 'tasks as for ps, and members to show of each'),
  },
  examples: [
    { line: 'task -R pid,comm,__state', shows: "three members of the context's task" },
    { line: 'task 1 thread.sp', shows: 'a member of a member' },
    { line: 'task -x 1', shows: 'all of a task, in hex' },
  ],
  *run(scope, { R, x, d, what }) {
    const named = (what as readonly TaskOrMembers[]).flatMap((each) => (each.kind === 'members' ? each.members : []));
    const selectors = (what as readonly TaskOrMembers[]).flatMap((each) =>
      each.kind === 'selector' ? [each.selector] : [],
    );
    const members = [...(R as readonly (readonly TaskMember[])[]).flat(), ...named];
    let shown = 0;
    for (const batch of inBatches(tasksOf(scope, selectors), BATCH)) {
      prefetch(scope, batch, members);
      yield* eachTask(scope, batch, function* (task) {
        yield item(scope, task, shown++, members, { x, d });
      });
    }
  },
});

function prefetch(scope: Scope, tasks: readonly TaskSummary[], members: readonly TaskMember[]): void {
  const whole = sizeOf(taskStructure(scope, 'task_struct'));
  const places = members.map(({ structure, path }) => getMember(taskStructure(scope, structure), path));
  const ranges = places.length === 0 ? [{ offset: 0, size: whole }] : places.map(placeOf);
  scope.kernel.memory.prefetch(
    tasks.flatMap((task) => {
      const { address } = structOf(scope.kernel, task);
      return ranges.map(({ offset, size }) => ({
        space: 'virtual' as const,
        address: address + BigInt(offset),
        length: size,
        what: 'task_struct',
      }));
    }),
  );
}

function placeOf({ offset, type }: MemberLocation): { readonly offset: number; readonly size: number } {
  return { offset, size: sizeOf(type) };
}

function item(scope: Scope, task: TaskSummary, index: number, members: readonly TaskMember[], radix: RadixFlags): Item {
  const { address } = structOf(scope.kernel, task);
  // thread_info is the first member of task_struct (THREAD_INFO_IN_TASK, on x86-64 since v4.9).
  const value = (name: TaskMember['structure']) => Value.at(scope.kernel.memory, taskStructure(scope, name), address);
  const whole = { task_struct: value('task_struct'), thread_info: value('thread_info') };
  const chosen = members.map(({ structure, path }) => [path, whole[structure].member(path)] as const);
  const data = { ...taskCells(task), ...(members.length === 0 ? whole : Object.fromEntries(chosen)) };
  return row(data, () => {
    const options = formatOptions(scope, radix);
    const heading: readonly Line[] = index === 0 ? [taskHeading(task)] : ['', taskHeading(task)];
    if (members.length > 0) {
      return [...heading, ...chosen.flatMap(([path, member]) => valueLines(formatMember(path, member, options)))];
    }
    return [
      ...heading,
      ...valueLines(formatStruct(whole.task_struct, options)),
      '',
      ...valueLines(formatStruct(whole.thread_info, options)),
    ];
  });
}
