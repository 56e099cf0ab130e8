/**
 * Unwinding a kernel stack on x86-64: from where a task stopped, frame by frame, up to where it entered the kernel.
 *
 * Each step asks, in this order: ORC, which is exact; the frame pointer; a search of the stack. What was not found by
 * ORC or saved registers is a guess, and so is everything above it. An unwind ends at registers saved from user mode,
 * where ORC says that the stack ends, or with a sentence on why it cannot go on. It is bounded: by a number of frames,
 * and because within one stack the stack pointer only grows and a stack that was left is never entered again.
 *
 * The kernel's own unwinder (arch/x86/kernel/unwind_orc.c) is the model for what is a step and what ends one; unlike
 * it, this one goes on by other means where ORC fails, and says so.
 */
import type { OrcEntry } from '../../formats/orc.ts';
import type { ExceptionFrame } from './exception-frame.ts';
import { stepByFramePointer } from './frame-pointer.ts';
import type { UnwindStart } from './inactive-frame.ts';
import type { KnownRegisters } from './registers.ts';
import { stepByScan } from './scan.ts';
import type { Stack, StackMemory } from './stacks.ts';
import { type FrameState, NULL_CALL_ENTRY, type Step, stepByOrc } from './unwind-orc.ts';

/** More frames than a kernel stack can hold in practice; what reaches it is a loop or corrupt. */
export const FRAMES_MAX = 1024;

/**
 * How a frame was found: `regs` from saved registers (where the task stopped, or what an exception interrupted),
 * `orc`, `fp` by frame pointer, `scan` as a likely return address on the stack above a frame that could not be
 * unwound, `guess` as one on the stack of a task whose registers are not known.
 */
export type FrameMethod = 'regs' | 'orc' | 'fp' | 'scan' | 'guess';

/** One frame: a function that had not returned. */
export interface RawFrame {
  /** A return address, or where the function was interrupted (see `interrupted`). */
  readonly pc: bigint;
  /** Address of the stack slot that holds pc; for an interrupted frame, its stack pointer. */
  readonly sp: bigint;
  readonly interrupted: boolean;
  /** The stack pointer in the function after the call returned: its own part of the stack is [start, end). */
  readonly start: bigint;
  /** The caller's stack pointer, so that the return address to the caller lies below it; undefined when not known. */
  readonly end: bigint | undefined;
  readonly method: FrameMethod;
  /** False from the first guess on. */
  readonly reliable: boolean;
  /** Registers as they are in this frame, of those that are known. */
  readonly registers: KnownRegisters;
  /** The registers that an exception saved when it interrupted this frame. */
  readonly exception: ExceptionFrame | undefined;
  /** The stack that the frame is on; undefined when its stack pointer is on none. */
  readonly stack: Stack | undefined;
  /** The tracer's trampoline that the return address on the stack was replaced by. */
  readonly trampoline: string | undefined;
}

/** How one piece of text is unwound. */
export type FrameRule =
  | { readonly method: 'orc'; readonly entry: OrcEntry }
  /** Text that keeps frame pointers: a kernel without ORC, BPF programs. */
  | { readonly method: 'fp' }
  /** Nothing is known of it, and why: a sentence. */
  | { readonly method: 'none'; readonly why: string };

/** What the unwinder asks about text. */
export interface UnwindText {
  /** How the code at this address is unwound. */
  ruleAt(pc: bigint): FrameRule;
  /** True for an address in kernel text: vmlinux's, a module's, generated code. */
  isText(pc: bigint): boolean;
  /** True when it is text and the instruction before it is a call, or a trampoline that stands for such an address. */
  isReturnAddress(pc: bigint): boolean;
  /** The return address that a tracer has replaced by its own: undefined when this is no trampoline of one. */
  recoverReturn?(pc: bigint, slot: bigint): RecoveredReturn | undefined;
}

/** A trampoline's name, and the address behind it when it was found. */
export interface RecoveredReturn {
  readonly trampoline: string;
  readonly pc: bigint | undefined;
}

export interface UnwoundStack {
  /** Innermost first. */
  readonly frames: readonly RawFrame[];
  /** Registers saved when user mode entered the kernel, when the unwind reached them. */
  readonly user: ExceptionFrame | undefined;
  /** How it ended: at user mode, where the tables say the stack ends, or before. */
  readonly ended: 'user' | 'end-of-stack' | 'stopped';
  /** Why it stopped early, a sentence; undefined otherwise. */
  readonly stopped: string | undefined;
}

