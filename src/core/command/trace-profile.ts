/**
 * How often functions are called and how long they take. The kernel's own function profile is for the whole machine and
 * seldom built in (CONFIG_FUNCTION_PROFILER); function_graph in kdbg's own instance tells the same and disturbs nobody.
 */
import { UsageError } from '../errors.ts';
import { isCall, joinCalls } from '../formats/trace-joined.ts';
import { graphOptions } from '../kernel/trace-graph.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { type Item, notice } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { calledFunctions } from './trace-callee-tree.ts';
import { calleeItems } from './trace-callee-view.ts';
import { commandWords } from './trace-command.ts';
import { traceRequest } from './trace-start.ts';
import { missingNotice, tracedText } from './trace-timed.ts';
import { parseTraceText } from './trace-view.ts';

export function* traceProfile(scope: Scope, args: TraceArgs): Iterable<Item> {
  const patterns = [...args.words, ...args.f, ...args.filter];
  if (patterns.length === 0) throw new UsageError('trace profile wants a PATTERN of functions');
  const options = [...graphOptions(tracefs(scope.kernel), false), ...args.o];
  const request = traceRequest({ ...args, words: ['function_graph'], f: patterns, filter: [], o: options, s: false });
  const text = yield* tracedText(scope, request, { seconds: args.for, command: commandWords(args.command) });
  const { entries } = parseTraceText(text);
  const missing = missingNotice(text, entries);
  if (missing !== undefined) yield missing;
  const nodes = calledFunctions(joinCalls(entries).filter(isCall));
  if (nodes.length === 0) yield notice(`nothing like ${patterns.join(' ')} was called`);
  yield* calleeItems(scope, nodes);
}
