import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootGuest, type Guest, kernelLines } from './guest.ts';

/** The state letter and the parent in /proc/PID/stat: after the last parenthesis, whatever the comm holds. */
const statOf = async (guest: Guest, pid: string): Promise<{ comm: string; state: string }> => {
  const text = await guest.must(`cat /proc/${pid}/stat`);
  const end = text.lastIndexOf(')');
  return { comm: text.slice(text.indexOf('(') + 1, end), state: text[end + 2]! };
};

describe.each(kernelLines)('a guest with kernel %s', (kernel) => {
  let guest: Guest;
  beforeAll(async () => {
    guest = await bootGuest({ kernel });
    for (const state of ['deadlock', 'rwsem', 'user']) await guest.plant(state);
  });
  afterAll(() => guest?.close());

  test('runs the kernel that was asked for', async () => {
    expect((await guest.must('uname -r')).trim()).toBe(guest.kernel.release);
    expect(guest.kernel.release.startsWith(`${kernel}.`)).toBe(true);
    expect(await guest.must('grep -c la57 /proc/cpuinfo || true')).toBe('0\n');
  });

  test('gives output, errors, status and input as they are', async () => {
    expect(await guest.run('cat; echo no >&2; exit 3', { stdin: Buffer.from('yes') })).toEqual({
      stdout: 'yes',
      stderr: 'no\n',
      status: 3,
    });
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) & 0xff));
    await guest.put('/tmp/a file', bytes);
    expect((await guest.get('/tmp/a file')).equals(bytes)).toBe(true);
    expect(await guest.run('sleep 100', { timeoutMs: 1_000 })).toMatchObject({ status: 124 });
    expect(await guest.run('kill -9 $$')).toMatchObject({ status: 137 });
    await expect(guest.must('exit 4')).rejects.toThrow(/status 4/);
  });

  test('has the module with its types and symbols', async () => {
    expect(await guest.must('lsmod')).toMatch(/^kdbg_lab /m);
    const truth = await guest.truth();
    const { address } = truth.one('symbol', { name: 'lab_root' });
    expect(await guest.must('grep lab_root /proc/kallsyms')).toContain(address);
    expect((await guest.get('/sys/kernel/btf/kdbg_lab')).readUInt16LE(0)).toBe(0xeb9f);
  });

  test('says what it planted', async () => {
    const truth = await guest.truth();
    const counts = Object.fromEntries(truth.all('container').map(({ name, count }) => [name, Number(count)]));
    expect(counts).toMatchObject({ list: 12, list_empty: 0, list_long: 1000, xa_sparse: 11, mt_range: 301, ida: 13 });
    for (const { name, kind } of truth.all('container')) {
      const entries = [...truth.all('entry', { container: name! }), ...truth.all('slot', { container: name! })];
      if (kind === 'ida' || name === 'list_poisoned') continue;
      expect(entries.length, name).toBe(counts[name!]);
    }
  });

  test('has its threads where they were planted', async () => {
    const truth = await guest.truth();
    const threads = truth.all('thread');
    expect(threads.map(({ role }) => role)).toEqual(
      expect.arrayContaining(['lab_ab', 'lab_ba', 'lab_wait1', 'lab_wait2', 'lab_wait3', 'lab_rw_read2']),
    );
    for (const { pid, comm, state, role } of threads) {
      expect(await statOf(guest, pid!), role).toEqual({ comm, state });
    }
    for (const { role, functions } of truth.all('chain')) {
      const { pid } = truth.one('thread', { role: role! });
      const stack = await guest.must(`cat /proc/${pid}/stack`);
      const found = [...stack.matchAll(/\] (\w+)\+/g)].map((match) => match[1]);
      expect(found.slice(0, functions!.split(',').length).join(), role).toBe(functions);
    }
  });

  test('has two mutexes owned and wanted in opposite order', async () => {
    const truth = await guest.truth();
    const [ab, ba] = ['lab_ab', 'lab_ba'].map((role) => truth.one('thread', { role }));
    const [a, b] = ['mutex_a', 'mutex_b'].map((name) => truth.one('lock', { name }));
    expect(ab).toMatchObject({ holds: a!['address'], wants: b!['address'], task: a!['owner'], state: 'D' });
    expect(ba).toMatchObject({ holds: b!['address'], wants: a!['address'], task: b!['owner'], state: 'D' });
  });

  test('has user-space tasks in every way of sleeping', async () => {
    const truth = await guest.truth();
    for (const { pid, comm, state } of truth.all('user'))
      expect(await statOf(guest, pid!), comm).toEqual({ comm, state });
    const { pid } = truth.one('user', { comm: 'u_write' });
    // A fault in kernel mode: an exception's frame between two calls of the same stack.
    expect(await guest.must(`cat /proc/${pid}/stack`)).toMatch(
      /handle_userfault[\s\S]*asm_exc_page_fault[\s\S]*vfs_write/,
    );
  });

  test('runs node', async () => {
    expect(await guest.must('node --version')).toBe(`${process.version}\n`);
    const millisecondsOf = async (command: string): Promise<number> => {
      const started = performance.now();
      await guest.must(command);
      return Math.round(performance.now() - started);
    };
    const figures = {
      boot: Math.round(guest.bootMs),
      command: await millisecondsOf('true'),
      node: await millisecondsOf('node -e 0'),
      nodeAgain: await millisecondsOf('node -e 0'),
    };
    process.stdout.write(`lab ${kernel}: milliseconds ${JSON.stringify(figures)}\n`);
  });

  test('lets ssh in', async () => {
    const output = execFileSync('ssh', [...(await guest.ssh()), 'id -u; perl -e "print 6*7"'], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect(output).toBe('0\n42');
  });

  test('can be dumped', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kdbg-lab-dump-'));
    try {
      const path = join(folder, 'vmcore');
      await guest.dump(path, 'kdump-zlib');
      const file = openSync(path, 'r');
      const head = Buffer.alloc(12);
      readSync(file, head, 0, head.length, 0);
      closeSync(file);
      expect(head.toString('latin1')).toBe('makedumpfile');
      expect(await guest.must('echo still here')).toBe('still here\n');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test('5-level paging, preemption inside interrupts, no module', async () => {
  const guest = await bootGuest({ kernel: '6.12', paging: 5, append: 'preempt=full', node: false, module: false });
  try {
    expect(await guest.must('grep -c la57 /proc/cpuinfo')).toBe('2\n');
    expect(await guest.must('cat /sys/kernel/debug/sched/preempt')).toContain('(full)');
    expect(await guest.run('node --version')).toMatchObject({ status: 127 });
    expect(await guest.must('lsmod')).not.toContain('kdbg_lab');
  } finally {
    await guest.close();
  }
});

test('a guest that cannot come up says why, and is gone', async () => {
  await expect(bootGuest({ kernel: '6.1', node: false, append: 'rdinit=/none root=/dev/none' })).rejects.toThrow(
    /does not boot[\s\S]*(panic|ended)/,
  );
});
