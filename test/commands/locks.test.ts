/** The commands about locks on planted tasks: what is shown, what JSON has, what errors say. */
import { describe, expect, it } from 'vitest';
import { FakeLocks, type LockSleeper } from '../support/fake-locks.ts';
import { type FakeSession, fakeSession } from '../support/fake-session.ts';

const MUTEX = ['__mutex_lock', 'do_work'];
const WRITE = ['rwsem_down_write_slowpath', 'do_work'];
const IDLE = { stack: ['do_work'], state: 1 };
const KILLABLE = 0x102;

interface Scene {
  readonly locks: FakeLocks;
  readonly session: FakeSession;
  readonly at: (name: 'a' | 'b' | 'rwsem') => string;
}

const hex = (address: bigint | undefined) => `0x${(address ?? 0n).toString(16)}`;

/**
 * 10 and 11 wait for each other's mutex, 12 and 13 queue behind; 20 reads an rwsem that 21 wants to write; 30 rests.
 */
function scene(): Scene {
  const sleepers: readonly LockSleeper[] = [
    { pid: 1, comm: 'init', ...IDLE },
    { pid: 10, comm: 'ab', stack: MUTEX },
    { pid: 11, comm: 'ba', stack: MUTEX },
    { pid: 12, comm: 'third', stack: MUTEX },
    { pid: 13, comm: 'fourth', stack: MUTEX, state: KILLABLE },
    { pid: 20, comm: 'reader', ...IDLE },
    { pid: 21, comm: 'writer', stack: WRITE },
    { pid: 30, comm: 'rests', ...IDLE },
  ];
  const locks = new FakeLocks('list', sleepers);
  const a = locks.mutex({ owner: 10, waiters: [11, 12, 13] });
  const b = locks.mutex({ owner: 11, waiters: [10] });
  const rwsem = locks.rwsem({ readers: 2, lastReader: 20, waiters: [[21, 'write']] });
  locks.fake.symbols.add('lock_a', a, 'd');
  const addresses = { a, b, rwsem };
  return {
    locks,
    session: fakeSession(locks.fake),
    at: (name) => addresses[name].toString(16),
  };
}

describe('locks', () => {
  const { session, at, locks } = scene();

  it('gives the fixed names in JSON', () => {
    const { rows } = session.json('locks');
    const byLock = new Map(rows.map((row) => [row['lock'], row]));
    expect(rows).toHaveLength(3);
    expect(byLock.get(`0x${at('a')}`)).toMatchObject({
      kind: 'mutex',
      owner: { pid: 10, task: hex(locks.task(10)), comm: 'ab' },
      ownerSure: 'certain',
      waiters: [
        { pid: 11, task: hex(locks.task(11)), comm: 'ba', mode: 'exclusive', sure: 'certain' },
        { pid: 12, comm: 'third' },
        { pid: 13, comm: 'fourth' },
      ],
    });
    expect(byLock.get(`0x${at('rwsem')}`)).toMatchObject({
      kind: 'rwsem',
      owner: { pid: 20 },
      ownerSure: 'hint',
      readers: 2,
      waiters: [{ pid: 21, mode: 'write' }],
    });
  });

  it('shows what is certain plainly and marks what is not', () => {
    const lines = session.lines('locks -r');
    expect(lines[1]).toBe('  held by 2 readers, the last that is known: 20 (reader) (hint)');
    expect(lines.some((line) => /^ {5}1\. 21 \(writer\) +write /.test(line))).toBe(true);
    expect(session.lines('locks -m').every((line) => line.length <= 80)).toBe(true);
  });

  it.each([
    ['locks -m', ['a', 'b']],
    ['locks -r', ['rwsem']],
    ['locks -s', []],
    ['locks ab', ['b', 'a']],
    ['locks 21', ['rwsem']],
    ['locks -m 21', []],
    ['ps writer | locks', ['rwsem']],
  ] as const)('%s', (line, expected) => {
    const found = session.json(line).rows.map((row) => row['lock']);
    expect([...found].sort()).toEqual(expected.map((name) => `0x${at(name)}`).sort());
  });

  it('says why there is nothing', () => {
    expect(session.json('locks -s').notices).toEqual(['no task waits for a lock of this kind']);
    expect(session.json('locks 30').notices.join()).toMatch(
      '30 (rests) neither waits for a lock nor owns one that others wait for',
    );
    const idle = fakeSession(new FakeLocks('list', [{ pid: 1, ...IDLE }]).fake);
    expect(idle.json('locks').notices).toEqual(['no task waits for a lock']);
    expect(idle.lines('deadlock')).toEqual(['(no deadlock)']);
    expect(idle.json('blocked').notices).toEqual(['no task is in uninterruptible sleep']);
  });

  it('refuses a target without memory', () => {
    const bare = fakeSession(locks.fake, { memory: false });
    for (const line of ['locks', 'deadlock', 'blocked', 'walk 10', 'held 10', 'waiters 10']) {
      expect(bare.json(line).status, line).toBe(1);
    }
  });
});

