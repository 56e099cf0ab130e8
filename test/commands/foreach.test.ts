import { describe, expect, it } from 'vitest';
import { fakeSession } from '../support/fake-session.ts';
import { FakeSleepers, type Sleeper } from '../support/fake-sleepers.ts';

const KTHREAD = 0x20_0000;
const SOME: readonly Sleeper[] = [
  { pid: 1, comm: 'init', stack: ['__schedule', 'schedule', 'do_wait'] },
  { pid: 2, comm: 'kthreadd', flags: KTHREAD, stack: ['__schedule', 'schedule', 'kthreadd'] },
  { pid: 70, comm: 'bt', parent: 1, state: 2, stack: ['__schedule', 'schedule', 'vfs_write'] },
  { pid: 71, comm: 'web', parent: 1, state: 2, stack: ['__schedule', 'schedule', 'vfs_write'] },
];

describe('foreach', () => {
  const sleepers = new FakeSleepers(SOME);
  const session = fakeSession(sleepers.fake);
  const pids = (line: string) => session.json(line).rows.map(({ pid }) => pid);

  it('gives the chosen tasks to a command that takes tasks', () => {
    expect(pids('foreach UN bt')).toEqual([70, 71]);
    expect(pids('foreach 71 1 bt')).toEqual([71, 1]);
    expect(pids('foreach \\bt ps')).toEqual([70]);
    expect(pids("foreach user 'w' task -R comm")).toEqual([71]);
    expect(pids('foreach ps')).toEqual([0, 0, 1, 2, 70, 71]);
    expect(pids('ps UN | foreach ps')).toEqual([70, 71]);
    expect(pids('foreach UN bt -R vfs_write -s')).toEqual([70, 71]);
  });

  it('heads each task and puts a blank line between them', () => {
    const lines = session.lines('foreach UN bt');
    expect(lines.filter((line) => line.startsWith('PID: '))).toHaveLength(2);
    expect(lines.filter((line) => line === '')).toHaveLength(1);
  });

  it('runs any other command with each task as the context', () => {
    expect(session.json('foreach 1 2 sym schedule').rows).toMatchObject([
      { pid: 1, comm: 'init', name: 'schedule' },
      { pid: 2, comm: 'kthreadd', name: 'schedule' },
    ]);
    expect(session.lines('foreach 1 sym schedule')[0]).toMatch(/^PID: 1 .*COMMAND: "init"$/);
  });

  it('goes on after a task for which the command fails', () => {
    const { status, notices } = session.json('foreach 2 1 rd -u 1000');
    expect(status).toBe(0);
    expect(notices).toHaveLength(2);
    expect(notices[0]).toContain('task 2 (kthreadd): the context task 2 (kthreadd) has no user memory');
  });

  it('tells of a wrong line once, where it is wrong', () => {
    expect(session.json('foreach UN bt -Q')).toMatchObject({
      status: 2,
      error: expect.stringContaining('bt has no option -Q'),
    });
    expect(session.lines('foreach UN bt -Q').slice(0, 2)).toEqual(['  foreach UN bt -Q', `  ${' '.repeat(15)}^`]);
    expect(session.json('foreach nobody bt').error).toContain('no task "nobody"');
    expect(session.json('foreach 1').error).toContain('foreach wants a command');
    expect(session.json('foreach').error).toContain('foreach wants a command');
    expect(session.json('foreach exit').error).toContain('exit is nothing to do for each task');
    expect(session.json('foreach foreach bt').error).toContain('foreach is nothing to do');
  });
});

describe('stacks', () => {
  const MUTEX = ['__schedule', '__mutex_lock', 'vfs_write'];
  const sleepers = new FakeSleepers([
    ...SOME,
    ...Array.from({ length: 7 }, (_, i): Sleeper => ({ pid: 100 + i, comm: `cat${i}`, state: 2, stack: MUTEX })),
    { pid: 120, comm: 'cat', state: 1, stack: MUTEX },
    { pid: 130, comm: 'deep', stack: ['__schedule', 'again', 'again', 'again', 'vfs_write'] },
    { pid: 140, comm: 'spin', state: 0 },
    { pid: 141, comm: 'spin', state: 0, cpu: 1 },
  ]);
  const session = fakeSession(sleepers.fake, { liveness: 'live' });
  const groups = (line: string) => session.json(line).rows.map(({ count, state }) => `${count} ${state}`);

  it('counts tasks with the same functions in the same state, most first', () => {
    expect(groups('stacks user')).toEqual(['7 UN', '2 UN', '2 RU', '1 IN', '1 IN', '1 IN']);
    const [first] = session.json('stacks user').rows;
    expect(first).toMatchObject({
      count: 7,
      state: 'UN',
      frames: [{ symbol: '__schedule', module: null }, { symbol: '__mutex_lock' }, {}, { symbol: 'after_hwframe' }],
    });
    expect(first?.['tasks']).toHaveLength(7);
  });

  it('names some of the tasks, and each stack once', () => {
    expect(session.lines('stacks UN').slice(0, 6)).toEqual([
      '    7  UN  100 (cat0), 101 (cat1), 102 (cat2), 103 (cat3), 104 (cat4) and 2 more',
      '           __schedule',
      '           __mutex_lock',
      '           vfs_write',
      '           after_hwframe',
      '',
    ]);
    expect(session.lines('stacks -v UN')[0]).toContain('105 (cat5), 106 (cat6)');
    expect(session.lines('stacks 130')[2]).toBe('           again (3 times)');
    expect(session.lines('stacks -s 130')[2]).toBe('           again+0x40 (3 times)');
  });

  it('filters by what is on the stack', () => {
    expect(groups('stacks -R __mutex_lock')).toEqual(['7 UN', '1 IN']);
    expect(groups('stacks -N vfs_write -N kthreadd user IN')).toEqual(['1 IN']);
    expect(session.json('stacks -m nfs').notices).toEqual(['no stack is like that']);
    expect(groups('ps UN | stacks')).toEqual(['7 UN', '2 UN']);
  });

  it('puts those without a stack together by why', () => {
    expect(session.json('stacks RU user').rows).toMatchObject([
      { count: 2, frames: [], refused: 'the task is running' },
    ]);
  });
});

