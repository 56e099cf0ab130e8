/**
 * What `trace` does, action by action. What came stays readable after `trace stop`: its text is kept in the session.
 */
import { UsageError } from '../errors.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import { TraceText } from '../formats/trace-text.ts';
import type { Kernel } from '../kernel/kernel.ts';
import {
  clearOwnTrace,
  controlOf,
  leftInstances,
  ownDirectory,
  ownTrace,
  removeLeftInstance,
  stopOwnTrace,
  switchOwnTrace,
} from '../kernel/trace-own.ts';
import type { TraceRequest } from '../kernel/trace-plan.ts';
import { readTraceState, readTraceStats } from '../kernel/trace-state.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { decodeText } from '../memory/text.ts';
import { decimalColumn } from '../output/columns.ts';
import { type Item, notice, PAUSE, row } from '../output/item.ts';
import { span } from '../output/line.ts';
import type { Scope } from './scope.ts';
import { startWatched } from './trace-run.ts';
import { callerStacks } from './trace-stacks.ts';
import { leftNotice, traceStatus } from './trace-status.ts';
import { functionSpan, parseTraceText, traceItem } from './trace-view.ts';

export interface TraceArgs {
  readonly f: readonly string[];
  readonly filter: readonly string[];
  readonly x: readonly string[];
  readonly e: readonly string[];
  readonly p: readonly number[];
  readonly pid: readonly number[];
  readonly o: readonly string[];
  readonly s: boolean;
  readonly clock: string | undefined;
  readonly b: number | undefined;
  readonly all: boolean;
  readonly for: number | undefined;
  readonly n: number | undefined;
  readonly shared: boolean;
  readonly i: string | undefined;
  readonly action: string | undefined;
  readonly words: readonly string[];
}

const BUFFER_KIB = 1024;
const CALLERS_SECONDS = 5;
/** Of a buffer's text at most: what came first is cut. */
const TEXT_MAX = 64 * 1024 * 1024;
const LIST_MAX = 16 * 1024 * 1024;
const WAIT_MS = 200;

export function* traceActions(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  switch (args.action) {
    case 'start':
      yield* start(scope, requestOf(args));
      return;
    case 'stop':
      yield* stop(kernel);
      return;
    case 'clear':
      clearOwnTrace(kernel);
      return;
    case 'show':
      yield* show(kernel, args);
      return;
    case 'follow':
      yield* follow(scope);
      return;
    case 'stat':
      yield* statistics(kernel, args);
      return;
    case 'callers':
      yield* callers(scope, args);
      return;
    case 'functions':
      yield* list(kernel, 'available_filter_functions', args.words);
      return;
    case 'events':
      yield* list(kernel, 'available_events', args.words);
      return;
    case 'options':
      yield* list(kernel, 'trace_options', args.words);
      return;
    case 'clean':
      yield* clean(kernel, args.words);
      return;
    default:
      yield* traceStatus(kernel);
  }
}

function requestOf(args: TraceArgs): Omit<TraceRequest, 'ownPids'> {
  const [what = args.e.length > 0 ? 'events' : 'function', ...more] = args.words;
  if (more.length > 0)
    throw new UsageError(`"${more[0]}" is one word too many: functions are chosen with -f, events with -e`);
  const tracer = what === 'events' ? 'nop' : what;
  const functions = [...args.f, ...args.filter];
  if (tracer === 'nop' && args.e.length === 0)
    throw new UsageError('which events? -e SYSTEM:EVENT; "trace events" lists them');
  if (tracer.startsWith('function') && functions.length === 0 && !args.all) {
    throw new UsageError(`${tracer} without -f would trace every function`, {
      hint: '-f PATTERN chooses some; --all traces all, which slows the machine down',
    });
  }
  const wrong = args.o.find((name) => !/^[\w-]+$/.test(name));
  if (wrong !== undefined) throw new UsageError(`"${wrong}" is no option: "trace options" lists them`);
  return {
    tracer,
    functions,
    exceptFunctions: args.x,
    events: args.e.map(eventOf),
    pids: [...args.p, ...args.pid],
    cpuMask: undefined,
    options: [...args.o, ...(args.s ? [tracer === 'nop' ? 'stacktrace' : 'func_stack_trace'] : [])],
    clock: args.clock ?? 'mono',
    bufferKib: args.b ?? BUFFER_KIB,
  };
}

