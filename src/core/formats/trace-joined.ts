/**
 * Entries of a trace with function_graph's lines joined to calls, as they come. A call is given when the outermost one
 * in which it stands has returned, and so in the order in which calls end; one that takes too long is given as far as it
 * came, so that no more is held than the limit allows.
 */
import { type OpenLimit, type TraceCall, TraceCalls } from './trace-calls.ts';
import type { TraceEntry } from './trace-entry.ts';

export type Joined = TraceCall | TraceEntry;

export function isCall(joined: Joined): joined is TraceCall {
  return 'children' in joined;
}

/** True for a line of function_graph, which says something only together with others. */
export function isGraph({ kind }: TraceEntry): boolean {
  return kind === 'call' || kind === 'leaf' || kind === 'return' || kind === 'switch';
}

export class JoinedTrace {
  readonly #calls = new TraceCalls();
  readonly #limit: OpenLimit | undefined;

  /** Without a limit a call is held until it returns: for a buffer that is there as a whole. */
  constructor(limit?: OpenLimit) {
    this.#limit = limit;
  }

  /** Takes an entry; gives the calls that it ends, itself where it stands in no call, and calls that take too long. */
  push(entry: TraceEntry): readonly Joined[] {
    const done = this.#calls.push(entry);
    const own = isGraph(entry) || this.#calls.holds(entry) ? [] : [entry];
    const late =
      this.#limit === undefined ? [] : this.#calls.overdue(this.#limit, entry.ticks ? undefined : entry.time);
    return own.length + late.length === 0 ? done : [...done, ...own, ...late];
  }

  /** Nothing comes for now: what has come of the calls that are open. They go on. */
  pause(): readonly TraceCall[] {
    return this.#calls.overdue();
  }

  /** Nothing comes any more: the calls that have not returned. */
  end(): readonly TraceCall[] {
    return this.#calls.end();
  }
}

/** The same for a buffer that is there as a whole. */
export function joinCalls(entries: Iterable<TraceEntry>): readonly Joined[] {
  const trace = new JoinedTrace();
  const joined: Joined[] = [];
  for (const entry of entries) joined.push(...trace.push(entry));
  return [...joined, ...trace.end()];
}
