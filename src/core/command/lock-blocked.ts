/** Tasks in uninterruptible sleep, together where their stacks and what they wait for are the same. */
import { hungTaskRule } from '../kernel/hung-task.ts';
import { confirmedCycles } from '../kernel/locks/cycles.ts';
import type { LockPlace } from '../kernel/locks/describe.ts';
import { waitGraph } from '../kernel/locks/graph.ts';
import type { Lock, Wait } from '../kernel/locks/lock.ts';
import { lockKey } from '../kernel/locks/lock-key.ts';
import { taskTable } from '../kernel/locks/task-table.ts';
import { baseName } from '../kernel/locks/wait-function.ts';
import { structOf, type TaskSummary } from '../kernel/task-summary.ts';
import { type Item, notice, row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import { endSpans, rootCells, type WaitEnd, waitEnd } from './lock-root.ts';
import { counted, lockName, lockSpans, placesOf, stateSpans, waitedText, wrappedLines } from './lock-view.ts';
import type { Scope } from './scope.ts';
import { frameKey, runsOf } from './stack-groups.ts';
import { frameSpans } from './stack-view.ts';
import { ALL_STACKS, type ShownFrame, stacksOf } from './task-stacks.ts';
import { taskName } from './task-view.ts';

interface Blocked {
  readonly task: TaskSummary;
  readonly waitedMs: number | undefined;
  readonly isHung: boolean;
}

interface BlockedGroup {
  readonly tasks: Blocked[];
  readonly frames: readonly ShownFrame[];
  readonly refused: string | undefined;
  readonly wait: Wait | undefined;
  readonly lock: Lock | undefined;
  readonly end: WaitEnd;
}

/** Tasks named of each group, unless all are asked for. */
const TASKS_SHOWN = 5;
/** Functions between a task and where it waits say nothing. */
const OF_SCHEDULER =
  /^(?:__schedule|schedule(?:_\w+)?|__switch_to|__switch_to_asm|io_schedule|ret_from_fork(?:_asm)?)$/;

/** The groups with their lock and who holds it in the end, the longest wait first. */
export function* blockedItems(scope: Scope, tasks: readonly TaskSummary[], all: boolean): Iterable<Item> {
  const { kernel } = scope;
  const rule = hungTaskRule(kernel);
  const groups = groupBlocked(scope, tasks, rule);
  const locks = groups.flatMap(({ lock }) => lock ?? []);
  const places = placesOf(scope, locks);
  for (const [i, group] of groups.entries()) {
    scope.check();
    yield groupItem(group, group.lock && places.get(group.lock), i, all);
  }
  const hung = groups.flatMap((group) => group.tasks.filter(({ isHung }) => isHung)).length;
  if (tasks.length === 0) yield notice('no task is in uninterruptible sleep');
  else if (rule.timeout === 0) yield notice('hung_task_timeout_secs is 0: the kernel reports no hung tasks');
  else {
    const name = rule.isKernels ? 'hung_task_timeout_secs' : 'the default of hung_task_timeout_secs';
    yield notice(`${hung} of ${counted(tasks.length, 'task')} hung by the kernel's rule: ${name} is ${rule.timeout}`);
  }
}

function groupBlocked(
  scope: Scope,
  tasks: readonly TaskSummary[],
  rule: ReturnType<typeof hungTaskRule>,
): readonly BlockedGroup[] {
  const { kernel } = scope;
  const graph = waitGraph(kernel);
  const table = taskTable(kernel);
  const found = new Map<string, BlockedGroup>();
  const cycles = confirmedCycles(kernel, graph);
  for (const { task, frames, refused } of stacksOf(scope, tasks, ALL_STACKS)) {
    scope.check();
    const { address } = structOf(kernel, task);
    const wait = graph.waits.get(address);
    const key = wait && lockKey(wait);
    const { waitedMs } = table.find(address) ?? { waitedMs: undefined };
    const blocked = { task, waitedMs, isHung: rule.isHung(address, waitedMs) };
    const id = [key ?? '', refused ?? '', ...frames.map((frame) => frameKey(frame, false))].join('\n');
    const group = found.get(id);
    if (group !== undefined) {
      group.tasks.push(blocked);
      continue;
    }
    const lock = key === undefined ? undefined : graph.locks.get(key);
    const end = waitEnd(kernel, graph, cycles, address);
    // A stack's bytes are not kept for the sake of its names.
    const shown = frames.map((frame) => ({ ...frame, unwound: undefined }));
    found.set(id, { tasks: [blocked], frames: shown, refused, wait, lock, end });
  }
  const groups = [...found.values()];
  for (const group of groups) group.tasks.sort((a, b) => (b.waitedMs ?? -1) - (a.waitedMs ?? -1));
  return groups.sort((a, b) => longest(b) - longest(a));
}

function longest({ tasks }: BlockedGroup): number {
  return tasks[0]?.waitedMs ?? -1;
}

function groupItem(group: BlockedGroup, place: LockPlace | undefined, index: number, all: boolean): Item {
  const { tasks, frames, refused, wait, lock, end } = group;
  const data = {
    count: tasks.length,
    longestMs: tasks[0]?.waitedMs ?? null,
    hung: tasks.filter(({ isHung }) => isHung).length,
    lock: wait?.address ?? null,
    kind: wait?.kind ?? null,
    name: lockName(place) ?? wait?.what ?? null,
    sure: wait?.sure ?? null,
    within: wait?.within ?? null,
    owners: (lock?.owners ?? wait?.owners ?? []).map(({ pid, task, comm, sure }) => ({ pid, task, comm, sure })),
    root: rootCells(end.root),
    deadlock: end.cycle === undefined ? null : end.cycle.tasks.map(({ pid, task, comm }) => ({ pid, task, comm })),
    frames: frames.map(({ symbol, module }) => ({ symbol: symbol ?? null, module: module ?? null })),
    tasks: tasks.map(({ task, waitedMs, isHung }) => ({
      pid: task.pid,
      task: task.task?.address ?? null,
      comm: task.comm,
      waitedMs: waitedMs ?? null,
      hung: isHung,
    })),
    ...(refused === undefined ? {} : { refused }),
  };
  return row(data, () => [...(index === 0 ? [] : ['']), ...groupLines(group, place, all)]);
}

function groupLines(group: BlockedGroup, place: LockPlace | undefined, all: boolean): readonly Line[] {
  const { tasks, frames, refused, wait, lock, end } = group;
  const shown = all ? tasks : tasks.slice(0, TASKS_SHOWN);
  const left = tasks.length - shown.length;
  const names = shown.map(({ task, waitedMs, isHung }, i): Span => {
    const name = taskName(task);
    const { text, ref } = typeof name === 'string' ? { text: name, ref: undefined } : name;
    const time = i === 0 || waitedMs === undefined ? '' : ` ${waitedText(waitedMs)}`;
    return span(`${text}${time}${isHung ? ' HUNG' : ''}`, ref, isHung ? 'error' : 'task');
  });
  return [
    [
      span(`${counted(tasks.length, 'task')}, ${waitedText(tasks[0]?.waitedMs)}`, undefined, 'header'),
      ...targetSpans(wait, lock, place),
    ],
    ...wrappedLines('  ', [...names, ...(left === 0 ? [] : [`and ${left} more`])], ', '),
    ...(lock === undefined || lock.owners.length === 0 ? [] : [['  ', ...stateSpans(lock)] satisfies Line]),
    ...(end.cycle === undefined && (end.root === undefined || end.length < 2)
      ? rootOfOne(end)
      : [['  held up by ', ...endSpans(end)] satisfies Line]),
    ...(refused === undefined ? stackText(frames) : [['  ', span(`(${refused})`, undefined, 'warn')] satisfies Line]),
  ];
}

/** Of a way of one step the holder is named already: what it does is left to say. */
function rootOfOne({ root }: WaitEnd): readonly Line[] {
  return root === undefined ? [] : [`  ${root.pid} ${root.text}`];
}

function targetSpans(wait: Wait | undefined, lock: Lock | undefined, place: LockPlace | undefined): readonly Span[] {
  if (wait === undefined) return ['  for something that is not known'];
  const what = wait.what === undefined ? [] : [`  for ${wait.what}`];
  return wait.address === undefined || lock === undefined
    ? what.length === 0
      ? [`  for ${wait.kind === 'io' ? 'I/O' : `a ${wait.kind}`}`]
      : what
    : ['  ', ...lockSpans(wait, place)];
}

/** The functions from the innermost out, the scheduler's left out; one that calls itself is named once. */
function stackText(frames: readonly ShownFrame[]): readonly Line[] {
  const telling = frames.filter(({ symbol }) => !OF_SCHEDULER.test(baseName(symbol) ?? ''));
  const runs = runsOf(telling, false);
  const spans = runs.map(({ frame, count }): Span => {
    const [name = ''] = frameSpans(frame, false, 16);
    const { text, ref } = typeof name === 'string' ? { text: name, ref: undefined } : name;
    return count === 1 ? name : span(`${text} (${count} times)`, ref, 'symbol');
  });
  return spans.length === 0 ? [] : wrappedLines('  in ', spans, ' < ');
}
