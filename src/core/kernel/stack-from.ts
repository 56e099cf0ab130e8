/**
 * Unwinding from a place that the user chose: for a stack whose beginning is lost, or of a task that was running and
 * whose registers are known from elsewhere (`bt -S SP -I PC`).
 */
import type { UnwindStart } from '../arch/x86_64/inactive-frame.ts';
import { scanForReturnAddress } from '../arch/x86_64/scan.ts';
import { type StackMemory, stackMemory } from '../arch/x86_64/stacks.ts';
import { unwind } from '../arch/x86_64/unwind.ts';
import { DataError, FaultError, UnsupportedError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import { finish, type TaskStack } from './stack.ts';
import { cpuStacks } from './stack-cpu.ts';
import { readStacks } from './stack-read.ts';
import { requireStackSources } from './stack-task.ts';
import { prefetchReturnAddresses, unwindText } from './unwind-text.ts';

export interface UnwindFrom {
  /** A stack pointer. Without `pc` the first word from here up that could be a return address is where it starts. */
  readonly sp: bigint;
  /** Where the function was when `sp` was its stack pointer. */
  readonly pc: bigint | undefined;
}

/**
 * Throws DataError where the stack pointer is on no stack of the task or of its CPU, UnsupportedError for a task that is
 * running on a live target, FaultError.
 */
export function unwindFrom(kernel: Kernel, task: bigint, from: UnwindFrom): TaskStack {
  requireStackSources(kernel);
  const [read] = readStacks(kernel, [task], { whole: true });
  if (read === undefined) throw new Error('readStacks answers every task');
  const { moment, image } = read;
  if (moment instanceof Fault) throw new FaultError(moment);
  if (moment.running && kernel.liveness === 'live') throw new UnsupportedError('the task is running');
  const others = moment.cpu === undefined ? [] : cpuStacks(kernel, moment.cpu);
  const memory = stackMemory(image === undefined ? [] : [image], others, (address, length) => {
    const bytes = kernel.memory.tryRead(address, length, 'stack');
    return bytes instanceof Fault ? undefined : bytes;
  });
  if (memory.stackAt(from.sp) === undefined) {
    throw new DataError(`${formatAddress(from.sp)} is not on the stack of the task or of its CPU`);
  }
  if (image !== undefined) prefetchReturnAddresses(kernel, image);
  const text = unwindText(kernel, task);
  const start = from.pc === undefined ? found(memory, from.sp, (pc) => text.isReturnAddress(pc)) : at(from.sp, from.pc);
  return finish(kernel, read, moment, unwind(start, memory, text), undefined);
}

function at(sp: bigint, pc: bigint): UnwindStart {
  return { pc, sp, slot: undefined, interrupted: true, registers: {} };
}

function found(memory: StackMemory, from: bigint, isReturnAddress: (pc: bigint) => boolean): UnwindStart {
  const first = scanForReturnAddress(memory, from, isReturnAddress);
  if (first === undefined) throw new DataError(`no return address is on the stack from ${formatAddress(from)} up`);
  return { pc: first.pc, sp: first.slot + 8n, slot: first.slot, interrupted: false, registers: {} };
}
