/**
 * Kernel stacks of tasks, unwound and symbolised: what `bt` shows and the search for locks reads.
 *
 *     for (const stack of unwindTasks(kernel, tasks)) for (const frame of stack.frames) ...
 *
 * A stack that cannot be unwound is an answer too: `refused` says why (the task is running on a live kernel, has no
 * stack any more, cannot be read), and `frames` is empty. Where an unwind ends early `note` says why.
 *
 * Layout of one frame, addresses growing upward. `frame.sp` is the slot that crash prints in brackets; the function's
 * own memory, where its locals and the registers that it saved are, is [start, end):
 *
 *     frame.end    the caller's frame begins
 *     frame.end-8  return address into the caller: the next frame's sp
 *     ...          locals, saved registers
 *     frame.start  the function's stack pointer at its call
 *     frame.sp     frame.pc, the return address that the call pushed
 *
 * Words of a frame: `frameWords` (stack-words.ts). Registers: `frame.registers` has those that are known for certain:
 * bp where ORC follows it, all callee-saved ones in the first frame of a sleeping task (as they were in __schedule),
 * all of them in a frame that an exception interrupted; `recoverRegisters` (stack-registers.ts) finds more.
 */
import { type ExceptionFrame, userRegisters } from '../arch/x86_64/exception-frame.ts';
import type { PtRegs } from '../arch/x86_64/registers.ts';
import type { StackImage } from '../arch/x86_64/stacks.ts';
import type { RawFrame, UnwoundStack } from '../arch/x86_64/unwind.ts';
import { Fault } from '../memory/fault.ts';
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';
import { type ReadStack, readStacks, type TaskMoment } from './stack-read.ts';
import { PF_KTHREAD, requireStackSources } from './stack-task.ts';
import { unwindImage } from './stack-unwind.ts';
import { prefetchUnwindTables } from './unwind-prefetch.ts';
import { unwindText } from './unwind-text.ts';
import { trampolines } from './unwind-trampolines.ts';

export { stackOf, threadSize } from './stack-task.ts';

/** One frame with its function. */
export interface StackFrame extends RawFrame {
  /** 0 is the innermost. */
  readonly index: number;
  /** The function that pc is in; undefined when no symbol is near. */
  readonly symbol: KernelSymbol | undefined;
  /** pc minus the symbol's address. */
  readonly offset: number;
  /** The symbol's module; undefined for vmlinux. */
  readonly module: string | undefined;
}

/** A task's stack, unwound. */
export interface TaskStack {
  readonly task: bigint;
  readonly pid: number | undefined;
  /** The CPU that the task runs on or last ran on. */
  readonly cpu: number | undefined;
  /** True for a task that was on a CPU when the target stopped: its frames come from registers or are guesses. */
  readonly running: boolean;
  /** The stack's bytes, from below the innermost frame (or whole, when asked) to its end. */
  readonly image: StackImage | undefined;
  /** Innermost first. */
  readonly frames: readonly StackFrame[];
  /** The registers with which user mode entered the kernel; undefined for a kernel thread. */
  readonly user: ExceptionFrame | undefined;
  /** Why there are no frames at all, a sentence. */
  readonly refused: string | undefined;
  /** What the user should know of the frames: where and why they end early, that the task ran meanwhile. */
  readonly note: string | undefined;
  /** True when the unwind reached user mode or the stack's end and nothing in it was a guess. */
  readonly complete: boolean;
  /** True when the task ran each time that its stack was read: words and frames may be of more than one moment. */
  readonly moved: boolean;
}

export interface UnwindOptions {
  /** Tasks read with one set of requests, instead of 64: for one who needs all of them before going on. */
  readonly batch?: number;
  /** Read whole stacks, for `bt -t`, `-T` and `-e`: without it only the part in use is. */
  readonly whole?: boolean;
  /** Registers of a CPU of a stopped target (NT_PRSTATUS), for the task that was on it. */
  readonly registers?: (cpu: number, task: bigint) => PtRegs | undefined;
}

/** Tasks read with one set of requests. */
const BATCH = 64;

/** Unwinds one task's stack. Throws what unwindTasks throws. */
export function unwindTask(kernel: Kernel, task: bigint, options: UnwindOptions = {}): TaskStack {
  for (const stack of unwindTasks(kernel, [task], options)) return stack;
  throw new Error('unwindTasks answers every task');
}

