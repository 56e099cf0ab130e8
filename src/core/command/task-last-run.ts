/**
 * Tasks by when they last came onto a CPU, the latest first: `ps -l`, `-m`. What has been stuck longest is at the end.
 */
import { FaultError } from '../errors.ts';
import { lastRun, schedulerClock } from '../kernel/task-last-run.ts';
import { TaskStruct } from '../kernel/task-struct.ts';
import { structOf, type TaskSummary } from '../kernel/task-summary.ts';
import { type Item, row, text } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { inBatches } from './task-operands.ts';
import { taskCells, taskHeading } from './task-view.ts';

/** Tasks read together. */
const BATCH = 512;
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
  const ran: Ran[] = [];
  for (const batch of inBatches(tasks, BATCH)) {
    kernel.struct(TaskStruct).prefetch(batch.map((task) => structOf(kernel, task).address));
    for (const task of batch) {
      scope.check();
      try {
        ran.push({ task, at: lastRun(structOf(kernel, task)) });
      } catch (error) {
        if (!(error instanceof FaultError)) throw error;
        kernel.notice(`task ${task.pid} is left out: ${error.message}`);
      }
    }
  }
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
