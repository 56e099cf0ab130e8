/**
 * Locks of every kind, planted by the module (kmod/lab_locks.c): kdbg must name each with its owner, its waiters in order and
 * their modes, and tell deadlocks from what only looks like one. Then a torture: on a busy machine without a deadlock it must
 * never see one, nor an owner that cannot be.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openReplay } from '../support/replay-session.ts';
import { openClient, sshPortOf } from './client.ts';
import { bootGuest, type Guest, kernelLines } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';
import type { Truth } from './truth.ts';

interface LockTask {
  readonly pid: number;
  readonly comm: string;
}
interface LockRow {
  readonly lock: string;
  readonly kind: string;
  readonly name: string | null;
  readonly owner: LockTask | null;
  readonly ownerSure: string | null;
  readonly waiters: readonly (LockTask & { readonly mode: string; readonly sure: string })[];
  readonly state: string;
  readonly readers?: number;
  readonly moved?: boolean;
}
interface ChainRow {
  readonly tasks: readonly LockTask[];
  readonly locks: readonly { readonly lock: string; readonly sure: string }[];
  readonly sure: string;
  readonly root: LockTask & { readonly text: string };
  readonly blocked: readonly LockTask[];
}

const TIMEOUT = { timeoutMs: 180_000 };
const MANY = 1000;
const ROUNDS = 100;

const quoted = (lines: readonly string[]): string => lines.map((line) => `-c '${line}'`).join(' ');

const ask = async (guest: Guest, ...lines: readonly string[]): Promise<readonly Answer[]> => {
  const answers = answersIn(await guest.must(`kdbg --no-rc --json ${quoted(lines)}`, TIMEOUT));
  expect(answers.map(({ command, error }) => [command, error])).toEqual(lines.map((line) => [line, undefined]));
  return answers;
};

const rowsOf = <T>(answer: Answer | undefined): readonly T[] => (answer?.rows ?? []) as readonly T[];

/** A lock as it was planted: what kdbg should say of it. */
interface Planted {
  readonly kind: string;
  /** Who has it alone; readers are only counted. */
  readonly owner: string | undefined;
  readonly readers: readonly string[];
  /** `comm mode`, first come first served. */
  readonly queue: readonly string[];
}

/** The locks that somebody waits for by address, from the truth of lab_locks.c and lab_threads.c. */
const plantedLocks = (truth: Truth): ReadonlyMap<string, Planted> => {
  const locks = new Map<string, Planted>();
  const claims = [...truth.all('wants')].sort((a, b) => Number(a['turn']) - Number(b['turn']));
  for (const { lock, kind } of claims) {
    const holders = truth.all('has', { lock: lock as string });
    const isKept = ['mutex', 'rwsem', 'rt_mutex'].includes(kind as string);
    const readers = holders.filter(({ mode }) => mode === 'read').map(({ comm }) => comm as string);
    const owner = isKept ? holders.find(({ mode }) => mode !== 'read')?.['comm'] : undefined;
    const queue = claims.filter((claim) => claim['lock'] === lock).map(({ comm, mode }) => `${comm} ${mode}`);
    locks.set(`0x${lock}`, { kind: kind as string, owner, readers, queue });
  }
  for (const { name, kind, address } of truth.all('lock')) {
    const waiting = truth.all('thread', { wants: address as string });
    const owner = truth.all('thread', { holds: address as string })[0]?.['comm'];
    // The first to wait for one of the two mutexes is who has the other.
    const order = [...waiting].sort((a, b) => Number(a['pid']) - Number(b['pid']));
    const mode = (comm = '') => (kind === 'mutex' ? 'exclusive' : comm.includes('read') ? 'read' : 'write');
    if (order.length === 0) throw new Error(`nobody waits for ${name}`);
    locks.set(`0x${address}`, {
      kind: kind as string,
      owner,
      readers: [],
      queue: order.map(({ comm }) => `${comm} ${mode(comm)}`),
    });
  }
  return locks;
};

/** What a row says, in the same form. */
const said = (row: LockRow): Planted => ({
  kind: row.kind,
  owner: row.ownerSure === 'certain' ? row.owner?.comm : undefined,
  readers: [],
  queue: row.waiters.map(({ comm, mode }) => `${comm} ${mode}`),
});

/** The session of a guest's tests: each line once, in one kdbg, as loading types and symbols takes the most time there. */
const UPS = Array.from({ length: 10 }, () => 'walk up');
const SESSION = [
  'locks',
  'deadlock',
  'deadlock -c',
  'locks u_behind1',
  'locks u_pi_waiter',
  'held lab_chain5',
  'held lab_mix3',
  'walk lab_chain0',
  ...UPS,
  'walk down',
  'walk back',
  'walk lab_ab',
  'walk up',
  'walk up',
];

