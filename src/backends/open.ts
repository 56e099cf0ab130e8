/**
 * Opens a target by what the command line names.
 */
import { readFileSync } from 'node:fs';
import type { Backend } from '../core/memory/backend.ts';
import { openLocal } from './local/local.ts';
import { openRecording, type Recording } from './recording/replay.ts';

export type BackendSpec = { readonly kind: 'local' } | { readonly kind: 'replay'; readonly path: string };

export interface OpenedTarget {
  readonly backend: Backend;
  /** The PID that commands without a task mean at first. */
  readonly pid: number;
  /** What the user should see before anything else. */
  readonly notices: readonly string[];
  /** The recording, where one is replayed. */
  readonly recording: Recording | undefined;
}

/** Throws OpenError when there is no such target. */
export function openBackend(spec: BackendSpec): OpenedTarget {
  if (spec.kind === 'local') {
    const backend = openLocal();
    const missing = backend
      .capabilities()
      .filter((capability) => capability.name === 'memory' && !capability.available);
    const notices = missing.map((capability) => `no kernel memory: ${capability.detail}; "status" shows what works`);
    return { backend, pid: ownPid(), notices, recording: undefined };
  }
  const recording = openRecording(spec.path);
  return { backend: recording.backend, pid: recording.header.target.pid ?? 1, notices: recording.notices, recording };
}

/** The PID of this process as the kernel numbers it: in a container the outermost, which NSpid lists first. */
function ownPid(): number {
  try {
    const pids = /^NSpid:\s*([\d\s]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    return Number(pids?.trim().split(/\s+/)[0] ?? process.pid);
  } catch {
    // Kernels before 4.1 have no such line; then namespaces are not told apart.
    return process.pid;
  }
}
