/** Which entries of a trace are shown: by function, by event, by task. Nothing of this reaches the kernel. */
import type { TraceEntry } from '../formats/trace-entry.ts';
import type { TraceArgs } from './trace-arguments.ts';

/** True for entries that -f, -e and -p choose; what tells of lost ones is always shown. */
export function chosenBy({ f, filter, e, p, pid }: TraceArgs): (entry: TraceEntry) => boolean {
  const functions = [...f, ...filter].map(globTest);
  const events = e.map((name) => globTest(name.replace(/^[\w-]+:/, '')));
  const pids = new Set([...p, ...pid]);
  return (entry) => {
    if (entry.kind === 'lost') return true;
    if (pids.size > 0 && (entry.pid === undefined || !pids.has(entry.pid))) return false;
    if (functions.length === 0 && events.length === 0) return true;
    const called = 'function' in entry ? entry.function?.name : undefined;
    if (called !== undefined) return functions.some((test) => test.test(called));
    return entry.kind === 'event' && events.some((test) => test.test(entry.name));
  };
}

/** `do_sys_open*`, as the kernel's own filters take it. */
function globTest(pattern: string): RegExp {
  return new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\?]/g, '\\$&').replace(/[*]+/g, '.*')}$`);
}
