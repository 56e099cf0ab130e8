/**
 * The stacks of a CPU, besides that of the task on it: where the unwind of a task that was running goes through.
 */
import type { Stack } from '../arch/x86_64/stacks.ts';
import { DataError, FaultError, NotFoundError, UnsupportedError } from '../errors.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { findMember } from '../types/member-path.ts';
import { sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { perCpuSymbol } from './percpu.ts';

/** IRQ_STACK_SIZE, for a kernel whose types do not have struct irq_stack. */
const IRQ_STACK_SIZE = 16 * 1024;
const PAGE = 4096n;

/** Members of struct cea_exception_stacks, innermost name as the kernel prints it (exception_stack_names). */
const EXCEPTION_STACKS: readonly (readonly [member: string, name: string])[] = [
  ['DF_stack', '#DF'],
  ['NMI_stack', 'NMI'],
  ['DB_stack', '#DB'],
  ['MCE_stack', '#MC'],
  ['VC_stack', '#VC'],
  ['VC2_stack', '#VC2'],
];

/** The stacks of one CPU; those that cannot be found are left out. */
export function cpuStacks(kernel: Kernel, cpu: number): readonly Stack[] {
  return kernel.memo(`stacks of CPU ${cpu}`, 'session', () => {
    const irq = attempt(() => irqStack(kernel, cpu)) ?? [];
    return [...irq, ...(attempt(() => exceptionStacks(kernel, cpu)) ?? [])];
  });
}

function irqStack(kernel: Kernel, cpu: number): readonly Stack[] {
  const pointer = irqStackPointer(kernel, cpu);
  if (pointer === undefined || pointer === 0n) return [];
  const type = kernel.types.find('struct', 'irq_stack', VMLINUX);
  const size = BigInt(type === undefined ? IRQ_STACK_SIZE : sizeOf(type));
  // The pointer is the stack's end, or since 951c2a51ae75 "x86/irq: Sanitize irq stack tracking" (v5.12) the word below.
  const end = ((pointer + PAGE - 1n) / PAGE) * PAGE;
  return [{ kind: 'irq', name: 'IRQ', start: end - size, end }];
}

function irqStackPointer(kernel: Kernel, cpu: number): bigint | undefined {
  // A per-CPU variable of its own again since 4b00b116439e (v6.15); in pcpu_hot since d7b6d709a76a (v6.2).
  const own = perCpuSymbol(kernel, 'hardirq_stack_ptr', cpu);
  if (own !== undefined) return kernel.memory.u64(own, 'hardirq_stack_ptr');
  const hot = perCpuSymbol(kernel, 'pcpu_hot', cpu);
  const member = findStructMember(kernel, 'pcpu_hot', 'hardirq_stack_ptr');
  if (hot === undefined || member === undefined) return undefined;
  return kernel.memory.u64(hot + BigInt(member.offset), 'pcpu_hot.hardirq_stack_ptr');
}

function exceptionStacks(kernel: Kernel, cpu: number): readonly Stack[] {
  const variable = perCpuSymbol(kernel, 'cea_exception_stacks', cpu);
  const type = kernel.types.find('struct', 'cea_exception_stacks', VMLINUX);
  if (variable === undefined || type === undefined) return [];
  const base = kernel.memory.u64(variable, 'cea_exception_stacks');
  if (base === 0n) return [];
  const stacks = EXCEPTION_STACKS.flatMap(([path, name]): readonly Stack[] => {
    const member = findMember(type, path);
    if (member === undefined || sizeOf(member.type) === 0) return [];
    const start = base + BigInt(member.offset);
    return [{ kind: 'exception', name, start, end: start + BigInt(sizeOf(member.type)) }];
  });
  return [...stacks, ...entryStack(kernel, base)];
}

/** The entry trampoline's stack is in the same cpu_entry_area as the exception stacks. */
function entryStack(kernel: Kernel, exceptions: bigint): readonly Stack[] {
  const area = kernel.types.find('struct', 'cpu_entry_area', VMLINUX);
  const estacks = area && findMember(area, 'estacks');
  const entry = area && findMember(area, 'entry_stack_page');
  if (estacks === undefined || entry === undefined) return [];
  const start = exceptions - BigInt(estacks.offset) + BigInt(entry.offset);
  return [{ kind: 'entry', name: 'ENTRY_TRAMPOLINE', start, end: start + BigInt(sizeOf(entry.type)) }];
}

function attempt<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    if (error instanceof FaultError || error instanceof NotFoundError) return undefined;
    if (error instanceof DataError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}
