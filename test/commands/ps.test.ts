import { describe, expect, it } from 'vitest';
import { FakeKernel, fakeFiles } from '../support/fake-kernel.ts';
import { type FakeSession, fakeSession } from '../support/fake-session.ts';
import { FakeTasks, type PlantedTask } from '../support/fake-tasks.ts';

const KTHREAD = 0x20_0000;
const SOME: readonly PlantedTask[] = [
  { pid: 1, comm: 'init', totalVm: 100, rss: [50] },
  { pid: 2, comm: 'kthreadd', flags: KTHREAD },
  { pid: 70, comm: 'web', parent: 1, totalVm: 5000, rss: [10], cpu: 1 },
  { pid: 71, tgid: 70, comm: 'web-worker', parent: 1, state: 2 },
  { pid: 221, comm: 'UN', parent: 70 },
  { pid: 300, comm: 'dd', parent: 70 },
  { pid: 4000, comm: 'gone\u001b[31m', parent: 70, state: 0x80, exitState: 0x20 },
];

const pids = (session: FakeSession, line: string) => session.json(line).rows.map(({ pid }) => pid);

describe('ps', () => {
  const planted = new FakeTasks(SOME);
  const session = fakeSession(planted.fake);

  it('shows a table with kernel threads in brackets and running tasks marked', () => {
    const address = (pid: number) => planted.address(pid).toString(16);
    const lines = session.lines('ps');
    expect(lines[0]).toBe('      PID    PPID  CPU        TASK        ST  %MEM      VSZ      RSS  COMM');
    expect(lines[1]).toBe(
      `>       0       0    0  ${planted.idle[0]?.toString(16)}  RU     -        0        0  [swapper/0]`,
    );
    expect(lines.slice(3, 6)).toEqual([
      `        1       0    0  ${address(1)}  IN     -      400      200  init`,
      `        2       0    0  ${address(2)}  IN     -        0        0  [kthreadd]`,
      `       70       1    1  ${address(70)}  IN     -    20000       40  web`,
    ]);
    expect(session.lines('ps -H 1')).toEqual([lines[3]]);
  });

  it('gives the fixed names in JSON', () => {
    const { rows } = session.json('ps 70');
    expect(rows).toEqual([
      {
        pid: 70,
        ppid: 1,
        cpu: 1,
        task: `0x${planted.address(70).toString(16)}`,
        state: 'IN',
        mem: null,
        vsz: 20000,
        rss: 40,
        comm: 'web',
      },
    ]);
  });

  it.each([
    ['ps UN', [71]],
    ['ps UN IN', [1, 2, 70, 71, 221, 300]],
    ['ps \\UN', [221]],
    ['ps web', [70]],
    ["ps '^web'", [70, 71]],
    ["ps UN '^web'", [71]],
    ['ps kernel', [0, 0, 2]],
    ['ps kernel IN', [2]],
    ['ps user gleader', [1, 70, 221, 300, 4000]],
    ['ps active', [0, 0]],
    ['ps -A', [0, 0]],
    ['ps -k IN', [2]],
    ['ps -u IN', [1, 70, 221, 300]],
    ['ps -G UN', []],
    ['ps -C 1 user', [70]],
    ['ps 70 2 70', [70, 2]],
    ['ps 0x46', [70]],
    // A program before a PID in hex, which is 221.
    ['ps dd', [300]],
    ['ps ZO', [4000]],
    ['ps -y fifo,1', []],
    ['ps 71 | ps', [71]],
    // Members of a task are a task as well.
    [`struct task_struct.comm,pid ${planted.address(71).toString(16)} | ps`, [71]],
  ])('%s', (line, expected) => {
    expect(pids(session, line)).toEqual(expected);
  });

  it('names what it does not find', () => {
    expect(session.json('ps wokr').error).toBe('no task "wokr"');
    expect(session.json('ps work').error).toBe('no task "work"; did you mean 71 (web-worker)?');
    expect(session.json("ps '['")).toMatchObject({
      status: 2,
      error: expect.stringContaining('not a regular expression'),
    });
    expect(session.json('ps -y nice').error).toContain('"nice" is no scheduling policy');
    expect(session.json("ps 'nothing'").notices).toEqual(["no task has a name like 'nothing'"]);
    expect(session.json('ps -k -u').error).toContain('exclude each other');
    expect(session.json('ps -l -t').error).toContain('exclude each other');
  });

  it('shows who belongs to whom', () => {
    expect(session.json('ps -p 4000').rows).toMatchObject([
      { pid: 4000, ancestors: [{ pid: 0 }, { pid: 1 }, { pid: 70 }] },
    ]);
    expect(session.lines('ps -p 70').map((line) => line.replace(/TASK.*COMMAND/, ''))).toEqual([
      'PID: 0        : "swapper/0"',
      ' PID: 1        : "init"',
      '  PID: 70       : "web"',
    ]);
    expect(session.json('ps -c 70').rows).toMatchObject([
      { pid: 70, children: [{ pid: 221 }, { pid: 300 }, { pid: 4000 }] },
    ]);
    expect(session.lines('ps -c 300')[1]).toBe('  (no children)');
    expect(session.json('ps -g 71').rows).toMatchObject([{ pid: 70, threads: [{ pid: 71 }] }]);
  });

  it('counts states, orders by last run', () => {
    expect(session.lines('ps -S user')).toEqual(['  IN: 4', '  UN: 1', '  ZO: 1']);
    const { fake } = planted;
    for (const [pid, at] of [
      [1, 5_000_000_000n],
      [70, 8_000_000_000n],
    ] as const) {
      fake.set(fake.type('task_struct'), planted.address(pid), 'sched_info.last_arrival', at);
    }
    const later = fakeSession(fake);
    expect(pids(later, 'ps -l 1 70')).toEqual([70, 1]);
    expect(later.lines('ps -l 1 70')[1]).toMatch(/^\[5000000000\] \[IN\] {2}PID: 1 /);
    expect(later.lines('ps -m 1')[0]).toMatch(/^\[ 0 00:00:00\.000\] \[IN\] {2}PID: 1 /);
  });

  it('shows policies, limits, times', () => {
    expect(session.json('ps -Y 1').rows).toMatchObject([{ pid: 1, policy: 'NORMAL', prio: 0 }]);
    expect(session.lines('ps -r 1')).toContain('    NOFILE  1024          (unlimited)');
    expect(session.json('ps -t 1').rows).toMatchObject([{ pid: 1, startTime: 0, utime: 0, stime: 0 }]);
  });

  it('shows one bad cell where sizes cannot be read', () => {
    const broken = new FakeTasks(SOME);
    broken.fake.set(broken.fake.type('task_struct'), broken.address(70), 'mm', 0xdead_0000_0000n);
    expect(fakeSession(broken.fake).json('ps 70').rows).toMatchObject([{ pid: 70, vsz: null, rss: null, comm: 'web' }]);
  });

  it('lists 1,000 tasks in at most 24 requests', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ pid: i * 17 + 1, totalVm: 10, rss: [1] as const }));
    const crowd = fakeSession(new FakeTasks(many, { page: true }).fake, { liveness: 'live' });
    expect(crowd.json('ps').rows).toHaveLength(1002);
    expect(crowd.kernel.memory.requests).toBeLessThanOrEqual(24);
  });
});

