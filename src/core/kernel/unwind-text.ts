/**
 * What the unwinder asks about text of this kernel: how the code at an address is unwound, what can be a return
 * address, and which real address a tracer's trampoline stands for.
 *
 * Code that the kernel made at run time has no ORC of its own. BPF programs and trampolines keep frame pointers
 * (the kernel's own unwinder relies on that too). A trampoline of the function tracer is a copy of ftrace_caller or
 * ftrace_regs_caller, and is unwound as that is.
 */
import { callTargetBefore } from '../arch/x86_64/disassemble-call.ts';
import { CALL_LENGTH_MAX } from '../arch/x86_64/scan.ts';
import type { StackImage } from '../arch/x86_64/stacks.ts';
import type { FrameRule, UnwindText } from '../arch/x86_64/unwind.ts';
import { KdbgError } from '../errors.ts';
import type { ReadRequest } from '../memory/backend.ts';
import { Fault } from '../memory/fault.ts';
import { VMLINUX } from '../types/btf-table.ts';
import type { Kernel } from './kernel.ts';
import { textWords } from './stack-text.ts';
import { defineStruct, long, pointer } from './struct.ts';
import { hasOrc, orcTables } from './unwind-tables.ts';
import { recoverReturn, trampolines } from './unwind-trampolines.ts';

/** kallsyms' pseudo modules of generated code. */
const BPF = 'bpf';
const FTRACE = '__builtin__ftrace';
/** Registered ftrace_ops at most: a few dozen on a machine that traces a lot. */
const FTRACE_OPS_MAX = 4096;
/** FTRACE_OPS_FL_SAVE_REGS, where BTF lacks the enumerator. */
const SAVE_REGS = 4n;

const FtraceOps = defineStruct('ftrace_ops', {
  next: pointer('next'),
  flags: long('flags'),
  trampoline: pointer('trampoline'),
});

/** The answers for one task's stack. Throws UnsupportedError when the target has no symbols. */
export function unwindText(kernel: Kernel, task: bigint): UnwindText {
  return {
    isText: (pc) => isText(kernel, pc),
    ruleAt: (pc) => ruleAt(kernel, pc),
    isReturnAddress: (pc) => trampolines(kernel).has(pc) || (isText(kernel, pc) && followsCall(kernel, pc)),
    recoverReturn: (pc, slot) => recoverReturn(kernel, task, pc, slot),
  };
}

/** Fetches, in one request, what tells which words of a stack are return addresses: the text before each. */
export function prefetchReturnAddresses(kernel: Kernel, image: StackImage): void {
  const ranges = [...textWords(kernel, image)].map((pc): ReadRequest => callRange(pc));
  kernel.memory.prefetch(ranges);
}

function ruleAt(kernel: Kernel, pc: bigint): FrameRule {
  if (!hasOrc(kernel)) return { method: 'fp' };
  const generator = generatedBy(kernel, pc);
  if (generator === BPF) return { method: 'fp' };
  const at = generator === FTRACE ? copiedFrom(kernel, pc) : pc;
  if (at === undefined) return { method: 'none', why: 'code that the kernel generated has no unwind information' };
  try {
    const answer = orcTables(kernel).find(at);
    return typeof answer === 'string' ? { method: 'none', why: answer } : { method: 'orc', entry: answer };
  } catch (error) {
    if (error instanceof KdbgError && error.status === 1 && !error.endsCommand)
      return { method: 'none', why: error.message };
    throw error;
  }
}

/** True in the text of vmlinux, of a module, and in code that the kernel generated. */
function isText(kernel: Kernel, pc: bigint): boolean {
  return kernel.symbols.isText(pc) || generatedBy(kernel, pc) !== undefined;
}

/** The pseudo module that generated the text at an address. */
function generatedBy(kernel: Kernel, pc: bigint): string | undefined {
  const module = kernel.symbols.nearest(pc)?.symbol.module;
  return module?.startsWith('__builtin__') === true || module === BPF ? module : undefined;
}

/** Where in vmlinux the code of an ftrace trampoline was copied from: its ftrace_ops says which of the two it is. */
function copiedFrom(kernel: Kernel, pc: bigint): bigint | undefined {
  const start = kernel.symbols.nearest(pc)?.symbol.address;
  if (start === undefined) return undefined;
  const ops = kernel.memo('ftrace trampolines', 'command', () => ftraceTrampolines(kernel));
  const original = ops.get(start);
  return original === undefined ? undefined : original + (pc - start);
}

/** The code that each registered ftrace_ops' own trampoline is a copy of, by the trampoline's address. */
function ftraceTrampolines(kernel: Kernel): ReadonlyMap<bigint, bigint> {
  const found = new Map<bigint, bigint>();
  const head = kernel.addressOf('ftrace_ops_list');
  const end = kernel.addressOf('ftrace_list_end');
  if (head === undefined || !kernel.hasStruct('ftrace_ops')) return found;
  const saveRegs = kernel.types.enumerator('FTRACE_OPS_FL_SAVE_REGS', VMLINUX)?.value ?? SAVE_REGS;
  const bound = kernel.struct(FtraceOps);
  let address = kernel.memory.u64(head, 'ftrace_ops_list');
  for (let count = 0; count < FTRACE_OPS_MAX && address !== 0n && address !== end; count++) {
    const ops = bound.at(address);
    const caller = kernel.addressOf((ops.flags & saveRegs) === 0n ? 'ftrace_caller' : 'ftrace_regs_caller');
    if (ops.trampoline !== 0n && caller !== undefined) found.set(ops.trampoline, caller);
    address = ops.next;
  }
  return found;
}

function followsCall(kernel: Kernel, pc: bigint): boolean {
  const { address, length, what } = callRange(pc);
  const bytes = kernel.memory.tryRead(address, length, what);
  return !(bytes instanceof Fault) && callTargetBefore(bytes, pc, (target) => isText(kernel, target)) !== undefined;
}

function callRange(pc: bigint): ReadRequest {
  return { space: 'virtual', address: pc - BigInt(CALL_LENGTH_MAX), length: CALL_LENGTH_MAX, what: 'text' };
}
