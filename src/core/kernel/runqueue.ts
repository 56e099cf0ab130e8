/** What each CPU runs: the per-CPU struct rq, whose `curr` is the running task and whose `idle` is the swapper. */
import { FaultError } from '../errors.ts';
import { cpus } from './cpu.ts';
import type { Kernel } from './kernel.ts';
import { perCpuSymbol } from './percpu.ts';
import { defineStruct, type Loaded, pointer } from './struct.ts';

const Runqueue = defineStruct('rq', { current: pointer('curr'), idle: pointer('idle') });
export type Runqueue = Loaded<typeof Runqueue.fields>;

/** The struct rq of each possible CPU that can be read. */
export function runqueues(kernel: Kernel): ReadonlyMap<number, Runqueue> {
  return kernel.memo('runqueues', 'command', () => {
    const struct = kernel.struct(Runqueue);
    const found = new Map<number, Runqueue>();
    for (const cpu of cpus(kernel, 'possible')) {
      const address = perCpuSymbol(kernel, 'runqueues', cpu);
      if (address !== undefined) found.set(cpu, struct.at(address));
    }
    struct.prefetch([...found.values()].map((runqueue) => runqueue.address));
    for (const [cpu, runqueue] of found) {
      const fault = faultIn(runqueue);
      if (fault === undefined) continue;
      kernel.notice(`the run queue of CPU ${cpu} is left out: ${fault.message}`);
      found.delete(cpu);
    }
    return found;
  });
}

/** Only what is read of it is touched: a struct rq is larger than a page. */
function faultIn(runqueue: Runqueue): FaultError | undefined {
  try {
    void [runqueue.current, runqueue.idle];
    return undefined;
  } catch (error) {
    if (error instanceof FaultError) return error;
    throw error;
  }
}

/** The task that each online CPU runs: rq->curr. On a live target true of a moment that is over. */
export function currentTasks(kernel: Kernel): ReadonlyMap<number, bigint> {
  return kernel.memo('current tasks', 'command', () => {
    const online = new Set(cpus(kernel, 'online'));
    return new Map([...runqueues(kernel)].filter(([cpu]) => online.has(cpu)).map(([cpu, rq]) => [cpu, rq.current]));
  });
}