describe('waiters', () => {
  const { session, at } = scene();

  it.each(['waiters ba', 'waiters lock_a', 'waiters third'])('%s', (line) => {
    const { rows } = session.json(line);
    expect(rows.map(({ pid }) => pid)).toEqual([11, 12, 13]);
    expect(rows.map(({ order }) => order)).toEqual([1, 2, 3]);
    expect(rows[0]).toMatchObject({ lock: `0x${at('a')}`, kind: 'mutex', mode: 'exclusive', sure: 'certain' });
  });

  it('feeds a pipe', () => {
    expect(session.json(`waiters ${at('a')} | ps`).rows.map(({ pid }) => pid)).toEqual([11, 12, 13]);
  });

  it('says what is wrong', () => {
    expect(session.json('waiters 30').error).toMatch(/^30 \(rests\) waits for nothing that is known/);
    expect(session.json('waiters 4711').error).toMatch(/^no task "4711"/);
    expect(session.json('waiters nothing').error).toMatch(/^no symbol "nothing"/);
    expect(session.json('waiters').status).toBe(2);
  });
});

describe('deadlock', () => {
  const { session, at, locks } = scene();

  it('has a row for each cycle', () => {
    const { rows } = session.json('deadlock');
    expect(rows).toHaveLength(1);
    expect(rows[0]).toMatchObject({
      tasks: [
        { pid: 10, task: hex(locks.task(10)), comm: 'ab' },
        { pid: 11, comm: 'ba' },
      ],
      locks: [
        { lock: `0x${at('b')}`, kind: 'mutex', waiter: 10, owner: 11, sure: 'certain' },
        { lock: `0x${at('a')}`, kind: 'mutex', waiter: 11, owner: 10, sure: 'certain' },
      ],
      sure: 'certain',
      behind: [{ pid: 12 }, { pid: 13 }],
    });
  });

  it('draws the circle, and who holds up the others', () => {
    const lines = session.lines('deadlock').map((line) => line.replaceAll(/[0-9a-f]{16}/g, 'ADDRESS'));
    expect(lines).toEqual([
      'DEADLOCK of 2 tasks',
      expect.stringMatching(/^\+-> 10 \(ab\)/),
      expect.stringMatching(/^\| {5}waits for mutex ADDRESS/),
      expect.stringMatching(/^\| {3}owned by 11 \(ba\)/),
      expect.stringMatching(/^\| {5}waits for mutex ADDRESS/),
      '+-- owned by 10 (ab)',
      'Behind them: 12 (third), 13 (fourth)',
      '',
      'HELD UP BY',
      '      1 task  20 (reader), which sleeps in do_work (hint)',
    ]);
  });

  it('has chains as rows on request', () => {
    const chain = session.json('deadlock -c').rows.find((row) => row['root'] !== undefined);
    expect(chain).toMatchObject({ root: { pid: 20, doing: 'sleeping' }, tasks: [{ pid: 21 }], blocked: [{ pid: 21 }] });
  });

  it('does not call a hint a deadlock', () => {
    const doubtful = new FakeLocks('list', [
      { pid: 10, comm: 'ab', stack: MUTEX },
      { pid: 11, comm: 'ba', stack: WRITE },
    ]);
    doubtful.mutex({ owner: 11, waiters: [10] });
    doubtful.rwsem({ readers: 2, lastReader: 10, waiters: [[11, 'write']] });
    const lines = fakeSession(doubtful.fake, { pid: 10 }).lines('deadlock');
    expect(lines[0]).toBe('POSSIBLE DEADLOCK of 2 tasks: not all owners are certain');
    expect(lines.at(-1)).toBe('+-- read last by 10 (ab) (hint)');
  });
});

describe('blocked', () => {
  it('groups tasks by stack and lock, with what holds them up', () => {
    const { session, at } = scene();
    const { rows } = session.json('blocked');
    const group = rows.find(({ count }) => count === 3);
    expect(group).toMatchObject({
      lock: `0x${at('a')}`,
      kind: 'mutex',
      owners: [{ pid: 10, sure: 'certain' }],
      deadlock: [{ pid: 10 }, { pid: 11 }],
      root: null,
      tasks: [{ pid: 11 }, { pid: 12 }, { pid: 13 }],
    });
    const writer = rows.find((row) => row['kind'] === 'rwsem');
    expect(writer).toMatchObject({ count: 1, root: { pid: 20 }, deadlock: null });
    const lines = session.lines('blocked');
    expect(lines).toContain('  held up by a deadlock: 10 (ab) -> 11 (ba)');
    expect(lines).toContain('  in __mutex_lock < do_work');
    expect(session.json('blocked fourth').rows).toHaveLength(1);
  });
});

