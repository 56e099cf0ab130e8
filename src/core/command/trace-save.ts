/**
 * kdbg's own trace as a file of trace-cmd: the pages of its buffer as the kernel wrote them, with what it takes to read
 * them. Reading raw pages takes them out of the buffer, so it is only ever done to kdbg's own.
 */
import { DataError, UsageError } from '../errors.ts';
import { ringPageLayout } from '../formats/ring-page.ts';
import type { DatFormat } from '../formats/trace-dat.ts';
import { encodeTraceDat } from '../formats/trace-dat-write.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { controlOf } from '../kernel/trace-control.ts';
import { ownDirectory, switchOwnTrace } from '../kernel/trace-own.ts';
import { readTraceState, readTraceStats } from '../kernel/trace-state.ts';
import { type Tracefs, tracefs } from '../kernel/tracefs.ts';
import { uts } from '../kernel/uts.ts';
import { encodeText } from '../memory/text.ts';
import { type Item, notice, row } from '../output/item.ts';
import { isTextType } from '../symbols/symbol-table.ts';
import type { Scope } from './scope.ts';
import type { TraceArgs } from './trace-arguments.ts';

/** Between two pieces of a stream: nothing more comes after so long. */
const QUIET_MS = 300;
/** Before the first piece, where the buffer is known to have some. */
const FIRST_MS = 10_000;
/** Of all CPUs together. */
const PAGES_MAX = 512 * 1024 * 1024;
const FORMATS_MAX = 4096;

export function* traceSave(scope: Scope, { words }: TraceArgs): Iterable<Item> {
  const { kernel, shell } = scope;
  const [path, ...more] = words;
  if (path === undefined || more.length > 0) throw new UsageError('trace save wants one FILE');
  const { trace, directory } = ownDirectory(kernel);
  const fs = tracefs(kernel);
  const state = readTraceState(fs, trace.instance);
  const control = controlOf(kernel);
  switchOwnTrace(kernel, false);
  try {
    const { cpus } = readTraceStats(fs, trace.instance);
    const entries = cpus.reduce((sum, each) => sum + each.entries, 0);
    if (entries === 0)
      throw new UsageError('the buffer is empty: nothing can be saved', { hint: '"trace stat" counts what is in it' });
    const [headerPage = '', headerEvent = '', clock = '', cmdlines = '', printk = ''] = fs.texts([
      `${fs.root}/events/header_page`,
      `${fs.root}/events/header_event`,
      `${directory}/trace_clock`,
      `${fs.root}/saved_cmdlines`,
      `${fs.root}/printk_formats`,
    ]);
    const pageSize = pageSizeOf(headerPage);
    const { release, version, machine } = uts(kernel);
    const about = {
      pageSize,
      headerPage: `${headerPage}\n`,
      headerEvent: `${headerEvent}\n`,
      formats: formatsOf(fs, state.events),
      kallsyms: kallsymsOf(kernel),
      printk: `${printk}\n`,
      cmdlines: `${cmdlines}\n`,
      clock,
      uname: `Linux ${release} ${version} ${machine}`,
      tool: 'kdbg',
    };
    // Who waits for raw pages is woken when half of the buffer is full, unless the instance says otherwise (v5.0).
    control.apply([{ kind: 'write', path: `${directory}/buffer_percent`, text: '0' }]);
    // That it cannot be written is told before anything is taken out.
    shell.writeFile(path, new Uint8Array());
    const pages: Uint8Array[] = [];
    let left = PAGES_MAX;
    for (const { cpu, entries: some } of cpus) {
      while (pages.length < cpu) pages.push(new Uint8Array());
      const raw = `${directory}/per_cpu/cpu${cpu}/trace_pipe_raw`;
      const taken = some === 0 ? new Uint8Array() : takePages(scope, raw, pageSize, left);
      left -= taken.length;
      pages.push(taken);
    }
    const bytes = encodeTraceDat({ ...about, cpus: pages });
    shell.writeFile(path, bytes);
    yield row({ file: path, bytes: bytes.length, entries }, () => [`saved ${entries} entries to ${path}`]);
    yield notice(`they are out of the buffer now: "trace open ${path}" shows them, as "trace-cmd report" does`);
  } finally {
    // Reads nothing, so that it goes on recording also after Ctrl-C.
    if (state.isOn) control.apply([{ kind: 'write', path: `${directory}/tracing_on`, text: '1' }]);
  }
}

/** What a page has beside its data is before it. */
function pageSizeOf(headerPage: string): number {
  const { dataOffset } = ringPageLayout(headerPage, true);
  const size = Number(/\bdata;\s*offset:\d+;\s*size:(\d{1,7});/.exec(headerPage)?.[1] ?? 4096 - dataOffset);
  if (size < 64) throw new DataError(`events/header_page says that a page holds ${size} bytes`);
  return dataOffset + size;
}

/** All pages that a CPU's buffer has; the last is filled up. */
function takePages({ kernel, check }: Scope, path: string, pageSize: number, most: number): Uint8Array {
  const stream = kernel.backend.streams?.open(path);
  if (stream === undefined) throw new UsageError(`${kernel.backend.name} has no files that flow: pages cannot be read`);
  if ('reason' in stream) throw new UsageError(`${stream.path}: ${stream.detail}`);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    while (stream.wait(length === 0 ? FIRST_MS : QUIET_MS)) {
      check();
      const piece = stream.take();
      pieces.push(piece);
      length += piece.length;
      if (length > most) throw new UsageError(`${path} has more than the ${PAGES_MAX} bytes that are saved at most`);
      if (stream.ended !== undefined) break;
    }
  } finally {
    stream.close();
  }
  const pages = new Uint8Array(Math.ceil(length / pageSize) * pageSize);
  let at = 0;
  for (const piece of pieces) {
    pages.set(piece, at);
    at += piece.length;
  }
  return pages;
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

/** The kernel's functions as /proc/kallsyms has them. */
function kallsymsOf(kernel: Kernel): Uint8Array {
  const lines: string[] = [];
  for (const { address, type, name, module } of kernel.symbols.symbols()) {
    if (!isTextType(type)) continue;
    lines.push(
      `${address.toString(16).padStart(16, '0')} ${type} ${name}${module === undefined ? '' : `\t[${module}]`}\n`,
    );
  }
  return encodeText(lines.join(''));
}
