/** Each kind of lock, found from the tasks that wait for it and read, in every layout that kernels gave it. */
import { describe, expect, test } from 'vitest';
import { contendedLocks } from '../../../../src/core/kernel/locks/contended.ts';
import { possibleHolders } from '../../../../src/core/kernel/locks/holders.ts';
import type { Lock } from '../../../../src/core/kernel/locks/lock.ts';
import { readLock } from '../../../../src/core/kernel/locks/read-lock.ts';
import { decodeSpinWord } from '../../../../src/core/kernel/locks/spinlock.ts';
import { waitOf, waits } from '../../../../src/core/kernel/locks/wait.ts';
import { FakeLocks, type LockEra } from '../../../support/fake-locks.ts';

/** What a lock says, in a form that reads well: owners, then waiters in order. */
function told(lock: Lock | undefined) {
  return {
    owners: lock?.owners.map(({ pid, mode, role, sure }) => `${pid} ${mode} ${role} ${sure}`),
    waiters: lock?.waiters.map(({ pid, mode, order, sure }) => `${order}: ${pid} ${mode} ${sure}`),
    state: lock?.state,
  };
}

const MUTEX_STACK = ['__mutex_lock', 'mutex_lock', 'do_work'];
const READ_STACK = ['rwsem_down_read_slowpath', 'down_read', 'do_work'];
const WRITE_STACK = ['rwsem_down_write_slowpath', 'do_work'];

describe.each<LockEra>(['list', 'headless'])('a mutex with %s waiters', (era) => {
  const make = (members?: ConstructorParameters<typeof FakeLocks>[2]) =>
    new FakeLocks(
      era,
      [
        { pid: 10, stack: MUTEX_STACK },
        { pid: 11, stack: MUTEX_STACK },
        { pid: 12, stack: ['do_work'] },
      ],
      members,
    );

  test('is found from the stacks of its waiters', () => {
    const locks = make();
    const mutex = locks.mutex({ owner: 12, waiters: [11, 10] });
    // A 7.1 lock is found by a pointer in a register or a frame: the ring has no head.
    for (const pid of [10, 11]) locks.fake.memory.u64(locks.locals(pid, 'mutex_lock'), mutex);
    const found = contendedLocks(locks.kernel());
    expect(found.map(({ kind, address }) => [kind, address])).toEqual([['mutex', mutex]]);
    expect(told(found[0])).toEqual({
      owners: ['12 exclusive owner certain'],
      waiters: ['0: 11 exclusive certain', '1: 10 exclusive certain'],
      state: 'held',
    });
  });

  test('is found from what the task_struct says', () => {
    const locks = make({ members: ['blocked_on', 'blocker'] });
    const mutex = locks.mutex({ owner: 12, waiters: [10, 11] });
    locks.setTask(10, 'blocked_on', mutex);
    locks.setTask(11, 'blocker', mutex);
    const kernel = locks.kernel();
    for (const pid of [10, 11]) {
      const wait = waitOf(kernel, locks.task(pid));
      expect([wait?.kind, wait?.address, wait?.sure]).toEqual(['mutex', mutex, 'certain']);
      expect(wait?.evidence.map(({ by }) => by)).toEqual(['task', 'waiter', 'function']);
    }
  });

  test('names the next owner while it is handed over, and nobody for a stale pointer', () => {
    const locks = make();
    const handed = locks.mutex({ owner: 12, flags: 7n, waiters: [10] });
    const free = locks.mutex({ flags: 1n });
    const stale = locks.mutex({});
    locks.fake.memory.u64(stale, 0xffff_8880_0dea_d001n);
    const kernel = locks.kernel();
    expect(told(readLock(kernel, 'mutex', handed))).toMatchObject({
      owners: ['12 exclusive next certain'],
      state: 'being handed over',
    });
    expect(told(readLock(kernel, 'mutex', free))).toEqual({ owners: [], waiters: [], state: 'free' });
    const lock = readLock(kernel, 'mutex', stale);
    expect(lock.owners).toEqual([]);
    expect(lock.notes.join()).toContain('mutex.owner is ffff88800dead000, which is no task');
  });
});

