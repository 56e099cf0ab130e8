/**
 * Who calls a function: the stacks that its calls had, the same ones counted together, most frequent first.
 */
import type { TraceEntry, TraceFunction } from '../formats/trace-entry.ts';

export interface CallerStack {
  /** The caller first; empty where no stack was taken. */
  readonly frames: readonly TraceFunction[];
  readonly count: number;
  /** The tasks that came this way: PID to comm, the first ones. */
  readonly tasks: ReadonlyMap<number, string>;
}

const TASKS_MAX = 16;

/** The stacks of one function's entries. */
export function callerStacks(entries: readonly TraceEntry[]): readonly CallerStack[] {
  const found = new Map<string, { frames: readonly TraceFunction[]; count: number; tasks: Map<number, string> }>();
  for (const entry of entries) {
    if (entry.kind !== 'function') continue;
    const frames = framesOf(entry);
    const key = frames.map(({ name, module }) => `${name} ${module ?? ''}`).join('\n');
    const group = found.get(key) ?? { frames, count: 0, tasks: new Map<number, string>() };
    group.count++;
    if (entry.pid !== undefined && group.tasks.size < TASKS_MAX) group.tasks.set(entry.pid, entry.comm ?? '?');
    found.set(key, group);
  }
  return [...found.values()].sort((a, b) => b.count - a.count);
}

/** The stack above the function itself; the trampoline that the tracer runs in is no caller. */
function framesOf(entry: TraceEntry & { readonly kind: 'function' }): readonly TraceFunction[] {
  const stack = (entry.stack ?? []).filter(({ name }) => !name.startsWith('['));
  const own = stack.findIndex(({ name }) => name === entry.function.name);
  if (own >= 0) return stack.slice(own + 1);
  if (stack.length > 0) return stack;
  return entry.caller === undefined ? [] : [entry.caller];
}
