import { describe, expect, it } from 'vitest';
import { NotFoundError } from '../../../src/core/errors.ts';
import { findTask, getTask, tasksNamed } from '../../../src/core/kernel/find-task.ts';
import { currentTasks } from '../../../src/core/kernel/runqueue.ts';
import { findTaskAt, findTaskByPid, idleTasks, parentPid, tasks, threadsOf } from '../../../src/core/kernel/task.ts';
import { resourceLimits } from '../../../src/core/kernel/task-limits.ts';
import { tasksByLists } from '../../../src/core/kernel/task-lists.ts';
import { taskRows } from '../../../src/core/kernel/task-row.ts';
import { describeState, stateOfLetter, taskState } from '../../../src/core/kernel/task-state.ts';
import { FakeTasks, type PlantedTask } from '../../support/fake-tasks.ts';

const SOME: readonly PlantedTask[] = [
  { pid: 1, comm: 'init', totalVm: 100, rss: [50, 3, -1] },
  { pid: 2, comm: 'kthreadd', flags: 0x20_0000 },
  { pid: 70, comm: 'web', parent: 1, totalVm: 5000, rss: [10], cpu: 1 },
  { pid: 71, tgid: 70, comm: 'web-worker', parent: 1, state: 2 },
  { pid: 4000, comm: 'gone', parent: 70, state: 0x80, exitState: 0x20 },
];

describe('all tasks', () => {
  it('are the idle tasks, then the threads by PID', () => {
    const kernel = new FakeTasks(SOME).fake.kernel();
    expect(tasks(kernel).map((task) => task.pid)).toEqual([0, 0, 1, 2, 70, 71, 4000]);
    expect(idleTasks(kernel).map((task) => task.comm)).toEqual(['swapper/0', 'swapper/1']);
  });

  it('are the same along the lists', () => {
    const planted = new FakeTasks(SOME);
    const found = tasksByLists(planted.fake.kernel());
    expect([...found].sort()).toEqual([...planted.addresses.values()].sort());
  });

  it('come from the lists where the PID table is damaged, with a notice', () => {
    const planted = new FakeTasks(SOME);
    planted.fake.set(planted.fake.type('xa_node'), planted.nodes.at(-1) as bigint, 'shift', 3);
    const notices: string[] = [];
    const kernel = planted.fake.kernel({ notice: (text) => notices.push(text) });
    expect(tasks(kernel).map((task) => task.pid)).toEqual([0, 0, 1, 2, 70, 71, 4000]);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('tasks may be missing: the xarray at');
  });

  it('leave out a PID that is only a process group by now', () => {
    const planted = new FakeTasks(SOME);
    planted.fake.set(planted.fake.type('pid'), planted.pids.get(71) as bigint, 'tasks[0].first', 0n);
    expect(tasks(planted.fake.kernel()).map((task) => task.pid)).toEqual([0, 0, 1, 2, 70, 4000]);
  });

  it('are found in a few requests, however many they are', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ pid: i * 17 + 1, totalVm: 10, rss: [1] as const }));
    const planted = new FakeTasks(many, { page: true });
    const kernel = planted.fake.kernel();
    expect([...taskRows(kernel)]).toHaveLength(1002);
    expect(kernel.memory.requests).toBeLessThanOrEqual(24);
  });
});

describe('rows', () => {
  it('hold what ps shows', () => {
    const planted = new FakeTasks(SOME);
    const rows = [...taskRows(planted.fake.kernel())];
    expect(
      rows.map(({ pid, tgid, ppid, cpu, state, kernelThread, vsz, rss, comm, active }) => {
        return [pid, tgid, ppid, cpu, state, kernelThread, vsz, rss, comm, active];
      }),
    ).toEqual([
      [0, 0, 0, 0, 'RU', true, 0, 0, 'swapper/0', true],
      [0, 0, 0, 1, 'RU', true, 0, 0, 'swapper/1', true],
      // 50 + 3 - 1 pages: what each CPU holds back is counted.
      [1, 1, 0, 0, 'IN', false, 400, 208, 'init', false],
      [2, 2, 0, 0, 'IN', true, 0, 0, 'kthreadd', false],
      [70, 70, 1, 1, 'IN', false, 20000, 40, 'web', false],
      [71, 70, 1, 0, 'UN', false, 0, 0, 'web-worker', false],
      [4000, 4000, 70, 0, 'ZO', false, 0, 0, 'gone', false],
    ]);
  });

  it('leave one out that cannot be read, with a notice, and keep the others', () => {
    const planted = new FakeTasks(SOME, { page: true });
    planted.fake.memory.fault(planted.address(71), 'excluded');
    const notices: string[] = [];
    const rows = [...taskRows(planted.fake.kernel({ notice: (text) => notices.push(text) }))];
    expect(rows.map((row) => row.pid)).toEqual([0, 0, 1, 2, 70, 4000]);
    expect(notices).toEqual([expect.stringContaining('a task is left out: cannot read task_struct.')]);
  });

  it('say that a size is not known rather than guess', () => {
    const planted = new FakeTasks(SOME);
    planted.fake.set(planted.fake.type('task_struct'), planted.address(70), 'mm', 0xffff_8880_7777_0000n);
    const row = [...taskRows(planted.fake.kernel())].find(({ pid }) => pid === 70);
    expect(row).toMatchObject({ vsz: undefined, rss: undefined, comm: 'web' });
  });

  it('leave out a task that a live kernel has released', () => {
    const planted = new FakeTasks(SOME);
    planted.fake.set(planted.fake.type('task_struct'), planted.address(71), 'thread_pid', 0n);
    expect([...taskRows(planted.fake.kernel({ liveness: 'live' }))].map((row) => row.pid)).not.toContain(71);
    expect([...taskRows(planted.fake.kernel())].map((row) => row.pid)).toContain(71);
  });
});

