/**
 * Which kernel, in which boot: what a recording says of its target in its first line.
 */
import { parseBuildId } from '../../core/formats/elf-notes.ts';
import { parseVmcoreinfo } from '../../core/formats/vmcoreinfo.ts';
import type { Backend } from '../../core/memory/backend.ts';
import { decodeText, encodeText } from '../../core/memory/text.ts';

export interface KernelIdentity {
  /** "6.1.0-50-cloud-amd64". */
  readonly release: string | undefined;
  /** "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-03-09)". */
  readonly version: string | undefined;
  /** As `uname -m` says it. */
  readonly arch: string | undefined;
  /** GNU build id of vmlinux, lower-case hex. */
  readonly buildId: string | undefined;
  /** Changes at every boot. */
  readonly bootId: string | undefined;
}

/** Asks the target's files, and its VMCOREINFO where there are none (a dump). What cannot be had is undefined. */
export function identify(backend: Backend): KernelIdentity {
  const info = parseVmcoreinfo(encodeText(backend.vmcoreinfo?.() ?? ''));
  const notes = backend.files?.read('/sys/kernel/notes', 64 * 1024);
  return {
    release: line(backend, '/proc/sys/kernel/osrelease') ?? info.release,
    version: line(backend, '/proc/sys/kernel/version'),
    // The kernel tells its machine name since 6.1 (bfca3dd3d068 "kernel/utsname_sysctl.c: print kernel arch").
    arch: line(backend, '/proc/sys/kernel/arch'),
    buildId: (notes?.ok ? parseBuildId(notes.bytes) : undefined) ?? info.buildId,
    bootId: line(backend, '/proc/sys/kernel/random/boot_id'),
  };
}

function line(backend: Backend, path: string): string | undefined {
  const result = backend.files?.read(path, 4096);
  if (result?.ok !== true) return undefined;
  const text = decodeText(result.bytes).trim();
  return text === '' ? undefined : text;
}