describe.each(kernelLines)('locks of kernel %s', (kernel) => {
  let guest: Guest;
  let truth: Truth;
  let planted: ReadonlyMap<string, Planted>;
  let answers: readonly Answer[];
  const answerTo = (line: string) => answers.find(({ command }) => command === line);
  const expectPlanted = (rows: readonly LockRow[]) => {
    const byAddress = new Map(rows.map((row) => [row.lock, said(row)]));
    for (const [address, expected] of planted) {
      expect(byAddress.get(address), `${expected.kind} ${address}`).toEqual({ ...expected, readers: [] });
    }
  };
  beforeAll(async () => {
    guest = await bootGuest({ kernel });
    for (const state of ['deadlock', 'rwsem', 'locks', 'user']) await guest.plant(state);
    truth = await guest.truth();
    planted = plantedLocks(truth);
    answers = await ask(guest, ...SESSION);
  });
  afterAll(() => guest?.close());

  test('each has its owner, and its waiters in order with their modes', () => {
    const rows = new Map(rowsOf<LockRow>(answerTo('locks')).map((row) => [row.lock, row]));
    expect(planted.size).toBeGreaterThan(30);
    expectPlanted([...rows.values()]);
    for (const [address, expected] of planted) {
      const row = rows.get(address);
      expect(row?.waiters.every(({ sure }) => sure === 'certain')).toBe(true);
      if (expected.readers.length > 0) {
        expect(row?.readers, address).toBe(expected.readers.length);
        // A rw_semaphore remembers the last reader that came, even when that one has let go.
        const had = truth.all('had', { lock: address.slice(2) }).map(({ comm }) => comm);
        const last = expected.kind === 'rwsem' ? [had.at(-1) ?? expected.readers.at(-1), 'hint'] : [undefined, null];
        expect([row?.owner?.comm, row?.ownerSure]).toEqual(last);
      }
    }
    const inModule = [...rows.values()].filter(({ name }) => name?.includes('[kdbg_lab]') === true);
    expect(inModule.filter(({ lock }) => !planted.has(lock))).toEqual([]);
    const { address } = truth.one('lock', { name: 'mutex_a' });
    expect(rows.get(`0x${address}`)?.name).toBe('lab_root.mutex_a [kdbg_lab]');
  });

  test('deadlocks are those that were planted, and no diamond or chain is one', () => {
    const found = rowsOf<ChainRow>(answerTo('deadlock')).map(
      ({ tasks, sure }) => `${tasks.map(({ comm }) => comm).join()} ${sure}`,
    );
    const sure = (name: string) => (name === 'abba_reader' ? 'hint' : 'certain');
    const expected = truth.all('cycle').map(({ name, tasks }) => `${tasks} ${sure(name as string)}`);
    expect([...found].sort()).toEqual([...expected, 'lab_ab,lab_ba certain'].sort());

    const rows = rowsOf<ChainRow>(answerTo('deadlock -c')).filter(({ root }) => root !== undefined);
    const byRoot = new Map(rows.map((row) => [row.root.comm, row]));
    expect(byRoot.get('lab_chain10')?.tasks.map(({ comm }) => comm)).toEqual(
      Array.from({ length: 10 }, (_, i) => `lab_chain${i}`),
    );
    const behind = byRoot.get('lab_d_root')?.blocked.map(({ comm }) => comm);
    expect(behind?.sort()).toEqual(['lab_d_left', 'lab_d_one', 'lab_d_right', 'lab_d_top', 'lab_d_two']);
    expect(byRoot.get('u_write')?.root.text).toMatch(/user space: a userfaultfd/);
    expect(rows.every(({ root }) => !/^lab_(ab|ba|self|mix|rwab|rwba)/.test(root.comm))).toBe(true);
  });

  test('an inode and a futex have owners too', () => {
    expect(rowsOf<LockRow>(answerTo('locks u_behind1'))[0]).toMatchObject({
      kind: 'rwsem',
      name: expect.stringMatching(/^inode [0-9a-f]{16} i_rwsem of "\/tmp\/lab-victim"$/) as string,
      owner: { comm: 'u_write' },
      waiters: [{ comm: 'u_behind1' }, { comm: 'u_behind2' }],
    });
    expect(rowsOf<LockRow>(answerTo('locks u_pi_waiter'))[0]).toMatchObject({
      kind: 'pi_futex',
      owner: { comm: 'u_pi_owner' },
      waiters: [{ comm: 'u_pi_waiter' }],
    });
  });

  test('a walk goes up the chain to its end, down again, and round a circle', () => {
    const walked = answers.slice(SESSION.indexOf('walk lab_chain0'));
    const comms = walked.map((answer) => rowsOf<LockTask>(answer)[0]?.comm);
    const upwards = Array.from({ length: 11 }, (_, i) => `lab_chain${i}`);
    expect(comms).toEqual([...upwards, 'lab_chain9', 'lab_chain10', 'lab_ab', 'lab_ba', 'lab_ab']);
    expect(rowsOf<{ closes: number | null }>(walked.at(-1))[0]?.closes).toBe(1);
    expect(rowsOf<{ closes: number | null }>(walked.at(-2))[0]?.closes).toBe(null);
  });

  test('a task holds what it was given', () => {
    const names = (line: string) => rowsOf<{ name: string }>(answerTo(line)).map(({ name }) => name);
    expect(names('held lab_chain5')).toContain('lab_locks.chain_mutex[2] [kdbg_lab]');
    expect(names('held lab_mix3')).toContain('lab_locks.abba_third [kdbg_lab]');
  });

  test('hung tasks are those that the kernel would report', async () => {
    const set = 'echo 1 > /proc/sys/kernel/hung_task_timeout_secs';
    const output = await guest.must(`${set}; kdbg --no-rc --json -c 'blocked -v'`, TIMEOUT);
    const rows = rowsOf<{ tasks: readonly (LockTask & { hung: boolean })[] }>(answersIn(output)[0]);
    const hung = new Map(rows.flatMap(({ tasks }) => tasks).map((task) => [task.comm, task.hung]));
    expect(hung.get('lab_wait1')).toBe(true);
    expect(hung.get('lab_recurse')).toBe(true);
    // Killable, idle.
    expect(hung.get('lab_killable')).toBe(false);
    expect(hung.has('lab_idle')).toBe(false);
    await guest.must('echo 0 > /proc/sys/kernel/hung_task_timeout_secs');
  });

  test('a recording of the session says the same', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kdbg-lab-locks-'));
    try {
      await guest.must(`kdbg --no-rc --record /run/locks.kdbg ${quoted(['locks', 'deadlock'])}`, TIMEOUT);
      const path = join(folder, 'locks.kdbg');
      writeFileSync(path, await guest.get('/run/locks.kdbg'));
      const session = openReplay(path);
      expectPlanted(session.json('locks')['rows'] as readonly LockRow[]);
      expect(session.json('deadlock')['rows']).toHaveLength(truth.all('cycle').length + 1);
      session.close();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test('over ssh it is the same, in few round trips', async () => {
    await guest.ssh();
    const client = openClient();
    try {
      const target = client.ssh(sshPortOf(guest));
      const { stdout } = await client.run([...target, '--json', '-c', 'locks', '-c', 'deadlock'], TIMEOUT);
      const [locks, deadlock] = answersIn(stdout);
      expectPlanted(rowsOf<LockRow>(locks));
      expect(deadlock?.rows).toHaveLength(truth.all('cycle').length + 1);
      const timed = await client.run([...target, '-c', 'set timing on; locks; deadlock'], TIMEOUT);
      const trips = [...timed.stderr.matchAll(/^(\d+) round trips?/gm)].map(([, count]) => Number(count));
      expect(trips).toHaveLength(3);
      expect(Math.max(...trips)).toBeLessThanOrEqual(60);
    } finally {
      client.remove();
    }
  });

  test('ordinary programs that hang have a circle, or somebody at the head of their queue', async () => {
    await guest.must('hang rm && hang fuse', TIMEOUT);
    const [deadlock, rm, server] = await ask(guest, 'deadlock -c', 'locks rm', 'held sharefs');
    const rows = rowsOf<ChainRow>(deadlock);
    expect(rows.filter(({ tasks }) => tasks[0]?.comm === 'appender')).toMatchObject([
      { tasks: [{ comm: 'appender' }, { comm: 'vault_commit' }], sure: 'certain' },
    ]);
    expect(rowsOf<LockRow>(rm)[0]).toMatchObject({
      kind: 'rwsem',
      name: expect.stringMatching(/^inode [0-9a-f]{16} i_rwsem of "\/var\/spool\/vault\/segment\.7"$/) as string,
      owner: { comm: 'appender' },
      waiters: [{ comm: 'vault_commit' }, { comm: 'rm' }],
    });
    const chain = rows.find(({ root }) => root?.comm === 'sharefs');
    expect(chain).toMatchObject({ sure: 'likely', root: { text: 'is stopped' } });
    expect(chain?.tasks.map(({ comm }) => comm)).toEqual(['mkdir', 'backup']);
    expect(chain?.blocked.map(({ comm }) => comm).sort()).toEqual(['backup', 'cat', 'mkdir', 'touch']);
    expect(server?.rows).toEqual([]);
  });
});

test.each(kernelLines)('a thousand waiters of kernel %s stand in the order in which they came', async (kernel) => {
  const guest = await bootGuest({ kernel });
  try {
    await guest.plant('many');
    const { lock } = (await guest.truth()).all('wants')[0] as { lock: string };
    const [answer] = await ask(guest, `waiters ${lock}`);
    const comms = rowsOf<LockTask>(answer).map(({ comm }) => comm);
    expect(comms).toEqual(Array.from({ length: MANY }, (_, i) => `lab_many${i}`));
  } finally {
    await guest.close();
  }
});

/** Which locks of the torture the threads of a role take (lab_round in kmod/lab_torture.c), by rank. */
const ROLES: readonly (readonly number[])[] = [
  [1, 2],
  [3, 4, 5],
  [2, 5, 6],
  [6, 7],
];

describe.each(kernelLines)('a torture of locks on kernel %s', (kernel) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel });
    await guest.plant('torture');
  });
  afterAll(() => guest?.close());

  test(`shows no deadlock and no owner that cannot be, ${ROUNDS} times`, async () => {
    const truth = await guest.truth();
    const lines = Array.from({ length: ROUNDS }, () => 'locks -v; deadlock -c').join('\n');
    await guest.put('/run/rounds', `${lines}\n`);
    const answers = answersIn(await guest.must('kdbg --no-rc --json -i /run/rounds', { timeoutMs: 800_000 }));
    const after = await guest.truth();
    expect(answers).toHaveLength(2 * ROUNDS);
    expect(answers.filter(({ status }) => status !== 0)).toEqual([]);

    const ranks = new Map(truth.all('torture_lock').map(({ address, rank }) => [`0x${address}`, Number(rank)]));
    const kinds = new Map(truth.all('torture_lock').map(({ address, kind }) => [`0x${address}`, kind]));
    const roles = new Map(truth.all('torturer').map(({ pid, role }) => [Number(pid), Number(role)]));
    const takes = ({ pid }: LockTask, rank: number) => ROLES[roles.get(pid) ?? -1]?.includes(rank) === true;

    let seen = 0;
    for (const { rows } of answers.filter(({ command }) => command === 'locks -v')) {
      for (const row of rows as readonly LockRow[]) {
        const { lock, kind, owner, ownerSure, waiters, moved } = row;
        const rank = ranks.get(lock);
        if (rank === undefined) continue;
        seen++;
        expect(kind).toBe(kinds.get(lock));
        for (const waiter of waiters.filter(({ sure }) => sure !== 'hint'))
          expect(takes(waiter, rank), `${waiter.comm} waits for ${rank} in ${JSON.stringify(row)}`).toBe(true);
        if (owner === null) continue;
        expect(takes(owner, rank), `${owner.comm} owns ${rank}`).toBe(true);
        const waitsToo = waiters.some(({ pid, sure }) => pid === owner.pid && sure === 'certain');
        if (ownerSure === 'certain' && moved !== true)
          expect(waitsToo, `${owner.comm} waits for its own: ${JSON.stringify(row)}`).toBe(false);
      }
    }
    expect(seen).toBeGreaterThan(ROUNDS / 2);

    let chains = 0;
    for (const { command, rows } of answers) {
      if (!command.startsWith('deadlock')) continue;
      for (const { root, locks, sure } of rows as readonly ChainRow[]) {
        // What is only possible is said to be so: an rwsem remembers one reader, which may be the one that waits to write.
        if (sure === 'hint') continue;
        // A row without a root is a cycle.
        expect(root, JSON.stringify(locks)).toBeDefined();
        const climbed = locks.map(({ lock }) => ranks.get(lock)).filter((rank) => rank !== undefined);
        chains++;
        expect(climbed, 'a chain of locks upwards').toEqual([...climbed].sort((a, b) => a - b));
      }
    }
    expect(chains).toBeGreaterThan(0);
    const rounds = (of: Truth) => of.all('torturer').map((each) => Number(each['rounds']));
    const [before, later] = [rounds(truth), rounds(after)];
    expect(later.every((count, i) => count > (before[i] as number))).toBe(true);
  }, 900_000);
});
