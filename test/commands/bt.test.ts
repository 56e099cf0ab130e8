import { describe, expect, it } from 'vitest';
import { FakeKernel, fakeFiles } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';
import { FakeSleepers, type Sleeper } from '../support/fake-sleepers.ts';

const KTHREAD = 0x20_0000;
const MUTEX = ['__schedule', 'schedule', '__mutex_lock.constprop.0', 'vfs_write'];
const SOME: readonly Sleeper[] = [
  { pid: 1, comm: 'init', stack: ['__schedule', 'schedule', 'do_wait'] },
  { pid: 2, comm: 'kthreadd', flags: KTHREAD, stack: ['__schedule', 'schedule', 'kthreadd'] },
  { pid: 70, comm: 'web', parent: 1, state: 2, stack: MUTEX },
  { pid: 71, tgid: 70, comm: 'web-worker', parent: 1, state: 2, stack: MUTEX, cpu: 1 },
  { pid: 90, comm: 'spin', state: 0 },
];

const functionsOf = (rows: readonly Readonly<Record<string, unknown>>[]) => {
  const frames = rows.flatMap((row) => row['frames'] as { readonly symbol: string }[]);
  return frames.map(({ symbol }) => symbol);
};

describe('bt', () => {
  const sleepers = new FakeSleepers(SOME);
  const session = fakeSession(sleepers.fake, { pid: 1 });

  it('shows the frames of the context as crash lays them out, user registers at the bottom', () => {
    const stack = sleepers.stacks.get(1) as bigint;
    const task = sleepers.tasks.address(1).toString(16);
    const slot = (i: number) => (stack + 0x4000n - 168n - 48n - 8n + BigInt(16 * i)).toString(16);
    const at = (name: string) => sleepers.fake.at(name).toString(16);
    const lines = session.lines('bt');
    expect(lines.slice(0, 6)).toEqual([
      `PID: 1        TASK: ${task}  CPU: 0    COMMAND: "init"`,
      ` #0 [${slot(0)}] __schedule at ${at('__schedule')}`,
      ` #1 [${slot(1)}] schedule at ${at('schedule')}`,
      ` #2 [${slot(2)}] do_wait at ${at('do_wait')}`,
      ` #3 [${slot(3)}] after_hwframe at ${at('after_hwframe')}`,
      '    RIP: 0000000000401234  RSP: 00007ffc00001000  RFLAGS: 00000202',
    ]);
    expect(lines.at(-1)).toBe('    ORIG_RAX: 0000000000000000  CS: 0033  SS: 002b');
    expect(lines).toHaveLength(12);
  });

  it('gives the fixed names in JSON', () => {
    const { rows, status } = session.json('bt 2');
    expect(status).toBe(0);
    expect(rows).toHaveLength(1);
    expect(Object.keys(rows[0] ?? {})).toEqual(['pid', 'task', 'cpu', 'comm', 'frames']);
    const [frame] = rows.flatMap((row) => row['frames'] as Record<string, unknown>[]);
    expect(Object.keys(frame ?? {})).toEqual(['index', 'sp', 'pc', 'symbol', 'offset', 'module', 'method']);
    expect(frame).toMatchObject({ index: 0, symbol: '__schedule', offset: 0x40, module: null, method: 'regs' });
    expect(session.json('bt 1').rows).toMatchObject([{ registers: { ax: '0xffffffffffffffda', cs: '0x33' } }]);
  });

  it('takes addresses, names, expressions over names, states, threads of a group', () => {
    const pids = (line: string) => session.json(line).rows.map(({ pid }) => pid);
    expect(pids(`bt ${sleepers.tasks.address(70).toString(16)}`)).toEqual([70]);
    expect(pids('bt kthreadd 1')).toEqual([2, 1]);
    expect(pids("bt '^web'")).toEqual([70, 71]);
    expect(pids('bt UN')).toEqual([70, 71]);
    expect(pids('bt UN web')).toEqual([70]);
    expect(pids('bt -g 71')).toEqual([70, 71]);
    expect(pids('ps UN | bt')).toEqual([70, 71]);
    expect(session.json('bt nobody')).toMatchObject({ status: 1, error: 'no task "nobody"' });
    expect(session.json('bt wbe web-').error).toContain('no task "wbe"');
  });

  it('shows only the stacks that contain what -R names', () => {
    const pids = (line: string) => session.json(line).rows.map(({ pid }) => pid);
    expect(pids('bt -R __mutex_lock 1 70 2')).toEqual([70]);
    expect(pids("bt -R 'wait|write' user")).toEqual([1, 70, 71]);
    expect(pids('bt -R schedule -R kthreadd kernel')).toEqual([2]);
    const word = (sleepers.stacks.get(71) as bigint) + 0x4000n - 16n * 10n;
    sleepers.fake.memory.u64(word, 0xffff_8880_dead_0000n);
    expect(pids('bt -R ffff8880dead0000')).toEqual([]);
    expect(
      fakeSession(sleepers.fake)
        .json('bt -R ffff8880dead0000 UN')
        .rows.map(({ pid }) => pid),
    ).toEqual([71]);
    expect(session.json('bt -R nowhere UN').notices).toEqual(['no stack contains nowhere']);
  });

  it('shows words, text, offsets', () => {
    const lines = session.lines('bt -sx 2');
    expect(lines[1]).toContain('__schedule+0x40 at');
    expect(session.lines('bt -sd 2')[1]).toContain('__schedule+64 at');
    const words = session.lines('bt -F 2').filter((line) => /^ {4}f/.test(line));
    expect(words[0]).toMatch(/^ {4}[0-9a-f]{16}: 0{16} schedule\+0x40$/);
    expect(session.lines('bt -FF 2').join('\n')).toMatch(/ schedule\+0x40 \[ffffffff[0-9a-f]{8}\]/);
    expect(session.lines('bt -t 2').filter((line) => line.startsWith('  ['))).toHaveLength(4);
    expect(session.json('bt -f 2').rows[0]?.['frames']).toMatchObject([{ words: [{}, {}] }, {}, {}, {}]);
  });

  it('finds exception frames and the whole stack', () => {
    expect(session.lines('bt -e 1')).toContainEqual(expect.stringMatching(/^USER-MODE EXCEPTION FRAME AT: /));
    expect(session.lines('bt -e 2').at(-1)).toBe('    (no exception frames)');
    expect(session.json('bt -r 2').rows[0]?.['words']).toHaveLength(2048);
  });

  it('starts where it is told to', () => {
    const sp = ((sleepers.stacks.get(2) as bigint) + 0x4000n - 16n - 32n).toString(16);
    expect(functionsOf(session.json(`bt -S ${sp} 2`).rows)).toEqual(['kthreadd', 'ret_from_fork']);
    expect(session.json('bt -S 1000 2').error).toContain('is not on the stack of the task');
    expect(session.json('bt -I 1000 2')).toMatchObject({ status: 2 });
  });

  it('checks for overflows', () => {
    expect(session.json('bt -v UN').notices).toEqual(['2 stacks were checked: none shows an overflow']);
    sleepers.fake.memory.u64(sleepers.stacks.get(71) as bigint, 0x1234n);
    const again = fakeSession(sleepers.fake).json('bt -v UN');
    expect(again.rows).toMatchObject([{ pid: 71, problem: expect.stringContaining('is overwritten: 0x1234') }]);
    sleepers.fake.memory.u64(sleepers.stacks.get(71) as bigint, 0x57ac_6e9dn);
  });

  it('refuses what contradicts itself', () => {
    expect(session.json('bt -t -e').error).toContain('-t and -e exclude each other');
    expect(session.json('bt -a 1').error).toContain('exclude each other');
    expect(session.json('ps | bt 1').error).toContain('the tasks come from the pipe');
  });

  it('says of lines that there is no debug information', () => {
    expect(session.json('bt -l 2').notices).toEqual(['no source lines: there is no debug information']);
  });
});

