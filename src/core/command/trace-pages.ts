/**
 * The raw pages of kdbg's own trace, with what it takes to read them elsewhere. Reading them takes them out of the buffer:
 * `trace save` does it when it is told to, `trace stop` with what is about to be removed, for a `trace save` after it.
 */
import { DataError, UnsupportedError, UsageError } from '../errors.ts';
import { type RingPageLayout, ringPageLayout, ringRecords } from '../formats/ring-page.ts';
import type { DatFormat } from '../formats/trace-dat.ts';
import type { DatParts } from '../formats/trace-dat-write.ts';
import { controlOf } from '../kernel/trace-control.ts';
import { readTraceState, readTraceStats, type TraceStats } from '../kernel/trace-state.ts';
import { type Tracefs, tracefs } from '../kernel/tracefs.ts';
import { joinBytes } from '../memory/bytes.ts';
import type { Scope } from './scope.ts';

/** A buffer that is out of the kernel. */
export interface TakenTrace {
  readonly entries: number;
  /** Entries that the kernel counts and did not give. */
  readonly missing: number;
  /** All that a file of it has but what the kernel has as long as it runs. */
  readonly parts: Omit<DatParts, 'kallsyms' | 'uname' | 'tool'>;
}

interface Limits {
  /** Of all CPUs together. */
  readonly bytes: number;
  readonly milliseconds: number;
}

/** Between two pieces of a stream: nothing more comes after so long. */
const QUIET_MS = 300;
/** Before the first piece, where the buffer is known to have some. */
const FIRST_MS = 10_000;
const SAVED: Limits = { bytes: 512 * 1024 * 1024, milliseconds: Number.POSITIVE_INFINITY };
/** What a stop takes along, which nobody may ever want. */
const KEPT: Limits = { bytes: 16 * 1024 * 1024, milliseconds: 5000 };
const FORMATS_MAX = 4096;

/** How many entries a buffer holds. */
export function entriesHeld(stats: readonly TraceStats[]): number {
  return stats.reduce((sum, { entries }) => sum + entries, 0);
}

/**
 * Takes all entries out of an instance that records no more; its statistics tell where they are. Throws UsageError,
 * DataError, UnsupportedError where its pages cannot be read.
 */
export function takeTrace(scope: Scope, instance: string, stats: readonly TraceStats[], limits = SAVED): TakenTrace {
  const { kernel, shell } = scope;
  const fs = tracefs(kernel);
  const directory = fs.directory(instance);
  const { events } = readTraceState(fs, instance);
  const [headerPage = '', headerEvent = '', clock = '', cmdlines = '', printk = ''] = fs.texts([
    `${fs.root}/events/header_page`,
    `${fs.root}/events/header_event`,
    `${directory}/trace_clock`,
    `${fs.root}/saved_cmdlines`,
    `${fs.root}/printk_formats`,
  ]);
  const pages = new Pages(headerPage);
  const formats = formatsOf(fs, events);
  // Who waits for raw pages is woken when half of the buffer is full, unless the instance says otherwise (v5.0).
  controlOf(kernel).apply([{ kind: 'write', path: `${directory}/buffer_percent`, text: '0' }]);
  const until = shell.now() + limits.milliseconds;
  const cpus: Uint8Array[] = [];
  let left = limits.bytes;
  for (const { cpu, entries } of stats) {
    while (cpus.length < cpu) cpus.push(new Uint8Array());
    const raw = `${directory}/per_cpu/cpu${cpu}/trace_pipe_raw`;
    const taken = entries === 0 ? new Uint8Array() : pages.take(scope, raw, entries, { bytes: left, until });
    left -= taken.length;
    cpus.push(taken);
  }
  return {
    entries: pages.entries,
    missing: Math.max(0, entriesHeld(stats) - pages.entries),
    parts: {
      pageSize: pages.size,
      headerPage: `${headerPage}\n`,
      headerEvent: `${headerEvent}\n`,
      formats,
      printk: `${printk}\n`,
      cmdlines: `${cmdlines}\n`,
      clock,
      cpus,
    },
  };
}

