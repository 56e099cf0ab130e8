/**
 * The probes of this session. They record into the instance of its own trace, and are undone with it: what removes them
 * is told to the target's side before they are made. The kernel has one list of dynamic events for everybody, so that
 * each is removed by its name, after the instance has let go of it.
 */
import { UsageError } from '../errors.ts';
import type { ControlStep } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { dynamicEvents, probeGroup, probeRemovalSteps } from './probe-left.ts';
import { type Probe, type ProbeFeatures, type ProbeRequest, planProbe, probeFeatures } from './probe-plan.ts';
import { refusedFilter, refusedProbe } from './probe-refusal.ts';
import { controlOf, TraceControlError, undoAll } from './trace-control.ts';
import { changeOwnTrace, ownDirectory, ownTrace } from './trace-own.ts';
import { type Tracefs, tracefs } from './tracefs.ts';

/** How often a probe has hit, and was missed because too many calls were on their way. */
export interface ProbeCounts {
  readonly hits: number;
  /** Undefined where the kernel does not count them. */
  readonly misses: number | undefined;
}

interface Held {
  readonly instance: string;
  readonly probes: readonly Probe[];
  /** Those that were removed: what they have written may still be shown. */
  readonly removed: readonly Probe[];
}

/** Not among what a kernel has derived: that is forgotten when a recording starts, the probes go on. */
const holders = new WeakMap<Kernel, Held>();
const README_MAX = 256 * 1024;
const PROFILE_MAX = 4 * 1024 * 1024;
const PROBES_MAX = 32;

/** The probes that are set. */
export function ownProbes(kernel: Kernel): readonly Probe[] {
  const held = holders.get(kernel);
  return held !== undefined && held.instance === ownTrace(kernel)?.instance ? held.probes : [];
}

/** The probes of the trace that is on, or that was on last: what its entries are read by. */
export function knownProbes(kernel: Kernel): readonly Probe[] {
  const held = holders.get(kernel);
  const own = ownTrace(kernel);
  if (held === undefined || (own !== undefined && own.instance !== held.instance)) return [];
  return [...held.probes, ...held.removed];
}

/** What this kernel's probes can do. */
export function kernelProbeFeatures(kernel: Kernel): ProbeFeatures {
  return kernel.memo('probe features', 'session', () => {
    const fs = tracefs(kernel);
    return probeFeatures(fs.text(`${fs.root}/README`, README_MAX) ?? '');
  });
}

/** Sets a probe in the trace that is on. Throws UsageError for what the kernel refuses, and why; nothing is set then. */
export function addOwnProbe(kernel: Kernel, request: ProbeRequest): Probe {
  const { trace } = ownDirectory(kernel);
  const fs = tracefs(kernel);
  const { instance } = trace;
  const before = ownProbes(kernel);
  if (before.length >= PROBES_MAX) throw new UsageError(`${PROBES_MAX} probes are set already`);
  const held = holders.get(kernel);
  const removed = held?.instance === instance ? held.removed : [];
  const taken = new Set([...before, ...removed].map(({ name }) => name));
  const probe = planProbe(request, kernelProbeFeatures(kernel), probeGroup(instance), taken);
  const after = [...before, probe];
  try {
    changeOwnTrace(kernel, undoOf(fs, instance, trace.undo, after), setSteps(fs, instance, probe));
  } catch (error) {
    try {
      undoAll(controlOf(kernel), removalSteps(fs, instance, probe));
      changeOwnTrace(kernel, undoOf(fs, instance, trace.undo, before), []);
    } catch {
      // The first trouble is the one to tell; the target's side tries the removal again at the end of the session.
    }
    throw explained(kernel, fs, instance, probe, error);
  }
  holders.set(kernel, { instance, probes: after, removed });
  return probe;
}

/**
 * Removes a probe. With it the kernel empties the buffers that recorded it: 4313e5a61304 "tracing: Free buffers when a
 * used dynamic event is removed" (v6.2). Reads nothing, so that it works when the user pressed Ctrl-C.
 */
export function removeOwnProbe(kernel: Kernel, probe: Probe): void {
  const trace = ownTrace(kernel);
  if (trace === undefined) return;
  const { instance } = trace;
  const fs = tracefs(kernel);
  undoAll(controlOf(kernel), removalSteps(fs, instance, probe));
  const rest = ownProbes(kernel).filter(({ name }) => name !== probe.name);
  changeOwnTrace(kernel, undoOf(fs, instance, trace.undo, rest), []);
  const removed = [...(holders.get(kernel)?.removed ?? []), probe];
  holders.set(kernel, { instance, probes: rest, removed });
}