describe('one task', () => {
  const planted = new FakeTasks(SOME);
  const kernel = planted.fake.kernel();

  it('is looked up by PID without reading the others', () => {
    const many = Array.from({ length: 500 }, (_, i) => ({ pid: i * 100 + 1 }));
    const crowd = new FakeTasks(many, { page: true });
    const fresh = crowd.fake.kernel();
    expect(findTaskByPid(fresh, 40_001)?.address).toBe(crowd.address(40_001));
    expect(fresh.memory.requests).toBeLessThanOrEqual(8);
    expect(findTaskByPid(fresh, 40_002)).toBeUndefined();
    expect(findTaskByPid(fresh, -1)).toBeUndefined();
    expect(findTaskByPid(fresh, 1e9)).toBeUndefined();
  });

  it('is found by its address only when the kernel knows it', () => {
    expect(findTaskAt(kernel, planted.address(70))?.pid).toBe(70);
    expect(findTaskAt(kernel, planted.idle[1] as bigint)?.comm).toBe('swapper/1');
    expect(findTaskAt(kernel, planted.address(70) + 8n)).toBeUndefined();
    expect(findTaskAt(kernel, 0xffff_8880_7777_0000n)).toBeUndefined();
    expect(findTaskAt(kernel, 0x1234n)).toBeUndefined();
  });

  it('is named by decimal PID, then by address, then by hex PID', () => {
    const found = (text: string) => findTask(kernel, text)?.pid;
    expect(found('70')).toBe(70);
    expect(found('46')).toBe(70);
    expect(found('0x46')).toBe(70);
    expect(found(planted.address(71).toString(16))).toBe(71);
    expect(found(`0x${planted.address(71).toString(16)}`)).toBe(71);
    expect(found('71')).toBe(71);
    expect(found('fa0')).toBe(4000);
    expect(found('nonsense')).toBeUndefined();
    expect(found('')).toBeUndefined();
    expect(found('99999999999999999999')).toBeUndefined();
  });

  it('that does not exist is an error with near names', () => {
    expect(() => getTask(kernel, 'web')).toThrow('no task "web"; did you mean 70 (web), 71 (web-worker)?');
    expect(() => getTask(kernel, '12345')).toThrow(NotFoundError);
    expect(tasksNamed(kernel, 'web').map((task) => task.pid)).toEqual([70]);
  });

  it('has a parent, threads and limits', () => {
    const web = getTask(kernel, '70');
    expect(parentPid(kernel, web)).toBe(1);
    expect(threadsOf(kernel, 70).map((task) => task.pid)).toEqual([70, 71]);
    expect(resourceLimits(kernel, web)[7]).toEqual({ name: 'NOFILE', current: 1024n, maximum: undefined });
    expect([...currentTasks(kernel)]).toEqual([
      [0, planted.idle[0]],
      [1, planted.idle[1]],
    ]);
  });
});

describe('states', () => {
  it.each([
    [0, 0, 'RU', 'TASK_RUNNING'],
    [1, 0, 'IN', 'TASK_INTERRUPTIBLE'],
    [0x2001, 0, 'IN', 'TASK_INTERRUPTIBLE|TASK_FREEZABLE'],
    [2, 0, 'UN', 'TASK_UNINTERRUPTIBLE'],
    [0x102, 0, 'UN', 'TASK_UNINTERRUPTIBLE|TASK_WAKEKILL'],
    [0x402, 0, 'ID', 'TASK_UNINTERRUPTIBLE|TASK_NOLOAD'],
    [0x104, 0, 'ST', '__TASK_STOPPED|TASK_WAKEKILL'],
    [8, 0, 'TR', '__TASK_TRACED'],
    [0x40, 0, 'PA', 'TASK_PARKED'],
    [0x80, 0x20, 'ZO', 'EXIT_ZOMBIE|TASK_DEAD'],
    [0x80, 0x10, 'DE', 'EXIT_DEAD|TASK_DEAD'],
    [0x80, 0, 'DE', 'TASK_DEAD'],
    [0x200, 0, 'WA', 'TASK_WAKING'],
    [0x800, 0, 'NE', 'TASK_NEW'],
    [0x8000, 0, 'UN', 'TASK_FROZEN'],
    [0x1000, 0, 'UN', 'TASK_RTLOCK_WAIT'],
    [0x10_0001, 0, 'IN', 'TASK_INTERRUPTIBLE|0x100000'],
  ])('%s/%s is %s', (state, exitState, short, long) => {
    expect(taskState({ state, exitState })).toBe(short);
    expect(describeState({ state, exitState })).toBe(long);
  });

  it('come from the letters of /proc as well', () => {
    expect(['R', 'S', 'D', 'I', 'T', 't', 'Z', 'X', 'P'].map(stateOfLetter)).toEqual([
      ...['RU', 'IN', 'UN', 'ID', 'ST', 'TR', 'ZO', 'DE', 'PA'],
    ]);
  });
});
