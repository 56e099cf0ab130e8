/**
 * Struct pt_regs on a stack: an exception frame. A search believes one only when everything about it that must hold
 * does: the flags that are always set or always clear, the pair of segment selectors, and pc and sp that fit them.
 */
import { isKernelAddress } from '../../memory/address.ts';
import { decodePtRegs, isUserMode, PT_REGS_ORDER, PT_REGS_SIZE, type PtRegs, selector } from './registers.ts';
import type { StackImage } from './stacks.ts';

/** Saved registers and where they are. */
export interface ExceptionFrame {
  /** Address of the struct pt_regs. */
  readonly address: bigint;
  readonly registers: PtRegs;
  /** What was interrupted. */
  readonly mode: 'kernel' | 'user';
  /** False when only what the CPU pushed is known (ip cs flags sp ss): the rest of `registers` is not meant. */
  readonly full: boolean;
}

/** __KERNEL_CS, and the selectors of user code: 64-bit, 32-bit; with their stack segments. */
const KERNEL_CS = 0x10;
const KERNEL_SS = 0x18;
const USER_CS = [0x33, 0x23];
const USER_SS = 0x2b;
const CS_OFFSET = PT_REGS_ORDER.indexOf('cs') * 8;
/** Bit 1 of RFLAGS is always 1; bits 3, 5, 15 and those above 21 are always 0. */
const FLAGS_SET = 0x2n;
const FLAGS_CLEAR = ~0x3f7fd7n & 0xffff_ffff_ffff_ffffn;
/** TASK_SIZE_MAX with 5-level paging. */
const USER_TOP = 0x00ff_ffff_ffff_f000n;

/** True when these can be registers that an entry saved: checks flags, selectors, pc and sp. */
export function isPlausible(registers: PtRegs, isText: (address: bigint) => boolean): boolean {
  if ((registers.flags & FLAGS_SET) === 0n || (registers.flags & FLAGS_CLEAR) !== 0n) return false;
  const cs = selector(registers.cs);
  const ss = selector(registers.ss);
  if (isUserMode(registers)) {
    // A system call of a 32-bit task, or one traced at its very start, can have sp anywhere in the lower half.
    return USER_CS.includes(cs) && ss === USER_SS && registers.ip <= USER_TOP && registers.sp <= USER_TOP;
  }
  // Kernel mode saves ss as the CPU had it: null until the first return to user mode on this CPU.
  const selectors = cs === KERNEL_CS && (ss === KERNEL_SS || ss === 0);
  return selectors && isKernelAddress(registers.sp) && (isText(registers.ip) || registers.ip === 0n);
}

/** The exception frame at an address, whatever it holds. */
export function exceptionFrame(address: bigint, registers: PtRegs, full = true): ExceptionFrame {
  return { address, registers, mode: isUserMode(registers) ? 'user' : 'kernel', full };
}

/** Every believable struct pt_regs in a stack, by address: `bt -e`. */
export function searchExceptionFrames(
  image: StackImage,
  isText: (address: bigint) => boolean,
): readonly ExceptionFrame[] {
  const frames: ExceptionFrame[] = [];
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  const misaligned = Number((8n - (image.address & 7n)) & 7n);
  for (let offset = misaligned; offset + PT_REGS_SIZE <= image.bytes.length; offset += 8) {
    const cs = view.getUint16(offset + CS_OFFSET, true);
    if (cs !== KERNEL_CS && !USER_CS.includes(cs)) continue;
    const registers = decodePtRegs(image.bytes, offset);
    if (registers === undefined || !isPlausible(registers, isText)) continue;
    frames.push(exceptionFrame(image.address + BigInt(offset), registers));
  }
  return frames;
}

/**
 * The registers with which a task entered the kernel, at the top of its stack; undefined when there are none, as for
 * a kernel thread. A kernel built with FRED leaves 16 bytes above them (TOP_OF_KERNEL_STACK_PADDING, v6.9), which
 * only what is found there tells.
 */
export function userRegisters(image: StackImage, isText: (address: bigint) => boolean): ExceptionFrame | undefined {
  for (const padding of [0, 16]) {
    const offset = image.bytes.length - padding - PT_REGS_SIZE;
    const registers = decodePtRegs(image.bytes, offset);
    if (registers === undefined || !isUserMode(registers) || !isPlausible(registers, isText)) continue;
    return exceptionFrame(image.address + BigInt(offset), registers);
  }
  return undefined;
}