describe.each<LockEra>(['list', 'headless'])('an rwsem with %s waiters', (era) => {
  const sleepers = [
    { pid: 20, stack: WRITE_STACK },
    { pid: 21, stack: READ_STACK },
    { pid: 22, stack: READ_STACK },
    { pid: 23, stack: ['do_work'] },
  ];

  test('has a writer for certain, and its queue with modes', () => {
    const locks = new FakeLocks(era, sleepers, { members: ['blocker'] });
    const rwsem = locks.rwsem({
      writer: 23,
      waiters: [
        [20, 'write'],
        [21, 'read'],
        [22, 'read'],
      ],
    });
    for (const [pid, type] of [
      [20, 3n],
      [21, 2n],
      [22, 2n],
    ] as const) {
      locks.setTask(pid, 'blocker', rwsem | type);
    }
    const [lock] = contendedLocks(locks.kernel());
    expect(lock?.address).toBe(rwsem);
    expect(told(lock)).toEqual({
      owners: ['23 write owner certain'],
      waiters: ['0: 20 write certain', '1: 21 read certain', '2: 22 read certain'],
      state: 'held for writing',
    });
  });

  test('has readers by count, and the last one only as a hint', () => {
    const locks = new FakeLocks(era, sleepers);
    const rwsem = locks.rwsem({ readers: 3, lastReader: 23, waiters: [[20, 'write']] });
    const lock = readLock(locks.kernel(), 'rwsem', rwsem);
    expect(lock.readers).toBe(3);
    expect(told(lock)).toEqual({
      owners: ['23 read last hint'],
      waiters: ['0: 20 write certain'],
      state: 'held by 3 readers',
    });
  });

  test('has no owner that a stale word names', () => {
    const locks = new FakeLocks(era, sleepers);
    // The last reader let go: the word stays, the count does not.
    const left = locks.rwsem({ lastReader: 23 });
    // A reader's word under a writer's count: the writer has not written itself down yet.
    const taken = locks.rwsem({ lastReader: 23 });
    locks.fake.memory.u64(taken, 1n);
    const kernel = locks.kernel();
    expect([readLock(kernel, 'rwsem', left).owners, readLock(kernel, 'rwsem', taken).owners]).toEqual([[], []]);
  });
});

test('a killable wait for a headless rwsem, which task->blocker does not name, is found by a pointer', () => {
  const locks = new FakeLocks(
    'headless',
    [
      { pid: 20, stack: WRITE_STACK, state: 0x102 },
      { pid: 23, stack: ['do_work'] },
    ],
    { members: ['blocker'] },
  );
  const rwsem = locks.rwsem({ writer: 23, waiters: [[20, 'write']] });
  locks.fake.memory.u64(locks.locals(20, 'do_work') + 16n, rwsem);
  const wait = waitOf(locks.kernel(), locks.task(20));
  expect([wait?.address, wait?.sure, wait?.evidence.map(({ by }) => by)]).toEqual([
    rwsem,
    'certain',
    ['waiter', 'stack', 'function'],
  ]);
});

test('a waiter whose lock is not found is queued for an unknown one', () => {
  const locks = new FakeLocks('headless', [{ pid: 10, stack: MUTEX_STACK }]);
  locks.mutex({ waiters: [10] });
  const wait = waitOf(locks.kernel(), locks.task(10));
  expect([wait?.kind, wait?.address, wait?.sure]).toEqual(['mutex', undefined, 'hint']);
  expect(contendedLocks(locks.kernel())).toEqual([]);
});

describe.each<LockEra>(['list', 'headless'])('a semaphore with %s waiters', (era) => {
  test('has waiters, and its last holder as a hint where that is kept', () => {
    const stack = ['__down_common', '__down', 'down', 'do_work'];
    const locks = new FakeLocks(era, [
      { pid: 30, stack },
      { pid: 31, stack },
      { pid: 32, stack: ['do_work'] },
    ]);
    const semaphore = locks.semaphore({ count: 0, waiters: [30, 31], ...(era === 'headless' ? { holder: 32 } : {}) });
    for (const pid of [30, 31]) locks.fake.memory.u64(locks.locals(pid, '__down'), semaphore);
    const [lock] = contendedLocks(locks.kernel());
    expect([lock?.kind, lock?.address]).toEqual(['semaphore', semaphore]);
    expect(told(lock)).toEqual({
      owners: era === 'headless' ? ['32 any last hint'] : [],
      waiters: ['0: 30 any certain', '1: 31 any certain'],
      state: 'held',
    });
  });
});

