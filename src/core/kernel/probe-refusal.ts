/**
 * Why the kernel refused a probe or a filter. Tracefs keeps its last refusals in error_log, each with the text that was
 * written and a caret under what is wrong with it (8a062902be725 "tracing: Add tracing error log", v5.2):
 *
 *     [    5.348351] trace_kprobe: error: Probe point is not an instruction boundary
 *       Command: p:kdbg_0123abcd/schedule schedule+3
 *                                        ^
 */
import { UsageError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import type { ProbeTarget } from './probe-target.ts';
import { fileText } from './text-file.ts';
import type { Tracefs } from './tracefs.ts';

interface Refusal {
  readonly message: string;
  readonly column: number;
}

const LOG_MAX = 64 * 1024;
/** Of the list of some ten thousand functions. */
const FUNCTIONS_MAX = 16 * 1024 * 1024;
const COMMAND = '  Command: ';
const BLACKLIST = '/sys/kernel/debug/kprobes/blacklist';

/** What a refused text's last entry in an error_log says; undefined where the kernel said nothing. */
export function refusalOf(log: string, written: string): Refusal | undefined {
  const lines = log.split('\n');
  const at = lines.lastIndexOf(`${COMMAND}${written}`);
  const message = /^\[ *[\d.]+\] .*error: (.*)$/.exec(lines[at - 1] ?? '')?.[1];
  if (at < 1 || message === undefined) return undefined;
  const caret = lines[at + 1]?.indexOf('^') ?? -1;
  return { message, column: Math.max(0, caret - COMMAND.length) };
}

/** The error for a definition that dynamic_events did not take. */
export function refusedProbe(
  kernel: Kernel,
  fs: Tracefs,
  target: ProbeTarget,
  definition: string,
  detail: string,
): UsageError {
  const refusal = refusalOf(fs.text(`${fs.root}/error_log`, LOG_MAX) ?? '', definition);
  const hint = hintOf(kernel, fs, target, refusal?.message ?? '');
  const options = hint === undefined ? {} : { hint };
  if (refusal === undefined) return new UsageError(`the kernel refuses a probe at ${target.place}: ${detail}`, options);
  const message = `the kernel refuses the probe: ${refusal.message}`;
  return new UsageError(message, { source: definition, column: refusal.column, ...options });
}

/** The error for a filter that an event of this instance did not take. */
export function refusedFilter(fs: Tracefs, instance: string, filter: string, detail: string): UsageError {
  const log = fs.text(`${fs.directory(instance)}/error_log`, LOG_MAX) ?? fs.text(`${fs.root}/error_log`, LOG_MAX) ?? '';
  const refusal = refusalOf(log, filter);
  if (refusal === undefined) return new UsageError(`the kernel refuses the filter "${filter}": ${detail}`);
  return new UsageError(`the kernel refuses the filter: ${refusal.message}`, {
    source: filter,
    column: refusal.column,
    hint: 'numbers: == != < <= > >= &; strings, in double quotes: == != and ~ with wildcards; && || ! and brackets',
  });
}

function hintOf(kernel: Kernel, fs: Tracefs, target: ProbeTarget, message: string): string | undefined {
  const { kind, name, address, place } = target;
  if (kind === 'program') return 'the offset is one in the file, of the start of an instruction: "objdump -d FILE"';
  if (kind === 'tracepoint') return '"trace events" lists tracepoints by their events';
  if (address !== undefined && isBlacklisted(kernel, address)) {
    return `${name} is on the kernel's list of functions that kprobes must not touch: probe one that calls it`;
  }
  if (/instruction boundary/.test(message)) return `"dis ${place.replace(/\+.*$/, '')}" shows where instructions begin`;
  const traceable = fs.text(`${fs.root}/available_filter_functions`, FUNCTIONS_MAX);
  if (traceable !== undefined && !new RegExp(`^${name.replace(/\W/g, '\\$&')}(?: |$)`, 'm').test(traceable)) {
    return `${name} is not among the functions that can be traced (notrace, inlined or of the boot): probe one that calls it`;
  }
  return undefined;
}

/** "0xffffffff8563f820-0xffffffff8563f880	do_int3" */
function isBlacklisted(kernel: Kernel, address: bigint): boolean {
  for (const line of (fileText(kernel, BLACKLIST) ?? '').split('\n')) {
    const match = /^0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\s/.exec(line);
    if (match !== null && address >= BigInt(`0x${match[1]}`) && address < BigInt(`0x${match[2]}`)) return true;
  }
  return false;
}
