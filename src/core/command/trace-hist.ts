/** How often an event happens, counted in the kernel by what its fields hold: nothing is written into a buffer. */
import { UnsupportedError, UsageError } from '../errors.ts';
import { type HistogramEntry, parseHistogram } from '../formats/trace-hist.ts';
import { ownDirectory, startOwnTrace, stopOwnTrace } from '../kernel/trace-own.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { type Item, notice, PAUSE, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { ownPids } from './trace-run.ts';
import { eventOf, traceRequest } from './trace-start.ts';
import { functionSpan } from './trace-view.ts';

const HIST_SECONDS = 5;
const KEYS = ['common_pid.execname'];
/** TRACING_MAP_KEYS_MAX of kernel/trace/tracing_map.h. */
const KEYS_MAX = 3;
const TEXT_MAX = 16 * 1024 * 1024;

export function* traceHist(scope: Scope, args: TraceArgs): Iterable<Item> {
  const { kernel } = scope;
  const [event, ...words] = args.words;
  if (event === undefined) throw new UsageError('trace hist wants an EVENT, and the KEYS to count it by');
  if (args.command !== undefined) {
    throw new UsageError('a histogram counts all tasks: it follows no command', { hint: '-p PID counts one task' });
  }
  const keys = words.length === 0 ? KEYS : words;
  const wrong = keys.find((key) => !/^\w+(?:\.\w+(?:=\d+)?)?$/.test(key));
  if (wrong !== undefined)
    throw new UsageError(`"${wrong}" is no key: a field of the event, as id.syscall, or stacktrace`);
  if (keys.length > KEYS_MAX) throw new UsageError(`${keys.length} keys are too many: ${KEYS_MAX} can be counted by`);
  const { name, filter } = eventOf(event);
  if (!name.includes(':')) throw new UsageError(`"${name}" is no single event: SYSTEM:EVENT is`);
  const path = `events/${name.replace(':', '/')}`;
  const conditions = [
    ...(filter === undefined ? [] : [`(${filter})`]),
    ...pidConditions([...args.p, ...args.pid], ownPids(scope)),
  ];
  const trigger = `hist:keys=${keys.join(',')}:sort=hitcount.descending${conditions.length === 0 ? '' : ` if ${conditions.join(' && ')}`}`;
  const request = traceRequest({ ...args, words: ['events'], e: [name], p: [], pid: [] });
  startOwnTrace(kernel, {
    ...request,
    events: [],
    ownPids: [],
    triggers: [{ file: `${path}/trigger`, text: trigger }],
    isHeld: true,
  });
  let text: string | undefined;
  try {
    yield PAUSE;
    scope.shell.sleep((args.for ?? HIST_SECONDS) * 1000);
    scope.check();
    text = tracefs(kernel).text(`${ownDirectory(kernel).directory}/${path}/hist`, TEXT_MAX);
  } finally {
    stopOwnTrace(kernel);
  }
  if (text === undefined) throw new UnsupportedError('this kernel has no histograms (CONFIG_HIST_TRIGGERS)');
  const { entries, dropped } = parseHistogram(text, keys);
  if (entries.length === 0) yield notice(`${name} did not happen`);
  if (dropped > 0) yield notice(`${dropped} events are not counted: the table of the kernel was full`);
  for (const entry of [...entries].sort((a, b) => b.count - a.count)) {
    yield row(cells(name, entry), () => lines(scope, entry));
  }
}

/** Triggers do not look at set_event_pid. */
function pidConditions(pids: readonly number[], ownPids: readonly number[]): readonly string[] {
  if (pids.length > 0) return [`(${pids.map((pid) => `common_pid == ${pid}`).join(' || ')})`];
  return ownPids.map((pid) => `common_pid != ${pid}`);
}

function cells(
  event: string,
  { keys, count }: HistogramEntry,
): Readonly<Record<string, string | number | readonly string[]>> {
  const values = [...keys].map(([key, value]) => [
    key,
    typeof value === 'string' ? value : value.map(({ name }) => name),
  ]);
  return { event, count, ...Object.fromEntries(values) };
}

const COUNT_WIDTH = 10;

function lines({ kernel }: Scope, { keys, count }: HistogramEntry): readonly Line[] {
  const values = [...keys];
  const words = values.flatMap(([key, value]) => (typeof value === 'string' ? [`${key}=${value}`] : []));
  const stack = values.flatMap(([, value]) => (typeof value === 'string' ? [] : value));
  return [
    [span(String(count).padStart(COUNT_WIDTH), undefined, 'header'), `  ${words.join('  ')}`],
    ...stack.map((frame): Line => [' '.repeat(COUNT_WIDTH + 2), functionSpan(kernel, frame)]),
  ];
}
