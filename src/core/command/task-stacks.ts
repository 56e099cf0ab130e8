/**
 * Stacks of tasks as commands show them: unwound from memory, or as /proc/PID/stack tells them where there is none.
 */
import type { ExceptionFrame } from '../arch/x86_64/exception-frame.ts';
import type { FrameMethod } from '../arch/x86_64/unwind.ts';
import { type StackFrame, type TaskStack, type UnwindOptions, unwindTasks } from '../kernel/stack.ts';
import { type ProcFrame, type ProcStack, procStacks } from '../kernel/stack-procfs.ts';
import { isFromMemory, structOf, type TaskSummary } from '../kernel/task-summary.ts';
import { progressOver } from './progress.ts';
import type { Scope } from './scope.ts';

/** One frame; what only an unwind of memory knows is undefined in one from /proc. */
export interface ShownFrame {
  readonly index: number;
  readonly sp: bigint | undefined;
  readonly pc: bigint | undefined;
  readonly symbol: string | undefined;
  readonly symbolAddress: bigint | undefined;
  /** pc minus the symbol's address. */
  readonly offset: number;
  readonly module: string | undefined;
  readonly method: FrameMethod | 'proc';
  readonly reliable: boolean;
  readonly unwound: StackFrame | undefined;
}

export interface ShownStack {
  readonly task: TaskSummary;
  readonly frames: readonly ShownFrame[];
  /** The registers with which user mode entered the kernel. */
  readonly user: ExceptionFrame | undefined;
  /** Why there are no frames. */
  readonly refused: string | undefined;
  readonly note: string | undefined;
  /** The stack in memory. */
  readonly unwound: TaskStack | undefined;
}

/** What frames from /proc lack, for a notice. */
export const PROC_STACK_NOTICE =
  'from /proc/PID/stack: functions of the scheduler and of locks are left out, and addresses are not told';

/** For who shows nothing before the last stack: fewer requests, each for more. */
export const ALL_STACKS: UnwindOptions = { batch: 1024 };

/** The stacks of the tasks, in order, in batches. Throws what unwindTasks throws. */
export function* stacksOf(
  scope: Scope,
  tasks: Iterable<TaskSummary>,
  options: UnwindOptions = {},
): Iterable<ShownStack> {
  const { kernel } = scope;
  const told = progressOver(kernel, tasks);
  // Both take the tasks a batch ahead of what they answer.
  const waiting: TaskSummary[] = [];
  const noted = function* <T>(of: (task: TaskSummary) => T): Iterable<T> {
    for (const task of tasks) {
      waiting.push(task);
      yield of(task);
    }
  };
  if (isFromMemory(kernel)) {
    const addresses = noted((task) => structOf(kernel, task).address);
    for (const stack of unwindTasks(kernel, addresses, options)) {
      scope.check();
      told();
      yield shownStack(waiting.shift() as TaskSummary, stack);
    }
  } else {
    for (const stack of procStacks(
      kernel,
      noted((task) => task.pid),
    )) {
      scope.check();
      told();
      yield fromProc(waiting.shift() as TaskSummary, stack);
    }
  }
}

export function shownStack(task: TaskSummary, stack: TaskStack): ShownStack {
  const { user, refused, note } = stack;
  return { task, frames: stack.frames.map(fromUnwound), user, refused, note, unwound: stack };
}

function fromUnwound(frame: StackFrame): ShownFrame {
  return {
    index: frame.index,
    sp: frame.sp,
    pc: frame.pc,
    symbol: frame.symbol?.name,
    symbolAddress: frame.symbol?.address,
    offset: frame.offset,
    module: frame.module,
    method: frame.method,
    reliable: frame.reliable,
    unwound: frame,
  };
}

function fromProc(task: TaskSummary, stack: ProcStack): ShownStack {
  const refused = typeof stack === 'string' ? stack : undefined;
  const frames = typeof stack === 'string' ? [] : stack.map(procFrame);
  return { task, frames, user: undefined, refused, note: undefined, unwound: undefined };
}

/** The kernel's own unwinder found it; what it is not sure of it leaves out of the file. */
function procFrame({ symbol, offset, module }: ProcFrame, index: number): ShownFrame {
  return {
    index,
    sp: undefined,
    pc: undefined,
    symbol,
    symbolAddress: undefined,
    offset,
    module,
    method: 'proc',
    reliable: true,
    unwound: undefined,
  };
}
