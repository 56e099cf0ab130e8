/** What comes: the entries of kdbg's own trace, as they are written, taken out of the buffer. */
import { UsageError } from '../errors.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import { TraceText } from '../formats/trace-text.ts';
import { ownDirectory } from '../kernel/trace-own.ts';
import { decodeText } from '../memory/text.ts';
import { type Item, notice, PAUSE } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { traceItem } from './trace-view.ts';

const WAIT_MS = 200;

export function* traceFollow(scope: Scope): Iterable<Item> {
  const { kernel } = scope;
  const { directory } = ownDirectory(kernel);
  const stream = kernel.backend.streams?.open(`${directory}/trace_pipe`);
  if (stream === undefined) throw new UsageError('this target has no files that flow; "repeat trace show -n 20" helps');
  if ('reason' in stream) throw new UsageError(`${stream.path}: ${stream.detail}`);
  const parser = new TraceText();
  let rest = '';
  const entriesOf = (text: string): readonly TraceEntry[] => {
    const all = (rest + text).split('\n');
    rest = all.pop() ?? '';
    return all.flatMap((line) => parser.push(line));
  };
  try {
    for (;;) {
      scope.check();
      const came = stream.wait(WAIT_MS);
      const entries = came ? entriesOf(decodeText(stream.take())) : parser.flush();
      for (const entry of entries) yield traceItem(kernel, entry);
      if (entries.length > 0) yield PAUSE;
      if (stream.ended !== undefined) break;
    }
    for (const entry of [...entriesOf('\n'), ...parser.flush()]) yield traceItem(kernel, entry);
    yield notice(`the trace ended: ${stream.ended}`);
  } finally {
    stream.close();
  }
}
