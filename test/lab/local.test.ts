/**
 * kdbg inside the guest, on the kernel that it runs on: what it reads from memory against what the kernel itself says in
 * /proc. A running system moves, so /proc is read before and after, and what stood still is compared.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootGuest, type Guest } from './guest.ts';
import {
  type Answer,
  answersIn,
  type ProcThread,
  printStacks,
  printThreads,
  stacksIn,
  threadsIn,
} from './local-proc.ts';

interface Frame {
  readonly pc: string;
  readonly symbol: string | null;
  readonly offset: number | null;
}
type Row = Readonly<Record<string, unknown>>;

/** Tasks that run kdbg or wait for it: the only ones that always move. */
const BUSY = /^(node|sh|lab-agent|libuv-worker|cat|DelayedTaskSche|kdbg)/;

const rowsOf = <T = Row>(answer: Answer | undefined): readonly T[] => {
  expect(answer, 'an answer').toBeDefined();
  expect(answer?.error).toBeUndefined();
  return (answer?.rows ?? []) as readonly T[];
};

/** Threads that look the same in both readings. */
const stable = (before: readonly ProcThread[], after: readonly ProcThread[]): readonly ProcThread[] => {
  const later = new Map(after.map((thread) => [thread.pid, JSON.stringify(thread)]));
  return before.filter((thread) => later.get(thread.pid) === JSON.stringify(thread));
};

/** Whether a task_struct's comm is what /proc has: for kernel threads the whole name, and what a worker last did. */
const isCommOf = (comm: string, shown: string): boolean =>
  shown === comm || (shown.startsWith(comm) && (comm.length === 15 || comm.startsWith('kworker/')));

const STATES: Readonly<Record<string, string>> = {
  R: 'RU',
  S: 'IN',
  D: 'UN',
  I: 'ID',
  Z: 'ZO',
  T: 'ST',
  t: 'TR',
  X: 'DE',
  P: 'PA',
};

