/** Reading one lock of a known kind, with its owners and its queue. */
import { UnsupportedError } from '../../errors.ts';
import type { Kernel } from '../kernel.ts';
import type { Lock, LockKind } from './lock.ts';

/**
 * The lock at an address. On a live target its words are read again after its queue; while they differ it is read anew, a
 * few times, and then marked `moved`. Throws FaultError, NotFoundError (the kernel's types lack it), UnsupportedError for
 * a kind that has no object.
 */
export function readLock(_kernel: Kernel, kind: LockKind, _address: bigint): Lock {
  throw new UnsupportedError(`a ${kind} cannot be read`);
}

/**
 * The kind of the lock at an address that nobody waits for: by its symbol's type or the object that it is in, else the one
 * kind that its words make sense as. Undefined when none or several do.
 */
export function guessLockKind(_kernel: Kernel, _address: bigint): LockKind | undefined {
  return undefined;
}
