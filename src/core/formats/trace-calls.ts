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
  /** It was given before it returned (`overdue`): its end is not missing, it is still to come. */
  isOpen: boolean;
  /** How often it was given before: what is within it is what came since. */
  readonly part: number;
  readonly children: TraceCall[];
  /** Events within it, in order, each before the child of that index. */
  readonly events: { readonly before: number; readonly entry: TraceEntry }[];
}

/** What may be held of a call that does not return: so many entries of all tasks, so much time of the trace clock. */
export interface OpenLimit {
  readonly entries: number;
  readonly nanoseconds: bigint;
}

type GraphEntry = TraceEntry & { readonly kind: 'call' | 'leaf' | 'return' };

/** The calls of one task, or of a CPU, that have not returned: outermost first. */
interface Stack {
  readonly key: string;
  calls: TraceCall[];
  /** The first entry of it that was not given yet: which of all entries it was, and when it came. */
  since: number;
  sinceTime: bigint | undefined;
}

/** Calls nest no deeper in a kernel stack of 16 KiB: more is damage. */
const DEPTH_MAX = 200;
const STACKS_MAX = 4096;

export class TraceCalls {
  readonly #stacks = new Map<string, Stack>();
  /** Stacks of which something was not given yet, the longest waiting first. */
  readonly #waiting = new Set<Stack>();
  /** The task that each CPU runs, as far as switches tell. */
  readonly #running = new Map<number | undefined, number>();
  #entries = 0;

  /** Takes an entry; gives the outermost calls that end with it, or that are known by it to have lost their end. */
  push(entry: TraceEntry): readonly TraceCall[] {
    this.#entries++;
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
        return this.#cut(this.#stacks.get(this.#keyOf({ cpu: entry.cpu })));
      default: {
        const stack = this.#stacks.get(this.#keyOf(entry));
        const open = stack?.calls.at(-1);
        if (stack !== undefined) this.#came(stack, entry);
        open?.events.push({ before: open.children.length, entry });
        return [];
      }
    }
  }

  /** True when an entry that is no call is kept with the call in which it stands. */
  holds(entry: TraceEntry): boolean {
    return this.#stacks.get(this.#keyOf(entry))?.calls.at(-1)?.events.at(-1)?.entry === entry;
  }

  /**
   * Outermost calls that are open for longer than a limit, or all of which something was not given, with what came of
   * them. They stay open: what comes later is given as another part of the same call.
   */
  overdue(limit?: OpenLimit, now?: bigint): readonly TraceCall[] {
    const given: TraceCall[] = [];
    for (const stack of this.#waiting) {
      const { since, sinceTime } = stack;
      const isOver =
        limit === undefined ||
        this.#entries - since >= limit.entries ||
        (now !== undefined && sinceTime !== undefined && now - sinceTime >= limit.nanoseconds);
      if (!isOver) break;
      given.push(stack.calls[0] as TraceCall);
      this.#waiting.delete(stack);
      stack.calls = continued(stack.calls);
    }
    return given;
  }

  /** The calls that are still open, outermost ones, in no order; without those that were given as they stand. */
  end(): readonly TraceCall[] {
    const open = [...this.#waiting].flatMap(({ calls }) => calls.slice(0, 1));
    this.#stacks.clear();
    this.#waiting.clear();
    return open;
  }

  #enter(entry: GraphEntry): readonly TraceCall[] {
    const known = this.#stacks.get(this.#keyOf(entry));
    // Deeper calls that are still open have lost their ends.
    const cut = known === undefined ? [] : this.#popWhile(known, ({ depth }) => depth >= entry.depth);
    const call = callOf(entry, entry.kind === 'leaf');
    const stack = this.#stacks.get(this.#keyOf(entry));
    if (stack !== undefined) {
      stack.calls.at(-1)?.children.push(call);
      this.#came(stack, entry);
      if (entry.kind === 'call' && stack.calls.length < DEPTH_MAX) stack.calls.push(call);
      return cut;
    }
    return entry.kind === 'leaf' ? [...cut, call] : [...cut, ...this.#open(entry, call)];
  }

  #leave(entry: GraphEntry): readonly TraceCall[] {
    const known = this.#stacks.get(this.#keyOf(entry));
    const cut = known === undefined ? [] : this.#popWhile(known, ({ depth }) => depth > entry.depth);
    const stack = this.#stacks.get(this.#keyOf(entry));
    const open = stack?.calls.at(-1);
    if (stack !== undefined) this.#came(stack, entry);
    if (stack === undefined || open === undefined || open.depth !== entry.depth) {
      // The trace began within this call: what was collected at this level belongs to it, and nothing more is known.
      const call = callOf(entry, false);
      open?.children.push(call);
      return open === undefined ? [...cut, call] : cut;
    }
    open.duration = entry.duration;
    open.returned = entry.returned;
    open.complete = true;
    stack.calls.pop();
    if (stack.calls.length > 0) return cut;
    this.#forget(stack);
    return [...cut, open];
  }

  /** A task begins an outermost call. With more tasks than any trace has at once, the longest open one makes room. */
  #open(entry: GraphEntry, call: TraceCall): readonly TraceCall[] {
    const [oldest] = this.#stacks.size < STACKS_MAX ? [] : this.#stacks.values();
    const given = this.#cut(oldest);
    const stack: Stack = { key: this.#keyOf(entry), calls: [call], since: 0, sinceTime: undefined };
    this.#stacks.set(stack.key, stack);
    this.#came(stack, entry);
    return given;
  }

  /** Something of a stack came that is to be given. */
  #came(stack: Stack, { time, ticks }: TraceEntry): void {
    if (this.#waiting.has(stack)) return;
    this.#waiting.add(stack);
    stack.since = this.#entries;
    stack.sinceTime = ticks ? undefined : time;
  }

  /** Entries are missing: what is open will not be closed in order. */
  #cut(stack: Stack | undefined): readonly TraceCall[] {
    if (stack === undefined) return [];
    this.#forget(stack);
    return stack.calls.slice(0, 1);
  }

  #forget(stack: Stack): void {
    this.#stacks.delete(stack.key);
    this.#waiting.delete(stack);
  }

  /** Takes calls off a stack; gives the outermost one where the whole stack is gone. */
  #popWhile(stack: Stack, test: (call: TraceCall) => boolean): readonly TraceCall[] {
    const { calls } = stack;
    const [outermost] = calls;
    while (calls.length > 0 && test(calls.at(-1) as TraceCall)) calls.pop();
    if (calls.length > 0 || outermost === undefined) return [];
    this.#forget(stack);
    return [outermost];
  }

  #keyOf({ cpu, pid }: { readonly cpu?: number | undefined; readonly pid?: number }): string {
    const task = pid ?? this.#running.get(cpu);
    // Each CPU has an idle task of its own, and all have PID 0.
    return task === undefined || task === 0 ? `cpu ${cpu}` : `pid ${task}`;
  }
}

/** Calls of a stack as they go on after what came of them was given. */
function continued(calls: readonly TraceCall[]): TraceCall[] {
  const going: TraceCall[] = [];
  for (const call of calls) {
    call.isOpen = true;
    const next = { ...call, isOpen: false, part: call.part + 1, children: [], events: [] };
    going.at(-1)?.children.push(next);
    going.push(next);
  }
  return going;
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
    isOpen: false,
    part: 0,
    children: [],
    events: [],
  };
}
