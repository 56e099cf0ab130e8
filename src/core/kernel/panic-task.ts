/**
 * The task that brought a dead kernel down: what ran on `panic_cpu`. panic() and crash_kexec() claim that variable
 * (1717f2096b54 "panic, x86: Fix re-entrance problem due to panic on NMI", v4.5); it is -1 while nothing has died.
 */
import type { Kernel } from './kernel.ts';
import { currentTasks } from './runqueue.ts';

/** Address of its task_struct; undefined for a kernel that did not die. Throws FaultError. */
export function panicTask(kernel: Kernel): bigint | undefined {
  if (kernel.liveness === 'live' || !kernel.hasMemory) return undefined;
  const variable = kernel.addressOf('panic_cpu');
  if (variable === undefined) return undefined;
  const cpu = kernel.memory.s32(variable, 'panic_cpu');
  return cpu < 0 ? undefined : currentTasks(kernel).get(cpu);
}