function eventOf(text: string): TraceRequest['events'][number] {
  const match = /^([\w-]+(?::[\w-]+)?)(?:\s+if\s+(.+))?$/s.exec(text.trim());
  if (match === null) throw new UsageError(`"${text}" is no event: SYSTEM:EVENT, or SYSTEM:EVENT if FILTER`);
  return { name: match[1] as string, filter: match[2]?.replace(/\s+/g, ' ') };
}

function* start(scope: Scope, request: Omit<TraceRequest, 'ownPids'>): Iterable<Item> {
  const stopped = startWatched(scope, request);
  const goesOn = stopped === undefined;
  if (!goesOn) yield notice(stopped);
  yield* leftNotice(leftInstances(scope.kernel));
  const { trace } = ownDirectory(scope.kernel);
  const what = request.tracer === 'nop' ? request.events.map(({ name }) => name).join(', ') : request.tracer;
  yield row({ instance: trace.instance, tracer: request.tracer, on: goesOn }, () => [
    goesOn ? `tracing ${what}; "trace show" prints what came, "trace stop" ends it` : `${what}: stopped`,
  ]);
}

function* stop(kernel: Kernel): Iterable<Item> {
  const { trace } = ownDirectory(kernel);
  switchOwnTrace(kernel, false);
  const text = bufferText(kernel, trace.instance);
  stopOwnTrace(kernel);
  kept(kernel).text = text;
  const { entries } = parseTraceText(text);
  yield row({ instance: trace.instance, entries: entries.length }, () => [
    `stopped; ${entries.length} entries are kept for "trace show"`,
  ]);
}

function* show(kernel: Kernel, args: TraceArgs): Iterable<Item> {
  const chosen = args.shared ? undefined : (args.i ?? ownTrace(kernel)?.instance);
  const isKept = !args.shared && args.i === undefined && chosen === undefined;
  const text = isKept ? keptText(kernel) : bufferText(kernel, chosen);
  const { entries } = parseTraceText(text);
  if (entries.length === 0) yield notice('the buffer is empty');
  for (const entry of args.n === undefined ? entries : entries.slice(-args.n)) yield traceItem(kernel, entry);
}

/** The text of the trace that was stopped last. */
function kept(kernel: Kernel): { text: string } {
  return kernel.memo('kept trace', 'session', () => ({ text: '' }));
}

function keptText(kernel: Kernel): string {
  const { text } = kept(kernel);
  if (text !== '') return text;
  controlOf(kernel);
  throw new UsageError('no trace is on, and none was', {
    hint: '"trace start" begins one; --shared shows the shared buffer',
  });
}

/** A buffer's text: `trace` is read without taking anything out of it. */
function bufferText(kernel: Kernel, instance: string | undefined): string {
  const path = `${tracefs(kernel).directory(checkedInstance(kernel, instance))}/trace`;
  const result = kernel.files.read(path, TEXT_MAX);
  if (!result.ok) throw new UsageError(`${path}: ${result.failure.detail}`);
  return decodeText(result.bytes);
}

function checkedInstance(kernel: Kernel, instance: string | undefined): string | undefined {
  if (instance === undefined || tracefs(kernel).instances().includes(instance)) return instance;
  throw new UsageError(`there is no instance "${instance}"`, { hint: '"trace" lists them' });
}

function* follow(scope: Scope): Iterable<Item> {
  const { kernel } = scope;
  const { directory } = ownDirectory(kernel);
  const stream = kernel.backend.streams?.open(`${directory}/trace_pipe`);
  if (stream === undefined) throw new UsageError('this target has no files that flow; "repeat trace show -n 20" helps');
  if ('reason' in stream) throw new UsageError(`${stream.path}: ${stream.detail}`);
  const parser = new TraceText();
  let rest = '';
  const entriesOf = (text: string): readonly TraceEntry[] => {
    const all = (rest + text).split('\n');
    rest = all.pop() ?? '';
    return all.flatMap((line) => parser.push(line));
  };
  try {
    for (;;) {
      scope.check();
      const came = stream.wait(WAIT_MS);
      const entries = came ? entriesOf(decodeText(stream.take())) : parser.flush();
      for (const entry of entries) yield traceItem(kernel, entry);
      if (entries.length > 0) yield PAUSE;
      if (stream.ended !== undefined) break;
    }
    for (const entry of [...entriesOf('\n'), ...parser.flush()]) yield traceItem(kernel, entry);
    yield notice(`the trace ended: ${stream.ended}`);
  } finally {
    stream.close();
  }
}

