/**
 * This machine's kernel: files through the file system, memory through /proc/kcore. Where kcore cannot be read the
 * backend has no memory, and says why and what would help; everything that files serve works all the same.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Backend, Capability } from '../../core/memory/backend.ts';
import { createLocalFiles } from './files.ts';
import { type KcoreMemory, openKcore } from './kcore.ts';
import { VmallocAreas } from './vmalloc-areas.ts';

const KCORE = '/proc/kcore';

/** Opens this machine. Never fails: what cannot be had is a capability that is not available. */
export function openLocal(): Backend {
  const counters = { roundTrips: 0, bytes: 0 };
  const count = (bytes: number): void => {
    counters.roundTrips++;
    counters.bytes += bytes;
  };
  const files = createLocalFiles(count);
  const opened = tryKcore(count, new VmallocAreas(files));
  const memory = 'memory' in opened ? opened.memory : undefined;
  return {
    name: 'local',
    liveness: 'live',
    ...(memory === undefined ? {} : { memory }),
    files,
    counters,
    vmcoreinfo: () => memory?.vmcoreinfo,
    capabilities: () => [
      'memory' in opened
        ? { name: 'memory', available: true, detail: `${KCORE}, ${opened.memory.segments.length} segments` }
        : opened.missing,
      { name: 'files', available: true, detail: '/proc, /sys, /dev/kmsg' },
      symbols(),
      types(),
      log(),
    ],
    close: () => memory?.close(),
  };
}

function tryKcore(
  count: (bytes: number) => void,
  areas: VmallocAreas,
): { readonly memory: KcoreMemory } | { readonly missing: Capability } {
  try {
    return { memory: openKcore(KCORE, { count, areas }) };
  } catch (error) {
    return { missing: { name: 'memory', available: false, ...whyNoKcore(error as NodeJS.ErrnoException) } };
  }
}

/** What stands between this process and kernel memory. */
function whyNoKcore(error: NodeJS.ErrnoException): { readonly detail: string; readonly help: string } {
  const isRoot = process.getuid?.() === 0;
  if (error.code === 'ENOENT') {
    return {
      detail: `this kernel has no ${KCORE} (CONFIG_PROC_KCORE is off)`,
      help: 'a kernel with CONFIG_PROC_KCORE=y, or a dump of this one; tasks, symbols, types and the log are read from /proc and /sys',
    };
  }
  if (lockdown() === 'confidentiality') {
    return {
      detail: `${KCORE} is locked: kernel lockdown is in confidentiality mode`,
      help: 'boot with lockdown=integrity or none; "bt" of a task still works through /proc/PID/stack',
    };
  }
  if (error.code === 'EPERM' || error.code === 'EACCES') {
    return isRoot
      ? {
          detail: `${KCORE} is refused to root here (a container without CAP_SYS_RAWIO?)`,
          help: 'run kdbg on the host itself',
        }
      : { detail: `${KCORE} is readable by root only`, help: 'run kdbg as root: sudo kdbg' };
  }
  return {
    detail: `${KCORE} cannot be used: ${error.code ?? error.message}`,
    help: 'in a container it may be masked: run kdbg on the host itself',
  };
}

/** The active mode of /sys/kernel/security/lockdown; undefined without it. */
function lockdown(): string | undefined {
  return /\[(\w+)\]/.exec(text('/sys/kernel/security/lockdown') ?? '')?.[1];
}

function symbols(): Capability {
  const restrict = text('/proc/sys/kernel/kptr_restrict')?.trim();
  const first = text('/proc/kallsyms', 64);
  if (first === undefined)
    return { name: 'symbols', available: false, detail: 'this kernel has no /proc/kallsyms (CONFIG_KALLSYMS is off)' };
  if (!/^0+ /.test(first)) return { name: 'symbols', available: true, detail: '/proc/kallsyms' };
  const root = process.getuid?.() === 0;
  return {
    name: 'symbols',
    available: false,
    detail: `/proc/kallsyms hides its addresses (kptr_restrict=${restrict ?? '?'})`,
    help: root ? 'echo 1 > /proc/sys/kernel/kptr_restrict shows them to root' : 'run kdbg as root',
  };
}

function types(): Capability {
  const has = text('/sys/kernel/btf/vmlinux', 4) !== undefined;
  return has
    ? { name: 'types', available: true, detail: '/sys/kernel/btf' }
    : {
        name: 'types',
        available: false,
        detail: 'no /sys/kernel/btf/vmlinux',
        help: 'a kernel with CONFIG_DEBUG_INFO_BTF=y',
      };
}

function log(): Capability {
  const root = process.getuid?.() === 0;
  const restricted = text('/proc/sys/kernel/dmesg_restrict')?.trim() === '1';
  return restricted && !root
    ? {
        name: 'log',
        available: false,
        detail: '/dev/kmsg is readable by root only (dmesg_restrict=1)',
        help: 'run kdbg as root',
      }
    : { name: 'log', available: true, detail: '/dev/kmsg' };
}

/** The start of a small file; undefined when it cannot be read. */
function text(path: string, length = 4096): string | undefined {
  try {
    const fd = openSync(path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      return bytes.toString('latin1', 0, readSync(fd, bytes, 0, length, null));
    } finally {
      closeSync(fd);
    }
  } catch {
    // The caller's question is whether it can be read: not being able to is the answer.
    return undefined;
  }
}
