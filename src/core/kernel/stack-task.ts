/**
 * What of a task says where its stack is and whether it can be unwound: struct task_struct's members, the bounds of
 * the stack, and the frame that a task leaves when it is switched out.
 */
import { INACTIVE_FRAME, type InactiveFrameLayout } from '../arch/x86_64/inactive-frame.ts';
import { CALLEE_SAVED, type CalleeSaved } from '../arch/x86_64/registers.ts';
import type { Stack } from '../arch/x86_64/stacks.ts';
import { NotFoundError } from '../errors.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { defineStruct, int, long, optional, pointer } from './struct.ts';

/** struct task_struct as unwinding needs it. */
export const StackTask = defineStruct('task_struct', {
  pid: int('pid'),
  flags: int('flags'),
  stack: pointer('stack'),
  sp: pointer('thread.sp'),
  // Absent on a kernel for one CPU.
  onCpu: optional(int('on_cpu')),
  // Moved by bcf9033e5449 "sched: move CPU field back into thread_info if THREAD_INFO_IN_TASK=y" (v5.16).
  cpu: optional(int('thread_info.cpu', 'cpu')),
  voluntarySwitches: long('nvcsw'),
  involuntarySwitches: long('nivcsw'),
});

/** PF_KTHREAD: never in user mode. */
export const PF_KTHREAD = 0x0020_0000;
/** THREAD_SIZE on x86-64 since 6538b8ea886e (v3.15), without KASAN. */
const THREAD_SIZE = 16 * 1024;
const THREAD_SIZE_MAX = 1024 * 1024;

/** THREAD_SIZE: bytes of a task's stack. */
export function threadSize(kernel: Kernel): number {
  const type = kernel.types.find('union', 'thread_union', VMLINUX);
  const size = type === undefined ? THREAD_SIZE : sizeOf(type);
  return size >= 4096 && size <= THREAD_SIZE_MAX ? size : THREAD_SIZE;
}

/** The bounds of a task's stack: [stack, stack + THREAD_SIZE). Undefined for a dead task that gave its stack back. */
export function stackOf(kernel: Kernel, task: bigint): Stack | undefined {
  const { stack } = kernel.struct(StackTask).at(task);
  return stack === 0n ? undefined : taskStack(kernel, stack);
}

export function taskStack(kernel: Kernel, start: bigint): Stack {
  return { kind: 'task', name: 'task', start, end: start + BigInt(threadSize(kernel)) };
}

/** The layout of struct inactive_task_frame by BTF. */
export function inactiveFrameLayout(kernel: Kernel): InactiveFrameLayout {
  return kernel.memo('inactive_task_frame', 'session', () => {
    const type = kernel.types.find('struct', 'inactive_task_frame', VMLINUX);
    const offsetOf = (name: string) => findStructMember(kernel, 'inactive_task_frame', name)?.offset;
    const returnAddress = offsetOf('ret_addr');
    if (type === undefined || returnAddress === undefined) return INACTIVE_FRAME;
    const registers: Partial<Record<CalleeSaved, number>> = {};
    for (const name of CALLEE_SAVED) {
      const offset = offsetOf(name);
      if (offset !== undefined) registers[name] = offset;
    }
    return { size: sizeOf(type), returnAddress, registers };
  });
}

/** Where a task that was forked and never ran starts. */
export function forkEntries(kernel: Kernel): readonly bigint[] {
  // Renamed by 3aec4ecb3d1f "x86: Rewrite ret_from_fork() in C" (v6.6), where ret_from_fork became the C part of it.
  const entry = kernel.addressOf('ret_from_fork_asm') ?? kernel.addressOf('ret_from_fork');
  return entry === undefined ? [] : [entry];
}

/**
 * Throws before any task is read when no stack can be unwound: NotFoundError when the kernel's types do not say where
 * stacks are, UnsupportedError when the target has no symbols or hides their addresses.
 */
export function requireStackSources(kernel: Kernel): void {
  if (kernel.symbols.addressesHidden) kernel.symbol('_stext');
  if (!kernel.hasStruct('task_struct')) throw new NotFoundError('type', 'struct task_struct');
  kernel.struct(StackTask);
}
