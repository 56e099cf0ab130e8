/**
 * kdbg's own trace: an instance of tracefs that it makes, sets up, and removes again. The buffer that everybody shares is
 * left alone. What undoes it all is told to the target's side before the first change, and is done there when kdbg dies
 * or the connection is lost.
 *
 * A filter that matches nothing leaves the old one (none: every function) in place, so it is read back before the tracer
 * starts.
 */
import { UnsupportedError, UsageError } from '../errors.ts';
import type { ControlStep } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { dynamicEvents, leftProbes, probeInstance, probeRemovalSteps } from './probe-left.ts';
import { fileText } from './text-file.ts';
import { applySteps, controlOf, nothingAnew, TraceControlError, undoAll } from './trace-control.ts';
import { setUpSteps, startSteps, type TraceRequest, undoSteps } from './trace-plan.ts';
import { INSTANCES, type Tracefs, tracefs } from './tracefs.ts';

/** The instance as it runs. */
export interface OwnTrace {
  readonly instance: string;
  /** What makes tracefs as it was. */
  readonly undo: readonly ControlStep[];
}

/** Instances of kdbg are named so: those of a session that was killed are found by it. */
export const OWN_INSTANCE = /^kdbg-[0-9a-f]{8}$/;
/** Not among what a kernel has derived: that is forgotten when a recording starts, the trace goes on. */
const holders = new WeakMap<Kernel, { trace: OwnTrace | undefined }>();
/** A new instance allocates its default size for each CPU before it can be made smaller. */
const INSTANCE_KIB_PER_CPU = 1536;
const SPARE_KIB = 64 * 1024;
const INSTANCES_MAX = 8;

/** The trace that is on; undefined when none is. Of a recording, the one that was on at this moment of it. */
export function ownTrace(kernel: Kernel): OwnTrace | undefined {
  const restores = kernel.backend.control?.restores?.();
  return restores === undefined ? holder(kernel).trace : traceOf(restores.at(-1) ?? []);
}

/** The traces of a recording up to this moment of it, the last one first, whether or not it is still on. */
export function recordedTraces({ backend }: Kernel): readonly OwnTrace[] {
  return (backend.control?.restores?.() ?? []).flatMap((undo) => traceOf(undo) ?? []).reverse();
}

/** What is restored tells what was made: the instance that is removed. */
function traceOf(undo: readonly ControlStep[]): OwnTrace | undefined {
  for (const { kind, path } of undo) {
    const instance = path.slice(path.lastIndexOf('/') + 1);
    if (kind === 'rmdir' && OWN_INSTANCE.test(instance)) return { instance, undo };
  }
  return undefined;
}

/** Makes the instance and starts it. Throws UsageError, UnsupportedError, BackendError; then all is as before. */
export function startOwnTrace(kernel: Kernel, request: TraceRequest): OwnTrace {
  const held = holder(kernel);
  const control = controlOf(kernel);
  const fs = tracefs(kernel);
  const running = ownTrace(kernel);
  if (running !== undefined && fs.instances().includes(running.instance)) {
    throw new UsageError('a trace is on already', { hint: '"trace stop" ends it' });
  }
  checkTracer(kernel, fs, request);
  checkRoom(kernel, fs);
  const instance = newInstance(kernel);
  const undo = undoSteps(fs, instance, request.options);
  control.restore(undo);
  try {
    applySteps(control, setUpSteps(fs, instance, request));
    checkFilter(fs, instance, request);
    applySteps(control, startSteps(fs, instance, request));
  } catch (error) {
    try {
      undoAll(control, undo);
      control.restore([]);
    } catch {
      // The first trouble is the one to tell; the target's side tries the removal again at the end of the session.
    }
    throw explained(error, request, fs);
  }
  held.trace = { instance, undo };
  return held.trace;
}

/** A name that nobody has: by the target's random numbers, so that a recording's is the recorded one. */
function newInstance(kernel: Kernel): string {
  const digits = /^[0-9a-f]{8}/.exec(fileText(kernel, '/proc/sys/kernel/random/uuid') ?? '')?.[0];
  if (digits === undefined)
    throw new UnsupportedError('/proc/sys/kernel/random/uuid cannot be read: no instance can be named');
  return `kdbg-${digits}`;
}

