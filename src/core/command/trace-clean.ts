/** Removing what killed sessions have left. */
import { UsageError } from '../errors.ts';
import { leftInstances, removeLeftInstance } from '../kernel/trace-own.ts';
import { readTraceState } from '../kernel/trace-state.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { type Item, notice, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';

/** What nobody named and still records may be another session's. */
export function* traceClean({ kernel }: Scope, { words: named }: TraceArgs): Iterable<Item> {
  const left = leftInstances(kernel);
  const other = named.find((name) => !left.includes(name));
  if (other !== undefined) throw new UsageError(`"${other}" is no instance that a session of kdbg has left`);
  if (left.length === 0) yield notice('nothing is left of earlier sessions');
  for (const instance of named.length > 0 ? named : left) {
    if (named.length === 0 && readTraceState(tracefs(kernel), instance).isOn) {
      yield notice(`${instance} still records, perhaps for another session; "trace clean ${instance}" removes it`);
      continue;
    }
    removeLeftInstance(kernel, instance);
    yield row({ removed: instance }, () => [`removed ${instance}`]);
  }
}
