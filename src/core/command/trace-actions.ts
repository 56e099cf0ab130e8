/** The actions of `trace` by name. Each has a file of its own. */
import type { Item } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { traceCallees } from './trace-callees.ts';
import { traceCallers } from './trace-callers.ts';
import { traceClean } from './trace-clean.ts';
import { traceFollow } from './trace-follow.ts';
import { traceHist } from './trace-hist.ts';
import { traceList } from './trace-list.ts';
import { traceMark, traceSnapshot } from './trace-mark.ts';
import { traceOpen } from './trace-opened.ts';
import { traceProbe } from './trace-probe.ts';
import { traceProfile } from './trace-profile.ts';
import { traceSave } from './trace-save.ts';
import { traceShow } from './trace-show.ts';
import { traceClear, traceStart } from './trace-start.ts';
import { traceStat } from './trace-stat.ts';
import { traceStatus } from './trace-status.ts';
import { traceStop } from './trace-stop.ts';

type TraceAction = (scope: Scope, args: TraceArgs) => Iterable<Item>;

/** In the order in which help names them. */
export const TRACE_ACTIONS = {
  status: traceStatus,
  start: traceStart,
  stop: traceStop,
  clear: traceClear,
  show: traceShow,
  follow: traceFollow,
  stat: traceStat,
  callers: traceCallers,
  callees: traceCallees,
  profile: traceProfile,
  hist: traceHist,
  mark: traceMark,
  snapshot: traceSnapshot,
  probe: traceProbe,
  functions: (scope, args) => traceList(scope, 'available_filter_functions', args.words),
  events: (scope, args) => traceList(scope, 'available_events', args.words),
  options: (scope, args) => traceList(scope, 'trace_options', args.words),
  clean: traceClean,
  save: traceSave,
  open: traceOpen,
} satisfies Readonly<Record<string, TraceAction>>;

export type TraceActionName = keyof typeof TRACE_ACTIONS;
export const TRACE_ACTION_NAMES = Object.keys(TRACE_ACTIONS) as readonly TraceActionName[];

/** Runs an action; without a name, `status`. */
export function traceAction(name: TraceActionName | undefined, scope: Scope, args: TraceArgs): Iterable<Item> {
  return TRACE_ACTIONS[name ?? 'status'](scope, args);
}
