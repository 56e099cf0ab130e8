/** Locks that a task holds, as far as can be known: the kernel keeps no list of them (but for lockdep). */
import type { Kernel } from '../kernel.ts';
import type { LockKind, LockMode, Sureness } from './lock.ts';

export interface HeldLock {
  readonly kind: LockKind;
  readonly address: bigint;
  readonly mode: LockMode;
  readonly sure: Sureness;
  /** `its owner word`, `task->held_locks (lockdep)`, `a word of its stack leads to it`. */
  readonly how: string;
  /** Tasks that wait for it. */
  readonly waiters: number;
}

export interface HeldOptions {
  /** Also search slab objects that embed locks; frozen targets only. */
  readonly search?: boolean;
}

/** Locks held by a task (the address of a task_struct), surest first. */
export function heldBy(_kernel: Kernel, _task: bigint, _options: HeldOptions = {}): readonly HeldLock[] {
  return [];
}
