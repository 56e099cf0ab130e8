/** Starting a trace as the options of `trace start` describe it, and emptying its buffer. */
import { UsageError } from '../errors.ts';
import { graphOptions } from '../kernel/trace-graph.ts';
import { clearOwnTrace, leftInstances, ownDirectory } from '../kernel/trace-own.ts';
import type { TraceRequest } from '../kernel/trace-plan.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { type Item, notice, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { keepTrace } from './trace-buffer.ts';
import { commandWords } from './trace-command.ts';
import { closeTrace } from './trace-opened.ts';
import { keptFor, type TakenTrace, takeForLater } from './trace-pages.ts';
import { startWatched } from './trace-run.ts';
import { leftNotice } from './trace-status.ts';
import { tracedText } from './trace-timed.ts';
import { parseTraceText } from './trace-view.ts';

const BUFFER_KIB = 1024;

export function* traceStart(scope: Scope, args: TraceArgs): Iterable<Item> {
  const request = withGraphOptions(scope, traceRequest(args));
  const command = commandWords(args.command);
  if (command !== undefined) {
    yield* startCommand(scope, request, command, args);
    return;
  }
  const stopped = startWatched(scope, request);
  closeTrace(scope.kernel);
  const goesOn = stopped === undefined;
  if (!goesOn) yield notice(stopped);
  yield* leftNotice(leftInstances(scope.kernel));
  const { trace } = ownDirectory(scope.kernel);
  const what = request.tracer === 'nop' ? request.events.map(({ name }) => name).join(', ') : request.tracer;
  yield row({ instance: trace.instance, tracer: request.tracer, on: goesOn }, () => [
    goesOn ? `tracing ${what}; "trace show" prints what came, "trace stop" ends it` : `${what}: stopped`,
  ]);
}

/** Traces a command from its beginning to its end; what came is kept as by `trace stop`. */
function* startCommand(
  scope: Scope,
  request: Omit<TraceRequest, 'ownPids'>,
  command: readonly string[],
  args: TraceArgs,
): Iterable<Item> {
  let pages: TakenTrace | string = 'it was ended before its pages were read';
  const text = yield* tracedText(scope, request, { seconds: args.for, command }, (instance) => {
    pages = takeForLater(scope, instance);
  });
  keepTrace(scope.kernel, text, pages);
  const { entries } = parseTraceText(text);
  yield row({ command: [...command], tracer: request.tracer, entries: entries.length }, () => [
    `the command has ended; ${entries.length} entries are kept for ${keptFor(pages)}`,
  ]);
}

/** function_graph tells of tasks and times only when asked; what the user asks for comes last. */
function withGraphOptions<R extends { readonly tracer: string; readonly options: readonly string[] }>(
  { kernel }: Scope,
  request: R,
): R {
  if (request.tracer !== 'function_graph') return request;
  return { ...request, options: [...graphOptions(tracefs(kernel), true), ...request.options] };
}

/** Empties the buffer of kdbg's own trace. */
export function traceClear({ kernel }: Scope): Iterable<Item> {
  clearOwnTrace(kernel);
  return [];
}

/** What the options ask for. Throws UsageError where they are too much, too little or no names. */
export function traceRequest(args: TraceArgs): Omit<TraceRequest, 'ownPids'> {
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

/** `SYSTEM:EVENT if FILTER`. Throws UsageError. */
export function eventOf(text: string): TraceRequest['events'][number] {
  const match = /^([\w-]+(?::[\w-]+)?)(?:\s+if\s+(.+))?$/s.exec(text.trim());
  if (match === null) throw new UsageError(`"${text}" is no event: SYSTEM:EVENT, or SYSTEM:EVENT if FILTER`);
  return { name: match[1] as string, filter: match[2]?.replace(/\s+/g, ' ') };
}
