/**
 * Where a walk along locks stands. It belongs to the session: each `walk next` begins where the last one ended, and is kept
 * by addresses only, as a live target moves on between two steps.
 */
import type { LockKind } from '../kernel/locks/lock.ts';
import type { Scope, Shell } from './scope.ts';

/** A task, or a lock that was walked to. */
export type WalkPlace =
  | { readonly kind: 'task'; readonly task: bigint }
  | { readonly kind: 'lock'; readonly lock: { readonly kind: LockKind; readonly address: bigint } };

/** One step: where it led, and how it was asked for. */
export interface WalkStep {
  readonly place: WalkPlace;
  /** The word that led here, with what it led from: `up from 132 (lab_ab)`. */
  readonly by: string;
}

/** Steps that `back` can undo. */
const STEPS_MAX = 1000;

const walks = new WeakMap<Shell, readonly WalkStep[]>();

/** The steps of the session's walk, the first one first; empty before the first. */
export function walkSteps({ shell }: Scope): readonly WalkStep[] {
  return walks.get(shell) ?? [];
}

export function setWalkSteps({ shell }: Scope, steps: readonly WalkStep[]): void {
  walks.set(shell, steps.slice(-STEPS_MAX));
}

export function isSamePlace(a: WalkPlace, b: WalkPlace): boolean {
  if (a.kind === 'task') return b.kind === 'task' && a.task === b.task;
  return b.kind === 'lock' && a.lock.address === b.lock.address;
}
