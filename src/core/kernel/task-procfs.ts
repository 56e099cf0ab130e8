/**
 * Tasks of a target without memory: a row for each thread from /proc/PID/task/TID/stat. The file is one line of
 * fields, of which the second, the comm, may hold anything: spaces, parentheses, line ends.
 */
import { UnsupportedError } from '../errors.ts';
import { decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import { memorySize } from './memory-size.ts';
import type { TaskRow } from './task-row.ts';
import { stateOfLetter } from './task-state.ts';
import { PF_KTHREAD } from './task-struct.ts';

/** Files asked for with one request. */
const BATCH = 1024;
const STAT_LENGTH_MAX = 4096;
const PIDS_MAX = 4 * 1024 * 1024;
/** USER_HZ: /proc counts CPU time in hundredths of a second. */
const TICK_NS = 10_000_000n;
const PAGE_KIB = 4;

/** By PID. Threads that end while they are read are left out. Throws UnsupportedError without /proc. */
export function* procTaskRows(kernel: Kernel): Generator<TaskRow, void> {
  const listing = kernel.files.list('/proc');
  if (!listing.ok) throw new UnsupportedError(`${kernel.backend.name} does not list /proc: ${listing.failure.detail}`);
  const total = memorySize(kernel)?.managed;
  const pids = numbers(listing.names);
  const rows: ProcStat[] = [];
  for (let at = 0; at < pids.length; at += BATCH) {
    const processes = readStats(
      kernel,
      pids.slice(at, at + BATCH).map((pid) => `/proc/${pid}/stat`),
    );
    rows.push(...processes.filter((process) => process.threads <= 1));
    rows.push(
      ...threadsOf(
        kernel,
        processes.filter((process) => process.threads > 1),
      ),
    );
  }
  for (const row of rows.sort((a, b) => a.pid - b.pid)) yield toRow(row, total);
}

/** The threads of processes that have several: each is listed, all are read together. */
function threadsOf(kernel: Kernel, processes: readonly ProcStat[]): readonly ProcStat[] {
  const found: ProcStat[] = [];
  let paths: string[] = [];
  const read = () => {
    found.push(...readStats(kernel, paths));
    paths = [];
  };
  const folders = processes.map(({ pid }) => `/proc/${pid}/task`);
  const listings = kernel.files.listMany?.(folders) ?? folders.map((folder) => kernel.files.list(folder));
  for (const [i, process] of processes.entries()) {
    const listing = listings[i];
    if (listing?.ok !== true) found.push(process);
    else paths.push(...numbers(listing.names).map((tid) => `/proc/${process.pid}/task/${tid}/stat`));
    if (paths.length >= BATCH) read();
  }
  read();
  return found;
}

function readStats(kernel: Kernel, paths: readonly string[]): readonly ProcStat[] {
  if (paths.length === 0) return [];
  const results = kernel.files.readMany(paths, STAT_LENGTH_MAX);
  return results.flatMap((result, i) => {
    const stat = result.ok ? parseStat(decodeText(result.bytes)) : undefined;
    if (stat === undefined) return [];
    // A thread's own file says nothing of its process; where it lies does.
    const process = /^\/proc\/(\d+)\/task\//.exec(paths[i] as string)?.[1];
    return [process === undefined ? stat : { ...stat, tgid: Number(process) }];
  });
}

function numbers(names: readonly string[]): readonly number[] {
  const found = names.filter((name) => /^[1-9]\d{0,8}$/.test(name)).map(Number);
  return found.filter((pid) => pid <= PIDS_MAX).sort((a, b) => a - b);
}

/** What is used of a stat line. Sizes in bytes and pages, times in ticks, as the file has them. */
export interface ProcStat {
  readonly pid: number;
  readonly tgid: number;
  readonly comm: string;
  readonly state: string;
  readonly ppid: number;
  readonly flags: number;
  readonly utime: bigint;
  readonly stime: bigint;
  readonly threads: number;
  readonly start: bigint;
  readonly vsize: bigint;
  readonly rss: number;
  readonly cpu: number;
}

/** Undefined for a line that is not one of /proc/PID/stat. Fields are counted from 1, as proc(5) does. */
export function parseStat(line: string): ProcStat | undefined {
  const open = line.indexOf('(');
  const close = line.lastIndexOf(')');
  const pid = /^(\d{1,9}) $/.exec(line.slice(0, open));
  if (pid === null || close < open) return undefined;
  const fields = line
    .slice(close + 2)
    .trim()
    .split(' ');
  const field = (n: number) => fields[n - 3] ?? '';
  const integers = [4, 9, 14, 15, 20, 22, 23, 24, 39].map((n) =>
    /^-?\d{1,20}$/.test(field(n)) ? BigInt(field(n)) : undefined,
  );
  const [ppid, flags, utime, stime, threads, start, vsize, rss, cpu] = integers;
  if (!/^[A-Za-z]$/.test(field(3)) || ppid === undefined || flags === undefined || cpu === undefined) return undefined;
  return {
    pid: Number(pid[1]),
    tgid: Number(pid[1]),
    comm: line.slice(open + 1, close),
    state: field(3),
    ppid: Number(ppid),
    flags: Number(flags),
    utime: utime ?? 0n,
    stime: stime ?? 0n,
    threads: Number(threads ?? 1n),
    start: start ?? 0n,
    vsize: vsize ?? 0n,
    rss: Number(rss ?? 0n),
    cpu: Number(cpu),
  };
}

function toRow(stat: ProcStat, total: bigint | undefined): TaskRow {
  const rss = Math.max(stat.rss, 0) * PAGE_KIB;
  const state = stateOfLetter(stat.state);
  return {
    task: undefined,
    pid: stat.pid,
    tgid: stat.tgid,
    ppid: stat.ppid,
    cpu: stat.cpu,
    state,
    // /proc does not tell what runs from what waits for a CPU.
    active: false,
    kernelThread: (stat.flags & PF_KTHREAD) !== 0,
    vsz: Number(stat.vsize / 1024n),
    rss,
    mem: total === undefined ? undefined : (rss * 1024 * 100) / Number(total),
    comm: stat.comm,
    times: { user: stat.utime * TICK_NS, system: stat.stime * TICK_NS, start: stat.start * TICK_NS },
  };
}