/** Stops recording into the buffer, or goes on; what is in it stays. */
export function switchOwnTrace(kernel: Kernel, isOn: boolean): void {
  const { directory } = ownDirectory(kernel);
  applySteps(controlOf(kernel), [{ kind: 'write', path: `${directory}/tracing_on`, text: isOn ? '1' : '0' }]);
}

/**
 * Changes what the trace records. What undoes all of it from then on is said first: `undo` in the place of what the trace
 * had. Throws TraceControlError where the kernel refuses a step; those before it are done then.
 * Reads nothing, so that it works when the user pressed Ctrl-C.
 */
export function changeOwnTrace(kernel: Kernel, undo: readonly ControlStep[], steps: readonly ControlStep[]): void {
  const trace = ownTrace(kernel);
  if (trace === undefined) throw new UsageError('no trace is on', { hint: '"trace start" begins one' });
  const control = controlOf(kernel);
  control.restore(undo);
  holder(kernel).trace = { ...trace, undo };
  if (steps.length > 0) applySteps(control, steps);
}

/** Empties the buffer. */
export function clearOwnTrace(kernel: Kernel): void {
  const { directory } = ownDirectory(kernel);
  applySteps(controlOf(kernel), [{ kind: 'write', path: `${directory}/trace`, text: '' }]);
}

/** Stops it and removes the instance: tracefs is as it was. Reads nothing, so that it works when the user pressed Ctrl-C. */
export function stopOwnTrace(kernel: Kernel): void {
  const trace = ownTrace(kernel);
  if (trace === undefined) return;
  const control = controlOf(kernel);
  undoAll(control, trace.undo);
  control.restore([]);
  holder(kernel).trace = undefined;
}

/**
 * Instances of kdbg that are not this session's: of killed ones, or of others that still run. An instance may be gone
 * and have left its probes.
 */
export function leftInstances(kernel: Kernel): readonly string[] {
  const own = ownTrace(kernel)?.instance;
  const fs = tracefs(kernel);
  const ofProbes = dynamicEvents(fs).map(({ group }) => probeInstance(group));
  const names = new Set([...fs.instances(), ...ofProbes]);
  return [...names].filter((name) => OWN_INSTANCE.test(name) && name !== own);
}

/**
 * Instances of kdbg that are there when a session begins, by one small request: of killed sessions, or of others that
 * still run. None where tracefs is not for this user, and of a recording.
 */
export function earlierInstances({ backend, files, hasFiles }: Kernel): readonly string[] {
  if (!hasFiles || backend.liveness !== 'live' || backend.control === undefined) return [];
  if (backend.control.restores !== undefined) return [];
  const listed = files.list(INSTANCES);
  return listed.ok ? listed.names.filter((name) => OWN_INSTANCE.test(name)) : [];
}

/** Removes an instance that was left. */
export function removeLeftInstance(kernel: Kernel, instance: string): void {
  if (!OWN_INSTANCE.test(instance)) throw new UsageError(`${instance} is no instance of kdbg`);
  const fs = tracefs(kernel);
  const { before, after } = probeRemovalSteps(fs, instance, leftProbes(fs, instance));
  undoAll(controlOf(kernel), [...before, ...undoSteps(fs, instance, []), ...after]);
}

/**
 * Throws UsageError when no trace is on, or none any more: a lost connection has ended it, or somebody has. Throws
 * UnsupportedError where none can be.
 */
export function ownDirectory(kernel: Kernel): { readonly trace: OwnTrace; readonly directory: string } {
  const trace = ownTrace(kernel);
  controlOf(kernel);
  if (trace === undefined) throw new UsageError('no trace is on', { hint: '"trace start" begins one' });
  const fs = tracefs(kernel);
  if (!fs.instances().includes(trace.instance)) {
    holder(kernel).trace = undefined;
    controlOf(kernel).restore([]);
    throw new UsageError(`the trace is gone: its instance ${trace.instance} was removed`, {
      hint: 'a lost connection ends it; "trace start" begins another',
    });
  }
  return { trace, directory: fs.directory(trace.instance) };
}

