/**
 * Tracing without harm: kdbg's own tasks and the way by which it reads are left out, and a trace that writes more than
 * the target should bear is stopped before it has run a second.
 */

import { fileText } from '../kernel/text-file.ts';
import { ownDirectory, startOwnTrace, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import type { TraceRequest } from '../kernel/trace-plan.ts';
import { entriesWritten, readTraceStats } from '../kernel/trace-state.ts';
import { tracefs } from '../kernel/tracefs.ts';
import type { Scope } from './scope.ts';

/** How long a trace is watched when it has begun. */
const PROBATION_MS = 200;
/** Entries for each second, all CPUs together, that a trace may write. */
const RATE_MAX = 50_000;
const ANCESTORS_MAX = 16;

/** Starts a trace and watches it. Undefined when it goes on; else it records no more, and this says why. */
export function startWatched(scope: Scope, request: Omit<TraceRequest, 'ownPids'>): string | undefined {
  startOwnTrace(scope.kernel, { ...request, ownPids: ownPids(scope) });
  return watchTrace(scope);
}

/** Watches what has just begun. Undefined when it goes on; else it records no more, and this says why. */
export function watchTrace(scope: Scope): string | undefined {
  const { kernel } = scope;
  try {
    const why = tooFast(scope, ownDirectory(kernel).trace.instance);
    if (why !== undefined) switchOwnTrace(kernel, false);
    return why && `${why}; "trace show" has what came, a narrower filter helps`;
  } catch (error) {
    // What nobody watches does not run.
    stopOwnTrace(kernel);
    throw error;
  }
}

/** Watches a buffer for a moment; why what it writes is too much for the target, undefined when it is not. */
export function tooFast({ kernel, shell }: Scope, instance: string | undefined): string | undefined {
  const fs = tracefs(kernel);
  const before = readTraceStats(fs, instance);
  shell.sleep(PROBATION_MS);
  const after = readTraceStats(fs, instance);
  // By the target's clock: the wire's delays are not counted, and a recording finds what was found.
  const passed = Math.max(PROBATION_MS, (after.uptime ?? 0) - (before.uptime ?? 0));
  const rate = ((entriesWritten(after.cpus) - entriesWritten(before.cpus)) * 1000) / passed;
  if (rate <= RATE_MAX) return undefined;
  return `stopped: it wrote ${Math.round(rate)} entries a second, more than ${RATE_MAX}`;
}

/** The threads of kdbg (or of its reader) there, and all above it: the shell, sudo, the SSH server. */
export function ownPids({ kernel, shell }: Scope): readonly number[] {
  const threads = kernel.files.list(`/proc/${shell.initialPid}/task`);
  const pids = new Set(threads.ok ? threads.names.map(Number).filter((pid) => pid > 0) : [shell.initialPid]);
  for (let pid = shell.initialPid, i = 0; i < ANCESTORS_MAX; i++) {
    pid = Number(/^PPid:\s+(\d+)/m.exec(fileText(kernel, `/proc/${pid}/status`) ?? '')?.[1] ?? 0);
    if (pid <= 1) break;
    pids.add(pid);
  }
  return [...pids];
}
