/**
 * The text of an event's `hist` file: what a hist trigger has counted (Documentation/trace/histogram.rst). An entry is
 * `{ key: value, key: value } hitcount: 3`, over several lines where a key is a stack. Values may hold what separates
 * keys, so the keys' names must be known.
 */
import type { TraceFunction } from './trace-entry.ts';
import { parseFunction } from './trace-line.ts';

export interface HistogramEntry {
  /** By the key as it was asked for. */
  readonly keys: ReadonlyMap<string, string | readonly TraceFunction[]>;
  readonly count: number;
}

export interface Histogram {
  readonly entries: readonly HistogramEntry[];
  /** Events for which the table had no room. */
  readonly dropped: number;
}

const ENTRIES_MAX = 100_000;
const STACK_MAX = 256;
/** `stacktrace` was renamed by 4b512860bdbd "tracing: Rename stacktrace field to common_stacktrace" (v6.4). */
const STACKS = ['common_stacktrace', 'stacktrace'];

/** `keys` as the trigger was given them: "common_pid.execname", "stacktrace". Other lines are left out. */
export function parseHistogram(text: string, keys: readonly string[]): Histogram {
  const entries: HistogramEntry[] = [];
  let open: string[] | undefined;
  for (const line of text.split('\n')) {
    if (line.startsWith('{ ')) open = [];
    if (open === undefined) continue;
    // A stack of its depth for each key, and no more.
    if (open.length <= STACK_MAX * keys.length) open.push(line);
    const end = /\} hitcount: *(\d{1,19})/.exec(line);
    if (end === null) continue;
    if (entries.length < ENTRIES_MAX) entries.push({ keys: valuesOf(open.join('\n'), keys), count: Number(end[1]) });
    open = undefined;
  }
  return { entries, dropped: Number(/^ +Dropped: (\d{1,19})$/m.exec(text)?.[1] ?? 0) };
}

function valuesOf(entry: string, keys: readonly string[]): HistogramEntry['keys'] {
  const values = new Map<string, string | readonly TraceFunction[]>();
  const end = entry.lastIndexOf('} hitcount:');
  const starts: { readonly key: string; readonly at: number; readonly from: number }[] = [];
  let from = 0;
  for (const [i, key] of keys.entries()) {
    const found = namesOf(key)
      .map((name) => ({
        mark: `${i === 0 ? '{' : ','} ${name}:`,
        at: entry.indexOf(`${i === 0 ? '{' : ','} ${name}:`, from),
      }))
      .find(({ at }) => at >= 0);
    if (found === undefined) break;
    from = found.at + found.mark.length;
    starts.push({ key, at: found.at, from });
  }
  for (const [i, { key, from: begin }] of starts.entries()) {
    const raw = entry.slice(begin, starts[i + 1]?.at ?? end);
    values.set(key, raw.startsWith('\n') ? stackOf(raw) : raw.trim().replace(/ +/g, ' ').replace('[ ', '['));
  }
  return values;
}

function namesOf(key: string): readonly string[] {
  const [name = ''] = key.split('.');
  return STACKS.includes(name) ? STACKS : [name];
}

function stackOf(text: string): readonly TraceFunction[] {
  return text.split('\n').flatMap((line) => parseFunction(line.trim())?.function ?? []);
}
