/**
 * Signs of a stack that has overflowed. The kernel writes STACK_END_MAGIC at the lowest word of each task's stack when
 * it makes it (fork.c, set_task_stack_end_magic()); what ran over the end has written over it. A sleeping task's stack
 * pointer is within its stack.
 */
import { FaultError } from '../errors.ts';
import { formatAddress, formatHex } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { StackTask, taskStack } from './stack-task.ts';

const STACK_END_MAGIC = 0x57ac_6e9dn;
const BATCH = 512;
/** A stack with less left than this has next to nothing for an interrupt. */
const SPARE_MIN = 512n;

/** What is wrong with each task's stack, in order; undefined for one that shows nothing. */
export function* checkStacks(kernel: Kernel, tasks: readonly bigint[]): Generator<string | undefined, void> {
  const struct = kernel.struct(StackTask);
  for (let at = 0; at < tasks.length; at += BATCH) {
    const batch = tasks.slice(at, at + BATCH);
    struct.prefetch(batch);
    kernel.memory.prefetch(
      batch.map((task) => ({
        space: 'virtual',
        address: orZero(() => struct.at(task).stack),
        length: 8,
        what: 'stack end',
      })),
    );
    for (const task of batch) yield checkStack(kernel, task);
  }
}

function checkStack(kernel: Kernel, address: bigint): string | undefined {
  try {
    const task = kernel.struct(StackTask).at(address);
    // A dead task that gave its stack back.
    if (task.stack === 0n) return undefined;
    const stack = taskStack(kernel, task.stack);
    const word = kernel.memory.u64(stack.start, 'stack end');
    if (word !== STACK_END_MAGIC) {
      return `the end of the stack at ${formatAddress(stack.start)} is overwritten: ${formatHex(word)}, not ${formatHex(STACK_END_MAGIC)}`;
    }
    if ((task.onCpu ?? 0) !== 0) return undefined;
    if (task.sp < stack.start || task.sp >= stack.end) {
      return `its stack pointer ${formatAddress(task.sp)} is not on its stack at ${formatAddress(stack.start)}`;
    }
    const spare = task.sp - stack.start;
    return spare < SPARE_MIN ? `only ${spare} bytes of its stack are left` : undefined;
  } catch (error) {
    if (error instanceof FaultError) return error.message;
    throw error;
  }
}

function orZero(read: () => bigint): bigint {
  try {
    return read();
  } catch (error) {
    if (error instanceof FaultError) return 0n;
    throw error;
  }
}
