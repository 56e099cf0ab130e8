/** The way up of a walk, drawn: circles, ends, and what is only a hint. */
import { describe, expect, it } from 'vitest';
import { FakeLocks } from '../support/fake-locks.ts';
import { type FakeSession, fakeSession } from '../support/fake-session.ts';

const MUTEX = ['__mutex_lock', 'do_work'];

/** 10 and 11 wait for each other, 12 behind 11; 21 wants to write what 20 reads; 30 waits for what 31 has, who rests. */
function scene(): { readonly session: FakeSession; readonly mutex: string } {
  const locks = new FakeLocks('list', [
    { pid: 1, comm: 'init', stack: ['do_work'], state: 1 },
    { pid: 10, comm: 'ab', stack: MUTEX },
    { pid: 11, comm: 'ba', stack: MUTEX },
    { pid: 12, comm: 'third', stack: MUTEX },
    { pid: 20, comm: 'reader', stack: ['do_work'], state: 1 },
    { pid: 21, comm: 'writer', stack: ['rwsem_down_write_slowpath', 'do_work'] },
    { pid: 30, comm: 'waits', stack: MUTEX },
    { pid: 31, comm: 'rests', stack: ['do_work'], state: 1 },
  ]);
  const mutex = locks.mutex({ owner: 10, waiters: [11, 12] });
  locks.mutex({ owner: 11, waiters: [10] });
  locks.rwsem({ readers: 1, lastReader: 20, waiters: [[21, 'write']] });
  locks.mutex({ owner: 31, waiters: [30] });
  return { session: fakeSession(locks.fake), mutex: mutex.toString(16) };
}

/** What is drawn, without addresses and names of locks, up to the ways on. */
function drawn(session: FakeSession, line: string): readonly string[] {
  const lines = session.lines(line);
  return lines
    .slice(0, lines.indexOf('ways on'))
    .map((each) =>
      each.replace(/(mutex|rwsem) [0-9a-f]{16}.*?(?=,| to write)/, '$1').replace(/ {2,}\S+ m?s\b| {2,}-(?= )/, ''),
    );
}

describe('walk -c', () => {
  it('draws the owner above who waits, and closes a circle', () => {
    const { session } = scene();
    expect(drawn(session, 'walk -c third')).toEqual([
      'DEADLOCK of 2 tasks: the way up leads back to 10 (ab)',
      '+--   ^ waits for mutex, owned by',
      expect.stringMatching(/^\| {3}11 \(ba\).* 1\. of 2$/),
      '|     ^ waits for mutex, owned by',
      expect.stringMatching(/^\+-> 10 \(ab\).* 1\. of 1$/),
      '      ^ waits for mutex, owned by',
      expect.stringMatching(/^ {4}12 \(third\).* 2\. of 2 {2}<- here$/),
    ]);
  });

  it('stays as it is while the walk goes up in it, and round', () => {
    const { session } = scene();
    session.lines('walk third');
    const before = session.json('walk -c').rows[0];
    for (const here of ['10 (ab)', '11 (ba)', '10 (ab)', '11 (ba)']) {
      const lines = drawn(session, 'walk -c up');
      expect(lines).toHaveLength(7);
      expect(lines.filter((each) => each.endsWith('<- here'))).toEqual([expect.stringContaining(here)]);
    }
    expect(session.json('walk -c').rows[0]).toMatchObject({
      chain: before?.['chain'],
      circle: [{ pid: 10 }, { pid: 11 }],
    });
  });

  it('begins anew where the walk goes down or along a queue', () => {
    const { session } = scene();
    session.lines('walk third; up; up');
    expect(drawn(session, 'walk -c next').at(-1)).toMatch(/12 \(third\).*<- here$/);
    expect(drawn(session, 'walk -c prev').at(-1)).toMatch(/11 \(ba\).*<- here$/);
    expect(drawn(session, 'walk -c back; walk -c back')).toHaveLength(7);
  });

  it('ends at the task that waits for nobody, and says what it does', () => {
    const { session } = scene();
    expect(drawn(session, 'walk -c waits')).toEqual([
      'the way up',
      expect.stringMatching(/^ {4}31 \(rests\), which sleeps in do_work$/),
      '      ^ waits for mutex, owned by',
      expect.stringMatching(/^ {4}30 \(waits\).*<- here$/),
    ]);
    expect(session.json('walk -c rests').rows[0]).toMatchObject({ chain: [{ pid: 31, lock: null }], circle: null });
    expect(drawn(session, 'walk -c init').at(-1)).toMatch(/^ {4}1 \(init\).*<- here$/);
  });

  it('marks an owner that is a hint', () => {
    const { session } = scene();
    expect(drawn(session, 'walk -c writer')[2]).toBe('      ^ waits for rwsem to write, read last by (hint)');
  });

  it('draws from a lock up', () => {
    const { session, mutex } = scene();
    const lines = session.lines(`walk -c ${mutex}`);
    expect(lines[0]).toBe('DEADLOCK of 2 tasks: the way up leads back to 10 (ab)');
    expect(lines[5]).toMatch(new RegExp(`^ {4}mutex ${mutex}.*, 2 waiters {2}<- here$`));
  });
});
