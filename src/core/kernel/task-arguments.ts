/**
 * A process's command line and environment: between mm->arg_start and arg_end, env_start and env_end, in its own
 * memory, where it may have written anything. Strings end with NUL.
 */
import { FaultError } from '../errors.ts';
import { USER_MEMORY } from '../memory/backend.ts';
import { Fault } from '../memory/fault.ts';
import { decodeCString, decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import { MmStruct, type Task } from './task-struct.ts';
import { readUserMany, type UserRange } from './user-memory.ts';

/** The kernel's own bound is a quarter of the stack; this is what is worth showing. */
const LENGTH_MAX = 128 * 1024;

export interface TaskArguments {
  /** The strings, or why they cannot be read: a page of the process that is not in memory. */
  readonly arguments: readonly string[] | Fault;
  readonly environment: readonly string[] | Fault;
}

/** Brings the arguments and environments of many tasks in: a level of all page tables at a time. */
export function prefetchArguments(kernel: Kernel, tasks: readonly Task[]): void {
  const mms = [...new Set(tasks.map((task) => task.mm))].filter((mm) => mm !== 0n);
  kernel.struct(MmStruct).prefetch(mms);
  readUserMany(
    kernel,
    mms.flatMap((mm) => rangesOf(kernel, mm)),
  );
}

/** Undefined for a task without memory of its own. Throws FaultError when the mm_struct cannot be read. */
export function taskArguments(kernel: Kernel, task: Task): TaskArguments | undefined {
  const { mm } = task;
  if (mm === 0n) return undefined;
  const [argumentBytes, environmentBytes] = readUserMany(kernel, rangesOf(kernel, mm));
  const { argEnd, envStart } = kernel.struct(MmStruct).at(mm);
  const title = processTitle(argumentBytes, envStart === argEnd ? environmentBytes : undefined);
  return {
    arguments: title === undefined ? strings(argumentBytes) : [title],
    environment: title === undefined ? strings(environmentBytes) : [],
  };
}

/**
 * A process may write its own title over its arguments, and over the environment behind them where that is too short;
 * the arguments then no longer end with NUL (get_mm_cmdline() in fs/proc/base.c).
 */
function processTitle(
  argumentBytes: Uint8Array | Fault | undefined,
  environmentBytes: Uint8Array | Fault | undefined,
): string | undefined {
  if (!(argumentBytes instanceof Uint8Array) || !(environmentBytes instanceof Uint8Array)) return undefined;
  const last = argumentBytes.at(-1);
  if (last === undefined || last === 0) return undefined;
  const whole = new Uint8Array(argumentBytes.length + environmentBytes.length);
  whole.set(argumentBytes);
  whole.set(environmentBytes, argumentBytes.length);
  return decodeCString(whole);
}

/** As taskArguments, without the environment and without a fault: throws it. */
export function commandLine(kernel: Kernel, task: Task): readonly string[] {
  const found = taskArguments(kernel, task)?.arguments ?? [];
  if (found instanceof Fault) throw new FaultError(found);
  return found;
}

function rangesOf(kernel: Kernel, mm: bigint): readonly [UserRange, UserRange] {
  const { argStart, argEnd, envStart, envEnd } = kernel.struct(MmStruct).at(mm);
  return [
    { mm, address: argStart, length: lengthOf(argStart, argEnd), what: `${USER_MEMORY}: arguments` },
    { mm, address: envStart, length: lengthOf(envStart, envEnd), what: `${USER_MEMORY}: environment` },
  ];
}

function lengthOf(start: bigint, end: bigint): number {
  const length = end - start;
  return length <= 0n ? 0 : Number(length > BigInt(LENGTH_MAX) ? BigInt(LENGTH_MAX) : length);
}

function strings(bytes: Uint8Array | Fault | undefined): readonly string[] | Fault {
  if (bytes === undefined) return [];
  if (bytes instanceof Fault) return bytes;
  const found = decodeText(bytes).split('\0');
  if (found.at(-1) === '') found.pop();
  return found;
}
