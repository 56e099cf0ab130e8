/** What the finders of waits (find-wait.ts) answer, and what they share. */
import type { Evidence, LockKind, LockMode, Sureness } from './lock.ts';
import type { LockScene } from './lock-reading.ts';
import type { WaitFunction } from './wait-function.ts';
import type { QueuedKind, RingMap } from './wait-list.ts';

/** What a finder answers. */
export interface FoundWait {
  readonly kind: LockKind;
  readonly address: bigint | undefined;
  readonly mode: LockMode;
  readonly node: bigint | undefined;
  readonly sure: Sureness;
  readonly evidence: readonly Evidence[];
  /** In words, where the kind and the address do not say it. */
  readonly what?: string;
}

export interface WaitScene extends LockScene {
  /** Rings of waiters by kind: those who queue for one lock share theirs. */
  readonly rings: Readonly<Record<QueuedKind, RingMap>>;
}

/** That a function on its stack says what it waits for. */
export function byFunction(waits: WaitFunction): Evidence {
  return { by: 'function', text: `it waits in ${waits.within}` };
}
