/**
 * Gathers what capabilities.ts judges: each source is tried once, the way it will be used.
 */

import type { FileResult, FileSource, ListResult } from '../../core/memory/backend.ts';
import { decodeText } from '../../core/memory/text.ts';
import type { Attempt, Facts } from './capabilities.ts';

/** How opening /proc/kcore went. */
export interface KcoreAttempt {
  readonly attempt: Attempt;
  readonly detail: string;
  readonly ranges: number;
}

/** What is tried, all in one request. */
export const PROBED_FILES = [
  '/proc/kallsyms',
  '/proc/self/uid_map',
  '/proc/self/status',
  '/sys/kernel/security/lockdown',
  '/proc/sys/kernel/kptr_restrict',
  '/sys/kernel/btf/vmlinux',
  '/dev/kmsg',
  '/proc/sys/kernel/dmesg_restrict',
  '/proc/self/stack',
] as const;
/** Read of each at most: some of its first lines tell. */
export const PROBED_LENGTH = 4096;
export const BTF_FOLDER = '/sys/kernel/btf';

/** How the probes ended: the files in the order of PROBED_FILES, and the BTF of vmlinux and modules by name. */
export interface Probed {
  readonly files: readonly FileResult[];
  readonly btf: ListResult;
}

export function probe(files: FileSource): Probed {
  return { files: files.readMany(PROBED_FILES, PROBED_LENGTH), btf: files.list(BTF_FOLDER) };
}

/** `uid` is the effective user of whoever reads the files. */
export function factsOf(probed: Probed, kcore: KcoreAttempt, uid: number | undefined): Facts {
  const result = (path: (typeof PROBED_FILES)[number]) => probed.files[PROBED_FILES.indexOf(path)];
  const text = (path: (typeof PROBED_FILES)[number]) => textOf(result(path));
  const kallsyms = attempt(result('/proc/kallsyms'));
  return {
    isRoot: uid === 0,
    inUserNamespace: !isWholeRange(text('/proc/self/uid_map')),
    inPidNamespace: /^NSpid:\s+\d+\s+\d/m.test(text('/proc/self/status') ?? ''),
    lockdown: lockdownLevel(text('/sys/kernel/security/lockdown')),
    kcore: kcore.attempt,
    kcoreDetail: kcore.detail,
    ranges: kcore.ranges,
    kallsyms,
    hidesAddresses: kallsyms === 'ok' && !/^0*[1-9a-f]/m.test(text('/proc/kallsyms') ?? ''),
    kptrRestrict: text('/proc/sys/kernel/kptr_restrict')?.trim(),
    btf: attempt(result('/sys/kernel/btf/vmlinux')),
    moduleBtf: probed.btf.ok ? probed.btf.names.filter((name) => name !== 'vmlinux').length : 0,
    log: attempt(result('/dev/kmsg')),
    dmesgRestrict: text('/proc/sys/kernel/dmesg_restrict')?.trim(),
    stack: attempt(result('/proc/self/stack')),
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

function attempt(result: FileResult | undefined): Attempt {
  if (result === undefined) return 'error';
  if (result.ok) return result.bytes.length > 0 || result.truncated ? 'ok' : 'empty';
  return result.failure.reason === 'absent' || result.failure.reason === 'denied' ? result.failure.reason : 'error';
}

function textOf(result: FileResult | undefined): string | undefined {
  return result?.ok === true ? decodeText(result.bytes) : undefined;
}
