/** The recorded deadlock of a real kernel: 6.1, in which two threads want each other's mutex and three more queue. */
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openBackend } from '../../../../src/backends/open.ts';
import { Kernel } from '../../../../src/core/kernel/kernel.ts';
import { confirmedCycles } from '../../../../src/core/kernel/locks/cycles.ts';
import { describeLocks } from '../../../../src/core/kernel/locks/describe.ts';
import { waitGraph } from '../../../../src/core/kernel/locks/graph.ts';
import { heldBy } from '../../../../src/core/kernel/locks/held.ts';
import { guessLockKind } from '../../../../src/core/kernel/locks/lock-kind.ts';

const PATH = join(import.meta.dirname, '../../../../recordings/mutex-deadlock.kdbg');
const { backend } = openBackend({ kind: 'replay', path: PATH });
let kernel: Kernel;

beforeAll(() => {
  kernel = new Kernel(backend);
});
afterAll(() => backend.close());

test('its two mutexes have their owners, and their waiters in order', () => {
  const locks = [...waitGraph(kernel).locks.values()];
  const names = describeLocks(kernel, locks).map(({ text }) => text);
  const found = locks.map(({ kind, owners, waiters }, i) => [
    names[i],
    kind,
    owners.map(({ comm, sure }) => `${comm} ${sure}`),
    waiters.map(({ comm, order, sure }) => `${order} ${comm} ${sure}`),
  ]);
  expect(found).toEqual([
    ['lab_root.mutex_b [kdbg_lab]', 'mutex', ['lab_ba certain'], ['0 lab_ab certain', '1 lab_wait3 certain']],
    [
      'lab_root.mutex_a [kdbg_lab]',
      'mutex',
      ['lab_ab certain'],
      ['0 lab_ba certain', '1 lab_wait1 certain', '2 lab_wait2 certain'],
    ],
  ]);
});

test('it is one cycle with three behind it', () => {
  const cycles = confirmedCycles(kernel, waitGraph(kernel));
  expect(
    cycles.map(({ sure, tasks, behind }) => [sure, tasks.map(({ comm }) => comm), behind.map(({ comm }) => comm)]),
  ).toEqual([['certain', ['lab_ab', 'lab_ba'], ['lab_wait1', 'lab_wait2', 'lab_wait3']]]);
});

test('each of the two holds what the other wants', () => {
  const [cycle] = confirmedCycles(kernel, waitGraph(kernel));
  for (const { owner, wait } of cycle?.edges ?? []) {
    expect(heldBy(kernel, owner.task).map(({ address }) => address)).toEqual([wait.address]);
    expect(guessLockKind(kernel, wait.address ?? 0n)).toBe('mutex');
  }
});