describe('held', () => {
  it('lists the locks of a task with how they are known', () => {
    const { session, at } = scene();
    expect(session.json('held ab').rows).toEqual([
      expect.objectContaining({ pid: 10, lock: `0x${at('a')}`, kind: 'mutex', sure: 'certain', waiters: 3 }),
    ]);
    expect(session.json('held 30')).toMatchObject({
      rows: [],
      notices: ['none that somebody waits for or that its stack leads to'],
    });
  });
});

describe('walk', () => {
  const pid = (session: FakeSession, line: string) => session.json(line).rows[0]?.['pid'];

  it('goes up to owners until the circle closes, and back', () => {
    const { session } = scene();
    expect(pid(session, 'walk third')).toBe(12);
    expect(session.json('walk up').rows[0]).toMatchObject({ pid: 10, step: 2, closes: null });
    expect(session.json('up').rows[0]).toMatchObject({ pid: 11, step: 3, closes: null });
    expect(session.json('up').rows[0]).toMatchObject({ pid: 10, step: 4, closes: 2 });
    expect(session.lines('walk')).toContain(
      'You were here in step 2, and went up ever since: this is a circle, a deadlock.',
    );
    expect(pid(session, 'back')).toBe(11);
    expect(pid(session, 'walk back 2')).toBe(12);
  });

  it('goes along the queue and down', () => {
    const { session, at } = scene();
    expect(session.json(`walk ${at('a')}`).rows[0]).toMatchObject({ lock: `0x${at('a')}`, kind: 'mutex' });
    expect(pid(session, 'next')).toBe(11);
    expect(pid(session, 'next 2')).toBe(13);
    expect(session.json('next').error).toMatch(/^13 \(fourth\) is the last of 3 waiters/);
    expect(pid(session, 'prev')).toBe(12);
    expect(pid(session, 'up')).toBe(10);
    expect(pid(session, 'down')).toBe(11);
    expect(session.json('down 2').error).toMatch(/no lock 2/);
  });

  it('makes the task of the step the context', () => {
    const { session } = scene();
    session.json('walk third');
    expect(session.json('bt').rows[0]).toMatchObject({ pid: 12 });
    session.json('up');
    expect(session.json('bt').rows[0]).toMatchObject({ pid: 10 });
  });

  it('shows the words, the evidence and the plain commands', () => {
    const { session, at, locks } = scene();
    const [row] = session.json('walk third').rows;
    expect(row).toMatchObject({
      words: [{ member: 'owner', value: hex(locks.task(10) + 1n) }],
      evidence: [{ by: 'waiter' }, { by: 'function', text: 'it waits in __mutex_lock' }],
      byHand: expect.arrayContaining([
        { line: 'bt -f 12', shows: 'stack' },
        { line: `struct mutex -x ${at('a')}`, shows: 'lock' },
        { line: `ps ${locks.task(10).toString(16)}`, shows: 'who' },
      ]) as unknown,
    });
    const lines = session.lines('walk');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    const byHand = row?.['byHand'] as readonly { line: string; shows: string }[] | undefined;
    const queue = byHand?.find(({ shows }) => shows === 'queue');
    const tasks = session.json(queue?.line ?? '').rows.map((each) => each['task']);
    expect(tasks).toEqual([11, 12, 13].map((of) => hex(locks.task(of))));
  });

  it('says why there is no way', () => {
    const { session } = scene();
    expect(session.json('up').error).toMatch(/^no walk has begun.*"walk TASK"/s);
    session.json('walk 30');
    expect(session.json('up').error).toMatch(/^30 \(rests\) waits for nothing that is known: the walk up ends here/);
    expect(session.json('down').error).toMatch(/^nobody is known to wait for 30 \(rests\)/);
    expect(session.json('back').error).toMatch(/^this is the first step/);
    expect(session.json('walk 10 3').status).toBe(2);
    // A step that cannot be taken leaves the walk where it is.
    expect(pid(session, 'walk')).toBe(30);
  });

  it('completes its moves', () => {
    const { session } = scene();
    expect(session.completions('walk u')).toContain('up the owner of the lock');
  });
});