const STAT_COLUMNS = {
  cpu: decimalColumn('CPU', 'the CPU', { width: 3 }),
  entries: decimalColumn('ENTRIES', 'entries in its buffer', { width: 10 }),
  overrun: decimalColumn('OVERWRITTEN', 'entries that newer ones have overwritten', { width: 11 }),
  dropped: decimalColumn('DROPPED', 'entries for which there was no room', { width: 8 }),
  bytes: decimalColumn('BYTES', 'bytes in its buffer', { width: 10 }),
};

function* statistics(kernel: Kernel, args: TraceArgs): Iterable<Item> {
  const instance = args.shared ? undefined : (args.i ?? ownDirectory(kernel).trace.instance);
  for (const { cpu, entries, overrun, dropped, bytes } of readTraceStats(
    tracefs(kernel),
    checkedInstance(kernel, instance),
  )) {
    yield row({ cpu, entries, overrun, dropped, bytes }, STAT_COLUMNS);
  }
}

function* callers(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const [name, ...more] = args.words;
  if (name === undefined || more.length > 0) throw new UsageError('trace callers wants one FUNCTION');
  const request = requestOf({ ...args, words: ['function'], f: [name], s: true });
  let text = '';
  const stopped = startWatched(scope, request);
  try {
    if (stopped !== undefined) yield notice(stopped);
    yield PAUSE;
    scope.shell.sleep((args.for ?? CALLERS_SECONDS) * 1000);
    scope.check();
  } finally {
    try {
      switchOwnTrace(kernel, false);
      text = bufferText(kernel, ownTrace(kernel)?.instance);
    } finally {
      // Whatever keeps the text from being read, and be it Ctrl-C.
      stopOwnTrace(kernel);
    }
  }
  const groups = callerStacks(parseTraceText(text).entries);
  if (groups.length === 0) {
    yield notice(`${name} was not called; a function may be inlined where it seems to be: try one that calls it`);
  }
  for (const { frames, count, tasks } of groups) {
    const who = [...tasks].map(([pid, comm]) => `${pid} (${comm})`).join(', ');
    const data = { function: name, count, stack: frames.map((frame) => frame.name), pids: [...tasks.keys()] };
    yield row(data, () => [
      [span(String(count).padStart(8), undefined, 'header'), `  ${who}`],
      ...frames.map((frame) => [' '.repeat(15), functionSpan(kernel, frame)]),
    ]);
  }
}

function* list(kernel: Kernel, file: string, patterns: readonly string[]): Iterable<Item> {
  const fs = tracefs(kernel);
  const text = fs.text(`${fs.root}/${file}`, LIST_MAX);
  if (text === undefined) throw new UsageError(`${fs.root}/${file} cannot be read`);
  const tests = patterns.map(
    (pattern) => new RegExp(`^${pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/[*]/g, '.*')}`),
  );
  const all = text.split('\n').filter((line) => tests.length === 0 || tests.some((test) => test.test(line)));
  if (all.length === 0) yield notice(`none of ${file} is like "${patterns.join(' ')}"; * stands for any letters`);
  for (const name of all) yield row({ name }, () => [name]);
}

/** What nobody named and still records may be another session's. */
function* clean(kernel: Kernel, named: readonly string[]): Iterable<Item> {
  const left = leftInstances(kernel);
  const other = named.find((name) => !left.includes(name));
  if (other !== undefined) throw new UsageError(`"${other}" is no instance that a session of kdbg has left`);
  if (left.length === 0) yield notice('nothing is left of earlier sessions');
  for (const instance of named.length > 0 ? named : left) {
    if (named.length === 0 && readTraceState(tracefs(kernel), instance).isOn) {
      yield notice(`${instance} still records, perhaps for another session; "trace clean ${instance}" removes it`);
      continue;
    }
    removeLeftInstance(kernel, instance);
    yield row({ removed: instance }, () => [`removed ${instance}`]);
  }
}
