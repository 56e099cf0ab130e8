/** What comes: the entries of kdbg's own trace, as they are written, taken out of the buffer. */
import { CancelledError, UsageError } from '../errors.ts';
import { isCall, type Joined } from '../formats/trace-joined.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { knownProbes } from '../kernel/probe-own.ts';
import { ownDirectory, recordedTraces } from '../kernel/trace-own.ts';
import { tracefs } from '../kernel/tracefs.ts';
import type { FileStream } from '../memory/backend.ts';
import { decodeText } from '../memory/text.ts';
import { type Item, notice, PAUSE } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { type CallView, callItems, levelsOf } from './trace-call-view.ts';
import { FollowedText, keepFollowed, takeFollowed } from './trace-followed.ts';
import { TraceItems } from './trace-probe-view.ts';

/** When to stop following; the end of the trace or of the command's reader ends it as well. */
export interface FollowLimit {
  readonly seconds?: number | undefined;
  /** So many hits of this probe. */
  readonly hits?: { readonly probe: string; readonly count: number } | undefined;
  /** How calls of function_graph are shown; unless given, its lines are shown as they are. */
  readonly calls?: CallView;
}

const WAIT_MS = 200;

export function traceFollow(scope: Scope, args: TraceArgs): Iterable<Item> {
  const calls = { levels: levelsOf(args), unfolds: scope.shell.unfolds };
  return followTrace(scope, args.raw ? {} : { calls });
}

export function* followTrace(scope: Scope, { seconds, hits, calls }: FollowLimit): Iterable<Item> {
  const { kernel, shell } = scope;
  const { path, stream } = openPipe(kernel);
  const items = new TraceItems(kernel, knownProbes(kernel));
  const joins = calls !== undefined;
  const view = calls ?? { levels: 0, unfolds: shell.unfolds };
  const kept = shell.unfolds ? takeFollowed(kernel, (each) => each === path) : undefined;
  const followed = kept?.joins === joins ? kept : new FollowedText(joins);
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : shell.now() + seconds * 1000;
  let wanted = hits?.count ?? Number.POSITIVE_INFINITY;
  function* shown(made: Iterable<Item>): Iterable<Item> {
    for (const item of made) {
      if (wanted <= 0) return;
      if (item.kind === 'row' && item.data['probe'] === hits?.probe && hits !== undefined) wanted--;
      yield item;
    }
  }
  function* itemsOf(all: readonly Joined[]): Iterable<Item> {
    for (const each of all) {
      yield* shown(isCall(each) ? callItems(kernel, each, view) : items.push(each));
    }
  }
  // In another form than what was kept: what waited is shown first, as it was to be.
  if (kept !== undefined && kept !== followed) yield* itemsOf(kept.end());
  try {
    while (wanted > 0 && shell.now() < until) {
      scope.check();
      const came = stream.wait(Math.max(1, Math.min(WAIT_MS, until - shell.now())));
      const all = came ? followed.push(decodeText(stream.take())) : followed.pause();
      yield* itemsOf(all);
      if (all.length > 0) yield PAUSE;
      if (stream.ended !== undefined) break;
    }
    yield* itemsOf(followed.end());
    yield* shown(items.flush());
    // Of a recording there is no more than what was followed then.
    const isDone = wanted <= 0 || (seconds !== undefined && (shell.isReplay || shell.now() >= until));
    if (stream.ended !== undefined && !isDone) yield notice(`the trace ended: ${stream.ended}`);
  } catch (error) {
    if (!(error instanceof CancelledError)) throw error;
    // What came is out of the buffer, and nowhere else.
    const last = decodeText(stream.finish());
    if (shell.unfolds) {
      followed.keep(last);
      keepFollowed(kernel, path, followed);
    } else yield* itemsOf([...followed.push(last), ...followed.end()]);
    throw error;
  } finally {
    stream.close();
  }
}

/** What flows of kdbg's own trace; of a recording, of the latest one of which something flowed. */
function openPipe(kernel: Kernel): { readonly path: string; readonly stream: FileStream } {
  for (const { instance } of recordedTraces(kernel)) {
    const path = `${tracefs(kernel).directory(instance)}/trace_pipe`;
    const stream = kernel.backend.streams?.open(path);
    if (stream !== undefined && !('reason' in stream)) return { path, stream };
  }
  const path = `${ownDirectory(kernel).directory}/trace_pipe`;
  const stream = kernel.backend.streams?.open(path);
  if (stream === undefined) throw new UsageError('this target has no files that flow; "repeat trace show -n 20" helps');
  if ('reason' in stream) throw new UsageError(`${stream.path}: ${stream.detail}`);
  return { path, stream };
}
