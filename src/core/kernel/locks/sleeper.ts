/** Tasks that are off the CPU, with their stacks, read in as few requests as there are batches. */
import { isKernelAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { type TaskStack, unwindTasks } from '../stack.ts';
import type { TaskEntry } from './task-table.ts';
import { type WaitFunction, waitFunction } from './wait-function.ts';

/** Stacks fetched with one request: at a page or two each, an eighth of the page cache. */
const BATCH = 1024;

export interface Sleeper {
  readonly entry: TaskEntry;
  readonly stack: TaskStack;
  /** The function that says what it waits for; undefined when none does. */
  readonly waits: WaitFunction | undefined;
  /** The lowest address of the stack that is in use. */
  readonly from: bigint;
}

/** The stacks of tasks, unwound, in order; of a task without one nothing. Throws as unwindTasks does. */
export function* sleepersOf(kernel: Kernel, tasks: readonly TaskEntry[]): Generator<Sleeper, void> {
  for (let at = 0; at < tasks.length; at += BATCH) {
    const batch = tasks.slice(at, at + BATCH);
    const stacks = unwindTasks(
      kernel,
      batch.map(({ task }) => task),
      { batch: BATCH },
    );
    let i = 0;
    for (const stack of stacks) {
      const entry = batch[i++];
      if (entry === undefined) return;
      const from = (stack.frames[0]?.sp ?? stack.image?.address ?? 0n) - INACTIVE_FRAME;
      yield { entry, stack, waits: waitFunction(stack), from };
    }
  }
}

/** The saved registers lie below the innermost return address (struct inactive_task_frame: six of them). */
const INACTIVE_FRAME = 48n;

/** Addresses of the words of the stack in use that are this value, lowest first. */
export function wordsEqual(sleeper: Sleeper, value: bigint): readonly bigint[] {
  const { image } = sleeper.stack;
  if (image === undefined) return [];
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  const low = Number(value & 0xffff_ffffn);
  const high = Number(value >> 32n);
  const found: bigint[] = [];
  for (let offset = firstOffset(sleeper); offset + 8 <= view.byteLength; offset += 8) {
    if (view.getUint32(offset, true) === low && view.getUint32(offset + 4, true) === high) {
      found.push(image.address + BigInt(offset));
    }
  }
  return found;
}

/** A word of the stack that may be a pointer to a lock. */
export interface Candidate {
  /** What it points to. */
  readonly value: bigint;
  /** Where it was seen, for people. */
  readonly text: string;
  readonly by: 'register' | 'stack';
}

/**
 * Kernel pointers on the stack from its innermost word to the end of a frame, each once, nearest first: what the waiting
 * function and its callers were given. Pointers into the task's own stack count only with `own`.
 */
export function candidates(sleeper: Sleeper, frame: number, own = false): readonly Candidate[] {
  const { stack, entry } = sleeper;
  const { image } = stack;
  if (image === undefined) return [];
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  const last = stack.frames[Math.min(frame, stack.frames.length - 1)];
  const end = Math.min(last?.end === undefined ? view.byteLength : Number(last.end - image.address), view.byteLength);
  const found = new Map<bigint, Candidate>();
  for (let offset = firstOffset(sleeper); offset + 8 <= end; offset += 8) {
    const value = view.getBigUint64(offset, true);
    if (!isKernelAddress(value) || (value & 3n) !== 0n || found.has(value) || value === entry.task) continue;
    if (!own && value >= image.stack.start && value < image.stack.end) continue;
    const at = image.address + BigInt(offset);
    found.set(value, { value, ...placeOf(stack, at) });
  }
  return [...found.values()];
}

/** A word below the first frame is a register that the switch saved. */
function placeOf(stack: TaskStack, at: bigint): Pick<Candidate, 'text' | 'by'> {
  const first = stack.frames[0];
  if (first !== undefined && at < first.sp)
    return { by: 'register', text: 'a register saved when it was switched out' };
  const frame = stack.frames.find(({ end }) => end !== undefined && at < end);
  return { by: 'stack', text: `a word in the frame of ${frame?.symbol?.name ?? 'an unknown function'}` };
}

function firstOffset({ stack, from }: Sleeper): number {
  const start = stack.image?.address ?? 0n;
  const offset = from > start ? Number(from - start) : 0;
  return offset + ((8 - (offset & 7)) & 7);
}
