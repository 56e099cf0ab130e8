/**
 * Contended locks with their owners and waiters.
 */
import { defineCommand, flag, many } from '../src/core/command/define.ts';
import {
  chosenKinds,
  LOCK_KIND_OPTIONS,
  type LockOperand,
  lockAt,
  lockOperand,
} from '../src/core/command/lock-arguments.ts';
import { lockItem } from '../src/core/command/lock-report.ts';
import { counted, placesOf } from '../src/core/command/lock-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { pipedTasks } from '../src/core/command/task-operands.ts';
import { contendedLocks, locksOf } from '../src/core/kernel/locks/contended.ts';
import type { Lock, LockKind } from '../src/core/kernel/locks/lock.ts';
import { lockKey } from '../src/core/kernel/locks/lock-key.ts';
import { waits } from '../src/core/kernel/locks/wait.ts';
import { structOf, type TaskSummary } from '../src/core/kernel/task-summary.ts';
import { type Item, notice } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'locks',
  group: 'locks',
  summary: 'locks that somebody waits for, with owner and waiters',
  description: [
    'The lock with the longest wait comes first. A lock is named by its symbol or by the object that embeds it: the inode and its path, the mm of a task, a slab cache and the offset in its object. What is not certain is marked: "likely", or "hint" for what may be out of date, as the owner of a rw_semaphore that readers have: the kernel remembers one of them, which may have let go.',
    'TASK shows the lock that the task waits for and those that it owns and others wait for; ADDRESS one lock, contended or not. The letters choose kinds.',
    'Only tasks in uninterruptible sleep are looked at, and those whose task_struct says that they are blocked; with -a all tasks that sleep.',
  ],
  needs: ['memory', 'symbols', 'types'],
  input: 'task',
  options: {
    ...LOCK_KIND_OPTIONS,
    a: flag('also what tasks in interruptible sleep wait for'),
    e: flag('by what owners and waiters are known'),
    v: flag('every waiter'),
  },
  operands: { which: many(lockOperand, 'TASK|ADDRESS', 'a task, or a lock by address or C expression') },
  examples: [
    { line: 'locks', shows: 'every lock that somebody waits for' },
    { line: 'locks -m', shows: 'mutexes only' },
    { line: 'locks -e lab_ab', shows: 'what has to do with one task, and how it is known' },
    { line: 'locks -v lab_root.mutex_a', shows: 'one lock with all its waiters' },
  ],
  run: (scope, args) => show(scope, args as unknown as LocksArgs),
});

interface LocksArgs extends Readonly<Record<keyof typeof LOCK_KIND_OPTIONS, boolean>> {
  readonly a: boolean;
  readonly e: boolean;
  readonly v: boolean;
  readonly which: readonly LockOperand[];
}

function* show(scope: Scope, args: LocksArgs): Iterable<Item> {
  const kinds = chosenKinds(args);
  const asked = scope.input === undefined ? args.which : [];
  const tasks: TaskSummary[] = asked.flatMap((each) => (each.kind === 'task' ? [each.task] : []));
  if (scope.input !== undefined) tasks.push(...pipedTasks(scope, scope.input));
  const isAll = scope.input === undefined && asked.length === 0;
  // Futexes are slept on interruptibly: to ask for them is to ask for such tasks.
  const wide = args.a || args.f ? 'sleeping' : 'blocked';
  const found = isAll
    ? contendedLocks(scope.kernel, { scope: wide, ...(kinds === undefined ? {} : { kinds }) })
    : chosenLocks(scope, asked, tasks, kinds);
  const places = placesOf(scope, found);
  for (const [i, lock] of found.entries()) {
    scope.check();
    yield lockItem(lock, places.get(lock), i, { all: args.v, evidence: args.e });
  }
  if (isAll) yield* remarks(scope, found, kinds);
}

/** The locks of the words, in their order, each once. */
function chosenLocks(
  scope: Scope,
  asked: readonly LockOperand[],
  tasks: readonly TaskSummary[],
  kinds: readonly LockKind[] | undefined,
): readonly Lock[] {
  const found = new Map<string, Lock>();
  const add = (lock: Lock) => {
    const key = lockKey(lock) ?? '';
    if ((kinds === undefined || kinds.includes(lock.kind)) && !found.has(key)) found.set(key, lock);
  };
  for (const task of tasks) {
    scope.check();
    const { waits: wait, lock, holds } = locksOf(scope.kernel, structOf(scope.kernel, task).address);
    for (const each of [...(lock === undefined ? [] : [lock]), ...holds]) add(each);
    const name = `${task.pid} (${task.comm})`;
    if (wait !== undefined && lock === undefined) {
      scope.kernel.notice(`${name} waits for ${wait.what ?? `a ${wait.kind}`}, which is no lock that could be shown`);
    } else if (wait === undefined && holds.length === 0) {
      scope.kernel.notice(`${name} neither waits for a lock nor owns one that others wait for`);
    }
  }
  for (const each of asked) if (each.kind === 'lock') add(lockAt(scope, each.address, each.type ?? kinds?.[0]));
  return [...found.values()];
}

function* remarks(scope: Scope, found: readonly Lock[], kinds: readonly LockKind[] | undefined): Iterable<Item> {
  if (kinds !== undefined) {
    if (found.length === 0) yield notice('no task waits for a lock of this kind');
    return;
  }
  const shown = new Set(found.flatMap(({ waiters }) => waiters.map(({ task }) => task)));
  const others = waits(scope.kernel).filter(({ task }) => !shown.has(task));
  if (found.length === 0) yield notice('no task waits for a lock');
  if (others.length > 0) {
    yield notice(`${counted(others.length, 'task')} in uninterruptible sleep wait for no lock: "blocked" shows them`);
  }
}
