/**
 * The last resort: a search of the stack for words that could be return addresses. A word counts only when it points
 * into text and the instruction before it is a call. Old frames leave such words behind, so what is found this way is
 * always marked as a guess.
 */
import type { StackMemory } from './stacks.ts';
import type { FrameState, Step } from './unwind-orc.ts';

/** More than any stack has (KASAN doubles 16 KiB to 32): a bound, should a stack's end be nonsense. */
const WORDS_MAX = 8192;

/** The next word at or above `from` that could be a return address. */
export function scanForReturnAddress(
  memory: StackMemory,
  from: bigint,
  isReturnAddress: (pc: bigint) => boolean,
): { readonly slot: bigint; readonly pc: bigint } | undefined {
  const stack = memory.stackAt(from);
  if (stack === undefined) return undefined;
  let slot = (from + 7n) & ~7n;
  for (let count = 0; count < WORDS_MAX && slot < stack.end; count++, slot += 8n) {
    const pc = memory.word(slot);
    if (pc !== undefined && isReturnAddress(pc)) return { slot, pc };
  }
  return undefined;
}

/** One step by a search of the stack above the frame; of the caller's registers nothing is known. */
export function stepByScan(
  state: FrameState,
  memory: StackMemory,
  isReturnAddress: (pc: bigint) => boolean,
): Step | undefined {
  const found = scanForReturnAddress(memory, state.sp, isReturnAddress);
  if (found === undefined) return undefined;
  const cfa = found.slot + 8n;
  return {
    cfa,
    caller: { pc: found.pc, sp: cfa, slot: found.slot, registers: {}, interrupted: false, exception: undefined },
  };
}

/** Bytes before an address that say whether a call ends there. */
export const CALL_LENGTH_MAX = 7;

/**
 * True when the bytes could end with a call through a register or memory: `ff /2` with any of its operands. Read
 * backwards x86 code is ambiguous, so this is necessary and not sufficient.
 */
export function endsWithIndirectCall(bytes: Uint8Array): boolean {
  const end = bytes.length;
  for (const length of [2, 3, 4, 6, 7]) {
    if (end < length || bytes[end - length] !== 0xff) continue;
    const modrm = bytes[end - length + 1] as number;
    if (((modrm >> 3) & 7) === 2 && indirectCallLength(modrm, bytes[end - length + 2]) === length) return true;
  }
  return false;
}

/** Length of `ff /2` by its operand: register, or memory with a SIB byte and a displacement. */
function indirectCallLength(modrm: number, sib: number | undefined): number {
  const mode = modrm >> 6;
  const operand = modrm & 7;
  if (mode === 3) return 2;
  const hasSib = operand === 4;
  const absolute = mode === 0 && (operand === 5 || (hasSib && ((sib ?? 0) & 7) === 5));
  return 2 + (hasSib ? 1 : 0) + (mode === 1 ? 1 : mode === 2 || absolute ? 4 : 0);
}
