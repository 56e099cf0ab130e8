/**
 * What a function calls. Only the shared buffer can be told to begin with one function (set_graph_function is in no
 * instance); in kdbg's own instance all that the named tasks do is traced, and the function's calls are picked out.
 */
import { UsageError } from '../errors.ts';
import { isCall, joinCalls } from '../formats/trace-joined.ts';
import { graphOptions } from '../kernel/trace-graph.ts';
import { type SharedSetting, sharedFiles } from '../kernel/trace-shared.ts';
import { tracefs } from '../kernel/tracefs.ts';
import type { Item } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { calleeNodes, calleeTree } from './trace-callee-tree.ts';
import { calleeItems } from './trace-callee-view.ts';
import { commandWords, FORK_OPTIONS } from './trace-command.ts';
import { ownPids } from './trace-run.ts';
import { traceRequest } from './trace-start.ts';
import { missingNotice, notCalled, sharedText, tracedText } from './trace-timed.ts';
import { parseTraceText } from './trace-view.ts';

/** Levels of calls below the function, unless --depth says otherwise. */
const LEVELS = 3;

export function* traceCallees(scope: Scope, args: TraceArgs): Iterable<Item> {
  const [name, ...more] = args.words;
  if (name === undefined || more.length > 0) throw new UsageError('trace callees wants one FUNCTION');
  if (!/^[\w.]+$/.test(name))
    throw new UsageError(`"${name}" is no function: callees are told of one, without wildcards`);
  const levels = args.depth ?? LEVELS;
  const time = { seconds: args.for, command: commandWords(args.command) };
  const text = args.shared
    ? yield* sharedText(scope, settings(scope, args, name, levels), time)
    : yield* tracedText(scope, ownRequest(scope, args), time);
  const { entries } = parseTraceText(text);
  const missing = missingNotice(text, entries);
  if (missing !== undefined) yield missing;
  const tree = calleeTree(joinCalls(entries).filter(isCall), name);
  if (tree === undefined) {
    yield notCalled(name);
    return;
  }
  yield* calleeItems(scope, [...calleeNodes(tree, levels)]);
}

function ownRequest(scope: Scope, args: TraceArgs): ReturnType<typeof traceRequest> {
  if (args.p.length + args.pid.length === 0 && args.command === undefined) {
    throw new UsageError('callees of which tasks? -p PID names some, -- COMMAND runs one', {
      hint: 'for all tasks kdbg must borrow the shared buffer, while nobody uses it, and give it back as it was: --shared allows that',
    });
  }
  const options = [...graphOptions(tracefs(scope.kernel), false), ...args.o];
  return traceRequest({ ...args, words: ['function_graph'], f: [], filter: [], o: options, all: true, s: false });
}

function settings(scope: Scope, args: TraceArgs, name: string, levels: number): readonly SharedSetting[] {
  const fs = tracefs(scope.kernel);
  const isCommand = args.command !== undefined;
  const pids = isCommand ? [] : [...args.p, ...args.pid];
  // b3b1e6ededa4 "ftrace: Create set_ftrace_notrace_pid to not trace tasks" (v5.7).
  const [notrace] = sharedFiles(fs, ['set_ftrace_notrace_pid']);
  return [
    { file: 'tracing_on', text: '0' },
    { file: 'trace_clock', text: args.clock ?? 'mono' },
    ...graphOptions(fs, false).map((option) => ({
      file: `options/${option.replace(/^no/, '')}`,
      text: option.startsWith('no') ? '0' : '1',
    })),
    ...(isCommand ? FORK_OPTIONS.map((option) => ({ file: `options/${option}`, text: '1' })) : []),
    { file: 'max_graph_depth', text: String(levels + 1) },
    { file: 'set_graph_function', text: name, isList: true },
    ...pids.map((pid): SharedSetting => ({ file: 'set_ftrace_pid', text: String(pid), isList: true })),
    // Of a command only its own PID, which it writes there itself.
    ...(isCommand ? (['set_ftrace_pid', 'set_event_pid'] as const) : []).map((file): SharedSetting => {
      return { file, text: '', isList: true };
    }),
    ...(notrace === undefined || isCommand ? [] : ownPids(scope)).map((pid): SharedSetting => {
      return { file: 'set_ftrace_notrace_pid', text: String(pid), isList: true };
    }),
    { file: 'current_tracer', text: 'function_graph' },
    ...(isCommand ? [] : [{ file: 'tracing_on', text: '1' }]),
  ];
}
