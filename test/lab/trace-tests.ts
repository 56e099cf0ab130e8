/**
 * Tracing on a real kernel: what is traced is what happens, and however a session ends, tracefs is as it was, with the
 * traces that others run. A file of tests for each kernel calls it, so that two guests run beside each other.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Client, openClient, sshPortOf } from './client.ts';
import { bootGuest, type Guest } from './guest.ts';
import { type Answer, answersIn } from './local-proc.ts';
import { traceEndings } from './trace-endings.ts';
import { nameOf, READ_ON, traceFiles, whileRead } from './trace-files.ts';
import { traceFollow } from './trace-follow.ts';
import { PROBE, traceProbes } from './trace-probes.ts';
import { READS, traceQuestions } from './trace-questions.ts';
import { type Link, openLink } from './wire/link.ts';

const TRACING = '/sys/kernel/tracing';
/** Everything that a tracer can be set to, of the shared buffer and of each instance. */
const SNAPSHOT = `
cd ${TRACING}
for d in . instances/*; do
  cd ${TRACING}/$d && pwd && grep -H '' current_tracer tracing_on trace_clock trace_options buffer_size_kb tracing_cpumask \
    tracing_thresh max_graph_depth set_ftrace_filter set_ftrace_notrace set_ftrace_pid set_ftrace_notrace_pid set_event \
    set_event_pid set_event_notrace_pid set_graph_function set_graph_notrace dynamic_events kprobe_events uprobe_events \
    enabled_functions saved_cmdlines_size options/* 2>/dev/null
done
grep . /proc/sys/kernel/ftrace_enabled`;
/** All that can be set, in every file of tracefs. */
const SETTINGS = `
cd ${TRACING} && find . -type f -perm -600 ! -path '*/per_cpu/*' ! -name trace ! -name 'trace_pipe*' ! -name snapshot \
  ! -name error_log ! -name tracing_max_latency | sort | xargs grep -H '' 2>/dev/null; true`;
/** A trace of somebody else, in an instance and in the shared buffer, and a probe of theirs. */
const OTHERS = `
cd ${TRACING} && echo 'p:other/opened vfs_open path=$arg1' >> dynamic_events && mkdir instances/other && cd instances/other && echo version_proc_show > set_ftrace_filter && echo function > current_tracer
echo 1 > events/sched/sched_process_exec/enable && echo 1 > events/other/enable
cd ${TRACING} && echo sched_switch > set_event && echo 'pid == 1' > events/sched/sched_wakeup/filter && echo 0 > tracing_on`;
const NO_OTHERS = `cd ${TRACING} && rmdir instances/other && echo '-:other/opened' >> dynamic_events && echo > set_event && echo 0 > events/sched/sched_wakeup/filter && echo 1 > tracing_on`;
const isStack = ({ kind }: Readonly<Record<string, unknown>>): boolean => kind === 'stack';

const START = 'trace start function -f version_proc_show -s';

