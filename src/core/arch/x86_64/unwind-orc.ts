/**
 * One step of an unwind by an ORC entry: from a frame's registers to its caller's. The entry says what the CFA (the
 * caller's stack pointer) is relative to, what lies there, and where the caller's frame pointer was saved; every other
 * register of the caller is unknown, unless an exception saved them all.
 */
import type { OrcEntry, OrcRegister } from '../../formats/orc.ts';
import { type ExceptionFrame, exceptionFrame } from './exception-frame.ts';
import {
  decodePtRegs,
  generalRegisters,
  type KnownRegisters,
  PT_REGS_IP_OFFSET,
  PT_REGS_SIZE,
  type PtRegs,
  type PtRegsName,
} from './registers.ts';
import type { StackMemory } from './stacks.ts';

/** What is known in one frame. */
export interface FrameState {
  readonly pc: bigint;
  /** The stack pointer after the return to pc, or when pc was interrupted. */
  readonly sp: bigint;
  /** Where pc was read; undefined when it came from saved registers or is where the unwind starts. */
  readonly slot: bigint | undefined;
  readonly registers: KnownRegisters;
  /** pc was interrupted: not a return address. */
  readonly interrupted: boolean;
  /** The registers that an entry into the kernel saved of this frame. */
  readonly exception: ExceptionFrame | undefined;
}

/** A caller's state, and where the frame that called it ends. */
export interface Step {
  readonly caller: FrameState;
  /** The caller's stack pointer, or the address of the saved registers. */
  readonly cfa: bigint;
}

/** How code with a frame pointer keeps its caller's registers: bp points to the saved bp, the return address above. */
export const FRAME_POINTER_ENTRY: OrcEntry = {
  spRegister: 'bp',
  spOffset: 16,
  bpRegister: 'prev-sp',
  bpOffset: -16,
  type: 'call',
  signal: false,
};

/** A call through a NULL function pointer: nothing was pushed but the return address. */
export const NULL_CALL_ENTRY: OrcEntry = {
  spRegister: 'sp',
  spOffset: 8,
  bpRegister: 'undefined',
  bpOffset: 0,
  type: 'call',
  signal: false,
};

/**
 * Applies an entry. The answer is a sentence when it cannot be: a register that it needs is not known, or what it
 * points to is not on a stack.
 */
export function stepByOrc(entry: OrcEntry, state: FrameState, memory: StackMemory): Step | string {
  const cfa = canonicalFrame(entry, state, memory);
  if (typeof cfa === 'string') return cfa;
  const below = belowCfa(entry, state, memory, cfa);
  if (typeof below === 'string') return below;
  const bp = callersBp(entry, state, memory, cfa, below.registers);
  if (typeof bp === 'string') return bp;
  const { bp: _, ...others } = below.registers;
  return {
    cfa,
    caller: { ...below, registers: bp === undefined ? others : { ...others, bp } },
  };
}

function canonicalFrame(entry: OrcEntry, state: FrameState, memory: StackMemory): bigint | string {
  const offset = BigInt(entry.spOffset);
  switch (entry.spRegister) {
    case 'sp':
      return address(state.sp + offset);
    case 'bp': {
      const { bp } = state.registers;
      return bp === undefined ? 'the frame pointer is not known here' : address(bp + offset);
    }
    case 'sp-indirect': {
      // Up to 5.11 the offset was added before the load, and entries of this kind were those of interrupts that had
      // switched stacks (type regs). Since 87ccc826bf1c "x86/unwind/orc: Change REG_SP_INDIRECT" (v5.12) it is added
      // after, and they are those of functions that switch stacks (type call); no kernel has both.
      const before = entry.type === 'call' ? 0n : offset;
      const loaded = memory.word(address(state.sp + before));
      return loaded === undefined ? 'the saved stack pointer cannot be read' : address(loaded + offset - before);
    }
    case 'bp-indirect': {
      const { bp } = state.registers;
      const loaded = bp === undefined ? undefined : memory.word(address(bp + offset));
      return loaded ?? 'the saved stack pointer cannot be read';
    }
    case 'ax':
    case 'dx':
    case 'di':
    case 'r10':
    case 'r13':
      return state.registers[entry.spRegister] ?? `register ${entry.spRegister} is not known here`;
    default:
      return `the unwind table names no stack pointer (${entry.spRegister})`;
  }
}

/** The caller's pc, sp and registers but for bp, from what lies at the CFA. */
function belowCfa(entry: OrcEntry, state: FrameState, memory: StackMemory, cfa: bigint): FrameState | string {
  switch (entry.type) {
    case 'call': {
      const slot = address(cfa - 8n);
      const pc = memory.word(slot);
      if (pc === undefined) return `the return address at ${hex(slot)} cannot be read`;
      const { bp } = state.registers;
      return {
        pc,
        sp: cfa,
        slot,
        registers: bp === undefined ? {} : { bp },
        interrupted: entry.signal,
        exception: undefined,
      };
    }
    case 'regs': {
      const saved = memory.bytes(cfa, PT_REGS_SIZE);
      const registers = saved && decodePtRegs(saved);
      if (registers === undefined) return `the saved registers at ${hex(cfa)} cannot be read`;
      return {
        pc: registers.ip,
        sp: registers.sp,
        slot: undefined,
        registers: generalRegisters(registers),
        interrupted: entry.signal,
        exception: exceptionFrame(cfa, registers),
      };
    }
    case 'regs-partial': {
      const saved = memory.bytes(cfa, PT_REGS_SIZE - PT_REGS_IP_OFFSET);
      const registers = saved && partialRegisters(saved, state.registers);
      if (registers === undefined) return `the interrupt frame at ${hex(cfa)} cannot be read`;
      // Entry code has changed no other register yet: what was known still is.
      return {
        pc: registers.ip,
        sp: registers.sp,
        slot: undefined,
        registers: state.registers,
        interrupted: entry.signal,
        exception: exceptionFrame(cfa - BigInt(PT_REGS_IP_OFFSET), registers, false),
      };
    }
    default:
      return `the unwind table has no answer here (${entry.type})`;
  }
}

function callersBp(
  entry: OrcEntry,
  state: FrameState,
  memory: StackMemory,
  cfa: bigint,
  known: KnownRegisters,
): bigint | undefined | string {
  const offset = BigInt(entry.bpOffset);
  const at: Partial<Record<OrcRegister, bigint | undefined>> = {
    'prev-sp': cfa + offset,
    bp: state.registers.bp === undefined ? undefined : state.registers.bp + offset,
  };
  if (entry.bpRegister === 'undefined') return known.bp;
  if (!(entry.bpRegister in at)) return `the unwind table names no frame pointer (${entry.bpRegister})`;
  const where = at[entry.bpRegister];
  const bp = where === undefined ? undefined : memory.word(address(where));
  return bp ?? 'the saved frame pointer cannot be read';
}

/** The CPU's five words as struct pt_regs; the others are what is known, or 0. */
function partialRegisters(bytes: Uint8Array, known: KnownRegisters): PtRegs | undefined {
  const whole = new Uint8Array(PT_REGS_SIZE);
  whole.set(bytes, PT_REGS_IP_OFFSET);
  const decoded = decodePtRegs(whole);
  if (decoded === undefined) return undefined;
  const { ip: _ip, sp: _sp, ...others } = known as Partial<Record<PtRegsName, bigint>>;
  return { ...decoded, ...others };
}

function address(value: bigint): bigint {
  return BigInt.asUintN(64, value);
}

function hex(value: bigint): string {
  return value.toString(16);
}
