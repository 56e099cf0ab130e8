/** Round trips of commands on a kernel behind a link: what they cost is what a user waits for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { FakeKernel } from '../../support/fake-kernel.ts';
import { FakeLink, fakeRemote } from '../../support/fake-link.ts';
import { FakePrintk } from '../../support/fake-printk.ts';
import { fakeSession } from '../../support/fake-session.ts';
import { FakeSleepers, type Sleeper } from '../../support/fake-sleepers.ts';
import { FakeTasks } from '../../support/fake-tasks.ts';
import { typedKernel } from '../../support/fake-types-kernel.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-budgets-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A session over a link whose symbols and types are there, and the round trips and rows of its lines. */
function remoteSession(fake: FakeKernel, cache?: string) {
  const { backend } = fakeRemote(new FakeLink(fake.memory), cache);
  const session = fakeSession(fake, { backend, liveness: 'live' });
  return (line: string): { readonly trips: number; readonly rows: number } => {
    const before = backend.counters.roundTrips;
    const { status, rows, error } = session.json(line);
    expect(error).toBeUndefined();
    expect(status).toBe(0);
    return { trips: backend.counters.roundTrips - before, rows: rows.length };
  };
}

const sleeper = (pid: number, state = 1): Sleeper => ({ pid, state, stack: ['schedule', 'wait_for_it', 'vfs_read'] });

it('ps of 1,000 tasks takes 10 of its 24 round trips', () => {
  const many = Array.from({ length: 1000 }, (_, i) => ({ pid: i * 3 + 1 }));
  const { trips, rows } = remoteSession(new FakeTasks(many, { page: true }).fake)('ps');
  expect(rows).toBe(1002);
  expect(trips).toBeLessThanOrEqual(10);
});

it('bt of one sleeping task takes at most 6, with a PID table of three levels and nothing kept', () => {
  const sleepers = new FakeSleepers([1, 2, 70, 5000, 40_000].map((pid) => sleeper(pid)));
  const run = remoteSession(sleepers.fake);
  expect(run('bt 40000')).toEqual({ trips: 6, rows: 1 });
  expect(run('bt 40000').trips).toBeLessThanOrEqual(4);
  // The height of the table is known by then.
  expect(run('bt 5000').trips).toBeLessThanOrEqual(4);
});

it('foreach UN bt of 200 tasks takes 20 of its 40', () => {
  const many = Array.from({ length: 400 }, (_, i) => sleeper(i * 7 + 1, i % 2 === 0 ? 2 : 1));
  const { trips, rows } = remoteSession(new FakeSleepers(many).fake, folder)('foreach UN bt');
  expect(rows).toBe(200);
  expect(trips).toBeLessThanOrEqual(20);
});

it('a list of 1,000 takes at most 8, and a structure one', () => {
  const { fake } = typedKernel(`
    struct list_head { struct list_head *next, *prev; };
    struct item { int id; struct list_head link; char pad[4064]; };
    struct owner { int count; struct list_head items; };
  `);
  const item = fake.type('item');
  const owner = fake.global('the_owner', fake.type('owner'), { count: 1000 });
  const items = Array.from({ length: 1000 }, (_, id) => fake.place(item, { id }, fake.allocate(4096, { page: true })));
  fake.linkList(owner + 8n, items, item, 'link');
  const run = remoteSession(fake);
  const { trips, rows } = run(`list -H ${(owner + 8n).toString(16)} -o item.link -s item.id`);
  expect(rows).toBe(1000);
  expect(trips).toBeLessThanOrEqual(8);
  expect(run(`struct item ${items[7]?.toString(16)}`).trips).toBe(1);
});

it('the log of some thousand records takes at most 6', () => {
  const fake = new FakeKernel();
  const printk = new FakePrintk(fake, { countBits: 13, sizeBits: 18 });
  for (let i = 0; i < 4000; i++) printk.add({ text: `something happened, and for the ${i}th time` });
  const { trips, rows } = remoteSession(fake)('log');
  expect(rows).toBe(4000);
  expect(trips).toBeLessThanOrEqual(6);
});
