/**
 * `trace probe`: probes in the session's own trace. Set, listed, removed, and watched for some time or some hits.
 */
import { UsageError } from '../errors.ts';
import { probeArguments } from '../kernel/probe-argument.ts';
import { probeGroup } from '../kernel/probe-left.ts';
import { addOwnProbe, ownProbes, probeCounts, removeOwnProbe } from '../kernel/probe-own.ts';
import type { Probe } from '../kernel/probe-plan.ts';
import { probeNames, probeTarget } from '../kernel/probe-target.ts';
import { controlOf } from '../kernel/trace-control.ts';
import { leftInstances, ownTrace, startOwnTrace, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import { readTraceState } from '../kernel/trace-state.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { decimalColumn, textColumn } from '../output/columns.ts';
import { type Item, notice, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { bufferText, keepTrace } from './trace-buffer.ts';
import { followTrace } from './trace-follow.ts';
import { ownPids, watchTrace } from './trace-run.ts';
import { traceRequest } from './trace-start.ts';
import { leftNotice } from './trace-status.ts';
import { traceStop } from './trace-stop.ts';

export function* traceProbe(scope: Scope, args: TraceArgs): Iterable<Item> {
  if (args.d.length > 0) yield* removeProbes(scope, args);
  else if (args.words.length === 0) yield* listProbes(scope);
  else yield* setProbe(scope, args);
}

function* setProbe(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  controlOf(kernel);
  const [place = '', ...words] = args.words;
  const at = words.indexOf('if');
  const filter = at < 0 ? undefined : words.slice(at + 1).join(' ');
  if (filter === '') throw new UsageError('"if" wants a filter', { hint: "as 'count > 4096', in quotes" });
  const target = probeTarget(kernel, place);
  const values = probeArguments(at < 0 ? words : words.slice(0, at), probeNames(kernel, target));
  const isFirst = startFor(scope, args);
  const probe = orStop(scope, isFirst, () =>
    addOwnProbe(kernel, { target, arguments: values, filter, fprobe: args.fprobe, stack: args.s || args.stack }),
  );
  const stopped = watchTrace(scope);
  if (stopped !== undefined) {
    yield notice(stopped);
    stopProbe(scope, probe, isFirst);
  }
  yield* leftNotice(leftInstances(kernel));
  const data = {
    probe: probe.name,
    definitions: probe.events.map(({ definition }) => definition),
    on: stopped === undefined,
  };
  yield row(data, () => [
    ...data.definitions,
    stopped === undefined
      ? `probe ${probe.name} is set; "trace show" prints its hits, "trace probe -d ${probe.name}" removes it`
      : `probe ${probe.name} is removed`,
  ]);
  if (stopped === undefined && (args.for !== undefined || args.n !== undefined)) {
    yield* watched(scope, args, probe, isFirst);
  }
}

/** A probe that hits too often costs its time also where nothing records it. What came is kept. */
function stopProbe({ kernel }: Scope, probe: Probe, isFirst: boolean): void {
  keepTrace(kernel, bufferText(kernel, ownTrace(kernel)?.instance), 'its probe hit too often');
  if (isFirst) {
    stopOwnTrace(kernel);
    return;
  }
  removeOwnProbe(kernel, probe);
  switchOwnTrace(kernel, true);
}

/** Shows hits until the time is over or enough came, and removes the probe. */
function* watched(scope: Scope, args: TraceArgs, probe: Probe, isFirst: boolean): Iterable<Item> {
  const { kernel } = scope;
  try {
    const hits = args.n === undefined ? undefined : { probe: probe.name, count: args.n };
    yield* followTrace(scope, { seconds: args.for, hits });
  } finally {
    if (isFirst) stopOwnTrace(kernel);
    else removeOwnProbe(kernel, probe);
  }
}

/** True when there was no trace and one was started, which records nothing yet. */
function startFor(scope: Scope, args: TraceArgs): boolean {
  const { kernel } = scope;
  const own = ownTrace(kernel)?.instance;
  if (own !== undefined && tracefs(kernel).instances().includes(own)) return false;
  const request = { ...traceRequest({ ...args, words: ['events'], e: ['none'] }), events: [] };
  startOwnTrace(kernel, { ...request, options: [], ownPids: ownPids(scope) });
  return true;
}

function orStop<T>(scope: Scope, isFirst: boolean, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (isFirst) stopOwnTrace(scope.kernel);
    throw error;
  }
}

/** True where nothing else is traced: without its probes the trace is empty. */
function recordsOnlyProbes({ kernel }: Scope): boolean {
  const instance = ownTrace(kernel)?.instance;
  if (instance === undefined) return false;
  const { tracer, events } = readTraceState(tracefs(kernel), instance);
  return tracer === 'nop' && events.every((event) => event.startsWith(`${probeGroup(instance)}:`));
}

const LIST_COLUMNS = {
  name: textColumn('NAME', 'the name of the probe', { width: 20 }),
  hits: decimalColumn('HITS', 'how often it hit; kprobes and uprobes are counted', { width: 10 }),
  misses: decimalColumn('MISSED', 'hits that were missed: too many calls on their way at once', { width: 8 }),
  filter: textColumn('FILTER', 'only such hits are recorded', { width: 16 }),
  definitions: textColumn('DEFINITION', "in the kernel's language"),
};

function* listProbes({ kernel }: Scope): Iterable<Item> {
  const probes = ownProbes(kernel);
  if (probes.length === 0) yield notice('no probe is set; "trace probe FUNCTION [ARGUMENT]..." sets one');
  const counts = probeCounts(kernel);
  for (const { name, events, filter } of probes) {
    const all = events.map((event) => counts.get(event.name));
    // Of two events the one at the entry.
    const [first] = all;
    const misses = all.map((each) => each?.misses).filter((each) => each !== undefined);
    yield row(
      {
        name,
        hits: first?.hits ?? null,
        misses: misses.length === 0 ? null : misses.reduce((sum, each) => sum + each, 0),
        filter: filter ?? null,
        definitions: events.map(({ definition }) => definition).join('; '),
      },
      LIST_COLUMNS,
    );
  }
}

function* removeProbes(scope: Scope, { d: names, words }: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const probes = ownProbes(kernel);
  const wanted = [...names, ...words];
  const unknown = wanted.find((name) => name !== 'all' && !probes.some((probe) => probe.name === name));
  if (unknown !== undefined) {
    const known = probes.map(({ name }) => name).join(', ');
    throw new UsageError(`"${unknown}" is no probe of this session`, {
      hint: known === '' ? 'none is set' : `it has ${known}; "trace probe" lists them`,
    });
  }
  const chosen = wanted.includes('all') ? probes : probes.filter(({ name }) => wanted.includes(name));
  if (chosen.length === probes.length && recordsOnlyProbes(scope)) {
    yield* traceStop(scope);
    return;
  }
  for (const probe of chosen) {
    removeOwnProbe(kernel, probe);
    yield row({ removed: probe.name }, () => [`removed ${probe.name}`]);
  }
}
