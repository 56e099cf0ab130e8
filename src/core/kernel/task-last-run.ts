/**
 * When tasks last came onto a CPU: sched_info.last_arrival, in nanoseconds of the run queues' clocks. These clocks are
 * nearly in step; the one that is furthest is taken for what time it is, because that of an idle CPU stands still.
 */
import { UnsupportedError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { runqueues } from './runqueue.ts';
import { defineStruct, long } from './struct.ts';
import type { TaskSummary } from './task-summary.ts';

const RunqueueClock = defineStruct('rq', { clock: long('clock') });

/** Of a task in memory. Throws UnsupportedError on a kernel without CONFIG_SCHED_INFO. */
export function lastRun(task: TaskSummary): bigint {
  if (task.lastRun !== undefined) return BigInt.asUintN(64, task.lastRun);
  throw new UnsupportedError('this kernel does not keep when a task last ran (CONFIG_SCHED_INFO is off)');
}

/** The time on the clock of lastRun. Throws FaultError. */
export function schedulerClock(kernel: Kernel): bigint {
  return kernel.memo('scheduler clock', 'command', () => {
    const struct = kernel.struct(RunqueueClock);
    const queues = [...runqueues(kernel).values()].map(({ address }) => address);
    struct.prefetch(queues);
    let latest = 0n;
    for (const address of queues) {
      const { clock } = struct.at(address);
      if (clock > latest) latest = clock;
    }
    return latest;
  });
}