describe('bt on a live kernel', () => {
  const sleepers = new FakeSleepers(SOME);
  const live = (pid = 1) => fakeSession(sleepers.fake, { liveness: 'live', pid });

  it('says of a running task why it has no frames', () => {
    const { rows, status } = live().json('bt 90');
    expect(status).toBe(0);
    expect(rows).toMatchObject([{ pid: 90, frames: [], refused: 'the task is running on CPU 0' }]);
    expect(live().lines('bt 90').at(-1)).toBe('    (the task is running on CPU 0)');
  });

  it('refuses -a and -c with what to do instead', () => {
    for (const line of ['bt -a', 'bt -c 0']) {
      const { status, error } = live().json(line);
      expect(status).toBe(1);
      expect(error).toContain('a task that is running cannot be unwound on a live kernel');
      expect(error).toContain('ps -A');
    }
  });

  it('says that the context has ended', () => {
    expect(live(55).json('bt').error).toBe('no task "55" (the context): it has ended; "set PID" chooses another');
  });

  it('reads one task in few requests, and fewer once it was seen', () => {
    const session = live();
    const requests = (line: string) => {
      const before = session.kernel.memory.requests;
      expect(functionsOf(session.json(line).rows)).toContain('__schedule');
      return session.kernel.memory.requests - before;
    };
    // The PID table has two levels here: its head, two nodes, the struct pid, the task, its stack, twice the tables.
    expect(requests('bt 70')).toBeLessThanOrEqual(8);
    expect(requests('bt 70')).toBeLessThanOrEqual(4);
    session.json('ps');
    expect(requests('bt 71')).toBeLessThanOrEqual(5);
    expect(requests(`bt ${sleepers.tasks.address(2).toString(16)}`)).toBeLessThanOrEqual(6);
  });

  it('does not take another task for one that was seen and has ended', () => {
    const ended = new FakeSleepers(SOME);
    const session = fakeSession(ended.fake, { liveness: 'live' });
    session.json('ps');
    // __unhash_process() cuts the link; the PID table forgets the PID.
    ended.fake.set(ended.fake.type('pid'), ended.tasks.pids.get(71) as bigint, 'tasks[0].first', 0n);
    expect(session.json('bt 71').error).toContain('no task "71"');
  });

  it('reads 200 tasks in at most 40 requests', () => {
    const many = Array.from({ length: 400 }, (_, i): Sleeper => {
      return { pid: i * 7 + 1, state: i % 2 === 0 ? 2 : 1, stack: [`wait_${i % 5}`, 'schedule', 'vfs_write'] };
    });
    const crowd = fakeSession(new FakeSleepers(many).fake, { liveness: 'live' });
    const { rows } = crowd.json('foreach UN bt');
    expect(rows).toHaveLength(200);
    expect(crowd.kernel.memory.requests).toBeLessThanOrEqual(40);
  });
});

