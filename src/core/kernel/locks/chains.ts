/** Chains of waits that end: at a task that waits for no lock, or at a lock whose holder is not known. */
import type { Kernel } from '../kernel.ts';
import type { WaitEdge, WaitGraph } from './graph.ts';
import type { LockTask, Sureness, Wait } from './lock.ts';

/** What the task at the end of a chain does. */
export interface RootHolder extends LockTask {
  /** Its state as ps writes it. */
  readonly state: string;
  readonly doing: 'running' | 'runnable' | 'io' | 'waiting' | 'sleeping' | 'stopped' | 'exiting' | 'idle' | 'unknown';
  /** A phrase: `runs on CPU 3`, `sleeps in handle_userfault`, `waits for I/O in io_schedule`. */
  readonly text: string;
  /** What it waits for, when that is something without an owner (a completion, I/O, user space). */
  readonly wait: Wait | undefined;
}

export interface Chain {
  /** From the waiter furthest back to the root; each edge's owner is the next one's waiter. */
  readonly edges: readonly WaitEdge[];
  /** The task that holds all up; undefined where the last lock's holder is not known. */
  readonly root: RootHolder | undefined;
  /** The wait that the chain ends at when its lock has no known owner. */
  readonly last: Wait | undefined;
  /** All tasks that wait for the root, directly or through others. */
  readonly blocked: readonly LockTask[];
  readonly sure: Sureness;
}

/** The longest chain to each root, longest first, without those that lead into a cycle. */
export function chains(_kernel: Kernel, _graph: WaitGraph): readonly Chain[] {
  return [];
}
