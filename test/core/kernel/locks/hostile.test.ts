/** Locks in damaged memory: whatever is there, the search for locks ends, soon, and with an error of ours or none. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KdbgError } from '../../../../src/core/errors.ts';
import { chains } from '../../../../src/core/kernel/locks/chains.ts';
import { cycles } from '../../../../src/core/kernel/locks/cycles.ts';
import { describeLocks } from '../../../../src/core/kernel/locks/describe.ts';
import { waitGraph } from '../../../../src/core/kernel/locks/graph.ts';
import { heldBy } from '../../../../src/core/kernel/locks/held.ts';
import { guessLockKind } from '../../../../src/core/kernel/locks/lock-kind.ts';
import { readLock } from '../../../../src/core/kernel/locks/read-lock.ts';
import { FakeLocks, type LockEra } from '../../../support/fake-locks.ts';

const PIDS = [10, 11, 12, 13, 14, 15, 16, 17, 18];

function plant(era: LockEra) {
  const functions = [
    '__mutex_lock',
    '__mutex_lock',
    'rwsem_down_read_slowpath',
    'rwsem_down_write_slowpath',
    '__down_common',
    '__wait_for_common',
    'futex_wait_queue',
    'request_wait_answer',
    'do_signal_stop',
  ];
  const locks = new FakeLocks(
    era,
    PIDS.map((pid, i) => ({ pid, stack: [functions[i] ?? '', 'do_work', 'work'], flags: 0, totalVm: 10 })),
    { members: ['blocker', 'blocked_on', 'pi_blocked_on', 'files'] },
  );
  const mutex = locks.mutex({ owner: 12, waiters: [10, 11] });
  const rwsem = locks.rwsem({
    writer: 10,
    waiters: [
      [12, 'read'],
      [13, 'write'],
    ],
  });
  const semaphore = locks.semaphore({ count: 0, waiters: [14] });
  const completion = locks.completion([15]);
  const [futex] = locks.futexes([{ pid: 16, mm: mutex, address: 0x1000n }]);
  const fuse = locks.fuse({ waiter: 17, servers: [18] });
  const places = [
    mutex,
    rwsem,
    semaphore,
    completion,
    futex as bigint,
    ...fuse,
    ...PIDS.map((pid) => locks.waiting(pid)),
  ];
  return { locks, mutex, places };
}

test.each<LockEra>(['list', 'headless'])('5,000 damaged words with %s waiters', (era) => {
  const { locks, mutex, places } = plant(era);
  const { memory } = locks.fake;
  const pages = new Map([...memory.pages].map(([at, bytes]) => [at, bytes.slice()]));
  const pointer = fc.constantFrom(...places, ...PIDS.map((pid) => locks.task(pid)), 0n, 0xffff_8880_0dea_d000n);
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc
      .tuple(pointer, fc.integer({ min: -8, max: 40 }))
      .map(([at, words]) => BigInt.asUintN(64, at + BigInt(words * 8))),
  );
  const damage = fc.tuple(fc.constantFrom(...places), fc.integer({ min: -4, max: 24 }), value);
  fc.assert(
    fc.property(fc.array(damage, { minLength: 10, maxLength: 30 }), (words) => {
      for (const [at, bytes] of pages) memory.pages.get(at)?.set(bytes);
      for (const [place, word, to] of words) memory.u64(place + BigInt(word * 8), to);
      const kernel = locks.kernel();
      try {
        const graph = waitGraph(kernel, 'sleeping');
        for (const cycle of cycles(graph)) expect(cycle.edges.every(({ owner }) => owner.pid > 0)).toBe(true);
        chains(kernel, graph);
        describeLocks(kernel, [...graph.locks.values()]);
        heldBy(kernel, locks.task(10));
        guessLockKind(kernel, mutex);
        readLock(kernel, 'mutex', mutex);
      } catch (error) {
        expect(error).toBeInstanceOf(KdbgError);
      }
      expect(kernel.memory.requests).toBeLessThan(20_000);
    }),
    { numRuns: 250 },
  );
});
