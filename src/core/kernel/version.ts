/** What was built: the banner with compiler and date, and the build id that tells one vmlinux from all others. */
import { parseBuildId } from '../formats/elf-notes.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import { fileText } from './text-file.ts';
import { vmcoreinfo } from './vmcoreinfo.ts';

const BANNER_MAX = 1024;
const NOTES_MAX = 64 * 1024;

/** `Linux version 6.1.0-56-cloud-amd64 (...) #1 SMP ...`; undefined where the target does not tell. Throws FaultError. */
export function banner(kernel: Kernel): string | undefined {
  const file = fileText(kernel, '/proc/version');
  if (file !== undefined) return file;
  const address = kernel.hasMemory ? kernel.addressOf('linux_banner') : undefined;
  return address === undefined ? undefined : kernel.memory.cString(address, BANNER_MAX, 'linux_banner').trimEnd();
}

/**
 * The build id in hex, from the kernel's own notes, else from VMCOREINFO. Some stable kernels of 2024 (6.1.113 to
 * 6.1.118, 6.6.55 to 6.6.62, 6.11.3 to 6.11.9 and others) have a wrong one in VMCOREINFO, so the notes come first.
 */
export function buildId(kernel: Kernel): string | undefined {
  return kernel.memo('build id', 'session', () => {
    const file = kernel.hasFiles ? kernel.files.read('/sys/kernel/notes', NOTES_MAX) : undefined;
    const fromFile = file?.ok === true ? parseBuildId(file.bytes) : undefined;
    return fromFile ?? fromMemory(kernel) ?? vmcoreinfo(kernel)?.buildId;
  });
}

function fromMemory(kernel: Kernel): string | undefined {
  if (!kernel.hasMemory) return undefined;
  const start = kernel.addressOf('__start_notes');
  const stop = kernel.addressOf('__stop_notes');
  if (start === undefined || stop === undefined || stop <= start || stop - start > BigInt(NOTES_MAX)) return undefined;
  const bytes = kernel.memory.tryRead(start, Number(stop - start), 'ELF notes of vmlinux');
  return bytes instanceof Fault ? undefined : parseBuildId(bytes);
}
