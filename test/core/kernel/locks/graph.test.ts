/** Waits and owners joined: cycles, chains, what must not become either; how many requests it takes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chains } from '../../../../src/core/kernel/locks/chains.ts';
import { confirmedCycles, cycles } from '../../../../src/core/kernel/locks/cycles.ts';
import { describeLocks } from '../../../../src/core/kernel/locks/describe.ts';
import { type WaitEdge, type WaitGraph, waitGraph } from '../../../../src/core/kernel/locks/graph.ts';
import { heldBy } from '../../../../src/core/kernel/locks/held.ts';
import type { LockTask, Sureness, Wait } from '../../../../src/core/kernel/locks/lock.ts';
import { FakeLocks } from '../../../support/fake-locks.ts';

const STACK = ['__mutex_lock', 'do_work'];
const WRITE = ['rwsem_down_write_slowpath', 'do_work'];

/** Tasks that wait for mutexes: each for one that the next pid owns. */
function waiting(pids: readonly number[], others: readonly number[] = []) {
  return new FakeLocks('list', [
    ...pids.map((pid) => ({ pid, stack: STACK })),
    ...others.map((pid) => ({ pid, stack: ['pipe_read', 'do_work'], state: 1 })),
  ]);
}

function cyclePids(locks: FakeLocks) {
  return cycles(waitGraph(locks.kernel())).map(({ tasks, sure }) => [sure, ...tasks.map(({ pid }) => pid)]);
}

describe('cycles', () => {
  test('two mutexes, with those behind them', () => {
    const locks = waiting([10, 11, 12, 13]);
    locks.mutex({ owner: 10, waiters: [11, 12] });
    locks.mutex({ owner: 11, waiters: [10] });
    locks.mutex({ owner: 12, waiters: [13] });
    const [cycle, ...others] = cycles(waitGraph(locks.kernel()));
    expect(others).toEqual([]);
    expect(cycle?.sure).toBe('certain');
    expect(cycle?.tasks.map(({ pid }) => pid)).toEqual([10, 11]);
    expect(cycle?.edges.map(({ owner }) => owner.pid)).toEqual([11, 10]);
    expect(cycle?.behind.map(({ pid }) => pid)).toEqual([12, 13]);
    expect(confirmedCycles(locks.kernel(), waitGraph(locks.kernel()))).toHaveLength(1);
  });

  test('a mutex and an rwsem', () => {
    const locks = new FakeLocks('list', [
      { pid: 10, stack: STACK },
      { pid: 11, stack: WRITE },
    ]);
    locks.mutex({ owner: 11, waiters: [10] });
    locks.rwsem({ writer: 10, waiters: [[11, 'write']] });
    expect(cyclePids(locks)).toEqual([['certain', 10, 11]]);
  });

  test('through a reader is only a hint, as the reader is', () => {
    const locks = new FakeLocks('list', [
      { pid: 10, stack: STACK },
      { pid: 11, stack: WRITE },
    ]);
    locks.mutex({ owner: 11, waiters: [10] });
    locks.rwsem({ readers: 2, lastReader: 10, waiters: [[11, 'write']] });
    expect(cyclePids(locks)).toEqual([['hint', 10, 11]]);
  });

  test('a task that waits for what it owns', () => {
    const locks = waiting([10]);
    locks.mutex({ owner: 10, waiters: [10] });
    expect(cyclePids(locks)).toEqual([['certain', 10]]);
  });

  test('a diamond is none', () => {
    // 10 and 11 wait for 12 over two locks, 9 for 10, and 12 for 13: every task but one is reached twice or more.
    const locks = waiting([9, 10, 11, 12], [13]);
    locks.mutex({ owner: 12, waiters: [10] });
    locks.mutex({ owner: 12, waiters: [11] });
    locks.mutex({ owner: 10, waiters: [9] });
    locks.mutex({ owner: 13, waiters: [12] });
    const kernel = locks.kernel();
    expect(cycles(waitGraph(kernel))).toEqual([]);
    const [chain] = chains(kernel, waitGraph(kernel));
    expect(chain?.edges.map(({ wait }) => wait.pid)).toEqual([9, 10, 12]);
    expect([chain?.root?.pid, chain?.root?.state, chain?.root?.text]).toEqual([13, 'IN', 'sleeps in pipe_read']);
    expect(chain?.blocked.map(({ pid }) => pid).sort()).toEqual([10, 11, 12, 9].sort());
  });

  test('two locks without an owner join nothing', () => {
    const locks = waiting([10, 11, 12]);
    locks.mutex({ waiters: [10] });
    locks.mutex({ waiters: [11] });
    locks.mutex({ owner: 10, waiters: [12] });
    const kernel = locks.kernel();
    expect(cycles(waitGraph(kernel))).toEqual([]);
    expect(chains(kernel, waitGraph(kernel)).map(({ edges, root }) => [edges.length, root?.pid])).toEqual([[1, 10]]);
  });

  test('a chain of ten ends at a task on a CPU', () => {
    const pids = Array.from({ length: 10 }, (_, i) => 10 + i);
    const locks = new FakeLocks('list', [...pids.map((pid) => ({ pid, stack: STACK })), { pid: 20 }]);
    for (const pid of pids) locks.mutex({ owner: pid + 1, waiters: [pid] });
    const kernel = locks.kernel();
    const [chain, ...others] = chains(kernel, waitGraph(kernel));
    expect(others).toEqual([]);
    expect(chain?.edges.map(({ wait }) => wait.pid)).toEqual(pids);
    expect([chain?.root?.pid, chain?.root?.doing]).toEqual([20, 'running']);
  });

  test('owners that sleep interruptibly are followed', () => {
    const locks = new FakeLocks('list', [
      { pid: 10, stack: STACK },
      { pid: 11, stack: ['__mutex_lock', 'do_work'], state: 1 },
      { pid: 12, stack: ['do_work'], state: 1 },
    ]);
    locks.mutex({ owner: 11, waiters: [10] });
    locks.mutex({ owner: 12, waiters: [11] });
    const kernel = locks.kernel();
    expect(chains(kernel, waitGraph(kernel)).map(({ edges }) => edges.map(({ wait }) => wait.pid))).toEqual([[10, 11]]);
  });
});

