/** What the reader of one kind of lock finds, before it is put together into a Lock (read-lock.ts). */
import { KdbgError } from '../../errors.ts';
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import type { Evidence, LockMode, LockTask, LockWord, Owner } from './lock.ts';
import type { TaskEntry, TaskTable } from './task-table.ts';

/** One on a lock's queue. */
export interface Queued {
  readonly node: bigint;
  /** The task that it names; undefined where it names none. */
  readonly task: TaskEntry | undefined;
  readonly mode: LockMode;
  readonly evidence: Evidence;
}

export interface LockReading {
  readonly owners: readonly Owner[];
  readonly readers: number | undefined;
  readonly queue: readonly Queued[];
  readonly words: readonly LockWord[];
  readonly state: string;
  readonly notes: readonly string[];
}

/** What readers of locks share: the kernel and its tasks. */
export interface LockScene {
  readonly kernel: Kernel;
  readonly tasks: TaskTable;
}

/** `lab_ab (130) at ffff888003a41b40`. */
export function nameTask(task: LockTask): string {
  return `${task.comm} (${task.pid}) at ${formatAddress(task.task)}`;
}

/** The owner that a lock's word names; undefined, with a note, for a word that names none. */
export function ownerOf(
  task: TaskEntry,
  of: Pick<Owner, 'mode' | 'role' | 'sure'>,
  ...evidence: readonly Evidence[]
): Owner {
  return { task: task.task, pid: task.pid, comm: task.comm, ...of, evidence };
}

/** Why an owner word leads to nobody. */
export function noTask(member: string, pointer: bigint): string {
  return `${member} is ${formatAddress(pointer)}, which is no task: it ended, or the lock is damaged`;
}

/** A flag word in words: names of the bits that are set, `none` without any. */
export function flagNames(value: bigint, flags: readonly (readonly [bigint, string])[]): string {
  const names = flags.filter(([bit]) => (value & bit) !== 0n).map(([, name]) => name);
  return names.length === 0 ? 'no flags' : names.join(' | ');
}

/** Undefined for what cannot be read; a command that was stopped stays stopped. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof KdbgError && error.status === 1) return undefined;
    throw error;
  }
}
