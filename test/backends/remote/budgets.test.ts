/** Round trips of commands on a kernel behind a link: what they cost is what a user waits for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { FakeLink, fakeRemote } from '../../support/fake-link.ts';
import { fakeSession } from '../../support/fake-session.ts';
import { FakeSleepers, type Sleeper } from '../../support/fake-sleepers.ts';
import { FakeTasks } from '../../support/fake-tasks.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-budgets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A session over a link, and what its lines cost. */
function remoteSession(fake: FakeSleepers['fake'] | FakeTasks['fake'], cache?: string) {
  const { backend } = fakeRemote(new FakeLink(fake.memory), cache);
  const session = fakeSession(fake, { backend, liveness: 'live' });
  const cost = (line: string) => {
    const before = backend.counters.roundTrips;
    const { status, rows, error } = session.json(line);
    expect(error).toBeUndefined();
    expect(status).toBe(0);
    return { trips: backend.counters.roundTrips - before, rows: rows.length };
  };
  return { cost, backend };
}

const sleeper = (pid: number, state = 1): Sleeper => ({ pid, state, stack: ['schedule', 'wait_for_it', 'vfs_read'] });

describe('round trips', () => {
  it('of ps with 1,000 tasks', () => {
    const many = Array.from({ length: 1000 }, (_, i) => ({ pid: i * 3 + 1 }));
    const { cost } = remoteSession(new FakeTasks(many, { page: true }).fake);
    const { trips, rows } = cost('ps');
    expect(rows).toBe(1002);
    console.log('ps', trips);
    expect(trips).toBeLessThanOrEqual(24);
  });

  it('of bt with one sleeping task, cold and with the tables kept', () => {
    const sleepers = new FakeSleepers([1, 2, 70, 5000, 40_000].map((pid) => sleeper(pid)));
    const cold = remoteSession(sleepers.fake, folder);
    const a = cold.cost('bt 40000').trips;
    const b = remoteSession(sleepers.fake, folder).cost('bt 40000').trips;
    const c = remoteSession(sleepers.fake).cost('bt 70').trips;
    console.log('bt', a, b, c);
    expect(a).toBeLessThanOrEqual(6);
  });

  it('of foreach UN bt with 200 tasks', () => {
    const many = Array.from({ length: 400 }, (_, i) => sleeper(i * 7 + 1, i % 2 === 0 ? 2 : 1));
    const { cost } = remoteSession(new FakeSleepers(many).fake, folder);
    const { trips, rows } = cost('foreach UN bt');
    console.log('foreach', trips);
    expect(rows).toBe(200);
    expect(trips).toBeLessThanOrEqual(40);
  });
});
