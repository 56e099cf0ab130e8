/**
 * Hits of probes as calls: what was fetched at the entry of a function and what at its return are joined where they are
 * two events. A task that is in a function several times at once (recursion) returns in the opposite order.
 */
import type { TraceEntry } from '../formats/trace-entry.ts';
import { type ProbeEventHit, type ProbeEvents, type ProbeValue, probeEventHit, probeEvents } from './probe-hit.ts';
import type { Probe } from './probe-plan.ts';

/** A probe's hit with all that was fetched. */
export interface ProbeCall {
  readonly probe: Probe;
  /** The entry of the trace that completes it. */
  readonly entry: TraceEntry;
  readonly at: ProbeEventHit['at'];
  readonly values: readonly ProbeValue[];
  /** From its entry to its return; undefined where only one of the two is known. */
  readonly nanoseconds: bigint | undefined;
  /** False for a call whose return was not seen: it goes on, or the return was missed. */
  readonly hasReturned: boolean;
}

/** Calls that may wait for their return, all tasks together; more are given out without. */
const WAITING_MAX = 4096;
/** Lines that a string may have. */
const LINES_MAX = 64;

export class ProbeCalls {
  readonly #events: ProbeEvents;
  /** By probe and task, the innermost last. */
  readonly #waiting = new Map<string, ProbeEventHit[]>();
  #count = 0;
  /** A hit whose string has a newline in it: the rest of it comes as lines of their own. */
  #broken: TraceEntry[] = [];

  constructor(probes: readonly Probe[]) {
    this.#events = probeEvents(probes);
  }

  /** What an entry completes: itself where it is none of a probe, nothing where its return is waited for. */
  push(entry: TraceEntry): readonly (ProbeCall | TraceEntry)[] {
    if (this.#broken.length > 0) return this.#mend(entry);
    const hit = probeEventHit(entry, this.#events);
    if (hit !== undefined) return this.#take(hit);
    if (entry.kind !== 'event' || !this.#events.has(entry.name)) return [entry];
    this.#broken = [entry];
    return [];
  }

  #mend(entry: TraceEntry): readonly (ProbeCall | TraceEntry)[] {
    const [first] = this.#broken;
    if (entry.kind !== 'text' || first?.kind !== 'event' || this.#broken.length >= LINES_MAX) {
      const given = this.#broken.splice(0);
      return [...given, ...this.push(entry)];
    }
    this.#broken.push(entry);
    const { stack } = entry;
    const text = [first.text, ...this.#broken.slice(1).map(({ raw }) => raw)].join('\n');
    const hit = probeEventHit({ ...first, text, ...(stack === undefined ? {} : { stack }) }, this.#events);
    if (hit === undefined) return [];
    this.#broken = [];
    return this.#take(hit);
  }

  #take(hit: ProbeEventHit): readonly ProbeCall[] {
    const { entry } = hit;
    if (hit.probe.events.length === 1) return [callOf(hit)];
    const key = `${hit.probe.name} ${entry.pid ?? ''}`;
    const open = this.#waiting.get(key) ?? [];
    if (!hit.event.isReturn) {
      open.push(hit);
      this.#waiting.set(key, open);
      return ++this.#count > WAITING_MAX ? this.#returnless() : [];
    }
    const entered = open.pop();
    if (open.length === 0) this.#waiting.delete(key);
    // A filter of the entry's keeps its calls out, and so their returns; before the first entry nothing is known.
    if (entered === undefined) return [];
    this.#count--;
    const { time } = entered.entry;
    const nanoseconds = time === undefined || entry.time === undefined ? undefined : entry.time - time;
    return [{ ...callOf(hit), values: [...entered.values, ...hit.values], nanoseconds }];
  }

  /** What still waits: a hit that could not be read whole, calls whose return has not come, in the order of their entries. */
  end(): readonly (ProbeCall | TraceEntry)[] {
    return [...this.#broken.splice(0), ...this.#returnless()];
  }

  #returnless(): readonly ProbeCall[] {
    const all = [...this.#waiting.values()].flat();
    this.#waiting.clear();
    this.#count = 0;
    const shown = all.filter(({ probe }) =>
      probe.events.every(({ isReturn, filter }) => !isReturn || filter === undefined),
    );
    return shown
      .sort((a, b) => a.entry.sequence - b.entry.sequence)
      .map((hit) => ({ ...callOf(hit), hasReturned: false }));
  }
}

function callOf({ probe, entry, at, values, event }: ProbeEventHit): ProbeCall {
  const hasReturned = event.isReturn || probe.events.length === 1;
  return { probe, entry, at, values: inOrder(probe, values), nanoseconds: undefined, hasReturned };
}

/** The values as the user named them. */
function inOrder(probe: Probe, values: readonly ProbeValue[]): readonly ProbeValue[] {
  const place = ({ argument }: ProbeValue): number => probe.arguments.findIndex(({ name }) => name === argument.name);
  return [...values].sort((a, b) => place(a) - place(b));
}
