/** What the user puts into a trace that runs: a mark, a copy of the buffer as it is now. */
import { UnsupportedError, UsageError } from '../errors.ts';
import { applySteps, controlOf } from '../kernel/trace-control.ts';
import { ownDirectory } from '../kernel/trace-own.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { type Item, notice, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { parseTraceText, traceItem } from './trace-view.ts';

/** An entry holds no more than TRACE_BUF_SIZE, 1024 bytes in older kernels. */
const MARK_MAX = 900;
const TEXT_MAX = 64 * 1024 * 1024;

/** Writes an entry of the user's words between those of the kernel. */
export function* traceMark({ kernel }: Scope, { words }: TraceArgs): Iterable<Item> {
  const mark = words.join(' ');
  if (mark === '') throw new UsageError('trace mark wants the TEXT of the mark');
  if (mark.length > MARK_MAX) throw new UsageError(`a mark has at most ${MARK_MAX} characters`);
  const { directory } = ownDirectory(kernel);
  applySteps(controlOf(kernel), [{ kind: 'append', path: `${directory}/trace_marker`, text: mark }]);
  yield row({ mark }, () => ['marked']);
}

/**
 * Takes the buffer aside as it is now (CONFIG_TRACER_SNAPSHOT), while the trace goes on in a second buffer of its size,
 * and shows what was taken.
 */
export function* traceSnapshot({ kernel }: Scope, args: TraceArgs): Iterable<Item> {
  const { directory } = ownDirectory(kernel);
  const path = `${directory}/snapshot`;
  const fs = tracefs(kernel);
  if (fs.text(path, 256) === undefined) {
    throw new UnsupportedError(
      'this kernel takes no snapshots (CONFIG_TRACER_SNAPSHOT)',
      '"trace show" shows the buffer',
    );
  }
  applySteps(controlOf(kernel), [{ kind: 'write', path, text: '1' }]);
  const { entries } = parseTraceText(fs.text(path, TEXT_MAX) ?? '');
  if (entries.length === 0) yield notice('the buffer was empty');
  for (const entry of args.n === undefined ? entries : entries.slice(-args.n)) yield traceItem(kernel, entry);
}
