/**
 * The configuration that the kernel was built with: /boot/config-RELEASE, /proc/config.gz, or the copy that
 * CONFIG_IKCONFIG puts into the kernel between kernel_config_data and kernel_config_data_end (before 13610aa908dc
 * "kernel/configs: use .incbin directive", v5.1, between the markers IKCFG_ST and IKCFG_ED alone). The last two are
 * compressed with gzip; how to inflate is the caller's to say.
 */
import { UnsupportedError } from '../errors.ts';
import { decodeAscii, decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import { kernelRelease } from './uts.ts';

const LENGTH_MAX = 4 * 1024 * 1024;

export interface KernelConfig {
  readonly source: string;
  /** `CONFIG_SMP` to `y`, `m`, a number or a quoted string; options that are not set are not in it. */
  readonly options: ReadonlyMap<string, string>;
}

/** Throws UnsupportedError where the target has none, FaultError. */
export function kernelConfig(kernel: Kernel, inflate: (gzip: Uint8Array) => Uint8Array): KernelConfig {
  return kernel.memo('config', 'session', () => {
    const boot = `/boot/config-${kernelRelease(kernel) ?? ''}`;
    const plain = readFile(kernel, boot);
    if (plain !== undefined) return { source: boot, options: parseConfig(plain) };
    const packed = readFile(kernel, '/proc/config.gz');
    if (packed !== undefined) return { source: '/proc/config.gz', options: parseConfig(inflate(packed)) };
    const stored = fromMemory(kernel);
    if (stored !== undefined) return { source: 'kernel_config_data', options: parseConfig(inflate(stored)) };
    throw new UnsupportedError(
      'the kernel configuration is not at hand',
      'it is in /boot/config-RELEASE, or in the kernel itself with CONFIG_IKCONFIG',
    );
  });
}

/** `CONFIG_X=value` lines; comments and everything else are passed over. */
export function parseConfig(bytes: Uint8Array): ReadonlyMap<string, string> {
  const options = new Map<string, string>();
  for (const line of decodeText(bytes).split('\n')) {
    const match = /^(CONFIG_\w{1,128})=(.*)$/.exec(line);
    if (match !== null) options.set(match[1] as string, match[2] as string);
  }
  return options;
}

function readFile(kernel: Kernel, path: string): Uint8Array | undefined {
  if (!kernel.hasFiles) return undefined;
  const result = kernel.files.read(path, LENGTH_MAX);
  return result.ok ? result.bytes : undefined;
}

function fromMemory(kernel: Kernel): Uint8Array | undefined {
  if (!kernel.hasMemory) return undefined;
  const start = kernel.addressOf('kernel_config_data');
  const end = kernel.addressOf('kernel_config_data_end');
  if (start === undefined || end === undefined || end <= start || end - start > BigInt(LENGTH_MAX)) return undefined;
  const bytes = kernel.memory.read(start, Number(end - start), 'kernel_config_data');
  return decodeAscii(bytes, 0, 8) === 'IKCFG_ST' ? bytes.subarray(8) : bytes;
}