/** By the names of their events; of fprobes and tracepoints the kernel counts nothing. */
export function probeCounts(kernel: Kernel): ReadonlyMap<string, ProbeCounts> {
  const own = ownTrace(kernel);
  if (own === undefined) return new Map();
  const fs = tracefs(kernel);
  const group = probeGroup(own.instance);
  const [kprobes, uprobes] = fs.texts([`${fs.root}/kprobe_profile`, `${fs.root}/uprobe_profile`], PROFILE_MAX);
  const probes = dynamicEvents(fs).filter(({ type }) => /^[pr]/.test(type));
  const counts = new Map<string, ProbeCounts>();
  for (const [text, isProgram] of [
    [kprobes, false],
    [uprobes, true],
  ] as const) {
    // The profiles name no groups, and list the probes in the order of dynamic_events.
    const listed = probes.filter(({ place }) => place.startsWith('/') === isProgram);
    for (const [i, line] of (text ?? '').split('\n').entries()) {
      const words = line
        .trim()
        .split(/\s+/)
        .slice(isProgram ? 1 : 0);
      const event = listed[i];
      if (event?.group !== group || words[0] !== event.name) continue;
      counts.set(event.name, { hits: Number(words[1]), misses: isProgram ? undefined : Number(words[2]) });
    }
  }
  return counts;
}

/** Definition, filter and stack first; the event is on last. */
function setSteps(fs: Tracefs, instance: string, { events, stack }: Probe): readonly ControlStep[] {
  const at = fs.directory(instance);
  const group = probeGroup(instance);
  return [
    ...events.map(({ definition }): ControlStep => {
      return { kind: 'append', path: `${fs.root}/dynamic_events`, text: definition };
    }),
    ...events.flatMap(({ name, filter }): readonly ControlStep[] =>
      filter === undefined ? [] : [{ kind: 'write', path: `${at}/events/${group}/${name}/filter`, text: filter }],
    ),
    ...(stack ? [{ kind: 'write', path: `${at}/options/stacktrace`, text: '1' } as const] : []),
    // The return first: an entry without its return would be a call that never ends.
    ...events.toReversed().map(({ name }): ControlStep => {
      return { kind: 'write', path: `${at}/events/${group}/${name}/enable`, text: '1' };
    }),
  ];
}

function removalSteps(fs: Tracefs, instance: string, { events }: Probe): readonly ControlStep[] {
  const group = probeGroup(instance);
  return [
    ...events.map(({ name }): ControlStep => {
      return { kind: 'write', path: `${fs.directory(instance)}/events/${group}/${name}/enable`, text: '0' };
    }),
    ...probeRemovalSteps(fs, instance, namesOf([{ events }])).after,
  ];
}

/** What undoes the trace with these probes: what the trace itself needs is kept, what its earlier probes need replaced. */
function undoOf(
  fs: Tracefs,
  instance: string,
  undo: readonly ControlStep[],
  probes: readonly Probe[],
): readonly ControlStep[] {
  const { before, after } = probeRemovalSteps(fs, instance, namesOf(probes));
  const group = probeGroup(instance);
  const own = undo.filter(({ path }) => !path.endsWith('/dynamic_events') && !path.endsWith(`/events/${group}/enable`));
  return [...before, ...own, ...after];
}

function namesOf(probes: readonly Pick<Probe, 'events'>[]): readonly string[] {
  return probes.flatMap(({ events }) => events.map(({ name }) => name));
}

function explained(kernel: Kernel, fs: Tracefs, instance: string, { events, target }: Probe, error: unknown): unknown {
  if (!(error instanceof TraceControlError)) return error;
  if (error.path.endsWith('/dynamic_events')) {
    const log = fs.text(`${fs.root}/error_log`) ?? '';
    const refused = events.find(({ definition }) => log.includes(definition)) ?? events[0];
    return refused === undefined ? error : refusedProbe(kernel, fs, target, refused.definition, error.detail);
  }
  const filtered = events.find(({ name, filter }) => filter !== undefined && error.path.endsWith(`/${name}/filter`));
  return filtered?.filter === undefined ? error : refusedFilter(fs, instance, filtered.filter, error.detail);
}