test('a percpu_rwsem counts readers over CPUs, and knows the writer that waits for them', () => {
  const locks = new FakeLocks('list', [
    { pid: 40, stack: ['percpu_down_write', 'do_work'] },
    { pid: 41, stack: ['percpu_rwsem_wait', '__percpu_down_read', 'do_work'] },
    { pid: 42, stack: ['percpu_rwsem_wait', 'percpu_down_write', 'do_work'] },
  ]);
  const sem = locks.percpu({
    // A reader that came on one CPU and went on another.
    readers: [3, -1],
    block: true,
    writer: 40,
    waiters: [
      [41, 'read'],
      [42, 'write'],
    ],
  });
  const [lock, ...others] = contendedLocks(locks.kernel());
  expect(others).toEqual([]);
  expect([lock?.kind, lock?.address, lock?.readers]).toEqual(['percpu_rwsem', sem, 2]);
  expect(told(lock)).toEqual({
    owners: [],
    waiters: ['0: 40 write certain', '1: 41 read certain', '2: 42 write certain'],
    state: 'held by 2 readers',
  });
});

describe('until v5.7', () => {
  test('a percpu_rwsem has an rwsem in it, which its readers wait for and a writer owns', () => {
    const locks = new FakeLocks('list', [
      { pid: 41, stack: ['rwsem_down_read_slowpath', '__percpu_down_read', 'do_work'] },
      { pid: 43, stack: ['do_work'] },
    ]);
    const { fake } = locks;
    fake.c(`
      struct list_head { struct list_head *next, *prev; };
      struct rw_semaphore { unsigned long count, owner; unsigned int osq, wait_lock; struct list_head wait_list; };
      struct rcuwait { struct task_struct *task; };
      struct percpu_rw_semaphore {
        unsigned long rss[4];
        unsigned int *read_count;
        struct rw_semaphore rw_sem;
        struct rcuwait writer;
        int readers_block;
      };
    `);
    const counts = fake.allocate(8);
    for (const offset of [0x10_0000n, 0x20_0000n]) fake.memory.writeInteger(counts + offset, 4, 0n);
    const type = fake.type('percpu_rw_semaphore');
    const sem = fake.place(type, { read_count: counts, readers_block: 1 });
    const inner = locks.rwsem({ writer: 43, waiters: [[41, 'read']] });
    // The rwsem that the helper made, moved into the percpu_rwsem: its list is linked anew.
    fake.set(type, sem, 'rw_sem.count', fake.kernel().memory.u64(inner, 'count'));
    fake.set(type, sem, 'rw_sem.owner', locks.task(43));
    fake.linkList(sem + 40n + 24n, [locks.waiting(41) + 64n], fake.type('rwsem_waiter'), 'list');
    const [lock] = contendedLocks(locks.kernel());
    expect([lock?.kind, lock?.address]).toEqual(['percpu_rwsem', sem]);
    expect(told(lock)).toEqual({
      owners: ['43 write owner certain'],
      waiters: ['0: 41 read certain'],
      state: 'held for writing',
    });
  });

  test('a completion has a wait queue', () => {
    const locks = new FakeLocks('list', [{ pid: 50, stack: ['wait_for_completion', 'do_work'] }]);
    const { fake } = locks;
    fake.c(`
      struct list_head { struct list_head *next, *prev; };
      struct wait_queue_head { unsigned int lock; struct list_head head; };
      struct completion { unsigned int done; struct wait_queue_head wait; };
    `);
    const completion = fake.place(fake.type('completion'));
    locks.waitQueue([{ pid: 50 }], completion + 8n);
    const [lock] = contendedLocks(locks.kernel());
    expect([lock?.kind, lock?.address, lock?.waiters.map(({ pid }) => pid)]).toEqual(['completion', completion, [50]]);
  });
});