/** The same of a trace that is about to be removed; a text says why there are no pages of it. */
export function takeForLater(scope: Scope, instance: string | undefined): TakenTrace | string {
  if (instance === undefined) return 'nothing was recorded';
  try {
    const { cpus } = readTraceStats(tracefs(scope.kernel), instance);
    const bytes = cpus.reduce((sum, each) => sum + each.bytes, 0);
    if (entriesHeld(cpus) === 0) return 'the buffer was empty';
    if (bytes > KEPT.bytes) return `its buffer had ${bytes} bytes, and ${KEPT.bytes} are kept at most`;
    return takeTrace(scope, instance, cpus, KEPT);
  } catch (error) {
    const isOfPages = error instanceof UsageError || error instanceof DataError || error instanceof UnsupportedError;
    if (isOfPages) return error.message;
    throw error;
  }
}

/** What the user can do with what is left of a trace. */
export function keptFor(pages: TakenTrace | string): string {
  return typeof pages === 'string' ? '"trace show"' : '"trace show" and "trace save"';
}

/** Reads pages, and counts their entries: so the end of a buffer is known without waiting for more. */
class Pages {
  readonly #layout: RingPageLayout;
  /** Of all that were taken. */
  entries = 0;
  /** Bytes of one. */
  readonly size: number;

  constructor(headerPage: string) {
    this.#layout = ringPageLayout(headerPage, true);
    const { dataOffset } = this.#layout;
    const data = Number(/\bdata;\s*offset:\d+;\s*size:(\d{1,7});/.exec(headerPage)?.[1] ?? 4096 - dataOffset);
    if (data < 64) throw new DataError(`events/header_page says that a page holds ${data} bytes`);
    // What a page has beside its data is before it.
    this.size = dataOffset + data;
  }

  /** All pages that a CPU's buffer has; the last is filled up. */
  take(
    { kernel, shell, check }: Scope,
    path: string,
    entries: number,
    { bytes: most, until }: { readonly bytes: number; readonly until: number },
  ): Uint8Array {
    const stream = kernel.backend.streams?.open(path);
    if (stream === undefined) {
      throw new UsageError(`${kernel.backend.name} has no files that flow: pages cannot be read`);
    }
    if ('reason' in stream) throw new UsageError(`${stream.path}: ${stream.detail}`);
    const pieces: Uint8Array[] = [];
    const end = this.entries + entries;
    let length = 0;
    let rest = new Uint8Array();
    try {
      while (this.entries < end) {
        const patience = Math.min(length === 0 ? FIRST_MS : QUIET_MS, until - shell.now());
        if (patience <= 0) throw new UsageError('reading its pages took too long');
        if (!stream.wait(patience)) break;
        check();
        const piece = stream.take();
        pieces.push(piece);
        length += piece.length;
        if (length > most) throw new UsageError(`${path} has more than the ${most} bytes that are taken at most`);
        rest = this.#count(joinBytes([rest, piece]));
        if (stream.ended !== undefined) break;
      }
    } finally {
      stream.close();
    }
    return joinBytes(pieces, Math.ceil(length / this.size) * this.size);
  }

  /** Counts the entries of whole pages; returns what is left of the last. */
  #count(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
    const whole = bytes.length - (bytes.length % this.size);
    for (let at = 0; at < whole; at += this.size) {
      for (const _ of ringRecords(bytes.subarray(at, at + this.size), this.#layout)) this.entries++;
    }
    return bytes.slice(whole);
  }
}

/** Those of all tracers, and of the events that are on. */
function formatsOf(fs: Tracefs, events: readonly string[]): readonly DatFormat[] {
  const tracers = fs.names(`${fs.root}/events/ftrace`).filter((name) => /^\w+$/.test(name));
  const wanted = [
    ...tracers.map((name) => ({ system: 'ftrace', name })),
    ...events.flatMap((event) => {
      const [, system, name] = /^([\w-]+):([\w-]+)$/.exec(event) ?? [];
      return system === undefined || name === undefined ? [] : [{ system, name }];
    }),
  ].slice(0, FORMATS_MAX);
  const texts = fs.texts(wanted.map(({ system, name }) => `${fs.root}/events/${system}/${name}/format`));
  return wanted.flatMap(({ system }, i) => {
    const text = texts[i];
    return text === undefined || text === '' ? [] : [{ system, text: `${text}\n` }];
  });
}
