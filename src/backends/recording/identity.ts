/**
 * Which kernel, in which boot: what a recording says of its target in its first line.
 */
import type { Backend } from '../../core/memory/backend.ts';
import { decodeText } from '../../core/memory/text.ts';

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

const GNU_BUILD_ID = 3;

/** Asks the target's files, and its VMCOREINFO where there are none (a dump). What cannot be had is undefined. */
export function identify(backend: Backend): KernelIdentity {
  const info = vmcoreinfoValues(backend.vmcoreinfo?.());
  const notes = backend.files?.read('/sys/kernel/notes', 64 * 1024);
  return {
    release: line(backend, '/proc/sys/kernel/osrelease') ?? info.get('OSRELEASE'),
    version: line(backend, '/proc/sys/kernel/version'),
    // The kernel tells its machine name since 6.1 (bfca3dd3d068 "kernel/utsname_sysctl.c: print kernel arch").
    arch: line(backend, '/proc/sys/kernel/arch'),
    buildId: (notes?.ok ? buildIdOf(notes.bytes) : undefined) ?? info.get('BUILD-ID'),
    bootId: line(backend, '/proc/sys/kernel/random/boot_id'),
  };
}

/** The descriptor of the GNU build-id note among ELF notes: `namesz, descsz, type, name, desc`, each padded to 4. */
export function buildIdOf(notes: Uint8Array): string | undefined {
  const view = new DataView(notes.buffer, notes.byteOffset, notes.byteLength);
  let at = 0;
  while (at + 12 <= notes.length) {
    const nameLength = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    const start = at + 12 + align4(nameLength);
    if (start + length > notes.length) return undefined;
    const isGnu = nameLength === 4 && decodeText(notes, at + 12, at + 15) === 'GNU';
    if (isGnu && view.getUint32(at + 8, true) === GNU_BUILD_ID && length <= 64) {
      return Buffer.from(notes.subarray(start, start + length)).toString('hex');
    }
    at = start + align4(length);
  }
  return undefined;
}

function line(backend: Backend, path: string): string | undefined {
  const result = backend.files?.read(path, 4096);
  if (result?.ok !== true) return undefined;
  const text = decodeText(result.bytes).trim();
  return text === '' ? undefined : text;
}

function vmcoreinfoValues(text: string | undefined): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const entry of (text ?? '').split('\n')) {
    const equals = entry.indexOf('=');
    if (equals > 0) values.set(entry.slice(0, equals), entry.slice(equals + 1));
  }
  return values;
}

function align4(length: number): number {
  return Math.ceil(length / 4) * 4;
}