test('possible holders of a lock are those whose stacks lead to it', () => {
  const locks = new FakeLocks('list', [
    { pid: 20, stack: WRITE_STACK },
    { pid: 21, stack: ['do_work'], state: 1 },
    { pid: 22, stack: ['do_work'], state: 1 },
  ]);
  const rwsem = locks.rwsem({ readers: 1, waiters: [[20, 'write']] });
  locks.fake.memory.u64(locks.locals(22, 'do_work') + 24n, rwsem);
  const kernel = locks.kernel();
  const [lock] = contendedLocks(kernel);
  const holders = lock === undefined ? [] : possibleHolders(kernel, lock);
  expect(holders.map(({ pid, sure, evidence }) => [pid, sure, evidence[0]?.text])).toEqual([
    [22, 'hint', 'its stack, in the frame of do_work, has the address of the lock'],
  ]);
});

test('a completion has waiters and no owner', () => {
  const locks = new FakeLocks('list', [{ pid: 50, stack: ['__wait_for_common', 'wait_for_completion', 'do_work'] }]);
  const completion = locks.completion([50]);
  const [lock] = contendedLocks(locks.kernel());
  expect([lock?.kind, lock?.address]).toEqual(['completion', completion]);
  expect(told(lock)).toEqual({ owners: [], waiters: ['0: 50 any certain'], state: 'not done' });
});

test('a completion on the stack of its own waiter', () => {
  const locks = new FakeLocks('list', [{ pid: 50, stack: ['__wait_for_common', 'do_work'] }]);
  const at = locks.locals(50, 'do_work') + 32n;
  locks.completion([50], at);
  expect(waitOf(locks.kernel(), locks.task(50))?.address).toBe(at);
});

describe('rt_mutexes', () => {
  const stack = ['rt_mutex_slowlock_block', 'rt_mutex_slowlock'];

  test.each([
    ['by task->pi_blocked_on', ['pi_blocked_on'] as const],
    ['by the waiter on the stack', []],
  ])('on any kernel, %s', (_how, members) => {
    const locks = new FakeLocks(
      'list',
      [
        { pid: 60, stack: [...stack, 'do_work'] },
        { pid: 61, stack: [...stack, 'do_work'] },
        { pid: 62, stack: ['do_work'] },
      ],
      { members },
    );
    const lock = locks.rtMutex({ owner: 62, waiters: [60, 61] });
    const [found] = contendedLocks(locks.kernel());
    expect([found?.kind, found?.address]).toEqual(['rt_mutex', lock]);
    expect(told(found)).toEqual({
      owners: ['62 exclusive owner certain'],
      waiters: ['0: 60 exclusive certain', '1: 61 exclusive certain'],
      state: 'held',
    });
  });

  test('below futex_lock_pi are PI futexes', () => {
    const locks = new FakeLocks(
      'list',
      [
        { pid: 60, stack: ['rt_mutex_wait_proxy_lock', 'futex_lock_pi', 'do_futex'], state: 1 },
        { pid: 62, stack: ['do_work'] },
      ],
      { members: ['pi_blocked_on'] },
    );
    locks.rtMutex({ owner: 62, waiters: [60] });
    // Interruptible, and in the scope of blocked tasks all the same: the task_struct names a lock.
    expect(contendedLocks(locks.kernel()).map((lock) => [lock.kind, lock.owners[0]?.pid])).toEqual([['pi_futex', 62]]);
  });

  test('are the mutexes and rwsems of PREEMPT_RT', () => {
    const locks = new FakeLocks(
      'rt',
      [
        { pid: 70, stack: [...stack, '__mutex_lock', 'do_work'] },
        { pid: 71, stack: ['rtlock_slowlock_locked', '__rwbase_read_lock', 'down_read', 'do_work'] },
        { pid: 72, stack: ['rwbase_write_lock', 'down_write', 'do_work'] },
        { pid: 73, stack: ['do_work'] },
      ],
      { members: ['pi_blocked_on'] },
    );
    const { fake } = locks;
    const mutex = fake.place(fake.type('mutex'));
    locks.rtMutex({ owner: 73, waiters: [70], at: mutex });
    const rwsem = fake.place(fake.type('rw_semaphore'), { 'rwbase.readers': 2 });
    locks.rtMutex({ owner: 72, waiters: [71], at: rwsem + 8n });
    fake.memory.u64(locks.locals(72, 'down_write'), rwsem);
    const found = contendedLocks(locks.kernel());
    expect(found.map(({ kind, address }) => [kind, address])).toEqual([
      ['mutex', mutex],
      ['rwsem', rwsem],
    ]);
    expect(told(found[0])).toEqual({
      owners: ['73 exclusive owner certain'],
      waiters: ['0: 70 exclusive certain'],
      state: 'held',
    });
    // The writer has the rt_mutex and waits for two readers: it is no owner.
    expect(found[1]?.owners).toEqual([]);
    expect(found[1]?.readers).toBe(2);
    expect(found[1]?.waiters.map(({ pid, mode }) => [pid, mode])).toEqual([
      [71, 'read'],
      [72, 'write'],
    ]);
  });
});

