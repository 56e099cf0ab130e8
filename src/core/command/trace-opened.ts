/** A file of trace-cmd that was opened: what `trace show` shows from then on. */
import { DataError, UsageError } from '../errors.ts';
import { parseKallsyms } from '../formats/kallsyms-text.ts';
import { type DatBuffer, readTraceDat, type TraceDat } from '../formats/trace-dat.ts';
import { datEntries } from '../formats/trace-dat-entries.ts';
import type { FunctionAt } from '../formats/trace-dat-event.ts';
import { chosenClock } from '../formats/trace-dat-options.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Item, notice, row } from '../output/item.ts';
import { span } from '../output/line.ts';
import { createSymbolTable } from '../symbols/kallsyms-table.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';

export interface OpenedTrace {
  readonly path: string;
  readonly dat: TraceDat;
  readonly functionAt: FunctionAt;
}

/** Not among what a kernel has derived: it is no kernel's. */
const opened = new WeakMap<Kernel, OpenedTrace>();
/** Entries of a file that are shown at most: a million objects are what the screen's thread and the engine bear. */
export const ENTRIES_MAX = 1_000_000;
const CHECK_EVERY = 1024;
const LABEL_WIDTH = 16;

export function openedTrace(kernel: Kernel): OpenedTrace | undefined {
  return opened.get(kernel);
}

/** Another trace is what is looked at from now on. */
export function closeTrace(kernel: Kernel): boolean {
  return opened.delete(kernel);
}

/** `trace open FILE`; without a FILE, the one that is open is closed. */
export function* traceOpen({ kernel, shell }: Scope, { words }: TraceArgs): Iterable<Item> {
  const [path, ...more] = words;
  if (more.length > 0) throw new UsageError('trace open wants one FILE');
  if (path === undefined) {
    if (!closeTrace(kernel))
      throw new UsageError('trace open wants a FILE of trace-cmd', { hint: 'trace open trace.dat' });
    yield notice('closed');
    return;
  }
  const trace = readTrace(shell, path);
  opened.set(kernel, trace);
  yield* describe(trace);
  yield notice('"trace show" shows it; "trace open" alone closes it');
}

function readTrace(shell: Scope['shell'], path: string): OpenedTrace {
  const bytes = shell.readFile(path);
  try {
    const dat = readTraceDat(bytes, { inflate: (packed, length) => shell.inflate(packed, length) });
    return { path, dat, functionAt: functionsOf(dat) };
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${path}: ${error.message}`) : error;
  }
}

/** The symbols of the machine that was traced, from its kallsyms in the file. */
function functionsOf(dat: TraceDat): FunctionAt {
  const { columns, hidden } = parseKallsyms(dat.kallsyms);
  const table = createSymbolTable(columns, { source: 'trace.dat', hidden });
  return (address) => {
    const found = table.nearest(address);
    if (found === undefined) return undefined;
    const { name, module } = found.symbol;
    return { name, offset: found.offset, ...(module === undefined ? {} : { module }) };
  };
}

function* describe({ path, dat }: OpenedTrace): Iterable<Item> {
  const { version, compression, options } = dat;
  const how = `version ${version}${compression === 'none' ? '' : `, ${compression}`}`;
  const by = options.tool === undefined ? '' : `, by trace-cmd ${options.tool}`;
  const file = { file: path, version, compression, machine: options.uname ?? null, formats: dat.formats.length };
  yield row(file, () => [
    [span('file'.padEnd(LABEL_WIDTH), undefined, 'header'), `  ${path}: ${how}${by}`],
    ...(options.uname === undefined ? [] : [`${' '.repeat(LABEL_WIDTH)}  ${options.uname}`]),
  ]);
  for (const buffer of dat.buffers) {
    const clock = clockOf(dat, buffer);
    const cpus = buffer.cpus.map(({ cpu }) => cpu);
    const whose = buffer.instance === undefined ? 'shared buffer' : `instance ${buffer.instance}`;
    const what = buffer.text === undefined ? `entries of ${cpus.length} CPUs` : 'a latency trace';
    yield row({ instance: buffer.instance ?? null, clock: clock ?? null, cpus }, () => [
      [span(whose.padEnd(LABEL_WIDTH), undefined, 'header'), `  ${what}, clock ${clock ?? '?'}`],
    ]);
  }
  const overrun = options.stats.reduce((sum, text) => sum + Number(/^overrun: (\d{1,15})$/m.exec(text)?.[1] ?? 0), 0);
  if (overrun > 0) yield notice(`${overrun} entries were overwritten before they could be saved`);
}

function clockOf(dat: TraceDat, buffer: DatBuffer): string | undefined {
  return chosenClock(buffer.clock) ?? chosenClock(dat.options.clock);
}

/**
 * Entries of a buffer of the file, an instance's or the shared one's (the first, where it has none), as far as `keep`
 * wants them. Throws UsageError where there is no such buffer, DataError.
 */
export function openedEntries(
  scope: Scope,
  { path, dat, functionAt }: OpenedTrace,
  instance: string | undefined,
  keep: (entry: TraceEntry) => boolean,
): { readonly entries: readonly TraceEntry[]; readonly isCut: boolean } {
  const buffer =
    dat.buffers.find((each) => each.instance === instance) ?? (instance === undefined ? dat.buffers[0] : undefined);
  if (buffer === undefined) throw new UsageError(`${path} has no instance "${instance ?? ''}"`);
  const entries: TraceEntry[] = [];
  let seen = 0;
  try {
    for (const entry of datEntries(dat, { ...buffer, clock: clockOf(dat, buffer) }, functionAt)) {
      if (seen++ % CHECK_EVERY === 0) scope.check();
      if (!keep(entry)) continue;
      if (entries.length >= ENTRIES_MAX) return { entries, isCut: true };
      entries.push(entry);
    }
  } catch (error) {
    throw error instanceof DataError ? new DataError(`${path}: ${error.message}`) : error;
  }
  return { entries, isCut: false };
}
