/** What came: the entries of a buffer, and the end of a trace, whose entries stay readable in the session. */
import { knownProbes } from '../kernel/probe-own.ts';
import { ownDirectory, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import { type Item, notice, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { bufferText, chosenText, keepText } from './trace-buffer.ts';
import { callItems, isCall, isGraph, joinCalls } from './trace-call-view.ts';
import { chosenBy } from './trace-choose.ts';
import { openedEntries, openedTrace } from './trace-opened.ts';
import { TraceItems } from './trace-probe-view.ts';
import { parseTraceText } from './trace-view.ts';

export function* traceStop({ kernel }: Scope): Iterable<Item> {
  const { trace } = ownDirectory(kernel);
  switchOwnTrace(kernel, false);
  const text = bufferText(kernel, trace.instance);
  stopOwnTrace(kernel);
  keepText(kernel, text);
  const { entries } = parseTraceText(text);
  yield row({ instance: trace.instance, entries: entries.length }, () => [
    `stopped; ${entries.length} entries are kept for "trace show"`,
  ]);
}

export function* traceShow(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const keep = chosenBy(args);
  const opened = args.shared ? undefined : openedTrace(kernel);
  const { entries, isCut } =
    opened === undefined
      ? { entries: parseTraceText(chosenText(kernel, args)).entries.filter(keep), isCut: false }
      : openedEntries(scope, opened, args.i, keep);
  if (entries.length === 0) yield notice('the buffer is empty, or all of it is left out');
  if (isCut) yield notice(`these are the first ${entries.length} entries: -f, -e and -p choose some`);
  // What others trace may have events of the same names.
  const isOwn = opened === undefined && !args.shared && args.i === undefined;
  const items = new TraceItems(kernel, isOwn ? knownProbes(kernel) : []);
  const levels = args.unfold ? Number.POSITIVE_INFINITY : (args.depth ?? 0);
  const joined = entries.some(isGraph) ? joinCalls(entries) : entries;
  if (args.n === undefined || !items.joins) {
    for (const each of args.n === undefined ? joined : joined.slice(-args.n)) {
      if (isCall(each)) yield* callItems(kernel, each, levels);
      else yield* items.push(each);
    }
    yield* items.flush();
    return;
  }
  const made = joined.flatMap((each) => (isCall(each) ? [...callItems(kernel, each, levels)] : items.push(each)));
  yield* [...made, ...items.flush()].slice(-args.n);
}
