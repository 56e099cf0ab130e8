/** How much is in a buffer, and how much was lost, CPU by CPU. */
import { ownDirectory } from '../kernel/trace-own.ts';
import { readTraceStats } from '../kernel/trace-state.ts';
import { type Tracefs, tracefs } from '../kernel/tracefs.ts';
import { decimalColumn } from '../output/columns.ts';
import { type Item, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { checkedInstance } from './trace-buffer.ts';

/** Tracers that keep the longest time that they have seen. */
const LATENCY_TRACER = /^(?:wakeup(?:_rt|_dl)?|irqsoff|preemptoff|preemptirqsoff|hwlat|osnoise|timerlat)$/;

const STAT_COLUMNS = {
  cpu: decimalColumn('CPU', 'the CPU', { width: 3 }),
  entries: decimalColumn('ENTRIES', 'entries in its buffer', { width: 10 }),
  overrun: decimalColumn('OVERWRITTEN', 'entries that newer ones have overwritten', { width: 11 }),
  dropped: decimalColumn('DROPPED', 'entries for which there was no room', { width: 8 }),
  bytes: decimalColumn('BYTES', 'bytes in its buffer', { width: 10 }),
};

export function* traceStat({ kernel }: Scope, args: TraceArgs): Iterable<Item> {
  const instance = args.shared ? undefined : (args.i ?? ownDirectory(kernel).trace.instance);
  const { cpus } = readTraceStats(tracefs(kernel), checkedInstance(kernel, instance));
  for (const { cpu, entries, overrun, dropped, bytes } of cpus) {
    yield row({ cpu, entries, overrun, dropped, bytes }, STAT_COLUMNS);
  }
  yield* longest(tracefs(kernel), instance);
}

/** Of a latency tracer: the longest latency that it has seen, whose entries the buffer holds. */
function* longest(fs: Tracefs, instance: string | undefined): Iterable<Item> {
  const directory = fs.directory(instance);
  const [tracer = '', most = ''] = fs.texts([`${directory}/current_tracer`, `${directory}/tracing_max_latency`], 64);
  if (!LATENCY_TRACER.test(tracer) || !/^\d{1,15}$/.test(most)) return;
  yield row({ tracer, longest: Number(most) }, () => [`the longest latency that ${tracer} has seen: ${most} us`]);
}