describe('elementary cycles of any graph', () => {
  /** The graph with these edges, each of a sureness. */
  function graphOf(pairs: readonly (readonly [number, number, Sureness])[]): WaitGraph {
    const task = (pid: number): LockTask => ({ task: BigInt(pid), pid, comm: `t${pid}` });
    const edges = new Map<bigint, WaitEdge[]>();
    const tasks = new Map<bigint, LockTask>();
    for (const [from, to, sure] of pairs) {
      const wait = { ...task(from), kind: 'mutex', address: BigInt(1000 + from) } as unknown as Wait;
      const owner = { ...task(to), mode: 'any', role: 'owner', sure, evidence: [] } as const;
      const known = edges.get(BigInt(from)) ?? [];
      edges.set(BigInt(from), [...known, { wait, lock: undefined, owner, sure }]);
      tasks.set(BigInt(from), task(from)).set(BigInt(to), task(to));
    }
    return { waits: new Map(), locks: new Map(), edges, tasks };
  }

  /** Every simple cycle, by trying every path: from its smallest member on. */
  function bruteForce(pairs: readonly (readonly [number, number, Sureness])[]): string[] {
    const found: string[] = [];
    const go = (path: readonly number[]) => {
      const last = path.at(-1) as number;
      for (const [from, to] of pairs) {
        if (from !== last) continue;
        if (to === path[0]) found.push(path.join());
        else if (to > (path[0] as number) && !path.includes(to)) go([...path, to]);
      }
    };
    for (const start of new Set(pairs.map(([from]) => from))) go([start]);
    return found.sort();
  }

  test('are found, each once, and nothing else', () => {
    const pair = fc.tuple(
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constant<Sureness>('certain'),
    );
    const pairs = fc.uniqueArray(pair, { maxLength: 14, selector: ([from, to]) => `${from} ${to}` });
    fc.assert(
      fc.property(pairs, (of) => {
        const found = cycles(graphOf(of)).map(({ tasks }) => tasks.map(({ pid }) => pid).join());
        expect(found.sort()).toEqual(bruteForce(of));
      }),
      { numRuns: 500 },
    );
  });

  test('are bounded where there are very many', () => {
    const all = Array.from({ length: 14 }, (_, from) =>
      Array.from({ length: 14 }, (_, to) => [from + 1, to + 1, 'hint'] as const),
    ).flat();
    expect(cycles(graphOf(all)).length).toBe(1000);
  });

  test('are as sure as their weakest edge, surest first', () => {
    const found = cycles(
      graphOf([
        [1, 2, 'certain'],
        [2, 1, 'hint'],
        [3, 4, 'likely'],
        [4, 3, 'certain'],
      ]),
    );
    expect(found.map(({ sure, tasks }) => [sure, tasks[0]?.pid])).toEqual([
      ['likely', 3],
      ['hint', 1],
    ]);
  });
});

