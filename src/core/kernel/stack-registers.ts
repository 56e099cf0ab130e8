/**
 * The callee-saved registers of every frame: what a function held in bx, bp and r12..r15 when it made the call that it
 * is in. A kernel function keeps the objects that it works on there (the mutex, the inode), so this is where a search
 * for them looks besides the stack's words.
 *
 * From one frame to its caller, a register has the value that the function pushed in its prologue; one that it did not
 * push is unchanged, if the prologue accounts for all of the function's frame. Otherwise it is not known. Nothing is
 * guessed: a frame after one that was found by frame pointer or search has no registers but those ORC knows.
 */
import { CALLEE_SAVED, type CalleeSaved, type KnownRegisters } from '../arch/x86_64/registers.ts';
import { stackMemory } from '../arch/x86_64/stacks.ts';
import { PROLOGUE_LENGTH, readPrologue } from '../arch/x86_64/unwind-prologue.ts';
import type { OrcEntry } from '../formats/orc.ts';
import type { ReadRequest } from '../memory/backend.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import type { StackFrame, TaskStack } from './stack.ts';
import { hasOrc, orcTables } from './unwind-tables.ts';

/**
 * Registers of each frame of a stack, in the order of its frames: those that the unwind knows and those recovered.
 * Throws CancelledError, BackendError.
 */
export function recoverRegisters(kernel: Kernel, stack: TaskStack): readonly KnownRegisters[] {
  return recoverRegistersOf(kernel, [stack])[0] ?? [];
}

/** As recoverRegisters, for many stacks, whose functions are read in one request. */
export function recoverRegistersOf(
  kernel: Kernel,
  stacks: readonly TaskStack[],
): readonly (readonly KnownRegisters[])[] {
  if (!hasOrc(kernel)) return stacks.map((stack) => stack.frames.map((frame) => frame.registers));
  prefetchPrologues(kernel, stacks);
  return stacks.map((stack) => {
    const found: KnownRegisters[] = [];
    for (const [i, frame] of stack.frames.entries()) {
      const callee = stack.frames[i - 1];
      const recovered = callee === undefined ? {} : callersRegisters(kernel, stack, callee, frame, found[i - 1] ?? {});
      found.push({ ...recovered, ...frame.registers });
    }
    return found;
  });
}

function prefetchPrologues(kernel: Kernel, stacks: readonly TaskStack[]): void {
  const tables = orcTables(kernel);
  const functions = new Set<bigint>();
  for (const stack of stacks) {
    for (const { symbol } of stack.frames) if (symbol !== undefined) functions.add(symbol.address);
  }
  kernel.memory.prefetch([
    ...tables.lookupRanges(functions),
    ...[...functions].map(
      (address): ReadRequest => ({ space: 'virtual', address, length: PROLOGUE_LENGTH, what: 'text' }),
    ),
  ]);
  kernel.memory.prefetch(tables.tableRanges(functions));
}

/** What is known of a frame's callee-saved registers from the function that it called. */
function callersRegisters(
  kernel: Kernel,
  stack: TaskStack,
  callee: StackFrame,
  caller: StackFrame,
  known: KnownRegisters,
): KnownRegisters {
  if (caller.method !== 'orc' || !caller.reliable || callee.end === undefined || callee.symbol === undefined) return {};
  const tables = orcTables(kernel);
  const { address } = callee.symbol;
  const entry = tables.find(address);
  // A piece of a function that the compiler put elsewhere (`.cold`), or assembly: this is not where it began.
  if (!isFunctionEntry(entry)) return {};
  const bytes = kernel.memory.tryRead(address, PROLOGUE_LENGTH, 'text');
  if (bytes instanceof Fault) return {};
  const prologue = readPrologue(bytes, Number(callee.pc - address));
  const here = tables.find(callee.interrupted ? callee.pc : callee.pc - 1n);
  const accounted = typeof here !== 'string' && here.spRegister === 'sp' && here.spOffset === prologue.depth;
  const memory = stackMemory(stack.image === undefined ? [] : [stack.image]);
  const registers: Partial<Record<CalleeSaved, bigint>> = {};
  for (const name of CALLEE_SAVED) {
    const save = prologue.saved.find(({ register }) => register === name);
    const value =
      save === undefined ? (accounted ? known[name] : undefined) : memory.word(callee.end - BigInt(save.below));
    if (value !== undefined) registers[name] = value;
  }
  return registers;
}

/** At a function's first instruction only the return address is on the stack. */
function isFunctionEntry(entry: OrcEntry | string): boolean {
  return typeof entry !== 'string' && entry.type === 'call' && entry.spRegister === 'sp' && entry.spOffset === 8;
}
