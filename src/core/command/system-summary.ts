/**
 * What the system is and how it is, a fact a line: the block of `sys`. Each fact stands for itself: one that this target
 * does not tell is left out, one that cannot be read says why.
 */
import { DataError, FaultError, KdbgError } from '../errors.ts';
import { cpus } from '../kernel/cpu.ts';
import { cpuModel } from '../kernel/cpu-model.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { kernelLog } from '../kernel/kernel-log.ts';
import { loadAverages } from '../kernel/load.ts';
import { memorySize } from '../kernel/memory-size.ts';
import { panicMessage } from '../kernel/panic.ts';
import { formatTaints, taintMask } from '../kernel/taint.ts';
import { taskCount } from '../kernel/task-count.ts';
import { formatUptime, formatWallTime, kernelTime } from '../kernel/time.ts';
import { kernelRelease, uts } from '../kernel/uts.ts';
import { buildId } from '../kernel/version.ts';
import type { Backend } from '../memory/backend.ts';
import type { Cell } from '../output/item.ts';

export interface SystemFact {
  /** `LOAD AVERAGE`. */
  readonly key: string;
  readonly value: Cell;
  /** As people read it. */
  readonly text: string;
}

type Told = { readonly value: Cell; readonly text: string } | undefined;

const NS = 1_000_000_000n;
/** The bit of a kernel that died of an oops and lives on. */
const TAINT_DIE = 1n << 7n;

const FACTS: readonly (readonly [key: string, tell: (kernel: Kernel) => Told])[] = [
  ['KERNEL', kernelLine],
  ['TARGET', targetLine],
  ['CPUS', cpuLine],
  ['DATE', (kernel) => told(kernelTime(kernel)?.wall, isoTime, (wall) => formatWallTime(wall, 'UTC'))],
  ['UPTIME', (kernel) => told(kernelTime(kernel)?.boottime, (time) => Number(time / NS), formatUptime)],
  ['LOAD AVERAGE', loadLine],
  ['TASKS', (kernel) => told(taskCount(kernel), same, String)],
  ['NODENAME', (kernel) => told(uts(kernel).nodename || undefined, same, same)],
  ['RELEASE', (kernel) => told(kernelRelease(kernel), same, same)],
  ['VERSION', (kernel) => told(uts(kernel).version || undefined, same, same)],
  ['MACHINE', machineLine],
  ['PROCESSOR', (kernel) => told(cpuModel(kernel)?.name || undefined, same, same)],
  ['MEMORY', (kernel) => told(memorySize(kernel), ({ present, managed }) => Number(present ?? managed), memoryText)],
  ['PANIC', panicLine],
  ['TAINTED', taintLine],
];

/** Where the facts are: all their pages come with one request. */
const GLOBALS = [
  ...['init_uts_ns', 'avenrun', 'nr_threads', 'tainted_mask', '_totalram_pages', 'boot_cpu_data', 'cpu_khz'],
  ...['tk_core', 'timekeeper_data', 'nr_cpu_ids', '__cpu_possible_mask', '__cpu_present_mask', '__cpu_online_mask'],
  ...['node_data', 'contig_page_data', 'nr_node_ids', '__start_notes', 'prb'],
];
/** Of each: the timekeeper is the longest. */
const GLOBAL_LENGTH = 512;

function prefetchFacts(kernel: Kernel): void {
  if (!kernel.hasMemory) return;
  const found = GLOBALS.flatMap((name) => kernel.addressOf(name) ?? []);
  kernel.memory.prefetch(
    found.map((address) => ({ space: 'virtual', address, length: GLOBAL_LENGTH, what: 'facts of the system' })),
  );
}

/** The facts in order. Those whose memory a recording lacks are told of by `missing`. Throws CancelledError. */
export function* systemFacts(kernel: Kernel, missing: (key: string) => void): Generator<SystemFact, void> {
  attempt(() => prefetchFacts(kernel));
  for (const [key, tell] of FACTS) {
    const fact = attempt(() => tell(kernel));
    if (!(fact instanceof KdbgError)) {
      if (fact !== undefined) yield { key, ...fact };
    } else if (fact instanceof FaultError && fact.fault.reason === 'not-recorded') missing(key);
    // What a target does not have is no news here; `status` tells of it.
    else if (fact instanceof FaultError || fact instanceof DataError)
      yield { key, value: null, text: `(${fact.message})` };
  }
}