describe('ps without memory', () => {
  const stat = (pid: number, comm: string, state: string, ppid: number) =>
    `${pid} (${comm}) ${state} ${ppid} 1 1 0 -1 4194304 10 0 0 0 150 250 0 0 20 0 1 0 777 4096000 300 0 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0`;
  const files = fakeFiles({
    '/proc/1/stat': stat(1, 'init', 'S', 0),
    '/proc/1/status': 'Tgid:\t1\n',
    '/proc/1/cmdline': '/sbin/init\0--user\0',
    '/proc/1/environ': 'HOME=/\0TERM=linux\0',
    '/proc/1/limits': `Limit                     Soft Limit           Hard Limit           Units     \nMax cpu time              unlimited            unlimited            seconds   \nMax file size             1024                 unlimited            bytes     \n`,
    '/proc/9/stat': stat(9, 'sh', 'D', 1),
    '/proc/9/status': 'Tgid:\t9\n',
  });
  const session = fakeSession(new FakeKernel(), { memory: false, files, liveness: 'live' });

  it('lists from /proc, without addresses', () => {
    expect(session.lines('ps')).toEqual([
      '      PID    PPID  CPU  ST  %MEM      VSZ      RSS  COMM',
      '        1       0    1  IN     -     4000     1200  init',
      '        9       1    1  UN     -     4000     1200  sh',
    ]);
    expect(session.json('ps UN').rows).toMatchObject([{ pid: 9, task: null, vsz: 4000 }]);
    expect(session.json('ps sh').rows).toHaveLength(1);
  });

  it('reads arguments and limits of files', () => {
    expect(session.lines('ps -a 1').slice(1)).toEqual(['ARG: /sbin/init --user', 'ENV: HOME=/', '     TERM=linux']);
    expect(session.json('ps -r 1').rows).toMatchObject([
      {
        limits: [
          { name: 'CPU', current: null, maximum: null },
          { name: 'FSIZE', current: 1024 },
        ],
      },
    ]);
    expect(session.json('ps -t 9').rows).toMatchObject([{ startTime: 7.77, utime: 1.5, stime: 2.5 }]);
  });

  it('refuses what only memory tells', () => {
    for (const line of ['ps -s', 'ps -l', 'ps -Y', 'ps -y rr']) {
      expect(session.json(line).error).toContain('has no kernel memory');
    }
    expect(session.json('ps -A').error).toContain('without kernel memory');
  });
});

describe('completion of tasks', () => {
  const session = fakeSession(new FakeTasks(SOME).fake);
  const texts = (line: string) => session.completions(line);

  it('offers PIDs with their comms, names, states, words', () => {
    expect(texts('bt 7')).toEqual(['70 web', '71 web-worker']);
    expect(texts('ps we')).toEqual(['web a task', 'web-worker a task']);
    expect(texts('ps U')).toEqual(['UN tasks in this state', 'UN a task']);
    expect(texts('foreach ker')).toEqual(['kernel kernel threads']);
  });

  it('never offers what a process wrote to do harm', () => {
    expect(texts('ps go')).toEqual([]);
  });

  it('goes on within the command of foreach', () => {
    expect(texts('foreach UN bt -')).toContainEqual(expect.stringMatching(/^-R only stacks/));
    expect(texts('foreach UN b')).toContainEqual(expect.stringMatching(/^bt /));
  });
});