test('a wait queue tells tasks from epoll entries by the wake-up function', () => {
  const locks = new FakeLocks('list', [{ pid: 80, stack: ['jbd2_log_wait_commit', 'do_work'] }]);
  const head = locks.waitQueue([{ func: 'ep_poll_callback' }, { pid: 80 }]);
  const [lock] = contendedLocks(locks.kernel());
  expect([lock?.kind, lock?.address]).toEqual(['wait_queue', head]);
  expect(lock?.waiters.map(({ pid }) => pid)).toEqual([80]);
  expect(lock?.notes.join()).toContain('1 of its entries are of no task: epoll');
  expect(waitOf(locks.kernel(), locks.task(80))?.what).toBe('a jbd2 commit');
});

test('futexes that share a bucket are told apart by their keys', () => {
  const stack = ['futex_wait_queue', '__futex_wait', 'do_futex'];
  const locks = new FakeLocks(
    'list',
    [1, 2, 3].map((i) => ({ pid: 90 + i, stack, state: 1 })),
  );
  const mm = 0xffff_8880_0bad_0000n;
  const [first, , third] = locks.futexes([
    { pid: 91, mm, address: 0x7f00_0000_1010n },
    { pid: 92, mm, address: 0x7f00_0000_1010n },
    { pid: 93, mm, address: 0x7f00_0000_1014n },
  ]);
  const found = contendedLocks(locks.kernel(), { scope: 'sleeping' });
  expect(found.map(({ kind, address, waiters }) => [kind, address, waiters.map(({ pid }) => pid)])).toEqual([
    ['futex', first, [91, 92]],
    ['futex', third, [93]],
  ]);
});

test('a spinlock has the CPUs that spin for it, in the order of its queue, on a target that stands still', () => {
  const locks = new FakeLocks('list', [{ pid: 95 }, { pid: 96 }]);
  const lock = locks.spinlock([
    { cpu: 1, pid: 96 },
    { cpu: 0, pid: 95 },
  ]);
  const [found] = contendedLocks(locks.kernel());
  expect([found?.kind, found?.address]).toEqual(['spinlock', lock]);
  expect(told(found)).toEqual({
    owners: [],
    waiters: ['0: 96 exclusive certain', '1: 95 exclusive certain'],
    state: 'held',
  });
  expect(found?.words.map(({ meaning }) => meaning)).toEqual(['locked, queue up to CPU 0']);
  expect(waits(locks.kernel({ liveness: 'live' }))).toEqual([]);
});

test.each([
  [0x0000_0000, 64, { locked: 0, pending: false, tail: undefined }],
  [0x0000_0101, 64, { locked: 1, pending: true, tail: undefined }],
  [0x0015_0001, 64, { locked: 1, pending: false, tail: { cpu: 4, index: 1 } }],
  [0x0000_2a01, 1 << 14, { locked: 1, pending: false, tail: { cpu: 4, index: 1 } }],
])('a spinlock word %i of %i CPUs', (value, cpus, word) => {
  expect(decodeSpinWord(value, cpus)).toEqual(word);
});

test('what is not blocked is not in the scope of blocked tasks', () => {
  const locks = new FakeLocks('list', [
    { pid: 10, stack: ['__wait_for_common', 'do_work'], state: 1 },
    { pid: 11, stack: ['__wait_for_common', 'do_work'], state: 0x402 },
    { pid: 12 },
  ]);
  locks.completion([10, 11]);
  expect(waits(locks.kernel()).map(({ pid }) => pid)).toEqual([]);
  expect(waits(locks.kernel(), 'sleeping').map(({ pid }) => pid)).toEqual([10, 11]);
});
