/**
 * Where the unwind of a stack that was read starts: at the frame that a sleeping task left; at the registers of a task
 * that was on a CPU when the target stopped, through that CPU's stacks; or nowhere, when those are not known, and all
 * that is left is to list what looks like return addresses.
 */
import { inactiveStart, type UnwindStart } from '../arch/x86_64/inactive-frame.ts';
import { generalRegisters, isUserMode, type PtRegs } from '../arch/x86_64/registers.ts';
import { scanForReturnAddress } from '../arch/x86_64/scan.ts';
import { type StackImage, type StackMemory, stackMemory } from '../arch/x86_64/stacks.ts';
import { FRAMES_MAX, type RawFrame, type UnwindText, type UnwoundStack, unwind } from '../arch/x86_64/unwind.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import { cpuStacks } from './stack-cpu.ts';
import type { ReadStack, TaskMoment } from './stack-read.ts';
import { forkEntries, inactiveFrameLayout } from './stack-task.ts';
import { prefetchReturnAddresses, unwindText } from './unwind-text.ts';

/** Frames of a stack, or a sentence that says why there are none. */
export interface Unwinding {
  readonly unwound: UnwoundStack | string;
  /** What the user should know of them. */
  readonly note?: string;
}

/** Unwinds a stack; `registers` are those of the CPU that the task was on, when it was and they are known. */
export function unwindImage(
  kernel: Kernel,
  read: ReadStack,
  moment: TaskMoment,
  registers: PtRegs | undefined,
): Unwinding {
  const memory = memoryOf(kernel, read, registers !== undefined);
  const text = unwindText(kernel, read.task);
  return moment.running
    ? unwindRunning(kernel, registers, read, memory, text)
    : unwindSleeping(kernel, moment, read, memory, text);
}

function unwindSleeping(
  kernel: Kernel,
  moment: TaskMoment,
  read: ReadStack,
  memory: StackMemory,
  text: UnwindText,
): Unwinding {
  const layout = inactiveFrameLayout(kernel);
  const bytes = memory.bytes(moment.sp, layout.size);
  const start = bytes && inactiveStart(moment.sp, bytes, layout, forkEntries(kernel));
  if (start !== undefined) return { unwound: unwind(start, memory, text) };
  const where = `thread.sp ${moment.sp.toString(16)}`;
  return { unwound: read.fault?.message ?? `${where} is not on the task's stack` };
}

/** A task that was on a CPU of a target that stopped: by its registers, else whatever looks like frames. */
function unwindRunning(
  kernel: Kernel,
  registers: PtRegs | undefined,
  read: ReadStack,
  memory: StackMemory,
  text: UnwindText,
): Unwinding {
  if (registers === undefined) {
    if (read.image !== undefined) prefetchReturnAddresses(kernel, read.image);
    const unwound = read.image === undefined ? undefined : guessFrames(read.image, memory, text);
    return {
      unwound: unwound ?? read.fault?.message ?? 'the stack cannot be read',
      note: 'the task was running and its registers are not known: these are guesses from what its stack holds',
    };
  }
  if (isUserMode(registers)) {
    const user = { address: 0n, registers, mode: 'user', full: true } as const;
    return {
      unwound: { frames: [], user, ended: 'user', stopped: undefined },
      note: 'the task was running in user mode',
    };
  }
  const start: UnwindStart = {
    pc: registers.ip,
    sp: registers.sp,
    slot: undefined,
    interrupted: true,
    registers: generalRegisters(registers),
  };
  return { unwound: unwind(start, memory, text) };
}

/** Everything on a stack that could be a return address, none of it sure. */
function guessFrames(image: StackImage, memory: StackMemory, text: UnwindText): UnwoundStack {
  const frames: RawFrame[] = [];
  let from = image.address;
  while (frames.length < FRAMES_MAX) {
    const found = scanForReturnAddress(memory, from, (pc) => text.isReturnAddress(pc));
    if (found === undefined) break;
    from = found.slot + 8n;
    frames.push({
      pc: found.pc,
      sp: found.slot,
      interrupted: false,
      start: from,
      end: undefined,
      method: 'guess',
      reliable: false,
      registers: {},
      exception: undefined,
      stack: image.stack,
      trampoline: undefined,
    });
  }
  return { frames, user: undefined, ended: 'stopped', stopped: undefined };
}

function memoryOf(kernel: Kernel, read: ReadStack, withCpu: boolean): StackMemory {
  const images = read.image === undefined ? [] : [read.image];
  const cpu = read.moment instanceof Fault ? undefined : read.moment.cpu;
  if (!withCpu || cpu === undefined) return stackMemory(images);
  return stackMemory(images, cpuStacks(kernel, cpu), (address, length) => {
    const bytes = kernel.memory.tryRead(address, length, 'stack');
    return bytes instanceof Fault ? undefined : bytes;
  });
}