const quoted = (line: string): string => `'${line.replaceAll("'", `'\\''`)}'`;

export const traceTests = (kernel: '6.1' | '6.12'): void => {
  let guest: Guest;
  let client: Client;
  let before: string;
  let settings: string;
  beforeAll(async () => {
    // Function tracers patch code that runs: that needs one thread of emulation.
    guest = await bootGuest({ kernel, threads: 'single', logins: true });
    await guest.ssh();
    client = openClient();
    await guest.must(OTHERS);
    settings = await guest.must(SETTINGS);
  });
  afterAll(async () => {
    await guest?.run(NO_OTHERS);
    await guest?.close();
    client?.remove();
  });
  beforeEach(async () => {
    before = await snapshot();
  });
  afterEach(async () => {
    // Whatever a test did.
    await expect.poll(snapshot, { timeout: 30_000, interval: 500 }).toBe(before);
  });

  const snapshot = (): Promise<string> => guest.must(SNAPSHOT);
  const instances = async (): Promise<readonly string[]> =>
    (await guest.must(`ls ${TRACING}/instances`)).split('\n').filter((name) => name.startsWith('kdbg-'));
  const isTracing = (): Promise<void> =>
    expect
      .poll(() => guest.must(`cat ${TRACING}/instances/kdbg-*/tracing_on 2>/dev/null || true`), { timeout: 120_000 })
      .toBe('1\n');
  const kdbg = async (...lines: readonly string[]): Promise<readonly Answer[]> => {
    const words = lines.map((line) => `-c ${quoted(line)}`).join(' ');
    return answersIn(await guest.must(whileRead(`kdbg --json ${words}`), { timeoutMs: 120_000 }));
  };
  const rows = (answer: Answer | undefined): readonly Readonly<Record<string, unknown>>[] => {
    expect(answer?.error).toBeUndefined();
    return (answer?.rows ?? []) as readonly Readonly<Record<string, unknown>>[];
  };

  test('a function trace shows its calls with their stacks, and none of kdbg', async () => {
    const [start, , status, stop, show] = await kdbg(START, READS, 'trace', 'trace stop', 'trace show');
    expect(rows(start)).toMatchObject([{ tracer: 'function', on: true }]);
    expect(rows(status).find(({ whose }) => whose === 'own trace')).toMatchObject({
      filters: { set_ftrace_filter: ['version_proc_show'] },
    });
    expect(rows(status).find(({ instance }) => instance === 'other')).toMatchObject({ tracer: 'function' });
    expect(Number(rows(stop)[0]?.['entries'])).toBeGreaterThan(3);
    // A call that runs while tracing is switched on may have its stack recorded and its own line not: once a CPU.
    const halves = rows(show).filter(isStack);
    expect(new Set(halves.map(({ cpu }) => cpu)).size).toBe(halves.length);
    expect(rows(show).length - halves.length).toBeGreaterThan(3);
    for (const row of rows(show)) {
      expect(row).toMatchObject({ comm: nameOf('cat') });
      if (!isStack(row)) expect(row).toMatchObject({ kind: 'function', function: 'version_proc_show' });
      expect(JSON.stringify(row['stack'])).toContain('"symbol":"seq_read_iter"');
    }
  });

  test('events pass their filter', async () => {
    const start = `trace start events -e 'sched:sched_process_exit if comm == "cat"' -e sched:sched_process_fork`;
    const [started, , , show] = await kdbg(start, READS, 'trace stop', 'trace show');
    rows(started);
    const events = rows(show).map(({ event }) => event);
    expect(new Set(events)).toEqual(new Set(['sched_process_exit', 'sched_process_fork']));
    for (const { event, text } of rows(show)) {
      if (event === 'sched_process_exit') expect(text).toMatch(/^comm=cat /);
    }
  });

  test('callers counts who calls', async () => {
    const [callers] = await kdbg('trace callers version_proc_show --for 3');
    const [most] = rows(callers);
    expect(Number(most?.['count'])).toBeGreaterThan(1);
    expect(most?.['stack']).toEqual(expect.arrayContaining(['seq_read_iter', 'do_syscall_64']));
  });

  test('follow shows what comes, until nobody takes it', async () => {
    const input = `(echo ${quoted(START)}; echo 'trace follow | head -80'; echo 'p 40 + 2')`;
    const output = await guest.must(whileRead(`${input} | kdbg`), { timeoutMs: 60_000 });
    expect(output).toMatch(/\n +cat-\d+ .*version_proc_show <-seq_read_iter\n +=> /);
    expect(output).toMatch(/= 42\n$/);
  });

  test('what the kernel refuses leaves nothing', async () => {
    const answers = await kdbg(
      'trace start function -f no_such_function_here',
      "trace start events -e 'sched:sched_switch if nosuch == 1'",
      'trace start events -e no:such',
      'trace start function -f version_proc_show -o nosuch_option',
      ...(kernel === '6.1' ? ['trace start function_graph -f version_proc_show'] : []),
    );
    for (const { error, command } of answers) expect(error, command).toMatch(/^(the|this) kernel /);
  });

  describe('files', () => {
    traceFiles({ guest: () => guest, client: () => client, rows });
  });

  const overSsh = async (lines: readonly string[], reader: string): Promise<readonly Answer[]> => {
    const words = [...client.ssh(sshPortOf(guest)), '--json', '--reader', reader];
    return answersIn((await client.run(words, { input: lines.join('\n') })).stdout);
  };

  describe('questions', () => traceQuestions({ kernel, guest: () => guest, kdbg, overSsh, rows }));

  describe('probes', () => traceProbes({ kernel, guest: () => guest, overSsh, rows }));

  describe('following', () => traceFollow({ guest: () => guest, client: () => client }));

  describe('a session over ssh ends as', () => traceEndings({ kernel, guest: () => guest, client: () => client }));

  describe('tracefs is as it was after', () => {
    test('the end of the session', async () => {
      const [started] = await kdbg(START);
      rows(started);
    });

    test.each([
      ['kill -9 of kdbg', 'KILL', `(echo ${quoted(START)}; sleep 60)`],
      ['kill -9 of kdbg that follows', 'KILL', `(echo ${quoted(START)}; echo trace follow; sleep 60)`],
      ['kill -9 of kdbg with probes', 'KILL', `(echo ${quoted(PROBE)}; echo trace probe vfs_write count; sleep 60)`],
      ['Ctrl-C while hits are shown', 'INT', `(echo ${quoted(`${PROBE} --for 60`)}; sleep 1)`],
      ['a hangup', 'HUP', `(echo ${quoted(START)}; sleep 60)`],
      ['Ctrl-C in callers', 'INT', '(echo trace callers version_proc_show --for 60; sleep 1)'],
      ['Ctrl-C in follow', 'INT', `(echo ${quoted(START)}; echo trace follow; sleep 1)`],
    ])('%s', async (_, signal, input) => {
      await guest.must(
        `(${input} | sh -c 'echo $$ > /tmp/kdbg-pid; exec kdbg --json') > /tmp/kdbg-out 2>&1 & sleep 0.1`,
      );
      await isTracing();
      await new Promise((later) => setTimeout(later, 1000));
      expect(await instances()).toHaveLength(1);
      await guest.must(`kill -${signal} $(cat /tmp/kdbg-pid)`);
      await expect.poll(instances, { timeout: 30_000, interval: 300 }).toEqual([]);
    });
  });

  describe('over ssh', () => {
    let link: Link;
    beforeEach(async () => {
      link = await openLink({ to: sshPortOf(guest) });
    });
    afterEach(() => link.close());

    test('the same is shown', async () => {
      const input = [START, 'sh -c "sleep 4"', 'trace stop', 'trace show -n 3', 'trace callers version_proc_show'].join(
        '\n',
      );
      const reader = (await guest.must(READ_ON)).trim();
      const run = await client.run([...client.ssh(link.port), '--json'], { input });
      await guest.must(`kill ${reader}`);
      const [start, , stop, show, callers] = answersIn(run.stdout);
      for (const each of [start, stop]) rows(each);
      expect(rows(show)).toHaveLength(3);
      expect(Number(rows(callers)[0]?.['count'])).toBeGreaterThan(1);
    });

    test.each([
      ['the connection is cut', START, () => link.cut()],
      ['the connection is cut with probes', `trace probe vfs_read count\n${PROBE} --for 60`, () => link.cut()],
      ['the connection is cut in follow', `${START}\ntrace follow`, () => link.cut()],
      ['the network goes silent and the client is killed', START, () => link.freeze()],
    ])('%s: nothing stays', async (_, input, happens) => {
      await client.run(client.ssh(link.port), {
        during: async (child) => {
          child.stdin?.write(`${input}\n`);
          await isTracing();
          await happens();
          setTimeout(() => child.kill('SIGKILL'), 2000);
        },
      });
      link.mend();
      await link.close();
      await expect.poll(instances, { timeout: 60_000, interval: 500 }).toEqual([]);
    });
  });

  test('all that can be set is as it was before all this', async () => {
    const lines = (text: string): readonly string[] => text.split('\n');
    const after = lines(await guest.must(SETTINGS));
    const known = new Set(lines(settings));
    expect(after.filter((line) => !known.has(line))).toEqual([]);
    expect(after).toHaveLength(lines(settings).length);
    expect(after.length).toBeGreaterThan(5000);
  });
};
