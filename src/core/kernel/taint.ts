/**
 * What has tainted the kernel: bits of `tainted_mask`, and of each module's `taints`. The numbers are ABI
 * (Documentation/admin-guide/tainted-kernels.rst); later kernels only add some.
 */

import type { Kernel } from './kernel.ts';
import { fileText } from './text-file.ts';

export interface Taint {
  readonly bit: number;
  /** The letter that the kernel writes for it. */
  readonly letter: string;
  readonly meaning: string;
}

const TAINTS: readonly (readonly [letter: string, meaning: string])[] = [
  ['P', 'proprietary module was loaded'],
  ['F', 'module was force loaded'],
  ['S', 'kernel running on an out of specification system'],
  ['R', 'module was force unloaded'],
  ['M', 'processor reported a machine check exception'],
  ['B', 'bad page referenced or unexpected page flags'],
  ['U', 'taint requested by userspace'],
  ['D', 'kernel died: there was an oops or a BUG'],
  ['A', 'ACPI table overridden by the user'],
  ['W', 'kernel issued a warning'],
  ['C', 'staging driver was loaded'],
  ['I', 'workaround for a bug in platform firmware applied'],
  ['O', 'externally built module was loaded'],
  ['E', 'unsigned module was loaded'],
  ['L', 'soft lockup occurred'],
  ['K', 'kernel has been live patched'],
  ['X', 'auxiliary taint, defined by the distribution'],
  ['T', 'kernel was built with the struct randomization plugin'],
  ['N', 'an in-kernel test was run'],
  // 5c8cc82bb1b9 "fwctl: Add basic structure for a class subsystem with a cdev" (v6.15).
  ['J', 'userspace used a mutating debug operation in fwctl'],
];

/** The bits that are set, lowest first; an unknown one has the letter `?`. */
export function decodeTaints(mask: bigint): readonly Taint[] {
  const found: Taint[] = [];
  for (let bit = 0; bit < 64; bit++) {
    if (((mask >> BigInt(bit)) & 1n) === 0n) continue;
    const [letter, meaning] = TAINTS[bit] ?? ['?', `taint ${bit}, unknown here`];
    found.push({ bit, letter, meaning });
  }
  return found;
}

/** What a letter stands for; undefined for one that is unknown here. */
export function taintOfLetter(letter: string): Taint | undefined {
  const bit = TAINTS.findIndex(([each]) => each === letter);
  const [, meaning] = TAINTS[bit] ?? [];
  return meaning === undefined ? undefined : { bit, letter, meaning };
}

/** The letters as /proc/modules writes them: `OE`. */
export function formatTaints(mask: bigint): string {
  return decodeTaints(mask)
    .map(({ letter }) => letter)
    .join('');
}

/** The kernel's taint mask; undefined where this target does not tell. Throws FaultError. */
export function taintMask(kernel: Kernel): bigint | undefined {
  const at = kernel.hasMemory ? kernel.addressOf('tainted_mask') : undefined;
  if (at !== undefined) return kernel.memory.u64(at, 'tainted_mask');

  const text = fileText(kernel, '/proc/sys/kernel/tainted', 64) ?? '';
  return /^\d{1,20}$/.test(text) ? BigInt.asUintN(64, BigInt(text)) : undefined;
}
