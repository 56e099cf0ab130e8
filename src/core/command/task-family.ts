/**
 * Who belongs to whom: `ps -p`, `-c`, `-g`.
 */
import type { Kernel } from '../kernel/kernel.ts';
import { type TaskRow, taskRows } from '../kernel/task-row.ts';
import { type TaskSummary, taskSummaries } from '../kernel/task-summary.ts';
import { type Item, row } from '../output/item.ts';
import type { Line } from '../output/line.ts';
import type { Scope } from './scope.ts';
import { taskCells, taskHeading } from './task-view.ts';

/** More ancestors than this are a loop that changed under the reader. */
const ANCESTORS_MAX = 1024;

/** `-p`: each task under its ancestors, the oldest first. */
export function* ancestorItems(scope: Scope, tasks: Iterable<TaskSummary>): Iterable<Item> {
  const { byPid } = familyOf(scope.kernel);
  let shown = 0;
  for (const task of tasks) {
    scope.check();
    const chain = ancestors(task, byPid);
    const gap = shown++ === 0 ? [] : [''];
    yield row({ ...taskCells(task), ancestors: chain.map(taskCells) }, () => [
      ...gap,
      ...[...chain, task].map((each, depth) => taskHeading(each, depth === 0 ? [] : [' '.repeat(depth)])),
    ]);
  }
}

/** `-c`: each task with its children. */
export function* childrenItems(scope: Scope, tasks: Iterable<TaskSummary>): Iterable<Item> {
  const { children } = familyOf(scope.kernel);
  let shown = 0;
  for (const task of tasks) {
    scope.check();
    // Children belong to the process, whichever of its threads forked them.
    const own = task.pid === task.tgid ? (children.get(task.pid) ?? []) : [];
    const gap = shown++ === 0 ? [] : [''];
    yield row({ ...taskCells(task), children: own.map(taskCells) }, () => [
      ...gap,
      taskHeading(task),
      ...(own.length === 0 ? ['  (no children)'] : own.map(indented)),
    ]);
  }
}

/** `-g`: each process with its threads. */
export function* groupItems(scope: Scope, tasks: Iterable<TaskSummary>): Iterable<Item> {
  const groups = new Set<number>();
  for (const task of tasks) if (task.pid !== 0) groups.add(task.tgid);
  const members = groupsOf(scope.kernel);
  let shown = 0;
  for (const tgid of groups) {
    scope.check();
    const [leader, ...threads] = members.get(tgid) ?? [];
    if (leader === undefined) continue;
    const gap = shown++ === 0 ? [] : [''];
    yield row({ ...taskCells(leader), threads: threads.map(taskCells) }, () => [
      ...gap,
      taskHeading(leader),
      ...(threads.length === 0 ? ['  (no threads)'] : threads.map(indented)),
    ]);
  }
}

function indented(task: TaskSummary): Line {
  return taskHeading(task, ['  ']);
}

interface Family {
  readonly byPid: ReadonlyMap<number, TaskRow>;
  /** Processes by the PID of their parent. */
  readonly children: ReadonlyMap<number, readonly TaskRow[]>;
}

function familyOf(kernel: Kernel): Family {
  return kernel.memo('task family', 'command', () => {
    const byPid = new Map<number, TaskRow>();
    const children = new Map<number, TaskRow[]>();
    for (const task of taskRows(kernel)) {
      if (!byPid.has(task.pid)) byPid.set(task.pid, task);
      if (task.pid === 0 || task.pid !== task.tgid) continue;
      const siblings = children.get(task.ppid);
      if (siblings === undefined) children.set(task.ppid, [task]);
      else siblings.push(task);
    }
    return { byPid, children };
  });
}

function ancestors(task: TaskSummary, byPid: ReadonlyMap<number, TaskRow>): readonly TaskRow[] {
  const chain: TaskRow[] = [];
  const seen = new Set([task.pid]);
  for (let pid = byPid.get(task.pid)?.ppid; pid !== undefined && !seen.has(pid); ) {
    const parent = byPid.get(pid);
    if (parent === undefined || chain.length >= ANCESTORS_MAX) break;
    seen.add(pid);
    chain.unshift(parent);
    pid = parent.pid === 0 ? undefined : parent.ppid;
  }
  return chain;
}

/** All thread groups, the leader first. */
function groupsOf(kernel: Kernel): ReadonlyMap<number, readonly TaskSummary[]> {
  const groups = new Map<number, TaskSummary[]>();
  for (const task of taskSummaries(kernel)) {
    if (task.pid === 0) continue;
    const group = groups.get(task.tgid);
    if (group === undefined) groups.set(task.tgid, [task]);
    else if (task.pid === task.tgid) group.unshift(task);
    else group.push(task);
  }
  return groups;
}
