/**
 * Which files of this machine belong to its kernel: /proc, /sys (with tracefs and debugfs below it), /boot and the
 * kernel log. Nothing else is opened as a file, whatever a path or the target of a link says: /proc/1/root leads
 * everywhere. Headers and symbols of programs may be anywhere else.
 */
import { realpathSync } from 'node:fs';
import type { FileFailure } from '../../core/memory/backend.ts';

export const KERNEL_LOG = '/dev/kmsg';
const ROOTS = ['/proc', '/sys', '/boot'];
/** Files of a process that are plain files, the most read of all: no part of such a path can be a link. */
const PROCESS_FILE = /^\/proc\/\d{1,10}(?:\/task\/\d{1,10})?\/[a-z_]+$/;
/** Reading these takes what is read away from whoever else reads it, or waits for more. */
const CONSUMING = /^\/proc\/kmsg$|\/(?:trace_pipe|trace_pipe_raw|snapshot_raw)$/;

const TRACEFS = /^\/sys\/kernel\/(?:debug\/)?tracing\/[^/]/;
const STREAM = /^\/sys\/kernel\/(?:debug\/)?tracing\/(?:.+\/)?trace_pipe(?:_raw)?$/;
/** Links of a process to what is none of the kernel's. */
const PROCESS_LINK = /^\/proc\/(?:\d+|self|thread-self)\/(?:task\/\d+\/)?(?:root|cwd|exe|fd|map_files)(?:\/|$)/;

/** Why a path may not be opened, as far as its text tells; undefined when it may. */
export function refusedPath(path: string): FileFailure | undefined {
  const denied = (detail: string): FileFailure => ({ path, reason: 'denied', detail });
  if (path === KERNEL_LOG) return undefined;
  if (!isPlain(path) || !isWithinRoots(path)) return denied('not a file of the kernel: /proc, /sys and /boot are');
  if (CONSUMING.test(path)) return denied('reading it would take its records away from its other readers');
  if (path === '/proc/kcore') return denied('kernel memory is read as memory');
  return undefined;
}

/** As refusedPath, where links cannot be resolved: a path through a process's links leads anywhere. */
export function refusedFarPath(path: string): FileFailure | undefined {
  const refused = refusedPath(path);
  if (refused !== undefined || !PROCESS_LINK.test(path)) return refused;
  return { path, reason: 'denied', detail: "it leads through a link that leaves the kernel's files" };
}

/**
 * Why a program may not be looked into, as far as its path tells. One in a container, or of a process, is found through
 * the process's links.
 */
export function refusedProgram(path: string): FileFailure | undefined {
  const isKernels = /^\/(?:proc|sys|dev)\//.test(path) && !PROCESS_LINK.test(path);
  if (isPlain(path) && !isKernels) return undefined;
  return { path, reason: 'denied', detail: 'no path of a program' };
}

/** Why a file may not be opened as a stream: those that flow are the kernel's log and what tracing writes. */
export function refusedStream(path: string): FileFailure | undefined {
  if (path === KERNEL_LOG || (isPlain(path) && STREAM.test(path))) return undefined;
  return { path, reason: 'denied', detail: 'not a file that flows: trace_pipe and /dev/kmsg are' };
}

/** Why a file may not be written: only tracefs is. */
export function refusedControl(path: string): FileFailure | undefined {
  if (isPlain(path) && TRACEFS.test(path)) return undefined;
  return { path, reason: 'denied', detail: 'not a file of tracefs: kdbg writes to no other' };
}

/** A path that may be opened, with all links resolved; or why it may not. */
export function resolveTargetPath(path: string): { readonly path: string } | FileFailure {
  const refused = refusedPath(path);
  if (refused !== undefined) return refused;
  if (path === KERNEL_LOG) return { path };
  const denied = (detail: string): FileFailure => ({ path, reason: 'denied', detail });
  // O_NOFOLLOW refuses the last part when it is a link after all (exe, cwd, root).
  if (PROCESS_FILE.test(path)) return { path };
  try {
    const resolved = realpathSync.native(path);
    if (!isWithinRoots(resolved)) return denied(`it is a link that leaves the kernel's files`);
    return CONSUMING.test(resolved) ? denied('it is a link to a file that reading consumes') : { path: resolved };
  } catch (error) {
    return failureOf(path, error);
  }
}

/** A link's own path: its directory must be the kernel's, where it points is only text. */
export function resolveLinkPath(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  if (slash <= 0 || !isPlain(path)) return undefined;
  const directory = resolveTargetPath(path.slice(0, slash));
  return 'reason' in directory ? undefined : `${directory.path}${path.slice(slash)}`;
}

/** What an error of the system says about a file. */
export function failureOf(path: string, error: unknown): FileFailure {
  const { code, message } = error as NodeJS.ErrnoException;
  const absent = { path, reason: 'absent' } as const;
  switch (code) {
    case 'ENOENT':
      return { ...absent, detail: 'no such file' };
    case 'ESRCH':
      return { ...absent, detail: 'the process has ended' };
    case 'ENOTDIR':
    case 'ENODEV':
    case 'ENXIO':
      return { ...absent, detail: code };
    case 'EACCES':
    case 'EPERM':
      return { path, reason: 'denied', detail: code === 'EPERM' ? 'not permitted' : 'permission denied' };
    case 'ELOOP':
      return { path, reason: 'denied', detail: 'it is a link' };
    case undefined:
      return { path, reason: 'io', detail: message };
    default:
      return { path, reason: 'io', detail: code };
  }
}

/** Absolute, and each part is a name: so that a test of its start is a test of where it leads. */
function isPlain(path: string): boolean {
  return /^(?:\/[^/\0]+)+$/.test(path) && !/\/\.{1,2}(?:\/|$)/.test(path);
}

function isWithinRoots(path: string): boolean {
  return ROOTS.some((root) => path === root || path.startsWith(`${root}/`));
}
