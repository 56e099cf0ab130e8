/**
 * The entries of a buffer of trace.dat in order of time: those of each CPU as they were written, with stacks joined to
 * their entry and calls that call nothing in one, then all CPUs together.
 */
import { type RingRecord, ringPageLayout, ringRecords } from './ring-page.ts';
import type { DatBuffer, DatCpu, TraceDat } from './trace-dat.ts';
import { type DatReading, type DatStack, datEntry, type FunctionAt, readingOf } from './trace-dat-event.ts';
import { durationText, headText } from './trace-dat-text.ts';
import type { TraceEntry } from './trace-entry.ts';
import { TraceText } from './trace-text.ts';

/** Throws DataError where the file says nothing that its pages can be read by, or a page cannot be inflated. */
export function* datEntries(dat: TraceDat, buffer: DatBuffer, functionAt: FunctionAt): Generator<TraceEntry, void> {
  if (buffer.text !== undefined) {
    yield* textEntries(buffer.text);
    return;
  }
  const clock = buffer.clock ?? dat.options.clock;
  const reading = readingOf(dat, clock, functionAt);
  const layout = ringPageLayout(dat.headerPage, dat.isLittle);
  const heads = buffer.cpus.flatMap((cpu) => {
    const entries = joined(reading, cpu.cpu, recordsOf(cpu, layout));
    const first = entries.next();
    return first.done === true ? [] : [{ entries, entry: first.value }];
  });
  for (let sequence = 0; heads.length > 0; sequence++) {
    let earliest = 0;
    for (let i = 1; i < heads.length; i++) {
      if ((heads[i]?.entry.time ?? 0n) < (heads[earliest]?.entry.time ?? 0n)) earliest = i;
    }
    const head = heads[earliest] as (typeof heads)[number];
    yield { ...head.entry, sequence };
    const next = head.entries.next();
    if (next.done === true) heads.splice(earliest, 1);
    else head.entry = next.value;
  }
}

function* recordsOf(cpu: DatCpu, layout: ReturnType<typeof ringPageLayout>): Generator<RingRecord, void> {
  for (const page of cpu.pages()) yield* ringRecords(page, layout);
}

/** The entries of one CPU. One is held back until it is known what follows: its stack, or its end. */
function* joined(reading: DatReading, cpu: number, records: Iterable<RingRecord>): Generator<TraceEntry, void> {
  let held: TraceEntry | undefined;
  for (const record of records) {
    if (record.lost !== 0) {
      if (held !== undefined) yield held;
      held = undefined;
      yield lostEntry(cpu, record);
    }
    const found = datEntry(reading, cpu, record);
    if (found === undefined) continue;
    const leaf = held === undefined || !('raw' in found) ? undefined : leafOf(held, found);
    if (leaf !== undefined) held = leaf;
    else if (isStack(found)) {
      const which = found.kind === 'kernel stack' ? 'stack' : 'userStack';
      if (held !== undefined && held.pid === found.pid && held[which] === undefined)
        held = { ...held, [which]: found.frames };
      else {
        if (held !== undefined) yield held;
        held = found.entry;
      }
    } else {
      if (held !== undefined) yield held;
      held = found;
    }
  }
  if (held !== undefined) yield held;
}

function isStack(found: TraceEntry | DatStack): found is DatStack {
  return found.kind === 'kernel stack' || found.kind === 'user stack';
}

function lostEntry(cpu: number, { lost, time }: RingRecord): TraceEntry {
  const count = Math.max(0, lost);
  return {
    sequence: 0,
    kind: 'lost',
    cpu,
    time,
    count,
    raw: `CPU:${cpu} [LOST ${count > 0 ? `${count} ` : ''}EVENTS]`,
  };
}

/** A call and its return in one, where nothing was called in between. */
function leafOf(call: TraceEntry, end: TraceEntry): TraceEntry | undefined {
  if (call.kind !== 'call' || end.kind !== 'return' || call.pid !== end.pid || call.depth !== end.depth)
    return undefined;
  if (call.function?.name !== end.function?.name || call.comm === undefined) return undefined;
  const { comm, pid = 0, cpu = 0, flags = '', time = 0n, depth } = call;
  const head = { comm, pid, cpu, flags, time, ...(call.ticks ? { ticks: true as const } : {}) };
  const returned = end.returned === undefined ? {} : { returned: end.returned };
  const duration = end.duration === undefined ? {} : { duration: end.duration };
  const text = `${'  '.repeat(depth)}${call.function?.name}();${returned.returned === undefined ? '' : ` /* ret=${returned.returned} */`}`;
  return {
    ...call,
    kind: 'leaf',
    ...duration,
    ...returned,
    raw: `${headText(head)} ${durationText(end.duration)} |  ${text}`,
  };
}

/** A latency trace is kept as its text. */
function* textEntries(text: string): Generator<TraceEntry, void> {
  const parser = new TraceText();
  for (const line of text.split('\n')) yield* parser.push(line);
  yield* parser.flush();
}
