/**
 * Where a task that is not running stopped. __switch_to_asm pushes the callee-saved registers on the stack of the task
 * that leaves the CPU and keeps the stack pointer in task->thread.sp, which so points to a
 *
 *     struct inactive_task_frame { r15 r14 r13 r12 bx bp ret_addr }      0100301bfdf5 (v4.9)
 *
 * whose ret_addr is in __schedule, right after the call of __switch_to_asm. A task that has never run has the same
 * frame, made by copy_thread, with the address of ret_from_fork in it.
 */
import type { CalleeSaved, KnownRegisters } from './registers.ts';
import { CALLEE_SAVED } from './registers.ts';

/** Offsets in struct inactive_task_frame, in bytes. */
export interface InactiveFrameLayout {
  readonly size: number;
  readonly returnAddress: number;
  readonly registers: Readonly<Partial<Record<CalleeSaved, number>>>;
}

/** Where an unwind starts. */
export interface UnwindStart {
  readonly pc: bigint;
  /** The stack pointer that belongs to pc. */
  readonly sp: bigint;
  /** Where pc was read; undefined when it is a register's value. */
  readonly slot: bigint | undefined;
  /** True when pc is where the CPU stopped, false when it is a return address. */
  readonly interrupted: boolean;
  readonly registers: KnownRegisters;
}

/** The layout of every kernel that kdbg knows, for one whose types do not describe the structure. */
export const INACTIVE_FRAME: InactiveFrameLayout = {
  size: 56,
  returnAddress: 48,
  registers: { r15: 0, r14: 8, r13: 16, r12: 24, bx: 32, bp: 40 },
};

/**
 * Decodes the frame at task->thread.sp; undefined when the bytes end before it does. `forkEntries` are the addresses
 * of ret_from_fork (ret_from_fork_asm since v6.6): a task that starts there has called nothing yet.
 */
export function inactiveStart(
  sp: bigint,
  bytes: Uint8Array,
  layout: InactiveFrameLayout,
  forkEntries: readonly bigint[],
): UnwindStart | undefined {
  if (bytes.length < layout.size) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const registers: Partial<Record<CalleeSaved, bigint>> = {};
  for (const name of CALLEE_SAVED) {
    const offset = layout.registers[name];
    if (offset !== undefined) registers[name] = view.getBigUint64(offset, true);
  }
  const pc = view.getBigUint64(layout.returnAddress, true);
  return {
    pc,
    sp: sp + BigInt(layout.size),
    slot: sp + BigInt(layout.returnAddress),
    interrupted: forkEntries.includes(pc),
    registers,
  };
}
