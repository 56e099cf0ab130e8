/**
 * Gathers what capabilities.ts judges: each source is tried once, the way it will be used.
 */

import type { FileSource } from '../../core/memory/backend.ts';
import { decodeText } from '../../core/memory/text.ts';
import type { Attempt, Facts } from './capabilities.ts';

/** How opening /proc/kcore went. */
export interface KcoreAttempt {
  readonly attempt: Attempt;
  readonly detail: string;
  readonly ranges: number;
}

export function gatherFacts(files: FileSource, kcore: KcoreAttempt, uid: number | undefined): Facts {
  const kallsyms = attempt(files, '/proc/kallsyms', 4096);
  const modules = files.list('/sys/kernel/btf');
  return {
    isRoot: uid === 0,
    inUserNamespace: !isWholeRange(text(files, '/proc/self/uid_map')),
    inPidNamespace: /^NSpid:\s+\d+\s+\d/m.test(text(files, '/proc/self/status') ?? ''),
    lockdown: lockdownLevel(text(files, '/sys/kernel/security/lockdown')),
    kcore: kcore.attempt,
    kcoreDetail: kcore.detail,
    ranges: kcore.ranges,
    kallsyms,
    hidesAddresses: kallsyms === 'ok' && !/^0*[1-9a-f]/m.test(text(files, '/proc/kallsyms', 4096) ?? ''),
    kptrRestrict: text(files, '/proc/sys/kernel/kptr_restrict')?.trim(),
    btf: attempt(files, '/sys/kernel/btf/vmlinux', 64),
    moduleBtf: modules.ok ? modules.names.filter((name) => name !== 'vmlinux').length : 0,
    log: attempt(files, '/dev/kmsg', 64 * 1024),
    dmesgRestrict: text(files, '/proc/sys/kernel/dmesg_restrict')?.trim(),
    stack: attempt(files, '/proc/self/stack', 4096),
  };
}

/** The level in brackets of "none [integrity] confidentiality" (security/lockdown/lockdown.c, 5.4). */
export function lockdownLevel(levels: string | undefined): string | undefined {
  return /\[(\w+)\]/.exec(levels ?? '')?.[1];
}

/** The first user namespace maps all UIDs to themselves: "0 0 4294967295". */
function isWholeRange(map: string | undefined): boolean {
  return map === undefined || /^\s*0\s+0\s+4294967295\s*$/.test(map);
}

function attempt(files: FileSource, path: string, limit: number): Attempt {
  const result = files.read(path, limit);
  if (result.ok) return result.bytes.length > 0 || result.truncated ? 'ok' : 'empty';
  return result.failure.reason === 'absent' || result.failure.reason === 'denied' ? result.failure.reason : 'error';
}

function text(files: FileSource, path: string, limit = 64 * 1024): string | undefined {
  const result = files.read(path, limit);
  return result.ok ? decodeText(result.bytes) : undefined;
}
