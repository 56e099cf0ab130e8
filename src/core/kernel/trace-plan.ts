/**
 * A trace as the steps that set it up in an instance of tracefs, start it, and undo it. The order matters: an instance
 * can only be removed while nobody has a file of it open, a tracer can only be changed while nobody has its trace_pipe
 * open (kernel/trace/trace.c, tracing_set_tracer() and instance_rmdir()), and filters come before the tracer.
 */
import type { ControlStep } from '../memory/backend.ts';
import type { Tracefs } from './tracefs.ts';

/** What to trace. */
export interface TraceRequest {
  /** `function`, `function_graph`, `nop` for events alone, or another that available_tracers lists. */
  readonly tracer: string;
  /** Function names with wildcards, `:mod:NAME`, as set_ftrace_filter takes them. Empty: no limit. */
  readonly functions: readonly string[];
  /** Functions that are left out. */
  readonly exceptFunctions: readonly string[];
  readonly events: readonly TraceEventRequest[];
  /** Only these tasks; empty: all but kdbg's own. */
  readonly pids: readonly number[];
  /** Tasks that are not traced: kdbg's own. */
  readonly ownPids: readonly number[];
  /** As a hexadecimal mask; undefined: all. */
  readonly cpuMask: string | undefined;
  /** Names of options, those to turn off with `no` before them. */
  readonly options: readonly string[];
  readonly clock: string | undefined;
  /** KiB for each CPU. */
  readonly bufferKib: number;
  /** Nothing is recorded at first: whoever is to be traced switches that on. */
  readonly isHeld?: boolean;
  /** Triggers of events, by their files below the instance. They go with it. */
  readonly triggers?: readonly { readonly file: string; readonly text: string }[];
}

export interface TraceEventRequest {
  /** `sched:sched_switch`, or `sched` for all of a system. */
  readonly name: string;
  /** A filter in the kernel's language: "prev_pid == 1". */
  readonly filter: string | undefined;
}

/** What makes the instance and sets it up, its tracer not yet running. */
export function setUpSteps(fs: Tracefs, instance: string, request: TraceRequest): readonly ControlStep[] {
  const at = fs.directory(instance);
  const write = (file: string, text: string): ControlStep => ({ kind: 'write', path: `${at}/${file}`, text });
  const append = (file: string, text: string): ControlStep => ({ kind: 'append', path: `${at}/${file}`, text });
  return [
    { kind: 'mkdir', path: at },
    write('tracing_on', '0'),
    write('buffer_size_kb', String(request.bufferKib)),
    ...(request.clock === undefined ? [] : [write('trace_clock', request.clock)]),
    ...(request.cpuMask === undefined ? [] : [write('tracing_cpumask', request.cpuMask)]),
    ...request.functions.map((name) => append('set_ftrace_filter', name)),
    ...request.exceptFunctions.map((name) => append('set_ftrace_notrace', name)),
    ...pidSteps(fs, request, append),
    ...request.options.map((option) =>
      write(`options/${option.replace(/^no/, '')}`, option.startsWith('no') ? '0' : '1'),
    ),
    ...(request.triggers ?? []).map(({ file, text }) => append(file, text)),
    ...request.events.flatMap(({ name, filter }) => {
      const path = `events/${name.replace(':', '/')}`;
      return filter === undefined ? [] : [write(`${path}/filter`, filter)];
    }),
  ];
}

function pidSteps(
  fs: Tracefs,
  { pids, ownPids }: TraceRequest,
  append: (file: string, text: string) => ControlStep,
): readonly ControlStep[] {
  if (pids.length > 0) {
    return pids.flatMap((pid) => [append('set_ftrace_pid', String(pid)), append('set_event_pid', String(pid))]);
  }
  // Both came with b3b1e6ededa4 "ftrace: Create set_ftrace_notrace_pid to not trace tasks" (v5.7); the top directory
  // has them where an instance will.
  const names = ['set_ftrace_notrace_pid', 'set_event_notrace_pid'];
  const there = fs.texts(
    names.map((name) => `${fs.root}/${name}`),
    4096,
  );
  return names.flatMap((name, i) => (there[i] === undefined ? [] : ownPids.map((pid) => append(name, String(pid)))));
}

/** What starts it. */
export function startSteps(fs: Tracefs, instance: string, request: TraceRequest): readonly ControlStep[] {
  const at = fs.directory(instance);
  return [
    ...request.events.map(({ name }): ControlStep => {
      return { kind: 'write', path: `${at}/events/${name.replace(':', '/')}/enable`, text: '1' };
    }),
    { kind: 'write', path: `${at}/current_tracer`, text: request.tracer },
    ...(request.isHeld ? [] : [{ kind: 'write', path: `${at}/tracing_on`, text: '1' } as const]),
  ];
}

/**
 * What makes all as it was. Removing the instance ends its tracer, filters and events. Options of a tracer, though
 * (func_stack_trace), are the tracer's and not the instance's: written in one they change in all, so each is put back.
 */
export function undoSteps(fs: Tracefs, instance: string, options: readonly string[]): readonly ControlStep[] {
  const at = fs.directory(instance);
  const names = options.map((option) => option.replace(/^no/, ''));
  const before = fs.texts(
    names.map((name) => `${fs.root}/options/${name}`),
    16,
  );
  return [
    { kind: 'write', path: `${at}/tracing_on`, text: '0' },
    { kind: 'write', path: `${at}/current_tracer`, text: 'nop' },
    ...names.flatMap((name, i): readonly ControlStep[] => {
      const value = before[i]?.trim();
      return value === undefined ? [] : [{ kind: 'write', path: `${at}/options/${name}`, text: value }];
    }),
    { kind: 'rmdir', path: at },
  ];
}
