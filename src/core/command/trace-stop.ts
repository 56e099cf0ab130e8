/** The end of a trace. What came stays in the session: its text for `trace show`, its pages for `trace save`. */
import { ownDirectory, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import { type Item, row } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { bufferText, keepTrace } from './trace-buffer.ts';
import { keptFor, type TakenTrace, takeForLater } from './trace-pages.ts';
import { parseTraceText } from './trace-view.ts';

export function* traceStop(scope: Scope): Iterable<Item> {
  const { kernel } = scope;
  const { trace } = ownDirectory(kernel);
  switchOwnTrace(kernel, false);
  const text = bufferText(kernel, trace.instance);
  let pages: TakenTrace | string = 'its pages were not read to their end';
  try {
    // Before the instance is removed, and after its text was read: this empties it.
    pages = takeForLater(scope, trace.instance);
  } finally {
    keepTrace(kernel, text, pages);
    stopOwnTrace(kernel);
  }
  const { entries } = parseTraceText(text);
  yield row({ instance: trace.instance, entries: entries.length }, () => [
    `stopped; ${entries.length} entries are kept for ${keptFor(pages)}`,
  ]);
}
