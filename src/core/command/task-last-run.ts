/**
 * Tasks by when they last came onto a CPU, the latest first: `ps -l`, `-m`. What has been stuck longest is at the end.
 */
import { lastRun, schedulerClock } from '../kernel/task-last-run.ts';
import type { TaskSummary } from '../kernel/task-summary.ts';
import { type Item, row, text } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { taskCells, taskHeading } from './task-view.ts';

const NS_PER_MS = 1_000_000n;
const MS_PER_DAY = 86_400_000n;

export interface LastRunOptions {
  /** How long ago, and not the clock's time. */
  readonly ago: boolean;
  /** In groups by CPU, these CPUs only. */
  readonly cpus: readonly number[] | undefined;
}

export function* lastRunItems(
  scope: Scope,
  tasks: Iterable<TaskSummary>,
  { ago, cpus }: LastRunOptions,
): Iterable<Item> {
  const { kernel } = scope;
  // Without memory this says what is missing.
  void kernel.memory;
  const now = schedulerClock(kernel);
  const ran = Array.from(tasks, (task): Ran => ({ task, at: lastRun(task) }));
  ran.sort((a, b) => (a.at === b.at ? 0 : a.at > b.at ? -1 : 1));
  const item = (each: Ran): Item => lastRunItem(each, now, ago);
  if (cpus === undefined) {
    for (const each of ran) yield item(each);
    return;
  }
  for (const [i, cpu] of cpus.entries()) {
    yield i === 0 ? text(`CPU: ${cpu}`) : text('', `CPU: ${cpu}`);
    for (const each of ran) if (each.task.cpu === cpu) yield item(each);
  }
}

interface Ran {
  readonly task: TaskSummary;
  readonly at: bigint;
}

function lastRunItem({ task, at }: Ran, now: bigint, ago: boolean): Item {
  const since = now > at ? now - at : 0n;
  const data = { ...taskCells(task), state: task.state, lastRun: Number(at) / 1e9, ago: Number(since) / 1e9 };
  return row(data, () => [taskHeading(task, [`[${ago ? formatAgo(since) : at}] [${task.state}]  `])]);
}

/** ` 0 00:00:15.123`: days, hours, minutes, seconds. */
function formatAgo(nanoseconds: bigint): string {
  const ms = nanoseconds / NS_PER_MS;
  const part = (value: bigint, width: number) => String(value).padStart(width, '0');
  const seconds = (ms % MS_PER_DAY) / 1000n;
  const clock = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((value) => part(value, 2)).join(':');
  return `${String(ms / MS_PER_DAY).padStart(2)} ${clock}.${part(ms % 1000n, 3)}`;
}
