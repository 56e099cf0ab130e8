/**
 * What reports have in common: whose they are (the line "CPU: 0 UID: 0 PID: 1 Comm: init Tainted: ..."), stacks as
 * show_stack() prints them, and the bytes around the instruction where it happened.
 */
import type { ReportOpening } from './report-line.ts';

export interface ReportContext {
  readonly cpu: number | undefined;
  readonly pid: number | undefined;
  readonly comm: string | undefined;
  /** The letters behind "Tainted:"; undefined for "Not tainted", or where nothing is said. */
  readonly taint: string | undefined;
}

/** `vfs_read+0xdd/0x490 [mod]`. */
export interface ReportFrame {
  readonly symbol: string;
  readonly offset: number;
  /** The function's size in bytes, as the kernel knew it. */
  readonly size: number;
  readonly module: string | undefined;
  /** False for "? fn": an address that was found on the stack and may be left from an earlier call. */
  readonly reliable: boolean;
}

export interface ReportTrace {
  /** What it is of, where a line says so: "task:cat", "RIP". */
  readonly of: string;
  readonly frames: readonly ReportFrame[];
}

/** The bytes of the `Code:` line and which of them pc points at. */
export interface ReportCode {
  readonly bytes: Uint8Array;
  /** The index of the byte in angle brackets. */
  readonly at: number;
  /** The function that pc is in, where the RIP line names one: user addresses have none. */
  readonly place: ReportFrame | undefined;
  /** pc itself, where the report tells it: that of user code. */
  readonly pc: bigint | undefined;
}

const FRAMES_MAX = 4096;
const CODE_MAX = 256;
const CONTEXT =
  /\bCPU: (?<cpu>\d+) (?:UID: \d+ )?PID: (?<pid>\d+) Comm: (?<comm>.+?) (?:Not tainted|Tainted: (?<taint>(?:[A-Z] *)+))/;
const FRAME =
  /^\s*(?:\[<[0-9a-f]+>\] )?(?<guess>\? )?(?<symbol>[\w.$]+)\+0x(?<offset>[0-9a-f]{1,8})\/0x(?<size>[0-9a-f]{1,8})(?: \[(?<module>[\w-]+)[^\]]*\])?/;

export function reportContext(opening: ReportOpening, lines: readonly string[]): ReportContext {
  const said = lines.map((line) => CONTEXT.exec(line)?.groups).find((groups) => groups !== undefined);
  const isAboutAnother = opening.kind === 'hung-task' || opening.pid !== undefined;
  return {
    cpu: opening.cpu ?? (said === undefined || opening.kind === 'hung-task' ? undefined : Number(said['cpu'])),
    pid: opening.pid ?? (said === undefined ? undefined : Number(said['pid'])),
    comm: opening.comm ?? (said === undefined || isAboutAnother ? undefined : said['comm']),
    taint: said?.['taint']?.trim(),
  };
}

/** The stacks of a report, in order. */
export function reportTraces(lines: readonly string[]): readonly ReportTrace[] {
  const traces: { of: string; frames: ReportFrame[] }[] = [];
  let of = '';
  let frames = 0;
  let inTrace = false;
  for (const line of lines) {
    if (/^(?:task:|NMI backtrace for cpu)/.test(line)) of = line.replace(/\s+/g, ' ').slice(0, 64);
    if (/^\s*Call [Tt]race:/.test(line)) {
      traces.push({ of, frames: [] });
      inTrace = true;
      continue;
    }
    const frame = inTrace ? parseFrame(line) : undefined;
    if (frame !== undefined && frames < FRAMES_MAX) {
      frames++;
      traces.at(-1)?.frames.push(frame);
    } else if (!/^\s*<\/?[A-Z#]+>\s*$/.test(line)) inTrace = false;
  }
  return traces.filter(({ frames: { length } }) => length > 0);
}

/** A line of a stack; undefined for others. */
export function parseFrame(line: string): ReportFrame | undefined {
  const groups = FRAME.exec(line)?.groups;
  if (groups === undefined) return undefined;
  return {
    symbol: groups['symbol'] as string,
    offset: Number.parseInt(groups['offset'] as string, 16),
    size: Number.parseInt(groups['size'] as string, 16),
    module: groups['module'],
    reliable: groups['guess'] === undefined,
  };
}

/** The first `Code:` line of a report with the RIP line before it. */
export function reportCode(lines: readonly string[]): ReportCode | undefined {
  let place: ReportFrame | undefined;
  let pc: bigint | undefined;
  for (const line of lines) {
    const ip = /: segfault at [0-9a-f]+ ip ([0-9a-f]{1,16}) /.exec(line)?.[1];
    if (ip !== undefined) pc = BigInt(`0x${ip}`);
    const rip = /^RIP: [0-9a-f]{4}:(.*)$/.exec(line)?.[1];
    if (rip !== undefined) {
      place = parseFrame(rip);
      const user = /^0x([0-9a-f]{1,16})$/.exec(rip)?.[1];
      pc = user === undefined ? undefined : BigInt(`0x${user}`);
    }
    const code = /^Code: ((?:[<(]?[0-9a-f]{2}[>)]? ?)+)/.exec(line)?.[1];
    if (code === undefined) continue;
    const words = code.trim().split(/\s+/).slice(0, CODE_MAX);
    const at = words.findIndex((word) => /^[<(]/.test(word));
    if (at < 0) return undefined;
    return { bytes: Uint8Array.from(words, (word) => Number.parseInt(word.replace(/\W/g, ''), 16)), at, place, pc };
  }
  return undefined;
}
