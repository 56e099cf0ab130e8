/** What came: the entries of a buffer, of a trace that was stopped, or of a file. */

import { isCall, isGraph, type Joined, joinCalls } from '../formats/trace-joined.ts';
import { knownProbes } from '../kernel/probe-own.ts';
import { ownTrace } from '../kernel/trace-own.ts';
import { type Item, notice } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { chosenText } from './trace-buffer.ts';
import { type CallView, callItems, countWithin, levelsOf } from './trace-call-view.ts';
import { chosenBy } from './trace-choose.ts';
import { takeFollowed } from './trace-followed.ts';
import { ENTRIES_MAX, type OpenedTrace, openedEntries, openedTrace } from './trace-opened.ts';
import { TraceItems } from './trace-probe-view.ts';
import { parseTraceText } from './trace-view.ts';

/** Lines of calls within calls that go with those that are shown, folded away. */
const FOLDED_MAX = 50_000;

export function* traceShow(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const opened = args.shared ? undefined : openedTrace(kernel);
  const rest = opened === undefined ? restOfFollowed(scope, args) : undefined;
  const { joined, isCut } = rest === undefined ? chosenEntries(scope, args, opened) : { joined: rest, isCut: false };
  if (joined.length === 0 && rest === undefined) yield notice('the buffer is empty, or all of it is left out');
  if (isCut) yield notice(`these are the first ${ENTRIES_MAX} entries: -f, -e and -p choose some`);
  // What others trace may have events of the same names.
  const isOwn = opened === undefined && !args.shared && args.i === undefined;
  const items = new TraceItems(kernel, isOwn ? knownProbes(kernel) : []);
  const viewOf = callViews(scope, args, joined);
  const made = (each: Joined): Iterable<Item> =>
    isCall(each) ? callItems(kernel, each, viewOf(each)) : items.push(each);
  if (args.n === undefined || !items.joins) {
    for (const each of args.n === undefined ? joined : joined.slice(-args.n)) yield* made(each);
    yield* items.flush();
    return;
  }
  yield* [...joined.flatMap((each) => [...made(each)]), ...items.flush()].slice(-args.n);
}

/** The entries of the buffer that is wanted, calls joined. */
function chosenEntries(
  scope: Scope,
  args: TraceArgs,
  opened: OpenedTrace | undefined,
): { readonly joined: readonly Joined[]; readonly isCut: boolean } {
  const keep = chosenBy(args);
  const { entries, isCut } =
    opened === undefined
      ? { entries: parseTraceText(chosenText(scope.kernel, args)).entries.filter(keep), isCut: false }
      : openedEntries(scope, opened, args.i, keep);
  return { joined: args.raw || !entries.some(isGraph) ? entries : joinCalls(entries), isCut };
}

/** What is left of a trace that a pane followed: what waited for more, and what came since. */
function restOfFollowed({ kernel, shell }: Scope, args: TraceArgs): readonly Joined[] | undefined {
  const { f, filter, e, p, pid, n, shared, i } = args;
  const isChosen =
    shared || i !== undefined || n !== undefined || [f, filter, e, p, pid].some(({ length }) => length > 0);
  if (!shell.unfolds || isChosen) return undefined;
  const instance = ownTrace(kernel)?.instance;
  const followed = takeFollowed(kernel, (path) => instance === undefined || path.includes(`/${instance}/`));
  return followed && [...followed.push(chosenText(kernel, args)), ...followed.end()];
}

/** How calls are shown: those that came last with what they fold away, where it can be unfolded. */
function callViews({ shell }: Scope, args: TraceArgs, joined: readonly Joined[]): (call: Joined) => CallView {
  const levels = levelsOf(args);
  if (!shell.unfolds) return () => ({ levels });
  const unfolding = new Set<Joined>();
  let left = FOLDED_MAX;
  for (const each of joined.filter(isCall).reverse()) {
    left -= countWithin(each);
    if (left < 0) break;
    unfolding.add(each);
  }
  return (call) => ({ levels, unfolds: unfolding.has(call) });
}
