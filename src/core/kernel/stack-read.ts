/**
 * Reading stacks, many in one go. For a batch of tasks there is one request for their task_structs, one for their
 * stacks, and on a live target a third for the task_structs again: a task may have run while its stack was read. It
 * did not when it is still off the CPU, with the same stack pointer and the same number of context switches
 * (nvcsw + nivcsw counts each switch away from it). One that did is read again, a few times.
 */
import type { Stack, StackImage } from '../arch/x86_64/stacks.ts';
import { FaultError } from '../errors.ts';
import { PAGE_SIZE } from '../memory/address.ts';
import type { ReadRequest } from '../memory/backend.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import { StackTask, taskStack } from './stack-task.ts';

/** How often a task that keeps running is read again. */
const ATTEMPTS = 3;

/** What a task said of itself at one moment. */
export interface TaskMoment {
  readonly pid: number;
  readonly flags: number;
  readonly cpu: number | undefined;
  readonly running: boolean;
  /** task->stack; 0 for a dead task that gave it back. */
  readonly stack: bigint;
  readonly sp: bigint;
  /** Context switches so far. */
  readonly switches: bigint;
}

/** A task's stack as it was read. */
export interface ReadStack {
  readonly task: bigint;
  readonly moment: TaskMoment | Fault;
  /** Undefined when there is none to read: see `fault`, and `moment.running`. */
  readonly image: StackImage | undefined;
  /** Why part of the stack, or all of it, is missing. */
  readonly fault: Fault | undefined;
  /** The task ran each time its stack was read: the image may be of more than one moment. */
  readonly moved: boolean;
}

export interface ReadOptions {
  /** Read the whole stack; otherwise from the page of the stack pointer up, which is all that an unwind needs. */
  readonly whole?: boolean;
  /** Ranges to fetch along with the second look at the tasks, given what was read: unwind tables. */
  readonly alongside?: (images: readonly StackImage[]) => readonly ReadRequest[];
}

/** Reads the stacks of a batch of tasks. Throws CancelledError, BackendError. */
export function readStacks(kernel: Kernel, tasks: readonly bigint[], options: ReadOptions = {}): readonly ReadStack[] {
  const { memory } = kernel;
  const done = new Map<bigint, ReadStack>();
  memory.prefetch(taskRanges(kernel, tasks));
  let pending: readonly bigint[] = [...new Set(tasks)];
  let moments = new Map(pending.map((task) => [task, momentOf(kernel, task)]));
  for (let attempt = 1; pending.length > 0; attempt++) {
    const read = readImages(kernel, pending, moments, options);
    const alongside = options.alongside?.(read.flatMap(({ image }) => image ?? [])) ?? [];
    if (kernel.liveness === 'frozen') {
      memory.prefetch(alongside);
      for (const stack of read) done.set(stack.task, stack);
      break;
    }
    const again = taskRanges(kernel, pending);
    for (const range of again) memory.refresh(range.address, range.length);
    memory.prefetch([...alongside, ...again]);
    const before = moments;
    moments = new Map(pending.map((task) => [task, momentOf(kernel, task)]));
    const ran: bigint[] = [];
    for (const stack of read) {
      const now = moments.get(stack.task);
      const moved = hasRun(before.get(stack.task), now);
      if (moved && attempt < ATTEMPTS) ran.push(stack.task);
      else done.set(stack.task, { ...stack, moment: moved && now !== undefined ? now : stack.moment, moved });
    }
    for (const stack of read) {
      if (stack.image !== undefined && ran.includes(stack.task)) {
        memory.refresh(stack.image.address, stack.image.bytes.length);
      }
    }
    pending = ran;
  }
  return tasks.flatMap((task) => done.get(task) ?? []);
}

