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

/** Calls nest no deeper in a kernel stack of 16 KiB: more is damage. */
const DEPTH_MAX = 200;
const STACKS_MAX = 4096;

export class TraceCalls {
  readonly #stacks = new Map<string, TraceCall[]>();
  /** The task that each CPU runs, as far as switches tell. */
  readonly #running = new Map<number | undefined, number>();

  /** Takes an entry; gives the outermost call that ends with it. */
  push(entry: TraceEntry): TraceCall | undefined {
    switch (entry.kind) {
      case 'switch':
        if (this.#running.size < STACKS_MAX) this.#running.set(entry.cpu, entry.to.pid);
        return undefined;
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
        return undefined;
      }
    }
  }

  /** The calls that are still open, outermost ones, in no order. */
  end(): readonly TraceCall[] {
    const open = [...this.#stacks.values()].flatMap((stack) => stack.slice(0, 1));
    this.#stacks.clear();
    return open;
  }

  #enter(entry: TraceEntry & { readonly kind: 'call' | 'leaf' | 'return' }): TraceCall | undefined {
    const stack = this.#stackOf(entry);
    // Deeper calls that are still open have lost their ends.
    while (stack.length > 0 && (stack.at(-1) as TraceCall).depth >= entry.depth) stack.pop();
    const call = callOf(entry, entry.kind === 'leaf');
    stack.at(-1)?.children.push(call);
    if (entry.kind === 'call' && stack.length < DEPTH_MAX) {
      stack.push(call);
      return undefined;
    }
    return stack.length === 0 ? call : undefined;
  }

  #leave(entry: TraceEntry & { readonly kind: 'call' | 'leaf' | 'return' }): TraceCall | undefined {
    const stack = this.#stackOf(entry);
    while (stack.length > 0 && (stack.at(-1) as TraceCall).depth > entry.depth) stack.pop();
    const open = stack.at(-1);
    if (open === undefined || open.depth !== entry.depth) {
      // The trace began within this call: what was collected at this level belongs to it, and nothing more is known.
      const call = callOf(entry, false);
      open?.children.push(call);
      return open === undefined ? call : undefined;
    }
    stack.pop();
    open.duration = entry.duration;
    open.returned = entry.returned;
    open.complete = true;
    return stack.length === 0 ? open : undefined;
  }

  /** Entries of this CPU are missing: what is open there will not be closed in order. */
  #cut(cpu: number | undefined): TraceCall | undefined {
    const key = this.#keyOf({ cpu });
    const [outermost] = this.#stacks.get(key) ?? [];
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

function callOf(entry: TraceEntry & { readonly kind: 'call' | 'leaf' | 'return' }, complete: boolean): TraceCall {
  return {
    function: entry.function,
    cpu: entry.cpu,
    pid: entry.pid,
    depth: entry.depth,
    duration: entry.duration,
    returned: entry.returned,
    args: entry.args,
    complete,
    children: [],
    events: [],
  };
}
