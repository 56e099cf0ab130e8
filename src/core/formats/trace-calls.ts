/**
 * function_graph's lines joined to calls: who called what, how long it took, what it gave back. A trace begins and ends
 * anywhere and the kernel drops entries when it has no room, so calls may miss their beginning or their end; neither
 * loses what is inside them.
 *
 * Each CPU has a stack of its own, and so has each task on it where the trace tells tasks apart: a switch parks the
 * calls of one task until it runs again, maybe on another CPU.
 */
import type { TraceEntry, TraceFunction } from './trace-entry.ts';

export interface TraceCall {
  /** Undefined for a return whose call was not seen and that does not name itself. */
  readonly function: TraceFunction | undefined;
  readonly cpu: number | undefined;
  readonly pid: number | undefined;
  /** function_graph cuts it to 7 characters. */
  readonly comm: string | undefined;
  /** When it began, or ended where its beginning is missing; nanoseconds of the trace clock. */
  readonly time: bigint | undefined;
  readonly depth: number;
  /** Nanoseconds; undefined while the end was not seen. */
  duration: bigint | undefined;
  /** As the kernel wrote it, with `funcgraph-retval`. */
  returned: string | undefined;
  readonly args: string | undefined;
  /** False when the beginning or the end is missing. */
  complete: boolean;
  readonly children: TraceCall[];
  /** Events within it, in order, each before the child of that index. */
  readonly events: { readonly before: number; readonly entry: TraceEntry }[];
}

type GraphEntry = TraceEntry & { readonly kind: 'call' | 'leaf' | 'return' };

/** Calls nest no deeper in a kernel stack of 16 KiB: more is damage. */
const DEPTH_MAX = 200;
const STACKS_MAX = 4096;

export class TraceCalls {
  readonly #stacks = new Map<string, TraceCall[]>();
  /** The task that each CPU runs, as far as switches tell. */
  readonly #running = new Map<number | undefined, number>();

  /** Takes an entry; gives the outermost calls that end with it, or that are known by it to have lost their end. */
  push(entry: TraceEntry): readonly TraceCall[] {
    switch (entry.kind) {
      case 'switch':
        if (this.#running.size < STACKS_MAX) this.#running.set(entry.cpu, entry.to.pid);
        return [];
      case 'call':
      case 'leaf':
        return this.#enter(entry);
      case 'return':
        return this.#leave(entry);
      case 'lost':
        return this.#cut(entry.cpu);
      default: {
        const open = this.#stackOf(entry).at(-1);
        open?.events.push({ before: open.children.length, entry });
        return [];
      }
    }
  }

  /** True when an entry that is no call is kept with the call in which it stands. */
  holds(entry: TraceEntry): boolean {
    return this.#stackOf(entry).at(-1)?.events.at(-1)?.entry === entry;
  }

  /** The calls that are still open, outermost ones, in no order. */
  end(): readonly TraceCall[] {
    const open = [...this.#stacks.values()].flatMap((stack) => stack.slice(0, 1));
    this.#stacks.clear();
    return open;
  }

  #enter(entry: GraphEntry): readonly TraceCall[] {
    const stack = this.#stackOf(entry);
    // Deeper calls that are still open have lost their ends.
    const cut = popWhile(stack, ({ depth }) => depth >= entry.depth);
    const call = callOf(entry, entry.kind === 'leaf');
    stack.at(-1)?.children.push(call);
    if (entry.kind === 'call' && stack.length < DEPTH_MAX) {
      stack.push(call);
      return cut;
    }
    return stack.length === 0 ? [...cut, call] : cut;
  }

  #leave(entry: GraphEntry): readonly TraceCall[] {
    const stack = this.#stackOf(entry);
    const cut = popWhile(stack, ({ depth }) => depth > entry.depth);
    const open = stack.at(-1);
    if (open === undefined || open.depth !== entry.depth) {
      // The trace began within this call: what was collected at this level belongs to it, and nothing more is known.
      const call = callOf(entry, false);
      open?.children.push(call);
      return open === undefined ? [...cut, call] : cut;
    }
    stack.pop();
    open.duration = entry.duration;
    open.returned = entry.returned;
    open.complete = true;
    return stack.length === 0 ? [...cut, open] : cut;
  }

  /** Entries of this CPU are missing: what is open there will not be closed in order. */
  #cut(cpu: number | undefined): readonly TraceCall[] {
    const key = this.#keyOf({ cpu });
    const outermost = (this.#stacks.get(key) ?? []).slice(0, 1);
    this.#stacks.delete(key);
    return outermost;
  }

  #stackOf(entry: { readonly cpu?: number; readonly pid?: number }): TraceCall[] {
    const key = this.#keyOf(entry);
    const stack = this.#stacks.get(key) ?? [];
    if (this.#stacks.size < STACKS_MAX) this.#stacks.set(key, stack);
    return stack;
  }

  #keyOf({ cpu, pid }: { readonly cpu?: number | undefined; readonly pid?: number }): string {
    const task = pid ?? this.#running.get(cpu);
    return task === undefined ? `cpu ${cpu}` : `pid ${task}`;
  }
}

/** Takes calls off a stack; gives the outermost one where the whole stack is gone. */
function popWhile(stack: TraceCall[], test: (call: TraceCall) => boolean): readonly TraceCall[] {
  const [outermost] = stack;
  while (stack.length > 0 && test(stack.at(-1) as TraceCall)) stack.pop();
  return stack.length === 0 && outermost !== undefined ? [outermost] : [];
}

function callOf(entry: GraphEntry, complete: boolean): TraceCall {
  return {
    function: entry.function,
    cpu: entry.cpu,
    pid: entry.pid,
    comm: entry.comm,
    time: entry.time,
    depth: entry.depth,
    duration: entry.duration,
    returned: entry.returned,
    args: entry.args,
    complete,
    children: [],
    events: [],
  };
}
