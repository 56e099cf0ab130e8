/** What comes: the entries of kdbg's own trace, as they are written, taken out of the buffer. */
import { UsageError } from '../errors.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import { TraceText } from '../formats/trace-text.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { knownProbes } from '../kernel/probe-own.ts';
import { ownDirectory, recordedTraces } from '../kernel/trace-own.ts';
import { tracefs } from '../kernel/tracefs.ts';
import type { FileStream } from '../memory/backend.ts';
import { decodeText } from '../memory/text.ts';
import { type Item, notice, PAUSE } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { TraceItems } from './trace-probe-view.ts';

/** When to stop following; the end of the trace or of the command's reader ends it as well. */
export interface FollowLimit {
  readonly seconds?: number | undefined;
  /** So many hits of this probe. */
  readonly hits?: { readonly probe: string; readonly count: number } | undefined;
}

const WAIT_MS = 200;

export function traceFollow(scope: Scope): Iterable<Item> {
  return followTrace(scope, {});
}

export function* followTrace(scope: Scope, { seconds, hits }: FollowLimit): Iterable<Item> {
  const { kernel, shell } = scope;
  const stream = openPipe(kernel);
  const items = new TraceItems(kernel, knownProbes(kernel));
  const parser = new TraceText();
  let rest = '';
  const entriesOf = (text: string): readonly TraceEntry[] => {
    const all = (rest + text).split('\n');
    rest = all.pop() ?? '';
    return all.flatMap((line) => parser.push(line));
  };
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : shell.now() + seconds * 1000;
  let wanted = hits?.count ?? Number.POSITIVE_INFINITY;
  function* shown(made: readonly Item[]): Iterable<Item> {
    for (const item of made) {
      if (wanted <= 0) return;
      if (item.kind === 'row' && item.data['probe'] === hits?.probe && hits !== undefined) wanted--;
      yield item;
    }
  }
  try {
    while (wanted > 0 && shell.now() < until) {
      scope.check();
      const came = stream.wait(Math.max(1, Math.min(WAIT_MS, until - shell.now())));
      const entries = came ? entriesOf(decodeText(stream.take())) : parser.flush();
      for (const entry of entries) yield* shown(items.push(entry));
      if (entries.length > 0) yield PAUSE;
      if (stream.ended !== undefined) break;
    }
    for (const entry of [...entriesOf('\n'), ...parser.flush()]) yield* shown(items.push(entry));
    yield* shown(items.flush());
    // Of a recording there is no more than what was followed then.
    const isDone = wanted <= 0 || (seconds !== undefined && (shell.isReplay || shell.now() >= until));
    if (stream.ended !== undefined && !isDone) yield notice(`the trace ended: ${stream.ended}`);
  } finally {
    stream.close();
  }
}

/** What flows of kdbg's own trace; of a recording, of the latest one of which something flowed. */
function openPipe(kernel: Kernel): FileStream {
  for (const { instance } of recordedTraces(kernel)) {
    const stream = kernel.backend.streams?.open(`${tracefs(kernel).directory(instance)}/trace_pipe`);
    if (stream !== undefined && !('reason' in stream)) return stream;
  }
  const { directory } = ownDirectory(kernel);
  const stream = kernel.backend.streams?.open(`${directory}/trace_pipe`);
  if (stream === undefined) throw new UsageError('this target has no files that flow; "repeat trace show -n 20" helps');
  if ('reason' in stream) throw new UsageError(`${stream.path}: ${stream.detail}`);
  return stream;
}
