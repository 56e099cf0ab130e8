/**
 * Opens a target by what the command line names.
 */
import { readFileSync } from 'node:fs';
import type { Backend } from '../core/memory/backend.ts';
import { openLocal } from './local/local.ts';
import { openRecording, type Recording } from './recording/replay.ts';
import { cacheFolder } from './remote/build-cache.ts';
import type { RemoteSpec } from './remote/io-messages.ts';
import type { IoThread } from './remote/io-start.ts';
import { openRemote } from './remote/remote.ts';
import { ThreadLink } from './remote/thread-link.ts';

export type BackendSpec = { readonly kind: 'local' } | { readonly kind: 'replay'; readonly path: string } | RemoteSpec;

/** What a remote target needs of its surroundings. */
export interface IoHost {
  /** The thread that holds the connection. */
  readonly io: IoThread;
  readonly cancelled: () => boolean;
}

export interface OpenedTarget {
  readonly backend: Backend;
  /** The PID that commands without a task mean at first. */
  readonly pid: number;
  /** What the user should see before anything else. */
  readonly notices: readonly string[];
  /** The recording, where one is replayed. */
  readonly recording: Recording | undefined;
}

/** Throws OpenError when there is no such target, UsageError, CancelledError. */
export function openBackend(spec: BackendSpec, host?: IoHost): OpenedTarget {
  if (spec.kind === 'local') {
    const backend = openLocal();
    return { backend, pid: ownPid(), notices: missingMemory(backend), recording: undefined };
  }
  if (spec.kind !== 'replay') {
    if (host === undefined) throw new Error('a remote target needs a thread for its connection');
    return openLinked(spec, host);
  }
  const recording = openRecording(spec.path);
  return { backend: recording.backend, pid: recording.header.target.pid ?? 1, notices: recording.notices, recording };
}

function openLinked(spec: RemoteSpec, host: IoHost): OpenedTarget {
  const place = spec.kind === 'ssh' ? spec.destination : spec.command.join(' ');
  const { backend, facts, notices } = openRemote({
    link: new ThreadLink({ name: place, ...host }),
    name: `${spec.kind}:${place}`,
    cacheRoot: spec.cache ? cacheFolder(process.env) : undefined,
    becomeRoot: spec.sudo
      ? 'sudo gave no root'
      : spec.kind === 'ssh'
        ? 'log in as root, or add --sudo'
        : 'a command that gives a shell of root, or --sudo',
  });
  return { backend, pid: facts.pids[0] ?? 1, notices: [...notices, ...missingMemory(backend)], recording: undefined };
}

function missingMemory(backend: Backend): readonly string[] {
  const missing = backend.capabilities().filter(({ name, available }) => name === 'memory' && !available);
  return missing.map(({ detail }) => `no kernel memory: ${detail}; "status" shows what works`);
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
