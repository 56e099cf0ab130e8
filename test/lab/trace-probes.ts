/** Probes on real kernels: what they fetch is what was there. They share the guest of trace-tests.ts. */
import { expect, test } from 'vitest';
import type { Guest } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';
import { nameOf } from './trace-files.ts';

/** What a test of a guest hands on. */
export interface ProbeLab {
  readonly kernel: string;
  readonly guest: () => Guest;
  readonly overSsh: (lines: readonly string[], reader: string) => Promise<readonly Answer[]>;
  readonly rows: (answer: Answer | undefined) => readonly Readonly<Record<string, unknown>>[];
}

export const PROBE = 'trace probe vfs_read file->f_path.dentry->d_name.name:string count ret';
const LIBC = '/lib/x86_64-linux-gnu/libc.so.6';
/** Reads a file of 12 bytes, opens one that is not there, and starts a program, again and again. */
const whileDone = (command: string): string => `
echo hello world > /tmp/kdbg-known
(while :; do dd if=/tmp/kdbg-known of=/dev/null bs=123 2>/dev/null; dd if=/tmp/kdbg-absent 2>/dev/null; /bin/busybox true; usleep 100000; done) & doer=$!
${command}; kill $doer`;
const quoted = (line: string): string => `'${line.replaceAll("'", `'\\''`)}'`;

export function traceProbes({ kernel, guest, overSsh, rows }: ProbeLab): void {
  const probe = async (...lines: readonly string[]): Promise<readonly Answer[]> => {
    const words = lines.map((line) => `-c ${quoted(line)}`).join(' ');
    return answersIn(await guest().must(whileDone(`kdbg --json ${words}`), { timeoutMs: 120_000 }));
  };

  test('show what a function was called with and what it returned', async () => {
    // A line of the shell has no answer.
    const [set, list, show, stop, kept] = await probe(
      `${PROBE} if 'name == "kdbg-known"'`,
      // However slow the machine is.
      `!sh -c 'for i in 1 2 3 4 5; do dd if=/tmp/kdbg-known of=/dev/null bs=123 2> /dev/null; done'`,
      'trace probe',
      'trace show',
      'trace probe -d all',
      'trace show -n 4',
    );
    expect(rows(set)[0]).toMatchObject({ probe: 'vfs_read', on: true });
    expect(Number(rows(list)[0]?.['hits'])).toBeGreaterThan(5);
    rows(stop);
    expect(rows(show).length).toBeGreaterThan(5);
    for (const row of [...rows(show), ...rows(kept)]) {
      expect(row).toMatchObject({ kind: 'probe', comm: nameOf('dd'), values: { name: 'kdbg-known', count: 123 } });
      if (row['returned'] === true) expect([12, 0]).toContain((row['values'] as { ret: number }).ret);
    }
  });

  test('show errors by name, stacks, and end after their count', async () => {
    const [errors, stacks, unknown] = await probe(
      "trace probe do_sys_openat2 filename how->flags ret if 'ret < 0' -n 10",
      "trace probe vfs_read count ret if 'count == 123' -s -n 2",
      'trace probe',
    );
    const [, ...failed] = rows(errors);
    expect(failed).toHaveLength(10);
    for (const row of failed) expect(row['errno']).toMatch(/^E[A-Z]+$/);
    expect(failed).toContainEqual(
      expect.objectContaining({ values: { filename: '/tmp/kdbg-absent', flags: 32768, ret: -2 }, errno: 'ENOENT' }),
    );
    const [, ...read] = rows(stacks);
    expect(read).toHaveLength(2);
    for (const row of read) expect(JSON.stringify(row['stack'])).toContain('"symbol":"ksys_read"');
    expect(rows(unknown)).toEqual([]);
  });

  test('are set by ftrace and at tracepoints where the kernel can', async () => {
    const [byFtrace, tracepoint] = await probe(
      "trace probe vfs_read count ret if 'count == 123' --fprobe -n 2",
      'trace probe sched:sched_switch prev->comm next->pid next->comm -n 2',
    );
    if (kernel === '6.1') {
      expect(byFtrace?.error).toMatch(/no fprobe can be set/);
      expect(tracepoint?.error).toMatch(/know no tracepoints/);
      return;
    }
    expect(rows(byFtrace)[1]).toMatchObject({ caller: 'ksys_read', values: { count: 123 } });
    expect(rows(tracepoint)[1]).toMatchObject({ values: { comm: expect.any(String), pid: expect.any(Number) } });
  });

  test('are set in programs', async () => {
    const entry = await guest().must('dd if=/bin/busybox bs=8 skip=3 count=1 2>/dev/null | od -An -tx4');
    const [low = '0'] = entry.trim().split(/\s+/);
    const offset = Number.parseInt(low, 16) % 0x40_0000;
    const [answer] = await probe(`trace probe /bin/busybox:0x${offset.toString(16)} comm -n 2 --for 60`);
    expect(rows(answer)).toHaveLength(3);
    expect(rows(answer)[1]).toMatchObject({ kind: 'probe', values: { comm: expect.any(String) } });
  });

  test('are set at symbols of programs, whoever reads them, and replayed', async () => {
    // Perl of Debian has its own functions in its file, and takes malloc from libc.
    const file = '/tmp/kdbg-program.kdbg';
    const lines = [
      'trace probe /usr/bin/perl:perl_parse ret:s32 -n 2 --for 60',
      `trace probe ${LIBC}:getenv $arg1:ustring -n 2 --for 60`,
      'trace probe /usr/bin/perl:malloc',
      `trace probe ${LIBC}:strlen`,
      'trace probe /usr/bin/perl:perl_pars',
      'trace probe /bin/busybox:main',
      'trace probe /etc/passwd:main',
    ];
    const check = ([parsed, environment, imported, indirect, near, stripped, text]: readonly Answer[]): void => {
      for (const row of rows(parsed).slice(1)) expect(row).toMatchObject({ values: { ret: 0 } });
      for (const row of rows(environment).slice(1)) {
        expect(row).toMatchObject({ values: { arg1: expect.stringMatching(/^[A-Z\d_]+$/) } });
      }
      expect(rows(parsed)).toHaveLength(3);
      expect(rows(environment)).toHaveLength(3);
      expect(imported?.error).toMatch(/only calls malloc, which is in a library of its: .*libc\.so\.6/);
      expect(indirect?.error).toMatch(/strlen of .* has no code of its own/);
      expect(near?.error).toMatch(/did you mean perl_parse/);
      expect(stripped?.error).toMatch(/has no symbols/);
      expect(text?.error).toMatch(/it is no program/);
    };
    const words = lines.map((line) => `-c ${quoted(line)}`).join(' ');
    await guest().must(`rm -f ${file}`);
    const perls = '(while :; do perl -e 1; usleep 100000; done) < /dev/null > /dev/null 2>&1 & echo $!';
    const doer = (await guest().must(perls)).trim();
    const here = answersIn((await guest().run(`kdbg --record ${file} --json ${words}`, { timeoutMs: 120_000 })).stdout);
    check(here);
    check(await overSsh(lines, kernel === '6.1' ? 'sh' : 'perl'));
    await guest().must(`kill ${doer}`);
    const replayed = answersIn((await guest().run(`kdbg replay ${file} --json ${words}; rm ${file}`)).stdout);
    expect(replayed).toEqual(here);
  });

  test('that the kernel refuses leave nothing, and say why', async () => {
    const [ambiguous, blacklisted, boundary, filter, member] = await probe(
      'trace probe t_show',
      'trace probe do_int3',
      'trace probe schedule+3',
      `trace probe vfs_read count if 'count > "x"'`,
      'trace probe vfs_read file->f_path.nosuch',
    );
    expect(ambiguous?.error).toMatch(/functions are named t_show: [0-9a-f]{16}, /);
    expect(blacklisted?.error).toMatch(/the kernel refuses the probe: /);
    expect(boundary?.error).toMatch(/not an instruction boundary/);
    expect(filter?.error).toMatch(/Illegal operation for field type/);
    expect(member?.error).toMatch(/struct path has no member "nosuch"/);
  });
}