/** Unwinds from the start. Never throws but what the environment throws (a cancelled command). */
export function unwind(start: UnwindStart, memory: StackMemory, text: UnwindText): UnwoundStack {
  const frames: RawFrame[] = [];
  const left = new Set<Stack>();
  let state: FrameState = { ...start, exception: undefined };
  let method: FrameMethod = 'regs';
  let reliable = true;
  let trampoline: string | undefined;
  const ended = (how: UnwoundStack['ended'], stopped?: string, user?: ExceptionFrame): UnwoundStack => ({
    frames,
    user,
    ended: how,
    stopped,
  });

  for (;;) {
    if (state.exception?.mode === 'user') return ended('user', undefined, state.exception);
    if (frames.length >= FRAMES_MAX) return ended('stopped', `more than ${FRAMES_MAX} frames`);
    const stack = stackOf(state, memory);
    frames.push(frameOf(state, method, reliable, stack, trampoline));
    const found = nextStep(state, memory, text);
    if (found === 'end-of-stack') return ended('end-of-stack');
    if (typeof found === 'string') return ended('stopped', found);
    // What an exact table finds from a guessed place is still a guess.
    reliable &&= found.reliable;
    method = found.step.caller.exception === undefined ? found.method : 'regs';
    closeFrame(frames, found.step.cfa);

    const next = withRealReturn(found.step.caller, text);
    trampoline = next.trampoline;
    const progress = checkProgress(state, stack, next.state, stackOf(next.state, memory), left);
    if (progress !== undefined) return ended('stopped', progress);
    state = next.state;
  }
}

type Found = { readonly step: Step; readonly method: FrameMethod; readonly reliable: boolean };

/** ORC, else the frame pointer, else a search; a sentence when none leads on. */
function nextStep(state: FrameState, memory: StackMemory, text: UnwindText): Found | 'end-of-stack' | string {
  const rule = state.pc === 0n ? ({ method: 'orc', entry: NULL_CALL_ENTRY } as const) : ruleOf(state, text);
  let why = rule.method === 'none' ? rule.why : 'the frame pointer leads nowhere';
  if (rule.method === 'orc') {
    if (rule.entry.type === 'end-of-stack') return 'end-of-stack';
    const step = stepByOrc(rule.entry, state, memory);
    if (typeof step === 'string') why = step;
    else if (step.caller.exception === undefined && !text.isText(step.caller.pc)) {
      why = `the return address ${step.caller.pc.toString(16)} is not kernel text`;
    } else return { step, method: 'orc', reliable: state.pc !== 0n };
  }
  const step = stepByFramePointer(state, memory);
  if (typeof step !== 'string' && (step.caller.exception !== undefined || text.isReturnAddress(step.caller.pc))) {
    return { step, method: 'fp', reliable: rule.method === 'fp' };
  }
  // The outermost function of a task in a kernel with frame pointers: entry code calls it with bp cleared.
  if (rule.method === 'fp' && state.registers.bp === 0n) return 'end-of-stack';
  const scanned = stepByScan(state, memory, (pc) => text.isReturnAddress(pc));
  return scanned === undefined ? why : { step: scanned, method: 'scan', reliable: false };
}

/** A return address is looked up at the call before it: a function can end with a call that never returns. */
function ruleOf(state: FrameState, text: UnwindText): FrameRule {
  return text.ruleAt(state.interrupted ? state.pc : state.pc - 1n);
}

function frameOf(
  state: FrameState,
  method: FrameMethod,
  reliable: boolean,
  stack: Stack | undefined,
  trampoline: string | undefined,
): RawFrame {
  return {
    pc: state.pc,
    sp: state.slot ?? state.sp,
    interrupted: state.interrupted,
    start: state.sp,
    end: undefined,
    method,
    reliable,
    registers: state.registers,
    exception: state.exception,
    stack,
    trampoline,
  };
}

/** The newest frame ends where its caller's stack pointer is. */
function closeFrame(frames: RawFrame[], cfa: bigint): void {
  const last = frames.at(-1);
  if (last !== undefined) frames[frames.length - 1] = { ...last, end: cfa };
}

/** The function graph tracer and return probes put their own address in place of a return address. */
function withRealReturn(state: FrameState, text: UnwindText): { state: FrameState; trampoline: string | undefined } {
  // An exception right after the return to a trampoline finds the slot that was returned from below sp.
  const recovered = text.recoverReturn?.(state.pc, state.slot ?? state.sp - 8n);
  if (recovered === undefined) return { state, trampoline: undefined };
  return { state: { ...state, pc: recovered.pc ?? state.pc }, trampoline: recovered.trampoline };
}

/** The stack of a frame: sp itself can be a stack's end, one past its last byte. */
function stackOf(state: FrameState, memory: StackMemory): Stack | undefined {
  return memory.stackAt(state.slot ?? state.sp) ?? memory.stackAt(state.sp - 8n);
}

/** Refuses what cannot be progress: the bound on every unwind. Undefined when the step is fine. */
function checkProgress(
  state: FrameState,
  stack: Stack | undefined,
  next: FrameState,
  nextStack: Stack | undefined,
  left: Set<Stack>,
): string | undefined {
  if (next.exception?.mode === 'user') return undefined;
  if (nextStack === undefined) return `the stack pointer ${next.sp.toString(16)} is not on a known stack`;
  if (nextStack === stack) return next.sp > state.sp ? undefined : 'the stack goes in the wrong direction';
  if (left.has(nextStack)) return `the ${nextStack.name} stack is reached a second time`;
  if (stack !== undefined) left.add(stack);
  return undefined;
}
