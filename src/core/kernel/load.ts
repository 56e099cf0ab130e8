/** Load averages over 1, 5 and 15 minutes: `avenrun`, fixed-point numbers with 11 bits of fraction. */
import type { Kernel } from './kernel.ts';
import { fileText } from './text-file.ts';

const FIXED_1 = 1 << 11;
/** What /proc/loadavg adds to round: 1/200. */
const HALF_OF_A_HUNDREDTH = Math.floor(FIXED_1 / 200);

/** Undefined where the target does not tell. Throws FaultError. */
export function loadAverages(kernel: Kernel): readonly [number, number, number] | undefined {
  const text = kernel.liveness === 'live' ? fromFile(kernel) : undefined;
  return text ?? fromMemory(kernel) ?? fromFile(kernel);
}

function fromMemory(kernel: Kernel): readonly [number, number, number] | undefined {
  const address = kernel.hasMemory ? kernel.addressOf('avenrun') : undefined;
  if (address === undefined) return undefined;
  const at = (i: number) => {
    const fixed = Number(kernel.memory.u64(address + BigInt(8 * i), 'avenrun')) + HALF_OF_A_HUNDREDTH;
    // Cut to hundredths, as the kernel prints it.
    return Math.floor((fixed * 100) / FIXED_1) / 100;
  };
  return [at(0), at(1), at(2)];
}

function fromFile(kernel: Kernel): readonly [number, number, number] | undefined {
  const match = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+) /.exec(fileText(kernel, '/proc/loadavg') ?? '');
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}