/**
 * Unwinds the stacks of tasks (addresses of task_structs), in order. Reads them in batches: three or four requests for
 * each batch of 64, besides the unwind tables when they are first needed. Throws UnsupportedError or NotFoundError when
 * the target lacks memory, symbols or types for it, CancelledError, BackendError.
 */
export function* unwindTasks(
  kernel: Kernel,
  tasks: Iterable<bigint>,
  options: UnwindOptions = {},
): Generator<TaskStack, void> {
  requireStackSources(kernel);
  let batch: bigint[] = [];
  for (const task of tasks) {
    batch.push(task);
    if (batch.length < (options.batch ?? BATCH)) continue;
    yield* unwindBatch(kernel, batch, options);
    batch = [];
  }
  yield* unwindBatch(kernel, batch, options);
}

function* unwindBatch(kernel: Kernel, tasks: readonly bigint[], options: UnwindOptions): Generator<TaskStack, void> {
  if (tasks.length === 0) return;
  const prefetch = prefetchUnwindTables(kernel);
  const stacks = readStacks(kernel, tasks, {
    whole: options.whole ?? false,
    alongside: (images) => prefetch.first(images),
  });
  prefetch.second();
  for (const stack of stacks) yield unwindRead(kernel, stack, options);
}

function unwindRead(kernel: Kernel, read: ReadStack, options: UnwindOptions): TaskStack {
  const { task, moment } = read;
  if (moment instanceof Fault) return refusal(task, undefined, moment.message);
  const cpu = moment.cpu === undefined ? '' : ` on CPU ${moment.cpu}`;
  if (moment.running && kernel.liveness === 'live') return refusal(task, moment, `the task is running${cpu}`);
  if (moment.stack === 0n) return refusal(task, moment, 'the task has exited and given its stack back');
  const registers = moment.running && moment.cpu !== undefined ? options.registers?.(moment.cpu, task) : undefined;
  const { unwound, note } = unwindImage(kernel, read, moment, registers);
  if (typeof unwound === 'string') return { ...refusal(task, moment, unwound), image: read.image };
  return finish(kernel, read, moment, unwound, note);
}

/** The stack as commands see it, of frames that were found on what was read. */
export function finish(
  kernel: Kernel,
  read: ReadStack,
  moment: TaskMoment,
  unwound: UnwoundStack,
  note: string | undefined,
): TaskStack {
  const isKernelThread = (moment.flags & PF_KTHREAD) !== 0;
  const atTop = read.image !== undefined && reachesEnd(read.image) && !isKernelThread;
  const user = unwound.user ?? (atTop ? userRegisters(read.image, unwindText(kernel, read.task).isText) : undefined);
  const notes = [
    read.moved ? 'the task ran while its stack was read: frames may be of different moments' : undefined,
    note,
    unwound.stopped === undefined ? undefined : `the unwind stopped: ${unwound.stopped}`,
  ].filter((text) => text !== undefined);
  return {
    task: read.task,
    pid: moment.pid,
    cpu: moment.cpu,
    running: moment.running,
    image: read.image,
    frames: unwound.frames.map((frame, index) => symbolised(kernel, frame, index)),
    user,
    refused: undefined,
    note: notes.length === 0 ? undefined : notes.join('; '),
    complete: unwound.ended !== 'stopped' && !read.moved && unwound.frames.every((frame) => frame.reliable),
    moved: read.moved,
  };
}

/** A return address after a call that never returns is the first of the next function: the call says which it is in. */
function symbolised(kernel: Kernel, frame: RawFrame, index: number): StackFrame {
  const isTrampoline = trampolines(kernel).has(frame.pc);
  const found = kernel.symbols.nearest(frame.interrupted || isTrampoline ? frame.pc : frame.pc - 1n);
  const symbol = found?.symbol;
  return {
    ...frame,
    index,
    symbol,
    offset: symbol === undefined ? 0 : Number(frame.pc - symbol.address),
    module: symbol?.module,
  };
}

function reachesEnd(image: StackImage): boolean {
  return image.address + BigInt(image.bytes.length) === image.stack.end;
}

function refusal(task: bigint, moment: TaskMoment | undefined, why: string): TaskStack {
  return {
    task,
    pid: moment?.pid,
    cpu: moment?.cpu,
    running: moment?.running ?? false,
    image: undefined,
    frames: [],
    user: undefined,
    refused: why,
    note: undefined,
    complete: false,
    moved: false,
  };
}
