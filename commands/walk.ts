/**
 * A walk along locks, step by step.
 */

import { contextOf } from '../src/core/command/context.ts';
import { defineCommand, flag, type Kind, maybe } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { type LockOperand, lockAt, lockOperand } from '../src/core/command/lock-arguments.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { walkChain } from '../src/core/command/walk-chain.ts';
import { setWalkSteps, type WalkStep, walkSteps } from '../src/core/command/walk-cursor.ts';
import { moved, notWalking, WALK_MOVES, type WalkMove } from '../src/core/command/walk-move.ts';
import { walkItem } from '../src/core/command/walk-step.ts';
import { walkView } from '../src/core/command/walk-view.ts';
import { UnsupportedError, UsageError } from '../src/core/errors.ts';
import { structOf } from '../src/core/kernel/task-summary.ts';
import type { Item } from '../src/core/output/item.ts';

type Target = { readonly kind: 'move'; readonly move: WalkMove } | LockOperand;

/** A move, or where a walk begins; a task that is called as a move goes by its PID. */
const walkTarget: Kind<Target> = {
  name: 'move, lock or task',
  parse: (text, scope) => (isMove(text) ? { kind: 'move', move: text } : lockOperand.parse(text, scope)),
  complete(text, scope) {
    const moves = Object.entries(WALK_MOVES).map(([name, detail]) => ({ text: name, detail }));
    const others = lockOperand.complete?.(text, scope) ?? { candidates: [] };
    return (others.start ?? 0) > 0 ? others : { ...others, candidates: [...moves, ...others.candidates] };
  },
};

export default defineCommand({
  name: 'walk',
  group: 'locks',
  summary: 'go along locks step by step, from waiter to owner',
  description: [
    '"walk TASK" or "walk LOCK" begins. Each step shows the task, the lock that it waits for and by what that is known, the words of the lock decoded, its queue, the locks that the task owns, its stack, and the plain commands that show the same; at the end the ways on.',
    'next and prev go along the queue, up to the owner of the lock, down to the first who waits for a lock that this task owns, back to the step before. They work without "walk" as well, as aliases: a backslash before one (\\up) means the symbol of that name. N goes that many places along the queue, or chooses among several owners (up) or owned locks (down). Without arguments the step is shown again, as it is now.',
    'The task of each step becomes the context: "bt", "task" and "files" mean it.',
  ],
  needs: ['memory', 'symbols', 'types'],
  options: { c: flag('the way up drawn before the step: each owner above those who wait') },
  operands: {
    where: maybe(walkTarget, 'TASK|LOCK|MOVE', 'where to begin, or next, prev, up, down, back'),
    n: maybe(count, 'N', 'how far, or which'),
  },
  examples: [
    { line: 'walk lab_wait1', shows: 'begin at a task that is stuck' },
    { line: 'walk up', shows: 'on to the owner of the lock that it waits for' },
    { line: 'walk next', shows: 'on to the next one in the queue' },
    { line: 'walk -c', shows: 'the step again, with the way up from it: the circle, if it is one' },
    { line: 'walk back', shows: 'where the walk was before' },
  ],
  run: (scope, args) => show(scope, args as unknown as WalkArgs),
});

interface WalkArgs {
  readonly c: boolean;
  readonly where: Target | undefined;
  readonly n: number | undefined;
}

function isMove(text: string): text is WalkMove {
  return Object.hasOwn(WALK_MOVES, text);
}

function* show(scope: Scope, { c, where, n }: WalkArgs): Iterable<Item> {
  const steps = stepsAfter(scope, where, n);
  const view = walkView(scope, (steps.at(-1) as WalkStep).place);
  // A step that cannot be read is no step.
  setWalkSteps(scope, steps);
  if (view.task !== undefined) scope.shell.setContext(contextOf(view.task));
  yield walkItem(scope, steps, view, c ? walkChain(scope.kernel, steps, view) : undefined);
}

function stepsAfter(scope: Scope, where: Target | undefined, n: number | undefined): readonly WalkStep[] {
  const steps = walkSteps(scope);
  const last = steps.at(-1);
  if (where === undefined || where.kind === 'move') {
    if (last === undefined) throw notWalking();
    if (where === undefined) return steps;
    if (n === 0) throw new UsageError('N counts from 1');
    if (where.move !== 'back') return [...steps, moved(walkView(scope, last.place), where.move, n ?? 1)];
    if (steps.length === 1) throw new UnsupportedError('this is the first step', '"walk TASK" begins another walk');
    return steps.slice(0, Math.max(steps.length - (n ?? 1), 1));
  }
  if (n !== undefined) throw new UsageError('N goes with next, prev, up, down or back');
  if (where.kind === 'task') {
    return [{ place: { kind: 'task', task: structOf(scope.kernel, where.task).address }, by: 'begun' }];
  }
  const { kind, address } = lockAt(scope, where.address, where.type);
  return [{ place: { kind: 'lock', lock: { kind, address } }, by: 'begun' }];
}
