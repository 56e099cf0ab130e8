/**
 * What `kdbg ssh` shows of a guest against what kdbg shows in that guest, for every reader that a host can have: perl,
 * python3, and the shell alone: every command that asks the kernel, through perl, and some of each kind through the others.
 * Everything planted is read back through each as well.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, openClient, sshPortOf } from './client.ts';
import { planted } from './container-checks.ts';
import { bootGuest, type Guest } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';
import { strangersOn } from './strangers.ts';

type Row = Readonly<Record<string, unknown>>;

/** Tasks that serve the connection or look from inside: they are others at every look. */
const BUSY =
  /^(node|sh|lab-agent|libuv-worker|cat|sshd|perl|python3|dd|sleep|kdbg|DelayedTaskSche|kworker|ksoftirqd|rcu_|swapper)/;

/** What moves while nothing happens: how long somebody waits, where a task ran last. */
const MOVES = new Set(['waitedMs', 'longestMs', 'hung', 'cpu', 'runTime']);

const still = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(still);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (MOVES.has(key) ? [] : [[key, still(each)]])),
  );
};

type Compared = readonly [line: string, look?: (rows: readonly Row[]) => unknown];

/** Without those who sleep for a moment while they start a program: rows of a task, and groups of tasks. */
const lasting = (rows: readonly Row[]): readonly Row[] =>
  rows.filter(({ comm, tasks }) => {
    const names = Array.isArray(tasks) ? (tasks as readonly Row[]).map((each) => each['comm']) : [comm];
    return !names.some((name) => BUSY.test(String(name)));
  });

/** Command lines, and what of their answers two looks must have in common. */
const commands: readonly Compared[] = [
  ['mod'],
  ['sym -l'],
  ['sym schedule'],
  ['struct task_struct'],
  ['union thread_union'],
  ['whatis list_head'],
  ['p init_task.comm'],
  ['p init_uts_ns.name'],
  ['p jiffies_64', (rows) => rows.length],
  ['* list_head lab_root'],
  ['struct task_struct.pid,comm,prio init_task'],
  ['rd linux_banner 20'],
  ['rd -p 0x1000 16'],
  ['dis schedule'],
  ['dis -l mutex_lock'],
  ['search -s init_task -l 0x10000 init_task'],
  ['eval 0x41'],
  ['ps UN', lasting],
  ['foreach UN bt', lasting],
  ['foreach UN task -R comm,pid,flags,prio', lasting],
  ['stacks UN', lasting],
  ['ps', (rows) => rows.filter(isCalm).map(({ pid, ppid, task, comm }) => ({ pid, ppid, task, comm }))],
  ['log', (rows) => rows.slice(0, 150)],
  ['sys', (rows) => rows.filter(({ key }) => /^(KERNEL|RELEASE|VERSION|MACHINE|CPUS|NODENAME)$/i.test(String(key)))],
];

/** Who has waited longest comes first: of tasks that began within the same millisecond that is now the one, now the other. */
const byLock = (rows: readonly Row[]): readonly Row[] =>
  [...rows].sort((a, b) => String(a['lock']).localeCompare(String(b['lock'])));

/** The other commands, and other forms of them. */
const others: readonly Compared[] = [
  ['bt lab_ab lab_wait1'],
  ['bt -l lab_ab'],
  ['bt -f lab_ab'],
  ['bt -t lab_ab'],
  ['bt -k lab_ab'],
  ['bt -e 1'],
  ['task lab_ab'],
  ['ps -p lab_ab'],
  ['ps -s 1'],
  ['ps -a 1'],
  ['ps -r 1'],
  ['ps -t lab_ab'],
  ['stacks -R __mutex_lock -v'],
  ['locks', byLock],
  ['waiters lab_root.mutex_a'],
  ['blocked', byLock],
  ['deadlock'],
  ['held lab_ab'],
  ['walk lab_ab'],
  ['walk up'],
  ['struct -o task_struct'],
  ['p lab_root.list_long'],
  ['whatis runqueues'],
  ['list modules -o module.list -s module.name,state'],
  ['list -H lab_root.list_long'],
  ['rd -8 linux_banner 16'],
  ['rd -s sys_call_table 4'],
  ['search -c swapper -s init_task -l 0x10000'],
  ['status', (rows) => rows.filter(({ name }) => /^(memory|symbols|types|unwind)/.test(String(name)))],
  ['log -t', (rows) => rows.slice(0, 150)],
  ['log -d', (rows) => rows.slice(0, 150)],
  ['report', (rows) => rows.length > 0],
  ['oom'],
  ['mod -t'],
  ['sym -q mutex_unl'],
  ['sym -m kdbg_lab'],
  ['sym -p schedule'],
  ['dis -r schedule+8'],
  ['ascii 41'],
  ['btop 1000'],
  ['ptob 1'],
  ['help ps'],
  ['alias', (rows) => rows.length],
  ['set'],
];