describe('round trips', () => {
  test('locks, their places and the graph of 1,000 tasks take at most 60', () => {
    const waiters = Array.from({ length: 200 }, (_, i) => 1000 + i);
    const idle = Array.from({ length: 800 }, (_, i) => 5000 + i);
    const locks = new FakeLocks('list', [
      ...waiters.map((pid) => ({ pid, stack: STACK })),
      ...idle.map((pid) => ({ pid, stack: ['do_work'], state: 1 })),
    ]);
    // 20 locks of 10 waiters each, the owners of which wait for the next lock.
    for (let i = 0; i < 20; i++) {
      const mine = waiters.slice(i * 10, i * 10 + 10);
      locks.mutex({ owner: i === 19 ? 5000 : (waiters[i * 10 + 10] as number), waiters: mine, at: pageOf(locks) });
    }
    const kernel = locks.kernel({ liveness: 'live' });
    const graph = waitGraph(kernel);
    expect(graph.locks.size).toBe(20);
    expect(graph.waits.size).toBe(200);
    const [chain] = chains(kernel, graph);
    expect(chain?.edges).toHaveLength(20);
    expect(chain?.blocked).toHaveLength(200);
    describeLocks(kernel, [...graph.locks.values()]);
    expect(kernel.memory.requests).toBeLessThanOrEqual(60);
  });

  test('1,000 waiters of one lock take as many as one', () => {
    const waiters = Array.from({ length: 1000 }, (_, i) => 1000 + i);
    const locks = new FakeLocks('list', [
      ...waiters.map((pid) => ({ pid, stack: STACK })),
      { pid: 9000, stack: ['do_work'], state: 1 },
    ]);
    locks.mutex({ owner: 9000, waiters });
    const kernel = locks.kernel({ liveness: 'live' });
    const [lock] = [...waitGraph(kernel).locks.values()];
    expect(lock?.waiters.map(({ pid }) => pid)).toEqual(waiters);
    expect(kernel.memory.requests).toBeLessThanOrEqual(60);
  });
});

describe.each(['frozen', 'live'] as const)('an owner on its own queue, on a %s target', (liveness) => {
  const make = () => {
    const sleepers = [10, 11].map((pid) => ({ pid, stack: STACK }));
    const locks = new FakeLocks('list', sleepers, { members: ['on_rq'] });
    locks.mutex({ owner: 10, waiters: [10, 11] });
    return locks;
  };

  test('waits for itself while it sleeps', () => {
    const kernel = make().kernel({ liveness });
    const [cycle] = cycles(waitGraph(kernel));
    expect([cycle?.sure, cycle?.tasks.map(({ pid }) => pid)]).toEqual(['certain', [10]]);
  });

  test('has been let in when it can run', () => {
    const locks = make();
    locks.setTask(10, 'on_rq', 1n);
    const graph = waitGraph(locks.kernel({ liveness }));
    expect(cycles(graph)).toEqual([]);
    const [lock] = [...graph.locks.values()];
    expect(lock?.waiters.map(({ pid, order }) => [pid, order])).toEqual([[11, 1]]);
    expect(lock?.leaving.map(({ pid }) => pid)).toEqual([10]);
    expect(lock?.notes.join()).toContain('has it, and is on its queue until it runs on');
  });
});

