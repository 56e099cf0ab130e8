/**
 * The text of a trace buffer: of kdbg's own trace while it is on, what is kept of it when it was stopped, or that of
 * another's instance.
 */
import { UsageError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { controlOf } from '../kernel/trace-control.ts';
import { ownTrace, recordedTraces } from '../kernel/trace-own.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { decodeText } from '../memory/text.ts';
import type { TraceArgs } from './trace-arguments.ts';
import type { TakenTrace } from './trace-pages.ts';

/** Of a buffer's text at most: what came last is cut. */
const TEXT_MAX = 64 * 1024 * 1024;
/** Not among what a kernel has derived: that is forgotten when a recording starts, what came is not. */
const kept = new WeakMap<Kernel, KeptTrace>();

/** What is left of a trace that was stopped. */
interface KeptTrace {
  readonly text: string;
  /** A text says why there are none. */
  readonly pages: TakenTrace | string;
}

/** The text of the buffer that --shared and -i choose. Throws UsageError where there is none. */
export function chosenText(kernel: Kernel, { shared, i }: TraceArgs): string {
  const chosen = shared ? undefined : (i ?? ownTrace(kernel)?.instance);
  const isKept = !shared && chosen === undefined;
  return isKept ? keptText(kernel) : bufferText(kernel, chosen);
}

/** Keeps what came of a trace that was stopped, for `trace show` and `trace save`; a text says why there are no pages. */
export function keepTrace(kernel: Kernel, text: string, pages: TakenTrace | string): void {
  kept.set(kernel, { text, pages });
}

/** The pages of the trace that was stopped last, or why there are none; undefined where none was stopped. */
export function keptPages(kernel: Kernel): TakenTrace | string | undefined {
  return kept.get(kernel)?.pages;
}

/** The text of the trace that was stopped last. */
function keptText(kernel: Kernel): string {
  // A recording may be entered at any line of it: what was kept then was read when the trace was stopped.
  const [recorded] = recordedTraces(kernel);
  if (recorded !== undefined) return textOf(kernel, recorded.instance);
  const trace = kept.get(kernel);
  if (trace !== undefined) return trace.text;
  controlOf(kernel);
  throw new UsageError('no trace is on, and none was', {
    hint: '"trace start" begins one; --shared shows the shared buffer',
  });
}

/** A buffer's text: `trace` is read without taking anything out of it. */
export function bufferText(kernel: Kernel, instance: string | undefined): string {
  return textOf(kernel, checkedInstance(kernel, instance));
}

function textOf(kernel: Kernel, instance: string | undefined): string {
  const path = `${tracefs(kernel).directory(instance)}/trace`;
  const result = kernel.files.read(path, TEXT_MAX);
  if (!result.ok) throw new UsageError(`${path}: ${result.failure.detail}`);
  return decodeText(result.bytes);
}

/** Throws UsageError where there is no instance of this name. */
export function checkedInstance(kernel: Kernel, instance: string | undefined): string | undefined {
  if (instance === undefined || tracefs(kernel).instances().includes(instance)) return instance;
  throw new UsageError(`there is no instance "${instance}"`, { hint: '"trace" lists them' });
}
