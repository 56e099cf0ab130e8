/**
 * What a trace buffer is set to: its tracer, its filters, the events that are on, how much is in it and how much was
 * lost. Files that a kernel does not have are undefined here: what a kernel offers is told by its files, never by its
 * version.
 */
import type { Tracefs } from './tracefs.ts';

export interface TraceState {
  /** Undefined for the buffer that everybody shares. */
  readonly instance: string | undefined;
  readonly tracer: string;
  readonly isOn: boolean;
  /** Functions, pids and events by the file that holds them; only those that are set. */
  readonly filters: ReadonlyMap<string, readonly string[]>;
  /** `system:event` of those that are on. */
  readonly events: readonly string[];
  readonly clock: string | undefined;
  /** KiB for each CPU. */
  readonly bufferKib: number | undefined;
  /** Names of options that are on. */
  readonly options: readonly string[];
}

export interface TraceStats {
  readonly cpu: number;
  readonly entries: number;
  /** Entries that were overwritten because nobody read them in time. */
  readonly overrun: number;
  /** Entries for which there was no room. */
  readonly dropped: number;
  readonly bytes: number;
}

const FILTERS = [
  'set_ftrace_filter',
  'set_ftrace_notrace',
  'set_ftrace_pid',
  'set_ftrace_notrace_pid',
  'set_event_pid',
  'set_event_notrace_pid',
  'set_graph_function',
  'set_graph_notrace',
] as const;
const OTHERS = ['current_tracer', 'tracing_on', 'set_event', 'trace_clock', 'buffer_size_kb', 'trace_options'] as const;
/** Entries of a filter that are shown; a filter may hold tens of thousands. */
const ENTRIES_MAX = 10_000;

/** One request. */
export function readTraceState(fs: Tracefs, instance: string | undefined): TraceState {
  const directory = fs.directory(instance);
  const names = [...OTHERS, ...FILTERS];
  const texts = fs.texts(names.map((name) => `${directory}/${name}`));
  const text = (name: (typeof names)[number]): string | undefined => texts[names.indexOf(name)];
  const filters = new Map<string, readonly string[]>();
  for (const name of FILTERS) {
    const entries = linesOf(text(name));
    if (entries.length > 0) filters.set(name, entries);
  }
  return {
    instance,
    tracer: text('current_tracer')?.trim() ?? 'unknown',
    isOn: text('tracing_on')?.trim() === '1',
    filters,
    events: linesOf(text('set_event')),
    clock: /\[(\S+)\]/.exec(text('trace_clock') ?? '')?.[1],
    bufferKib: kibOf(text('buffer_size_kb')),
    options: linesOf(text('trace_options')).filter((name) => !name.startsWith('no')),
  };
}

/** What a filter holds; "#### all functions enabled ####" and "no pid" say that it holds nothing. */
function linesOf(text: string | undefined): readonly string[] {
  if (text === undefined) return [];
  return text
    .split('\n', ENTRIES_MAX)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#') && line !== 'no pid');
}

/** "1408", or "7 (expanded: 1408)" of a buffer that was not used yet; "X" where CPUs differ. */
function kibOf(text: string | undefined): number | undefined {
  const size = /^\d+/.exec(text ?? '')?.[0];
  return size === undefined ? undefined : Number(size);
}

/** By CPU, and when they were read: milliseconds since the target was started, where it says. Two requests. */
export function readTraceStats(
  fs: Tracefs,
  instance: string | undefined,
): { readonly cpus: readonly TraceStats[]; readonly uptime: number | undefined } {
  const directory = `${fs.directory(instance)}/per_cpu`;
  const cpus = fs
    .names(directory)
    .flatMap((name) => (/^cpu\d{1,5}$/.test(name) ? [Number(name.slice(3))] : []))
    .sort((a, b) => a - b);
  const texts = fs.texts([...cpus.map((cpu) => `${directory}/cpu${cpu}/stats`), '/proc/uptime']);
  const stats = cpus.flatMap((cpu, i) => {
    const text = texts[i];
    if (text === undefined) return [];
    const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const [entries, overrun, dropped, bytes] = ['entries', 'overrun', 'dropped events', 'bytes'].map(count);
    return [{ cpu, entries, overrun, dropped, bytes } as TraceStats];
  });
  const since = /^\d{1,12}\.\d\d/.exec(texts.at(-1) ?? '')?.[0];
  return { cpus: stats, uptime: since === undefined ? undefined : Number(since) * 1000 };
}

/** How many entries were ever written, as far as the counters tell. */
export function entriesWritten(stats: readonly TraceStats[]): number {
  return stats.reduce((sum, { entries, overrun, dropped }) => sum + entries + overrun + dropped, 0);
}