function holder(kernel: Kernel): { trace: OwnTrace | undefined } {
  const held = holders.get(kernel) ?? { trace: undefined };
  holders.set(kernel, held);
  return held;
}

function checkTracer({ backend }: Kernel, fs: Tracefs, { tracer }: TraceRequest): void {
  const text = fs.text(`${fs.root}/available_tracers`);
  if (text === undefined && backend.control?.restores !== undefined) throw nothingAnew();
  const available = (text ?? '').split(/\s+/);
  if (available.includes(tracer)) return;
  throw new UsageError(`this kernel has no tracer "${tracer}"`, { hint: `it has ${available.join(', ')}, and events` });
}

/** A filter that the kernel did not take would trace every function of it. */
function checkFilter(fs: Tracefs, instance: string, { functions, tracer }: TraceRequest): void {
  if (functions.length === 0 || tracer === 'nop') return;
  const held = fs.text(`${fs.directory(instance)}/set_ftrace_filter`, 4096) ?? '';
  if (held === '' || held.startsWith('####')) {
    throw new UsageError(`the kernel traces no function "${functions.join(' ')}"`, {
      hint: '"trace functions PATTERN" lists those that it can; many small ones are inlined',
    });
  }
}

function checkRoom(kernel: Kernel, fs: Tracefs): void {
  const own = fs.instances().filter((name) => OWN_INSTANCE.test(name));
  if (own.length >= INSTANCES_MAX) {
    throw new UsageError(`${own.length} instances of kdbg are there already`, { hint: '"trace clean" removes them' });
  }
  const available = Number(
    /^MemAvailable:\s+(\d+) kB/m.exec(fileText(kernel, '/proc/meminfo') ?? '')?.[1] ?? Number.NaN,
  );
  const cpus = fs.names(`${fs.root}/per_cpu`).length;
  const needed = cpus * INSTANCE_KIB_PER_CPU + SPARE_KIB;
  if (available < needed) {
    throw new UnsupportedError(
      `a trace needs ${Math.ceil(needed / 1024)} MiB for a moment, and ${Math.floor(available / 1024)} MiB are available`,
    );
  }
}

/** What a refusal of the kernel means. */
function explained(error: unknown, request: TraceRequest, fs: Tracefs): unknown {
  if (!(error instanceof TraceControlError)) return error;
  const file = error.path.slice(error.path.lastIndexOf('/') + 1);
  if (file === 'set_ftrace_filter' || file === 'set_ftrace_notrace') {
    return new UsageError(`the kernel traces no function "${request.functions.join(' ')}": ${error.message}`, {
      hint: '"trace functions PATTERN" lists those that it can; many small ones are inlined',
    });
  }
  // The options of a tracer are only where it can run.
  const isOfTracer = error.path.includes('/options/') && fs.text(`${fs.root}/options/${file}`, 16) !== undefined;
  if (file === 'current_tracer' || isOfTracer) {
    const hint =
      request.tracer === 'function_graph'
        ? 'only since Linux 6.11 can function_graph run in an instance; "trace callers" and "trace callees --shared" work everywhere'
        : 'available_tracers lists those that this kernel has';
    return new UnsupportedError(`this kernel cannot run the tracer ${request.tracer} for kdbg: ${error.message}`, hint);
  }
  if (file === 'trigger') {
    const hint = 'a key is a field of the event, common_pid, or stacktrace';
    return new UsageError(`the kernel refused to count by these keys, or the filter: ${error.message}`, { hint });
  }
  if (error.path.includes('/events/')) {
    const hint = '"trace events PATTERN" lists them; the error_log of the instance is gone with it';
    return new UsageError(`the kernel refused the event or its filter: ${error.message}`, { hint });
  }
  if (error.path.includes('/options/')) {
    return new UsageError(`the kernel has no trace option "${file}", or refuses it`, {
      hint: '"trace options" lists them',
    });
  }
  return error;
}