describe('a FUSE server', () => {
  const make = (servers: readonly number[]) => {
    const locks = new FakeLocks(
      'list',
      [
        { pid: 10, stack: WRITE },
        { pid: 11, stack: ['request_wait_answer', 'fuse_lookup_name'], state: 1, flags: 0, totalVm: 10 },
        ...[12, 13].map((pid) => ({ pid, stack: ['do_signal_stop'], state: 4, flags: 0, totalVm: 10 })),
        { pid: 14, stack: ['do_work'], state: 1 },
      ],
      { members: ['files'] },
    );
    locks.rwsem({ writer: 11, waiters: [[10, 'write']] });
    const places = locks.fuse({ waiter: 11, servers });
    return { locks, places };
  };
  const roots = (locks: FakeLocks) =>
    chains(locks.kernel(), waitGraph(locks.kernel())).map(({ root, edges, sure, blocked }) => [
      ...[root?.pid, root?.text, sure],
      edges.map(({ owner }) => owner.role),
      blocked.map(({ pid }) => pid).sort(),
    ]);

  test('is who has the device of the connection open, and all wait for it', () => {
    const { locks } = make([12]);
    expect(roots(locks)).toEqual([[12, 'is stopped', 'likely', ['owner', 'worker'], [10, 11]]]);
  });

  test('counts once for all threads, and no kernel thread is one', () => {
    expect(roots(make([14, 13, 12]).locks).map(([pid]) => pid)).toEqual([12]);
  });

  test('of another connection is not meant', () => {
    const { locks, places } = make([12]);
    locks.fake.set(locks.fake.type('fuse_dev'), places[4] as bigint, 'fc', places[5]! + 8n);
    expect(roots(locks).map(([pid, text]) => [pid, text])).toEqual([
      [11, 'waits for user space: a FUSE server in request_wait_answer'],
    ]);
  });

  test('with a table of any size ends soon', () => {
    const { locks, places } = make([12]);
    locks.fake.set(locks.fake.type('fdtable'), places[1] as bigint, 'max_fds', 0xffff_ffffn);
    expect(roots(locks).map(([pid]) => pid)).toEqual([12]);
  });
});

describe('held locks', () => {
  test('that somebody waits for', () => {
    const locks = waiting([10], [11]);
    const mutex = locks.mutex({ owner: 11, waiters: [10] });
    expect(heldBy(locks.kernel(), locks.task(11))).toEqual([
      { kind: 'mutex', address: mutex, mode: 'exclusive', sure: 'certain', how: 'mutex.owner', waiters: 1 },
    ]);
  });

  test('that a pointer on the stack leads to', () => {
    const locks = waiting([], [11, 12]);
    const mine = locks.mutex({ owner: 11 });
    const other = locks.mutex({ owner: 12 });
    const rwsem = locks.rwsem({ writer: 11 });
    for (const [i, at] of [mine, other, rwsem].entries()) {
      locks.fake.memory.u64(locks.locals(11, 'do_work') + BigInt(8 * i), at);
    }
    const held = heldBy(locks.kernel(), locks.task(11));
    expect(held.map(({ kind, address, sure }) => [kind, address, sure])).toEqual([
      ['mutex', mine, 'likely'],
      ['rwsem', rwsem, 'likely'],
    ]);
    expect(held[0]?.how).toBe("a word in the frame of do_work points to it, and its owner word is the task's");
  });
});

function pageOf(locks: FakeLocks): bigint {
  return locks.fake.allocate(64, { page: true });
}
