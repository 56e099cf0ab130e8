/**
 * Questions that a trace answers by itself, and what is put into one that runs, on a real kernel. Called within the tests
 * of trace-tests.ts, which looks after each whether tracefs is as it was.
 */
import { expect, test } from 'vitest';
import type { Guest } from './guest.ts';
import type { Answer } from './local-proc.ts';
import { nameOf, whileRead } from './trace-files.ts';

export interface TraceLab {
  readonly kernel: '6.1' | '6.12';
  guest(): Guest;
  /** Runs kdbg in the guest while /proc/version is read again and again. */
  kdbg(...lines: readonly string[]): Promise<readonly Answer[]>;
  /** Runs it elsewhere, over ssh. */
  overSsh(lines: readonly string[], reader: 'perl' | 'python3' | 'sh'): Promise<readonly Answer[]>;
  rows(answer: Answer | undefined): readonly Readonly<Record<string, unknown>>[];
}

const TRACING = '/sys/kernel/tracing';
/** Of the others' use of the shared buffer, what keeps kdbg from borrowing it. */
const GIVE_UP = `cd ${TRACING} && echo > set_event && echo > trace`;
const TAKE_UP = `cd ${TRACING} && echo sched_switch > set_event`;
/** The shared buffer's settings, and which of kdbg's instances there are. */
const SHARED = `cd ${TRACING}; ls instances; grep -r . options set_graph_function max_graph_depth trace_clock current_tracer \
  set_ftrace_pid set_ftrace_notrace_pid set_event_pid`;
const BUSY = /kdbg-[0-9a-f]{8}|current_tracer:function_graph/;
const POLL = { timeout: 120_000, interval: 300 };
/** A line of the shell that reads /proc/version as often as the tests want, however slow the machine is. */
export const READS = 'sh -c "for i in 1 2 3 4 5 6; do cat /proc/version > /dev/null; done"';
const WORD = 'callees version_proc_show';

