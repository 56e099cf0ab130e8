/**
 * What `kdbg ssh` shows of a guest against what kdbg shows in that guest, for every reader that a host can have: perl,
 * python3, and the shell alone. Everything planted is read back through each as well.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, openClient, sshPortOf } from './client.ts';
import { planted } from './container-checks.ts';
import { bootGuest, type Guest } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';

type Row = Readonly<Record<string, unknown>>;

/** Tasks that serve the connection or look from inside: they are others at every look. */
const BUSY =
  /^(node|sh|lab-agent|libuv-worker|cat|sshd|perl|python3|dd|sleep|kdbg|DelayedTaskSche|kworker|ksoftirqd|rcu_|swapper)/;

/** Command lines, and what of their answers two looks must have in common. */
const commands: readonly (readonly [string, ((rows: readonly Row[]) => unknown)?])[] = [
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
  ['ps UN', (rows) => rows],
  ['foreach UN bt'],
  ['foreach UN task -R comm,pid,flags,prio'],
  ['stacks UN'],
  ['ps', (rows) => rows.filter(isCalm).map(({ pid, ppid, task, comm }) => ({ pid, ppid, task, comm }))],
  ['log', (rows) => rows.slice(0, 150)],
  ['sys', (rows) => rows.filter(({ key }) => /^(KERNEL|RELEASE|VERSION|MACHINE|CPUS|NODENAME)$/i.test(String(key)))],
];

const isCalm = ({ state, comm }: Row): boolean => state !== 'RU' && !BUSY.test(String(comm));

const lines = commands.map(([line]) => line);

const compared = (answers: readonly Answer[]): readonly unknown[] =>
  commands.map(([line, look = (rows) => rows], index) => {
    const answer = answers[index];
    return [line, answer?.status, answer?.error, look((answer?.rows ?? []) as readonly Row[])];
  });

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
  let local: readonly unknown[];
  beforeAll(async () => {
    guest = await bootGuest({ kernel, paging, logins: true });
    for (const state of ['deadlock', 'rwsem', 'user']) await guest.plant(state);
    await guest.ssh();
    client = openClient();
    const output = await guest.run('kdbg --json', { stdin: Buffer.from(lines.join('\n')), timeoutMs: 180_000 });
    local = compared(answersIn(output.stdout));
  });
  afterAll(async () => {
    await guest?.close();
    client?.remove();
  });

  const here = readers.filter(({ kind }) => kernel === '6.1' || kind === 'perl');
  test.each(here)('$kind shows what kdbg shows there', async ({ kind, away }) => {
    const all = planted(await guest.truth());
    // The shell needs processes for each round trip: a part of it all tells as much.
    const checks = kind === 'sh' ? all.slice(0, 30) : all;
    await guest.must(`touch /tmp/before; sleep 1; ${away.map((path) => `mv ${path} ${path}.away`).join('; ')}`);
    try {
      const input = [...lines, ...checks.map(({ command }) => command), 'status'].join('\n');
      const run = await client.run([...client.ssh(sshPortOf(guest)), '--json'], { input, timeoutMs: 240_000 });
      const answers = answersIn(run.stdout);
      expect(answers, run.stderr).toHaveLength(lines.length + checks.length + 1);
      expect(JSON.stringify(answers.at(-1)?.rows)).toMatch(new RegExp(`reader.*${kind}|${kind}.*reader`));
      const remote = compared(answers);
      for (const [index, line] of lines.entries()) expect(remote[index], line).toEqual(local[index]);
      for (const [index, { name, command, expected, actual }] of checks.entries()) {
        const answer = answers[lines.length + index];
        expect(answer && actual(answer), `${name}: ${command}`).toEqual(expected);
      }
      process.stdout.write(`lab ${kernel}: ${kind} ${Math.round(run.milliseconds)} ms, ${run.memoryMb} MiB\n`);

      // Nothing stays there: no process, no file.
      await expect.poll(() => leftOn(guest), { timeout: 15_000 }).toEqual([]);
      expect(await guest.must(`find / -xdev -newer /tmp/before -type f ! -path "*.away"`)).toBe('');
    } finally {
      for (const path of away) await guest.must(`mv ${path}.away ${path}`);
    }
  });
});

/** What a visitor has left running. */
async function leftOn(guest: Guest): Promise<readonly string[]> {
  const listed = await guest.must('ps -o pid,ppid,args');
  return listed
    .split('\n')
    .filter((line) => /perl|python3|dd if|sshd: |gzip|sudo/.test(line) && !/listener/.test(line));
}