const isCalm = ({ state, comm }: Row): boolean => state !== 'RU' && !BUSY.test(String(comm));

const all = [...commands, ...others];

/** What two sessions must have in common, by line. */
const compared = (asked: readonly Compared[], answers: readonly Answer[]): ReadonlyMap<string, unknown> =>
  new Map(
    asked.map(([line, look = (rows) => rows], index) => {
      const answer = answers[index];
      return [line, [answer?.status, answer?.error, still(look((answer?.rows ?? []) as readonly Row[]))]];
    }),
  );

const readers = [
  { kind: 'perl', away: [] },
  { kind: 'python3', away: ['/usr/bin/perl'] },
  { kind: 'sh', away: ['/usr/bin/perl', '/usr/bin/python3'] },
] as const;

describe.each([
  { kernel: '6.1', paging: 4 },
  { kernel: '6.12', paging: 5 },
] as const)('a guest of $kernel, $paging levels of page tables', ({ kernel, paging }) => {
  let guest: Guest;
  let client: Client;
  let local: ReadonlyMap<string, unknown>;
  // One kernel is enough for all of them.
  const asked = kernel === '6.1' ? all : commands;
  beforeAll(async () => {
    guest = await bootGuest({ kernel, paging, logins: true });
    // The kernel's search for hung tasks writes into them.
    await guest.must('echo 0 > /proc/sys/kernel/hung_task_timeout_secs');
    for (const state of ['deadlock', 'rwsem', 'user']) await guest.plant(state);
    await guest.ssh();
    client = openClient();
    const output = await guest.run('kdbg --json', { stdin: Buffer.from(linesOf(asked)), timeoutMs: 300_000 });
    const answers = answersIn(output.stdout);
    expect(answers, `status ${output.status}: ${output.stderr}`).toHaveLength(asked.length);
    local = compared(asked, answers);
  });
  afterAll(async () => {
    await guest?.close();
    client?.remove();
  });

  const here = readers.filter(({ kind }) => kernel === '6.1' || kind === 'perl');
  test.each(here)('$kind shows what kdbg shows there', async ({ kind, away }) => {
    const truths = planted(await guest.truth());
    // The shell needs processes for each round trip: a part of it all tells as much.
    const checks = kind === 'sh' ? truths.slice(0, 30) : truths;
    const compares = kind === 'perl' ? asked : commands;
    const before = await strangersOn(guest);
    await guest.must(`touch /tmp/before; sleep 1; ${away.map((path) => `mv ${path} ${path}.away`).join('; ')}`);
    try {
      const input = [linesOf(compares), ...checks.map(({ command }) => command), 'status'].join('\n');
      const run = await client.run([...client.ssh(sshPortOf(guest)), '--json'], { input, timeoutMs: 280_000 });
      const answers = answersIn(run.stdout);
      expect(answers, run.stderr).toHaveLength(compares.length + checks.length + 1);
      expect(JSON.stringify(answers.at(-1)?.rows)).toMatch(new RegExp(`reader.*${kind}|${kind}.*reader`));
      for (const [line, told] of compared(compares, answers)) expect(told, line).toEqual(local.get(line));
      for (const [index, { name, command, expected, actual }] of checks.entries()) {
        const answer = answers[compares.length + index];
        expect(answer && actual(answer), `${name}: ${command}`).toEqual(expected);
      }
      process.stdout.write(`lab ${kernel}: ${kind} ${Math.round(run.milliseconds)} ms, ${run.memoryMb} MiB\n`);

      // Nothing stays there: no process, no file.
      await expect.poll(() => strangersOn(guest, before), { timeout: 30_000 }).toEqual([]);
      expect(await guest.must(`find / -xdev -newer /tmp/before -type f ! -path "*.away"`)).toBe('');
    } finally {
      for (const path of away) await guest.must(`mv ${path}.away ${path}`);
    }
  });
});

function linesOf(asked: readonly Compared[]): string {
  return asked.map(([line]) => line).join('\n');
}