describe('task', () => {
  const sleepers = new FakeSleepers(SOME);
  const session = fakeSession(sleepers.fake, { pid: 70 });

  it('shows members of the context, or of tasks, with -R or without', () => {
    expect(session.lines('task -R pid,thread.sp -x')).toEqual([
      expect.stringMatching(/^PID: 70 /),
      '  pid = 0x46,',
      expect.stringMatching(/^ {2}thread\.sp = 0x[0-9a-f]{16},$/),
    ]);
    expect(session.json('task 1 2 pid,tgid').rows).toMatchObject([
      { pid: 1, tgid: 1 },
      { pid: 2, tgid: 2 },
    ]);
  });

  it('shows all of both structures', () => {
    const lines = session.lines('task 1');
    expect(lines).toContain('struct task_struct {');
    expect(lines).toContain('struct thread_info {');
    expect(Object.keys(session.json('task 1').rows[0] ?? {})).toContain('task_struct');
  });

  it('names what is near a member that is not there', () => {
    expect(session.json('task -R stac').error).toBe(
      'no member "stac" in struct task_struct or thread_info; did you mean stack, curr_ret_stack, ret_stack?',
    );
    expect(session.json('task pid,nothing').error).toContain('no member "nothing"');
    expect(session.json('task nobody').error).toContain('no task "nobody"');
  });
});

describe('set', () => {
  const sleepers = new FakeSleepers([...SOME, { pid: 72, comm: 'web', stack: ['schedule'] }]);
  const session = fakeSession(sleepers.fake, { pid: 1 });

  it("shows the context as crash's block", () => {
    const address = sleepers.tasks.address(1).toString(16);
    expect(session.lines('set')).toEqual([
      '    PID: 1',
      'COMMAND: "init"',
      `   TASK: ${address}`,
      '    CPU: 0',
      '  STATE: TASK_INTERRUPTIBLE',
    ]);
    expect(session.json('set').rows).toMatchObject([{ pid: 1, comm: 'init', state: 'IN' }]);
  });

  it('changes it, by PID, address, name, CPU, and back', () => {
    const context = () => session.json('bt').rows[0]?.['pid'];
    session.json('set 70');
    expect(context()).toBe(70);
    session.json(`set ${sleepers.tasks.address(2).toString(16)}`);
    expect(context()).toBe(2);
    session.json('set init');
    expect(context()).toBe(1);
    expect(session.json('set -c 1').rows).toMatchObject([{ pid: 0, marks: ['ACTIVE'] }]);
    expect(session.lines('set')[2]).toMatch(/\(2 of 2\)$/);
    expect(session.json('set -p').rows).toMatchObject([{ pid: 1 }]);
  });

  it('refuses what is none or not clear', () => {
    expect(session.json('set 999').error).toBe('no task "999"');
    expect(session.json('set web').error).toContain('2 tasks are named "web"; give a PID: 71, 72');
    expect(session.json('set nothing 5').error).toContain('"nothing" is no variable');
    expect(session.json('set -c 1 70').error).toContain('one task can be the context');
    const live = fakeSession(sleepers.fake, { liveness: 'live' });
    expect(live.json('set -c 1').error).toContain('changes all the time');
  });

  it('shows and changes variables', () => {
    expect(session.lines('set radix 10')[0]).toMatch(/^ {7}radix: 10 /);
    expect(session.lines('bt -s 2')[1]).toContain('__schedule+64 at');
    expect(session.json('set -v').rows).toContainEqual({ name: 'radix', value: '10' });
    expect(session.json('set radix 7')).toMatchObject({ status: 2 });
  });

  it('is given tasks by a pipe without changing the context', () => {
    session.json('set 1');
    expect(session.json('foreach UN set').rows.map(({ pid }) => pid)).toEqual([70, 71]);
    expect(session.json('set').rows).toMatchObject([{ pid: 1 }]);
  });
});
