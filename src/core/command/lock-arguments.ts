/**
 * Arguments that name locks: an address, a C expression whose type says which kind of lock it is, or a task, which
 * stands for the lock that it waits for.
 */
import { KdbgError, NotFoundError, UsageError } from '../errors.ts';
import { contendedLocks } from '../kernel/locks/contended.ts';
import type { Lock, LockKind } from '../kernel/locks/lock.ts';
import { guessLockKind } from '../kernel/locks/lock-kind.ts';
import { readLock } from '../kernel/locks/read-lock.ts';
import type { TaskSummary } from '../kernel/task-summary.ts';
import { formatAddress, parseHex } from '../memory/address.ts';
import { typeOfExpression } from '../types/evaluate.ts';
import { evaluateAddress } from '../types/evaluate-address.ts';
import { resolve } from '../types/type.ts';
import { flag, type Kind } from './define.ts';
import { environmentOf } from './environment.ts';
import type { Scope } from './scope.ts';
import { address } from './target-kinds.ts';
import { oneTask, taskArgument } from './task-kinds.ts';

/** The letters by which commands narrow kinds of locks. */
export const LOCK_KIND_OPTIONS = {
  m: flag('mutexes'),
  r: flag('rw_semaphores'),
  s: flag('semaphores'),
  c: flag('completions'),
  R: flag('rt_mutexes and PI futexes'),
  p: flag('percpu_rw_semaphores'),
  w: flag('wait queues, with waits for bits and folios'),
  f: flag('futexes'),
  l: flag('spinlocks'),
} as const;

type KindLetter = keyof typeof LOCK_KIND_OPTIONS;

const KINDS: Readonly<Record<KindLetter, readonly LockKind[]>> = {
  m: ['mutex', 'ww_mutex'],
  r: ['rwsem'],
  s: ['semaphore'],
  c: ['completion'],
  R: ['rt_mutex', 'pi_futex'],
  p: ['percpu_rwsem'],
  w: ['wait_queue', 'bit', 'folio', 'epoll'],
  f: ['futex', 'pi_futex'],
  l: ['spinlock'],
};

/** The kinds whose letters are set; undefined when none is. */
export function chosenKinds(args: Readonly<Record<KindLetter, boolean>>): readonly LockKind[] | undefined {
  const letters = (Object.keys(KINDS) as KindLetter[]).filter((letter) => args[letter]);
  return letters.length === 0 ? undefined : letters.flatMap((letter) => KINDS[letter]);
}

/** A task, or the place of a lock with its kind where the expression's type says it. */
export type LockOperand =
  | { readonly kind: 'task'; readonly task: TaskSummary }
  | { readonly kind: 'lock'; readonly address: bigint; readonly type: LockKind | undefined };

/** PID, address of a task_struct, name of a task; else an address or an expression of a lock. */
export const lockOperand: Kind<LockOperand> = {
  name: 'lock or task',
  parse: parseLockOperand,
  complete(text, scope) {
    const tasks = taskArgument.complete?.(text, scope).candidates ?? [];
    if (/^\d/.test(text)) return { candidates: tasks };
    const expression = address.complete?.(text, scope) ?? { candidates: [] };
    return (expression.start ?? 0) > 0
      ? expression
      : { ...expression, candidates: [...tasks, ...expression.candidates] };
  },
};

function parseLockOperand(text: string, scope: Scope): LockOperand {
  const task = unlessUnknown(() => oneTask(text, scope.kernel));
  if (task !== undefined) return { kind: 'task', task };
  if (/^\d{1,9}$/.test(text)) throw new NotFoundError('task', text);
  const environment = environmentOf(scope);
  const isNumber = parseHex(text) !== undefined && scope.kernel.symbols.find(text) === undefined;
  const type = isNumber ? undefined : kindOfType(() => resolve(typeOfExpression(text, environment)));
  return { kind: 'lock', address: evaluateAddress(text, environment), type };
}

function unlessUnknown<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** Structures by the kind that they are. */
const STRUCTURES: Readonly<Record<string, LockKind>> = {
  mutex: 'mutex',
  ww_mutex: 'ww_mutex',
  rw_semaphore: 'rwsem',
  percpu_rw_semaphore: 'percpu_rwsem',
  semaphore: 'semaphore',
  rt_mutex: 'rt_mutex',
  completion: 'completion',
  wait_queue_head: 'wait_queue',
  spinlock: 'spinlock',
  raw_spinlock: 'spinlock',
  qspinlock: 'spinlock',
  eventpoll: 'epoll',
};

function kindOfType(typeOf: () => ReturnType<typeof resolve>): LockKind | undefined {
  try {
    const type = typeOf();
    const target = type.kind === 'pointer' ? resolve(type.target) : type;
    return target.kind === 'struct' && target.name !== undefined ? STRUCTURES[target.name] : undefined;
  } catch (error) {
    // An expression that is wrong is told of by its evaluation.
    if (error instanceof KdbgError && !error.endsCommand) return undefined;
    throw error;
  }
}

/**
 * The lock at an address: of the kind that is known, else what tasks wait for there, else what its words look like.
 * Throws UsageError when nothing says which kind it is.
 */
export function lockAt(scope: Scope, at: bigint, kind: LockKind | undefined): Lock {
  const { kernel } = scope;
  for (const wide of ['blocked', 'sleeping'] as const) {
    const all = contendedLocks(kernel, { scope: wide });
    const found = all.find((lock) => lock.address === at && (kind === undefined || lock.kind === kind));
    if (found !== undefined) return found;
    // Reading the stacks of all sleepers is not worth it where the kind is known.
    if (kind !== undefined) return readLock(kernel, kind, at);
  }
  const guess = guessLockKind(kernel, at);
  if (guess !== undefined) return readLock(kernel, guess, at);
  throw new UsageError(`which kind of lock is at ${formatAddress(at)} is not known: nobody waits there`, {
    hint: 'say it: -m for a mutex, -r for a rw_semaphore, -s for a semaphore, ...',
  });
}
