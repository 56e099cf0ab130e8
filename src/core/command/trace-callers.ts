/** Who calls a function: a trace of it for some seconds, its stacks counted. */
import { UsageError } from '../errors.ts';
import { type Item, row } from '../output/item.ts';
import { span } from '../output/line.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { commandWords } from './trace-command.ts';
import { callerStacks } from './trace-stacks.ts';
import { traceRequest } from './trace-start.ts';
import { missingNotice, notCalled, tracedText } from './trace-timed.ts';
import { functionSpan, parseTraceText } from './trace-view.ts';

export function* traceCallers(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const [name, ...more] = args.words;
  if (name === undefined || more.length > 0) throw new UsageError('trace callers wants one FUNCTION');
  const request = traceRequest({ ...args, words: ['function'], f: [name], s: true });
  const text = yield* tracedText(scope, request, { seconds: args.for, command: commandWords(args.command) });
  const { entries } = parseTraceText(text);
  const missing = missingNotice(text, entries);
  if (missing !== undefined) yield missing;
  const groups = callerStacks(entries);
  if (groups.length === 0) {
    yield notCalled(name);
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