export function traceQuestions({ kernel, guest, kdbg, overSsh, rows }: TraceLab): void {
  test('callees are told with their times, from the shared buffer only while nobody has it', async () => {
    const [refused, unasked] = await kdbg(`trace ${WORD} --shared`, `trace ${WORD}`);
    expect(refused?.error).toMatch(/the shared buffer is in use: 1 events are on in it/);
    expect(unasked?.error).toMatch(/callees of which tasks\?/);
    await guest().must(GIVE_UP);
    const before = await guest().must(
      `cd ${TRACING}; grep -r . options set_graph_function max_graph_depth trace_clock`,
    );
    const [callees, alone] = await kdbg(
      `trace ${WORD} --shared --for 3`,
      `trace ${WORD} --shared -- sh -c 'cat /proc/version; cat /proc/version'`,
    );
    expect(await guest().must(`cd ${TRACING}; grep -r . options set_graph_function max_graph_depth trace_clock`)).toBe(
      before,
    );
    await guest().must(TAKE_UP);
    const [own, callee] = rows(callees);
    expect(own).toMatchObject({ function: 'version_proc_show', depth: 0 });
    const count = Number(own?.['count']);
    expect(count).toBeGreaterThan(1);
    expect(callee).toMatchObject({ function: 'seq_printf', depth: 1 });
    // The last call may have come no further when it was over.
    expect([count, count - 1]).toContain(callee?.['count']);
    expect(Number(own?.['total'])).toBeGreaterThan(Number(callee?.['total']));
    // Others read the same file meanwhile.
    const printed = rows(alone).filter(({ output }) => output !== undefined);
    expect(printed.map(({ output }) => String(output).slice(0, 13))).toEqual(['Linux version', 'Linux version']);
    expect(rows(alone)[2]).toMatchObject({ function: 'version_proc_show', count: 2 });
  });

  test('calls of function_graph are joined and folded', async () => {
    const [started, , , folded, unfolded, profile] = await kdbg(
      'trace start function_graph -f version_proc_show -f seq_read_iter',
      READS,
      'trace stop',
      'trace show',
      'trace show --unfold',
      'trace profile version_proc_show seq_read_iter -- cat /proc/version',
    );
    if (kernel === '6.1') {
      expect(started?.error).toMatch(/cannot run the tracer function_graph/);
      expect(profile?.error).toMatch(/cannot run the tracer function_graph/);
      return;
    }
    const called = rows(profile).slice(1);
    expect(called).toMatchObject([
      { function: 'seq_read_iter', depth: 0 },
      { function: 'version_proc_show', depth: 0, count: 1 },
    ]);
    expect(called[0]?.['total']).toBeGreaterThan(called[1]?.['total'] as number);
    const reads = rows(folded).filter(({ folded: within }) => within === 1);
    expect(reads.length).toBeGreaterThan(2);
    for (const row of reads.slice(0, -1))
      expect(row).toMatchObject({ function: 'seq_read_iter', depth: 0, comm: nameOf('cat') });
    const names = rows(unfolded).map(({ function: name, depth }) => `${depth} ${name}`);
    expect(names.join('\n')).toContain('0 seq_read_iter\n1 version_proc_show');
  });

  // Debian's 6.1 does not run this tracer in an instance: the test above expects it to say so there.
  test.runIf(kernel === '6.12')('calls of function_graph are followed as they return, or line by line', async () => {
    const lines = [
      'trace start function_graph -f version_proc_show -f seq_read_iter',
      'trace follow | head -n 4',
      'trace follow --unfold | head -n 4',
      'trace follow --raw | head -n 12',
      'trace stop',
    ];
    const words = lines.map((line) => `-c '${line}'`).join(' ');
    const text = await guest().must(whileRead(`kdbg ${words}`), { timeoutMs: 120_000 });
    expect(text).toMatch(/\d us {2}seq_read_iter {2}\+ 1 within$/m);
    expect(text).toMatch(/\d us {2}seq_read_iter\n.*\d us {4}version_proc_show$/m);
    expect(text).toMatch(/\| {2}seq_read_iter\(\) \{$/m);
  });

  test('a command is traced alone, with all that it starts', async () => {
    const command = `sh -c "cat /proc/version; (cat /proc/version); exit 3"`;
    const [callers, start, show, none] = await kdbg(
      `trace callers version_proc_show -- ${command}`,
      `trace start events -e sched:sched_process_exec -- ${command}`,
      'trace show',
      'trace start function -f version_proc_show -- no-such-program',
    );
    expect(callers?.notices).toEqual(['the command ended with status 3']);
    expect(rows(callers).at(-1)).toMatchObject({ function: 'version_proc_show', count: 2 });
    expect(rows(start).at(-1)).toMatchObject({ tracer: 'nop' });
    const executed = rows(show).map(({ text }) => /filename=(\S+)/.exec(String(text))?.[1]);
    expect(
      executed.every((name) => /(?:sh|cat|busybox|exe)$/.test(String(name))),
      String(executed),
    ).toBe(true);
    expect(executed.length).toBeGreaterThanOrEqual(2);
    expect(none?.notices).toEqual(['the command ended with status 127']);
  });

  test('a command is traced over ssh by each reader that can run one', async () => {
    for (const reader of ['perl', 'python3'] as const) {
      const [callers] = await overSsh(['trace callers version_proc_show -- cat /proc/version'], reader);
      expect(rows(callers).at(-1), reader).toMatchObject({ function: 'version_proc_show', count: 1 });
    }
    const [refused] = await overSsh(['trace callers version_proc_show -- cat /proc/version'], 'sh');
    expect(refused?.error).toMatch(/runs in a plain shell/);
  });

  test('events are counted by their fields, without any of kdbg', async () => {
    const [calls, stacks, wrong] = await kdbg(
      'trace hist raw_syscalls:sys_enter id.syscall common_pid.execname --for 3',
      "trace hist 'sched:sched_switch if prev_state != 0' stacktrace --for 1",
      'trace hist sched:sched_switch no_such_field',
    );
    const counted = rows(calls).map((row) => `${row['id.syscall']} ${row['common_pid.execname']}`);
    expect(
      counted.some((text) => /^sys_sendfile64? \[40\] cat \[\d+\]$/.test(text)),
      counted.join('\n'),
    ).toBe(true);
    expect(counted.some((text) => text.includes('kdbg'))).toBe(false);
    expect(rows(stacks).every(({ stacktrace }) => String(stacktrace).includes('__schedule'))).toBe(true);
    expect(wrong?.error).toMatch(/the kernel refused to count by these keys/);
  });

  test('marks stand among the entries; a snapshot is what was there', async () => {
    const [, mark, snapshot, , kept] = await kdbg(
      'trace start function -f version_proc_show',
      'trace mark here it is',
      'trace snapshot',
      'trace stop',
      'trace show',
    );
    rows(mark);
    const texts = (answer: Answer | undefined) => rows(answer).filter(({ kind }) => kind === 'marker');
    expect(texts(snapshot)).toMatchObject([{ text: 'here it is', comm: expect.stringMatching(/^(?:node|kdbg)/) }]);
    expect(texts(kept)).toEqual([]);
  });

  test.each([
    ['kill -9 of kdbg that borrows the shared buffer', 'KILL', `trace ${WORD} --shared --for 60`],
    ['Ctrl-C in kdbg that borrows the shared buffer', 'INT', `trace ${WORD} --shared --for 60`],
    ['kill -9 of kdbg that runs a command', 'KILL', 'trace callers version_proc_show -- sleep 61'],
    ['Ctrl-C in kdbg that runs a command', 'INT', `trace ${WORD} --shared -- sleep 61`],
  ])('after %s tracefs is as it was', async (_, signal, line) => {
    const isShared = line.includes('--shared');
    await guest().must(GIVE_UP);
    const state = (): Promise<string> => guest().must(SHARED);
    const before = await state();
    await guest().must(
      `(echo '${line}'; sleep 60) | sh -c 'echo $$ > /tmp/kdbg-pid; exec kdbg' > /tmp/kdbg-out 2>&1 & sleep 0.1`,
    );
    await expect.poll(() => guest().must(isShared ? SHARED : `ls ${TRACING}/instances; true`), POLL).toMatch(BUSY);
    const sleepers = (): Promise<string> => guest().must("ps -o args | grep -cx 'sleep 61'; true");
    if (line.includes('sleep')) await expect.poll(sleepers, POLL).toBe('1\n');
    await guest().must(`kill -${signal} $(cat /tmp/kdbg-pid)`);
    await expect.poll(state, POLL).toBe(before);
    await expect.poll(sleepers, POLL).toBe('0\n');
    await guest().must(TAKE_UP);
  });
}