function attempt<T>(make: () => T): T | KdbgError {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof KdbgError) || error.endsCommand) throw error;
    return error;
  }
}

function told<T>(fact: T | undefined, value: (fact: T) => Cell, text: (fact: T) => string): Told {
  return fact === undefined ? undefined : { value: value(fact), text: text(fact) };
}

function same<T>(value: T): T {
  return value;
}

function isoTime(nanoseconds: bigint): string {
  const milliseconds = Number(nanoseconds / 1_000_000n);
  return Math.abs(milliseconds) > 8.64e15 ? String(nanoseconds) : new Date(milliseconds).toISOString();
}

function kernelLine(kernel: Kernel): Told {
  const release = kernelRelease(kernel);
  if (release === undefined) return undefined;
  const id = buildId(kernel);
  const mask = attempt(() => taintMask(kernel) ?? 0n);
  const text = [
    release,
    id === undefined ? '' : `build id ${id}`,
    typeof mask === 'bigint' && mask !== 0n ? '[TAINTED]' : '',
  ];
  return { value: release, text: text.filter(Boolean).join('  ') };
}

/** A recording answers as the target did that it was made of: live, if that was live. */
export function isReplay(backend: Backend): boolean {
  return backend.name.startsWith('replay:');
}

function targetLine({ backend }: Kernel): Told {
  const kind = isReplay(backend) ? 'RECORDING' : backend.liveness === 'live' ? 'LIVE' : 'DUMP';
  return { value: backend.name, text: `${backend.name}  [${kind}]` };
}

function cpuLine(kernel: Kernel): Told {
  const present = cpus(kernel, 'present').length;
  const offline = present - cpus(kernel, 'online').length;
  return { value: present, text: offline > 0 ? `${present} [OFFLINE: ${offline}]` : String(present) };
}

function loadLine(kernel: Kernel): Told {
  const loads = loadAverages(kernel);
  return loads && { value: loads, text: loads.map((load) => load.toFixed(2)).join(', ') };
}

function machineLine(kernel: Kernel): Told {
  // kdbg knows no other machine yet, and older kernels do not tell theirs in a file.
  const machine = uts(kernel).machine || 'x86_64';
  const megahertz = cpuModel(kernel)?.megahertz;
  return { value: machine, text: megahertz === undefined ? machine : `${machine}  (${megahertz} MHz)` };
}

const UNITS = ['KB', 'MB', 'GB', 'TB'] as const;

/** In the largest unit of 1024 that leaves a whole one, one digit after the point. */
function memoryText({ present, managed }: { readonly present: bigint | undefined; readonly managed: bigint }): string {
  let size = Number(present ?? managed) / 1024;
  let unit = 0;
  for (; size >= 1024 && unit < UNITS.length - 1; unit++) size /= 1024;
  return `${size.toFixed(1).replace(/\.0$/, '')} ${UNITS[unit]}`;
}

/** Only a dead kernel, or one with the mark of an oops, is asked: its log must be read. */
function panicLine(kernel: Kernel): Told {
  const isDamaged = ((taintMask(kernel) ?? 0n) & TAINT_DIE) !== 0n;
  if (kernel.liveness === 'live' && !isDamaged) return undefined;
  const message = lastWords(kernel);
  return message === undefined ? undefined : { value: message, text: JSON.stringify(message) };
}

/** Undefined too where the log is not there: a recording of a live kernel need not have it. */
function lastWords(kernel: Kernel): string | undefined {
  const log = attempt(() => kernelLog(kernel));
  return log instanceof KdbgError ? undefined : panicMessage(log.records);
}

function taintLine(kernel: Kernel): Told {
  const mask = taintMask(kernel);
  if (mask === undefined || mask === 0n) return undefined;
  const letters = formatTaints(mask);
  return { value: letters, text: letters };
}
