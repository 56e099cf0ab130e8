/** What the processors are: `boot_cpu_data` and the frequency of their clock, or /proc/cpuinfo. */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { chars, defineStruct } from './struct.ts';
import { fileText } from './text-file.ts';

const Cpuinfo = defineStruct('cpuinfo_x86', { model: chars('x86_model_id') });
const CPUINFO = '/proc/cpuinfo';

export interface CpuModel {
  /** What the processor calls itself; empty where it does not. */
  readonly name: string;
  /** MHz of the clock that time is counted with. */
  readonly megahertz: number | undefined;
}

/** Undefined where this target does not tell. Throws FaultError. */
export function cpuModel(kernel: Kernel): CpuModel | undefined {
  return kernel.memo('cpu model', 'session', () => fromMemory(kernel) ?? fromFile(kernel));
}

function fromMemory(kernel: Kernel): CpuModel | undefined {
  if (!kernel.hasMemory) return undefined;
  try {
    const at = kernel.addressOf('boot_cpu_data');
    if (at === undefined) return undefined;
    const clock = kernel.addressOf('cpu_khz');
    const kilohertz = clock === undefined ? 0 : kernel.memory.u32(clock, 'cpu_khz');
    const name = kernel.struct(Cpuinfo).at(at).model.trim();
    return { name, megahertz: kilohertz === 0 ? undefined : Math.round(kilohertz / 1000) };
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function fromFile(kernel: Kernel): CpuModel | undefined {
  const text = fileText(kernel, CPUINFO);
  if (text === undefined) return undefined;
  const megahertz = /^cpu MHz\s*: (\d{1,6}(?:\.\d+)?)$/m.exec(text)?.[1];
  return {
    name: /^model name\s*: (.+)$/m.exec(text)?.[1] ?? '',
    megahertz: megahertz === undefined ? undefined : Math.round(Number(megahertz)),
  };
}