function readImages(
  kernel: Kernel,
  tasks: readonly bigint[],
  moments: ReadonlyMap<bigint, TaskMoment | Fault>,
  options: ReadOptions,
): readonly ReadStack[] {
  const wanted = tasks.map((task) => {
    const moment = moments.get(task);
    const range = moment === undefined || moment instanceof Fault ? undefined : rangeOf(kernel, moment, options);
    return { task, moment, range };
  });
  kernel.memory.prefetch(
    wanted.flatMap(({ range }) =>
      range === undefined ? [] : [{ space: 'virtual', address: range.from, length: range.length, what: 'stack' }],
    ),
  );
  return wanted.map(({ task, moment, range }) => {
    if (moment === undefined || moment instanceof Fault) {
      const fault = moment ?? new Fault({ space: 'virtual', address: task, length: 0, what: 'task_struct' }, 'io');
      return { task, moment: fault, image: undefined, fault, moved: false };
    }
    if (range === undefined) return { task, moment, image: undefined, fault: undefined, moved: false };
    const { image, fault } = readImage(kernel, range.stack, range.from, range.length);
    return { task, moment, image, fault, moved: false };
  });
}

interface StackRange {
  readonly stack: Stack;
  readonly from: bigint;
  readonly length: number;
}

/** What to read of a stack; nothing for a task that is running (on a live target) or has none. */
function rangeOf(kernel: Kernel, moment: TaskMoment, options: ReadOptions): StackRange | undefined {
  if (moment.stack === 0n || (moment.running && kernel.liveness === 'live')) return undefined;
  const stack = taskStack(kernel, moment.stack);
  const fromSp = moment.sp >= stack.start && moment.sp < stack.end && !moment.running && options.whole !== true;
  const from = fromSp ? moment.sp & ~BigInt(PAGE_SIZE - 1) : stack.start;
  const start = from < stack.start ? stack.start : from;
  return { stack, from: start, length: Number(stack.end - start) };
}

/** The longest readable part from `from` up, and the fault that ends it. */
function readImage(
  kernel: Kernel,
  stack: Stack,
  from: bigint,
  length: number,
): { image: StackImage | undefined; fault: Fault | undefined } {
  const whole = kernel.memory.tryRead(from, length, 'stack');
  if (!(whole instanceof Fault)) return { image: { stack, address: from, bytes: whole }, fault: undefined };
  const parts: Uint8Array[] = [];
  let size = 0;
  let fault: Fault = whole;
  while (size < length) {
    const at = from + BigInt(size);
    const part = kernel.memory.tryRead(at, Math.min(PAGE_SIZE - Number(at & 4095n), length - size), 'stack');
    if (part instanceof Fault) {
      fault = part;
      break;
    }
    parts.push(part);
    size += part.length;
  }
  if (size === 0) return { image: undefined, fault };
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return { image: { stack, address: from, bytes }, fault };
}

function momentOf(kernel: Kernel, address: bigint): TaskMoment | Fault {
  try {
    const task = kernel.struct(StackTask).at(address);
    return {
      pid: task.pid,
      flags: task.flags,
      cpu: task.cpu,
      running: (task.onCpu ?? 0) !== 0,
      stack: task.stack,
      sp: task.sp,
      switches: task.voluntarySwitches + task.involuntarySwitches,
    };
  } catch (error) {
    if (error instanceof FaultError) return error.fault;
    throw error;
  }
}

/** True when a task ran between two looks at it, or runs now. */
function hasRun(before: TaskMoment | Fault | undefined, now: TaskMoment | Fault | undefined): boolean {
  if (before === undefined || now === undefined || before instanceof Fault || now instanceof Fault) return false;
  if (before.running && now.running) return false;
  return (
    now.running ||
    before.running ||
    before.switches !== now.switches ||
    before.sp !== now.sp ||
    before.stack !== now.stack
  );
}

/** The pages of the members that tell whether a task ran. */
function taskRanges(kernel: Kernel, tasks: readonly bigint[]): readonly ReadRequest[] {
  const bound = kernel.struct(StackTask);
  const fields = ['pid', 'flags', 'stack', 'sp', 'onCpu', 'cpu', 'voluntarySwitches', 'involuntarySwitches'] as const;
  return tasks.flatMap((task) =>
    fields.flatMap((field): readonly ReadRequest[] => {
      const offset = bound.offset(field);
      return offset === undefined
        ? []
        : [{ space: 'virtual', address: task + BigInt(offset), length: 4, what: 'task_struct' }];
    }),
  );
}
