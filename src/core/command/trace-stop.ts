/** The end of a trace. What came stays in the session: its text for `trace show`, its pages for `trace save`. */
import { ownDirectory, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import { type Item, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { bufferText, keepTrace } from './trace-buffer.ts';
import { takeForLater } from './trace-pages.ts';
import { parseTraceText } from './trace-view.ts';

export function* traceStop(scope: Scope): Iterable<Item> {
  const { kernel } = scope;
  const { trace } = ownDirectory(kernel);
  switchOwnTrace(kernel, false);
  const text = bufferText(kernel, trace.instance);
  try {
    // Before the instance is removed, and after its text was read: this empties it.
    keepTrace(kernel, text, takeForLater(scope, trace.instance));
  } catch (error) {
    keepTrace(kernel, text, 'its pages were not read to their end');
    throw error;
  } finally {
    stopOwnTrace(kernel);
  }
  const { entries } = parseTraceText(text);
  yield row({ instance: trace.instance, entries: entries.length }, () => [
    `stopped; ${entries.length} entries are kept for "trace show" and "trace save"`,
  ]);
}
