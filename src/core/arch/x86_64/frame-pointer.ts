/**
 * Unwinding by frame pointers: code compiled with them keeps in bp the address of the caller's saved bp, with the
 * return address above it. Whole kernels are built so (CONFIG_UNWINDER_FRAME_POINTER), BPF programs always are, and
 * where ORC has no answer it is worth a try.
 *
 * In kernels that unwind by frame pointers, entry code leaves in bp the address of the struct pt_regs that it made,
 * plus 1 (ENCODE_FRAME_POINTER, 946c191161ce, v4.9): no frame pointer is odd.
 */
import type { OrcEntry } from '../../formats/orc.ts';
import type { StackMemory } from './stacks.ts';
import { FRAME_POINTER_ENTRY, type FrameState, type Step, stepByOrc } from './unwind-orc.ts';

/** Where bp points to a struct pt_regs. */
const ENCODED_REGS_ENTRY: OrcEntry = {
  spRegister: 'bp',
  spOffset: -1,
  bpRegister: 'undefined',
  bpOffset: 0,
  type: 'regs',
  signal: true,
};

/** One step by bp, or a sentence that says why there is none. */
export function stepByFramePointer(state: FrameState, memory: StackMemory): Step | string {
  const { bp } = state.registers;
  if (bp === undefined) return 'the frame pointer is not known here';
  if (bp === 0n) return 'the frame pointer is 0: the outermost frame';
  if ((bp & 7n) === 1n) return stepByOrc(ENCODED_REGS_ENTRY, state, memory);
  if ((bp & 7n) !== 0n) return 'the frame pointer is not aligned';
  const stack = memory.stackAt(bp);
  if (stack === undefined) return 'the frame pointer is not on a stack';
  if (stack === memory.stackAt(state.sp - 1n) && bp < state.sp - 8n) return 'the frame pointer is below the frame';
  return stepByOrc(FRAME_POINTER_ENTRY, state, memory);
}