describe('bt without memory', () => {
  const stat = (pid: number, comm: string) =>
    `${pid} (${comm}) S 1 1 1 0 -1 4194304 10 0 0 0 1 2 0 0 20 0 1 0 777 4096000 300 0 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0`;
  const files = fakeFiles({
    '/proc/1/stat': stat(1, 'init'),
    '/proc/1/status': 'Name:\tinit\nTgid:\t1\n',
    '/proc/1/stack': '[<0>] do_wait+0x53/0x1a0\n[<0>] nfs_wait+0x10/0x20 [nfs]\n? junk\n',
    '/proc/5/stat': stat(5, 'busy'),
    '/proc/5/status': 'Name:\tbusy\nTgid:\t5\n',
    '/proc/5/stack': '',
  });
  const session = fakeSession(new FakeKernel(), { memory: false, files, liveness: 'live' });

  it('shows /proc/PID/stack, and says what that lacks', () => {
    expect(session.lines('bt 1')).toEqual([
      'PID: 1        TASK: ----------------  CPU: 1    COMMAND: "init"',
      ' #0 do_wait+0x53',
      ' #1 nfs_wait+0x10 [nfs]',
      '(from /proc/PID/stack: functions of the scheduler and of locks are left out, and addresses are not told)',
    ]);
    expect(session.json('bt 1').rows).toMatchObject([
      {
        pid: 1,
        task: null,
        frames: [{ index: 0, sp: null, pc: null, symbol: 'do_wait', offset: 83, method: 'proc' }, {}],
      },
    ]);
  });

  it('says why there is none', () => {
    expect(session.json('bt 5').rows).toMatchObject([{ frames: [], refused: expect.stringContaining('is running') }]);
    expect(session.json('bt -f 1').error).toContain('has no kernel memory');
    expect(session.json('bt 77').error).toContain('no task "77"');
  });
});