describe.each([
  { kernel: '6.1', paging: 4 },
  { kernel: '6.12', paging: 5 },
] as const)('kdbg on its own kernel $kernel, $paging levels of page tables', ({ kernel, paging }) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel, paging });
    for (const state of ['deadlock', 'rwsem', 'user']) await guest.plant(state);
  });
  afterAll(() => guest?.close());

  test('ps has the tasks of /proc with their states and parents', async () => {
    const output = await guest.must(`${printThreads}; kdbg --json -c ps; ${printThreads}`, { timeoutMs: 120_000 });
    const [before = [], after = []] = threadsIn(output);
    const rows = rowsOf<{ pid: number; ppid: number; state: string; comm: string }>(answersIn(output)[0]);
    const listed = new Map(rows.filter(({ pid }) => pid !== 0).map((row) => [row.pid, row]));
    const still = stable(before, after).filter(({ state }) => state !== 'R');
    let moved = 0;
    for (const { pid, ppid, state, comm } of still) {
      const row = listed.get(pid);
      expect(row, `PID ${pid}`).toMatchObject({ pid, ppid });
      expect(row?.comm, `PID ${pid}`).toSatisfy((shown: string) => isCommOf(shown, comm));
      // It may have run for a moment between the two readings of /proc.
      if (row?.state === 'RU') moved++;
      else expect(row?.state, `PID ${pid}`).toBe(STATES[state]);
    }
    const known = new Set([...before, ...after].map(({ pid }) => pid));
    const unknown = rows.filter(({ pid, comm }) => pid !== 0 && !known.has(pid) && !BUSY.test(comm));
    expect(unknown).toEqual([]);
    expect(rows.filter(({ pid }) => pid === 0)).toHaveLength(2);
    process.stdout.write(`lab ${kernel}: ps compared ${still.length} of ${rows.length} tasks\n`);
    expect(still.length - moved).toBeGreaterThan(80);
  });

  test('bt of every sleeping task has the functions of /proc/PID/stack, and those that it hides', async () => {
    const output = await guest.must(`${printStacks}; kdbg --json -c 'foreach bt'; ${printStacks}`, {
      timeoutMs: 240_000,
    });
    const [before, after] = stacksIn(output);
    const rows = rowsOf<{ pid: number; comm: string; frames: readonly Frame[] }>(answersIn(output)[0]);
    const scheduler = await schedulerText(guest);
    let compared = 0;
    for (const { pid, comm, frames } of rows) {
      const expected = before?.get(pid);
      // One that ran meanwhile may have slept somewhere else.
      if (expected === undefined || expected.frames === '' || BUSY.test(comm)) continue;
      const later = after?.get(pid);
      if (expected.switches !== later?.switches || expected.frames !== later.frames) continue;
      const shown = frames
        .filter(({ pc }) => BigInt(pc) < scheduler.start || BigInt(pc) >= scheduler.end)
        .map(({ symbol, offset }) => `${symbol}+0x${Number(offset).toString(16)}`);
      expect(shown.join(' '), `${pid} ${comm}`).toBe(expected.frames);
      const top = frames.find((frame) => frame.symbol !== null)?.symbol;
      expect(top, `${pid} ${comm}`).toMatch(/^__schedule$|^(asm_)?sysvec|^ret_from_fork/);
      compared++;
    }
    process.stdout.write(`lab ${kernel}: bt compared ${compared} of ${rows.length} stacks\n`);
    expect(compared).toBeGreaterThan(70);
  });

  test('mod is lsmod, log is dmesg, sym -l is /proc/kallsyms', async () => {
    const output = await guest.must('kdbg --json -c mod -c log -c "sym -l"', { timeoutMs: 120_000 });
    const [mod, log, sym] = answersIn(output);
    const modules = (await guest.must('cat /proc/modules'))
      .trim()
      .split('\n')
      .map((line) => {
        const [name, size, , , , base] = line.split(' ') as [string, string, string, string, string, string];
        return { name, size: Number(size), base };
      });
    const listed = rowsOf<{ name: string; size: number; base: string }>(mod);
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    expect(listed.map(({ name, size, base }) => ({ name, size, base })).sort(byName)).toEqual(modules.sort(byName));
    expect(modules.length).toBeGreaterThan(4);

    const messages = (await guest.must('dmesg -r')).trimEnd().split('\n');
    const records = rowsOf<{ time: number; level: number; text: string }>(log).flatMap(({ time, level, text }) =>
      text.split('\n').map((line) => `<${level}>[${time.toFixed(6).padStart(12)}] ${line}`),
    );
    const common = messages.slice(0, records.length);
    expect(records.slice(0, common.length)).toEqual(common);
    expect(common.length).toBeGreaterThan(200);

    const symbols = new Set(
      rowsOf<{ address: string; type: string; name: string; module: string | null }>(sym).map(
        (row) =>
          `${BigInt(row.address).toString(16).padStart(16, '0')} ${row.type} ${row.name}${row.module === null ? '' : ` [${row.module}]`}`,
      ),
    );
    const kallsyms = (await guest.must('cat /proc/kallsyms')).trimEnd().replaceAll('\t', ' ').split('\n');
    const missing = kallsyms.filter((line) => !symbols.has(line));
    expect(missing.slice(0, 10)).toEqual([]);
    expect(symbols.size).toBe(new Set(kallsyms).size);
    expect(symbols.size).toBeGreaterThan(80_000);
  });

  const answers = async (...lines: readonly string[]): Promise<readonly Answer[]> => {
    const words = lines.map((line) => `-c '${line}'`).join(' ');
    return answersIn(await guest.must(`kdbg --json ${words}`, { timeoutMs: 120_000 }));
  };

  test("system calls of 32-bit processes have the numbers of the kernel's own header", async () => {
    const header = join(guest.kernel.headers, 'arch/x86/include/generated/uapi/asm/unistd_32.h');
    const named = new Map(
      [...readFileSync(header, 'utf8').matchAll(/#define __NR_(\w+) (\d+)/g)].map(([, name, number]) => [
        Number(number),
        name,
      ]),
    );
    const [calls, refused] = await answers('sys -c -32', 'sys -c -n -32');
    const rows = rowsOf<{ number: number; name: string }>(calls);
    expect(rows.filter(({ number }) => !named.has(number))).toEqual([]);
    // Others are named by another variant: umount2 is sys_umount.
    expect(rows.filter(({ number, name }) => named.get(number) === name).length).toBeGreaterThan(280);
    const missing = [...named].filter(([number]) => !rows.some((row) => row.number === number));
    expect(missing.map(([, name]) => name)).toEqual(expect.arrayContaining(['vm86', 'vm86old', 'create_module']));
    expect(missing.length).toBeLessThan(30);
    expect(refused?.notices.join()).toMatch(/no call has the numbers 17,.*,166-167,/);
  });

  test('kmsg tells each way to read the log, and what is left to read', async () => {
    const drain = 'my $b = "x" x 8192; syscall(103, 2, $b, 8192) while 1';
    const started = await guest.must(`
      cat /dev/kmsg > /dev/null & echo $!
      perl -e 'open(my $f, "<", "/dev/kmsg"); sleep 1000' & echo $!
      perl -e '${drain}' > /dev/null & echo $!
      sleep 1000 3> /dev/kmsg & echo $!`);
    const [cat, idle, syslog, writer] = started.trim().split('\n').map(Number);
    const readers = async (): Promise<readonly unknown[]> => {
      const [answer] = await answers('kmsg -w');
      return rowsOf(answer)
        .filter(({ pid }) => [cat, idle, syslog, writer].includes(pid as number))
        .map(({ pid, interface: through, position, behind, doing }) => [
          pid,
          through,
          position === 0,
          behind === 0,
          doing,
        ]);
    };
    await expect.poll(readers, { timeout: 120_000, interval: 1_000 }).toEqual([
      [cat, '/dev/kmsg', false, true, 'sleeps'],
      [idle, '/dev/kmsg', true, false, null],
      [writer, '/dev/kmsg', false, false, 'writes'],
      [syslog, 'syslog(2)', false, true, 'sleeps'],
    ]);
    await guest.must(`kill ${[cat, idle, syslog, writer].join(' ')}`);
    // SYSLOG_ACTION_CLEAR
    await guest.must(`perl -e 'syscall(103, 5, 0, 0) == 0 or die'`);
    const [cleared] = await answers('kmsg');
    expect(cleared?.notices.join('\n')).toMatch(/the log was cleared: dmesg begins at [1-9]\d*; those before/);
  });

  test('vdso is what a process has mapped', async () => {
    const [overview, code] = await answers('vdso 1', 'vdso 1 __vdso_getcpu');
    const maps = await guest.must('cat /proc/1/maps');
    const mapped = [...maps.matchAll(/^([0-9a-f]+)-([0-9a-f]+) .*(\[v(?:dso|var\w*)\])$/gm)].map(
      ([, start = '', end = '', name]) => [BigInt(`0x${start}`), BigInt(`0x${end}`), name],
    );
    const shown = rowsOf(overview).filter(({ kind }) => kind === 'mapping');
    expect(shown.map(({ start, end, name }) => [BigInt(start as string), BigInt(end as string), name])).toEqual(mapped);
    expect(rowsOf(overview).map(({ name }) => name)).toEqual(
      expect.arrayContaining(['__vdso_clock_gettime', 'clock_gettime', '__vdso_getcpu']),
    );
    const instructions = rowsOf<{ readonly address: string; readonly bytes: string }>(code);
    const bytes = instructions
      .map((each) => each.bytes)
      .join(' ')
      .split(' ');
    const memory = await guest.must(
      `perl -e 'open(my $f, "<:raw", "/proc/1/mem"); sysseek($f, ${BigInt(instructions[0]!.address)}, 0); sysread($f, my $b, ${bytes.length}); print unpack("H*", $b)'`,
    );
    expect(memory).toBe(bytes.join(''));
  });

  test('the log is searched by facility and with what stands around, and tells of a kill and a segfault', async () => {
    await guest.must(
      'for i in 1 2 3; do echo "<12>lab-mark $i" > /dev/kmsg; done; perl -e "unpack q(p), pack q(Q), 8" || true',
    );
    await guest.must(
      `
      grep -q cgroup2 /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup
      echo +memory > /sys/fs/cgroup/cgroup.subtree_control; mkdir /sys/fs/cgroup/lab; echo 32M > /sys/fs/cgroup/lab/memory.max
      (echo 0 > /sys/fs/cgroup/lab/cgroup.procs; exec perl -e 'my $n = 64; my $m = "x" x ($n << 20)') || true
      until dmesg | grep -q 'Killed process'; do sleep 1; done`,
      { timeoutMs: 120_000 },
    );
    const [marks, dated, oom, segfault] = await answers(
      'log --facility user -l warn -g lab-mark -n 1 -B 1',
      'log --since 0 --until 1m --time iso -n 1',
      'oom',
      'report -k segfault',
    );
    expect(rowsOf(marks)).toMatchObject([
      { facility: 'user', level: 4, text: 'lab-mark 2', context: true },
      { text: 'lab-mark 3' },
    ]);
    expect(dated?.error).toBeUndefined();
    expect(rowsOf(oom)).toMatchObject([{ comm: 'perl', cgroup: '/lab', limitKb: 32_768, victims: [{ comm: 'perl' }] }]);
    expect(rowsOf(segfault).at(-1)).toMatchObject({
      comm: 'perl',
      lines: [expect.stringMatching(/segfault at 8 ip/), expect.stringMatching(/^Code: /)],
    });
  });

  test('structures agree with the kernel: sizes, offsets, and members of every process', async () => {
    const truth = await guest.truth();
    // The module's struct worker has a namesake in the kernel, which is the one that the bare name means.
    const types = truth.all('type').filter(({ name }) => name !== 'struct worker');
    const members = truth.all('member').filter(({ type }) => type !== 'struct worker');
    const init = 'container_of(init_task.tasks.next, struct task_struct, tasks)';
    const commands = [
      'list task_struct.tasks -h init_task -s task_struct.pid,tgid,comm,real_parent',
      ...['start_code', 'start_stack', 'arg_start'].map((member) => `p ${init}->mm->${member}`),
      ...types.map(({ name }) => name as string),
      ...members.map(({ type, name }) => `p offsetof(${type}, ${name})`),
    ];
    const output = await guest.must(`${printThreads}; kdbg --json; ${printThreads}`, {
      stdin: Buffer.from(commands.join('\n')),
      timeoutMs: 120_000,
    });
    const [tasks, startCode, startStack, argStart, ...described] = answersIn(output);

    const [before = [], after = []] = threadsIn(output);
    const rows = rowsOf<{ address: string; pid: number; tgid: number; comm: string; real_parent: string }>(tasks);
    const byPid = new Map(rows.map((row) => [row.pid, row]));
    const byAddress = new Map(rows.map((row) => [row.address, row]));
    let compared = 0;
    for (const { pid, comm, ppid } of stable(before, after)) {
      const row = byPid.get(pid);
      if (row === undefined || BUSY.test(comm)) continue;
      expect(row.comm).toSatisfy((shown: string) => isCommOf(shown, comm));
      expect({ tgid: row.tgid, ppid: byAddress.get(row.real_parent)?.tgid }).toEqual({ tgid: pid, ppid });
      compared++;
    }
    expect(compared).toBeGreaterThan(60);

    const stat = (await guest.must('cat /proc/1/stat')).replace(/^.*\) /s, '').split(' ');
    // proc(5) counts the fields of stat from 1, and the state is the third.
    for (const [answer, field] of [
      [startCode, 26],
      [startStack, 28],
      [argStart, 48],
    ] as const) {
      expect(BigInt(rowsOf<{ value: string | number }>(answer)[0]?.value ?? -1)).toBe(
        BigInt(stat[field - 3] as string),
      );
    }

    for (const [i, { name, size }] of types.entries()) {
      const [row] = rowsOf<{ size: number }>(described[i]);
      expect(row?.size, name).toBe(Number(size));
    }
    for (const [i, { type, name, offset }] of members.entries()) {
      const [row] = rowsOf<{ value: number }>(described[types.length + i]);
      expect(Number(row?.value), `${type}.${name}`).toBe(Number(offset));
    }
    expect(types.length).toBeGreaterThan(5);
  });

  test('without kernel memory everything that files serve works, and status says why', async () => {
    const commands = ['ps', 'sym schedule', 'struct list_head', 'log', 'mod', 'status', 'bt 2', 'rd linux_banner'];
    const run = (prefix: string): Promise<string> =>
      guest
        .run(`${prefix} kdbg --json ${commands.map((command) => `-c '${command}'`).join(' ')}`, { timeoutMs: 120_000 })
        .then(({ stdout }) => stdout);
    const masked = `unshare -m sh -c 'mount --bind /dev/null /proc/kcore && exec "$@"' sh`;
    const [ps, sym, struct, log, mod, status, bt, rd] = answersIn(await run(masked));
    expect(rowsOf(ps).length).toBeGreaterThan(80);
    expect(rowsOf(sym)).toMatchObject([{ name: 'schedule' }]);
    expect(rowsOf(struct)).toMatchObject([{ size: 16 }]);
    expect(rowsOf(log).length).toBeGreaterThan(200);
    expect(rowsOf(mod).length).toBeGreaterThan(4);
    expect(JSON.stringify(status)).toMatch(/kcore/);
    expect(rowsOf<{ frames: readonly Frame[] }>(bt)[0]?.frames.map(({ symbol }) => symbol)).toContain('kthreadd');
    expect(rd).toMatchObject({ status: 1, error: expect.stringMatching(/memory/) });

    const user = `perl -e '$( = $) = 100; $< = $> = 100; exec @ARGV or die' `;
    await guest.must('echo 1 > /proc/sys/kernel/kptr_restrict; echo 1 > /proc/sys/kernel/dmesg_restrict');
    const asUser = answersIn(await run(user));
    expect(rowsOf(asUser[0]).length).toBeGreaterThan(80);
    expect(rowsOf(asUser[2])).toMatchObject([{ size: 16 }]);
    expect(rowsOf(asUser[4]).length).toBeGreaterThan(4);
    expect(JSON.stringify(asUser[5])).toMatch(/root/);
    expect(asUser[1]).toMatchObject({ status: 0, notices: [expect.stringMatching(/hides the addresses/)] });
    expect(JSON.stringify(asUser[6])).toMatch(/root/);
    expect(asUser[7]).toMatchObject({ error: expect.stringMatching(/root/) });
  });
});

/** .sched.text, whose functions /proc/PID/stack leaves out (in_sched_functions, kernel/sched/core.c). */
const schedulerText = async (guest: Guest): Promise<{ readonly start: bigint; readonly end: bigint }> => {
  const text = await guest.must('grep -E " __sched_text_(start|end)$" /proc/kallsyms');
  const at = (name: string): bigint => BigInt(`0x${new RegExp(`^(\\w+) \\w ${name}$`, 'm').exec(text)?.[1]}`);
  return { start: at('__sched_text_start'), end: at('__sched_text_end') };
};
