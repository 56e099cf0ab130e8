/**
 * Per-CPU data. The address of a per-CPU symbol (or a `__percpu` pointer) plus `__per_cpu_offset[cpu]` is the copy of
 * that CPU. x86-64 linked the area at 0 until 9d7de2aa8b41 "x86/percpu/64: Use relative percpu offsets" (v6.15): its
 * symbols are small numbers there and ordinary kernel addresses since; the sum holds for both.
 */
import { DataError, NotFoundError } from '../errors.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import { cpus } from './cpu.ts';
import type { Kernel } from './kernel.ts';

/** What is added to a per-CPU address to have the one of this CPU; 0 on a kernel without SMP. */
export function perCpuOffset(kernel: Kernel, cpu: number): bigint {
  const offset = perCpuOffsets(kernel).get(cpu);
  if (offset === undefined) throw new NotFoundError('cpu', String(cpu));
  return offset;
}

/** The address of a CPU's copy: `per_cpu_ptr(pointer, cpu)`. */
export function perCpuAddress(kernel: Kernel, address: bigint, cpu: number): bigint {
  return BigInt.asUintN(64, address + perCpuOffset(kernel, cpu));
}

/** The address of a CPU's copy of a per-CPU variable; undefined where the kernel has no such symbol. */
export function perCpuSymbol(kernel: Kernel, name: string, cpu: number): bigint | undefined {
  const address = kernel.addressOf(name);
  return address === undefined ? undefined : perCpuAddress(kernel, address, cpu);
}

/** True for a symbol in the per-CPU section of vmlinux, or in that of a module. */
export function isPerCpuSymbol(kernel: Kernel, symbol: KernelSymbol): boolean {
  if (symbol.module !== undefined) return modulePerCpu(kernel, symbol);
  const start = kernel.addressOf('__per_cpu_start');
  const end = kernel.addressOf('__per_cpu_end');
  return start !== undefined && end !== undefined && symbol.address >= start && symbol.address < end;
}

/**
 * kallsyms gives a module's per-CPU symbols the letter of absolute ones (elf_type() in kernel/module/kallsyms.c), with
 * addresses in the first chunk's numbering. Of the two, BTF types per-CPU variables; where a module has no BTF, an
 * address that is none of the kernel's tells.
 */
function modulePerCpu(kernel: Kernel, symbol: KernelSymbol): boolean {
  if (symbol.type !== 'a' && symbol.type !== 'A') return false;
  return !isKernelAddress(symbol.address) || kernel.types.variable(symbol.name, symbol.module) !== undefined;
}

function perCpuOffsets(kernel: Kernel): ReadonlyMap<number, bigint> {
  return kernel.memo('__per_cpu_offset', 'session', () => {
    const table = kernel.addressOf('__per_cpu_offset');
    if (table === undefined) return new Map([[0, 0n]]);
    const possible = cpus(kernel, 'possible');
    const last = possible.at(-1);
    if (last === undefined) throw new DataError('the kernel has no possible CPU');
    const bytes = kernel.memory.read(table, (last + 1) * 8, '__per_cpu_offset');
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new Map(possible.map((cpu) => [cpu, view.getBigUint64(cpu * 8, true)]));
  });
}
