/**
 * The queue of one lock.
 */
import { defineCommand, one } from '../src/core/command/define.ts';
import {
  chosenKinds,
  LOCK_KIND_OPTIONS,
  type LockOperand,
  lockAt,
  lockOperand,
} from '../src/core/command/lock-arguments.ts';
import { lockHead } from '../src/core/command/lock-report.ts';
import { placesOf, waitedText, waiterCells } from '../src/core/command/lock-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { UnsupportedError } from '../src/core/errors.ts';
import { locksOf } from '../src/core/kernel/locks/contended.ts';
import type { Lock } from '../src/core/kernel/locks/lock.ts';
import { structOf } from '../src/core/kernel/task-summary.ts';
import { addressColumn, type Columns, decimalColumn, textColumn } from '../src/core/output/columns.ts';
import { type Item, notice, row, text } from '../src/core/output/item.ts';

const COLUMNS: Columns = {
  order: decimalColumn('#', 'place in the queue; a dash for one that waits and is not on it', {
    width: 4,
  }),
  pid: decimalColumn('PID', 'thread ID', { width: 7 }),
  task: addressColumn('TASK', 'address of the task_struct', {
    ref: (value, { pid }) =>
      typeof value === 'bigint' && typeof pid === 'number' ? { kind: 'task', task: value, pid } : undefined,
  }),
  mode: textColumn('MODE', 'how it wants the lock: exclusive, read, write, any', { width: 9 }),
  waitedMs: {
    ...textColumn('WAITED', 'since it last came onto a CPU', { width: 12, align: 'right' }),
    text: (value) => waitedText(typeof value === 'number' ? value : undefined),
  },
  sure: textColumn('SURE', 'certain, likely or a hint', { width: 7 }),
  comm: textColumn('COMM', 'name of the thread'),
};

export default defineCommand({
  name: 'waiters',
  group: 'locks',
  summary: 'the queue of one lock, in order',
  description: [
    'LOCK is an address, a C expression, or a task, which stands for the lock that it waits for. The kind comes from the type of the expression, from what tasks wait for at the address, or from a letter.',
    'Times are since the waiter last came onto a CPU. A waiter that is not on the queue (any more) stands at the end, without a number.',
  ],
  needs: ['memory', 'symbols', 'types'],
  options: LOCK_KIND_OPTIONS,
  operands: { lock: one(lockOperand, 'LOCK|TASK', 'an address, a C expression, or a task') },
  columns: COLUMNS,
  examples: [
    { line: 'waiters lab_ab', shows: 'who else waits for what a task waits for' },
    { line: 'waiters lab_root.mutex_a', shows: 'the queue of a lock by its name' },
    { line: 'waiters lab_root.mutex_a | bt', shows: 'the stacks of all that wait for it' },
  ],
  run: (scope, args) => show(scope, args as unknown as WaitersArgs),
});

interface WaitersArgs extends Readonly<Record<keyof typeof LOCK_KIND_OPTIONS, boolean>> {
  readonly lock: LockOperand;
}

function* show(scope: Scope, args: WaitersArgs): Iterable<Item> {
  const lock = lockOf(scope, args);
  yield text(...lockHead(lock, placesOf(scope, [lock]).get(lock), false));
  for (const waiter of lock.waiters) {
    scope.check();
    const cells = waiterCells(waiter);
    yield row({
      ...cells,
      order: waiter.order < 0 ? null : waiter.order + 1,
      node: waiter.node ?? null,
      lock: lock.address,
      kind: lock.kind,
    });
  }
  if (lock.waiters.length === 0) yield notice('nobody waits for it');
}

function lockOf(scope: Scope, args: WaitersArgs): Lock {
  const { lock: operand } = args;
  if (operand.kind === 'lock') return lockAt(scope, operand.address, chosenKinds(args)?.[0] ?? operand.type);
  const { task } = operand;
  const { waits, lock } = locksOf(scope.kernel, structOf(scope.kernel, task).address);
  if (lock !== undefined) return lock;
  const name = `${task.pid} (${task.comm})`;
  throw new UnsupportedError(
    waits === undefined
      ? `${name} waits for nothing that is known`
      : `${name} waits for ${waits.what ?? `a ${waits.kind}`}, which has no queue`,
    `"bt ${task.pid}" shows where it is, "held ${task.pid}" what it may hold`,
  );
}
