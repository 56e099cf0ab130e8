import { describe, expect, it } from 'vitest';
import { findReports, reportLines } from '../../../src/core/kernel/report.ts';
import { reportCode } from '../../../src/core/kernel/report-trace.ts';
import { dmesg, dmesgFixture } from '../../support/dmesg.ts';
import { seededRandom } from '../../support/mutations.ts';

const kindsOf = (text: string) => findReports(dmesg(text)).map(({ kind, records }) => [kind, records.length]);

describe('reports of real logs', () => {
  it.each([
    ['5.10', ['hung-task', 'hung-task', 'hung-task', 'sysrq', 'hung-task', 'hung-task', 'hung-task', 'oom', 'oom']],
    ['6.12', ['hung-task', 'sysrq', 'hung-task', 'hung-task', 'hung-task', 'oom', 'oom']],
    ['7.2-oops', ['oops', 'oops', 'panic']],
  ])('of %s', (name, kinds) => {
    expect(findReports(dmesgFixture(name)).map(({ kind }) => kind)).toEqual(kinds);
  });

  it('tell task, CPU, taint and stacks', () => {
    const [first, second] = findReports(dmesgFixture('7.2-oops'));
    expect(first).toMatchObject({
      title: 'Oops: int3: 0000 [#1] SMP NOPTI',
      context: { cpu: 0, pid: 0, comm: 'swapper/0', taint: undefined },
    });
    expect(first?.traces).toHaveLength(1);
    expect(first?.traces[0]?.frames.slice(0, 2)).toEqual([
      { symbol: 'tick_nohz_stop_tick', offset: 0xf9, size: 0x230, module: undefined, reliable: true },
      { symbol: 'ftrace_stub_direct_tramp', offset: 0x10, size: 0x10, module: undefined, reliable: false },
    ]);
    expect(second?.context).toEqual({ cpu: 1, pid: 1, comm: 'init', taint: 'G      D' });
  });

  it('keep what a hung task is blocked on with it, and both stacks', () => {
    const report = findReports(dmesgFixture('7.2'))[0];
    expect(report?.context).toMatchObject({ pid: 115, comm: 'cat' });
    expect(report?.traces.map(({ of }) => of)).toEqual([
      expect.stringMatching(/^task:cat state:D .* pid:115 /),
      expect.stringMatching(/^task:cat state:S .* pid:113 /),
    ]);
  });

  it('give the code where it happened', () => {
    const [oops] = findReports(dmesgFixture('7.2-oops'));
    const code = reportCode(reportLines(oops?.records ?? []));
    expect(code?.place).toMatchObject({ symbol: 'hrtimer_start_range_ns', offset: 5 });
    expect(code?.bytes[code.at]).toBe(0x1f);
  });
});

describe('a report', () => {
  it('takes only the records of its writer where that is known', () => {
    const log = dmesg(
      [
        '[    1.000000] [   T12] BUG: kernel NULL pointer dereference, address: 0000000000000010',
        '[    1.000001] [    C1]  not of this report',
        '[    1.000002] [   T12] CPU: 0 PID: 12 Comm: cat Not tainted 6.1.0 #1',
        '[    1.000003] [   T12] ---[ end trace 0000000000000000 ]---',
        '[    1.000004] [   T12]  nor this: the report has ended',
      ].join('\n'),
    );
    expect(findReports(log)).toMatchObject([{ kind: 'oops', records: [{}, {}, {}], context: { pid: 12, cpu: 0 } }]);
  });

  it.each([
    ['[    1.0] x', undefined],
    ['[    1.000000] watchdog: BUG: soft lockup - CPU#1 stuck for 23s! [kworker/1:1:77]', 'soft-lockup'],
    ['[    1.000000] NMI watchdog: Watchdog detected hard LOCKUP on cpu 3', 'hard-lockup'],
    ['[    1.000000] rcu: INFO: rcu_preempt self-detected stall on CPU', 'rcu-stall'],
    ['[    1.000000] INFO: rcu_sched detected stalls on CPUs/tasks:', 'rcu-stall'],
    ['[    1.000000] WARNING: CPU: 0 PID: 1 at kernel/x.c:12 fn+0x1/0x2', 'warning'],
    ['[    1.000000] WARNING: kernel/x.c:12 at fn+0x1/0x2, CPU#3: init/1', 'warning'],
    ['[    1.000000] WARNING: possible circular locking dependency detected', 'lockdep'],
    ['[    1.000000] kernel BUG at mm/slub.c:435!', 'bug'],
    ['[    1.000000] BUG: scheduling while atomic: cat/12/0x00000002', 'bug'],
    ['[    1.000000] BUG: unable to handle page fault for address: ffffffffc0000000', 'oops'],
    ['[    1.000000] general protection fault, probably for non-canonical address 0xdead: 0000 [#1] SMP', 'oops'],
    ['[    1.000000] BUG: KASAN: slab-use-after-free in fn+0x12/0x30', 'sanitizer'],
    ['[    1.000000] Kernel panic - not syncing: VFS: Unable to mount root fs', 'panic'],
    ['[    1.000000] bash[812]: segfault at 0 ip 0000000000401136 sp 00007ffc error 6 in a.out', 'segfault'],
    [
      '[    1.000000] x[8]: segfault at 8 ip 0000000000401136 sp 00007ffc error 4 in x[401000+1000] likely on CPU 3 (core 3, socket 0)',
      'segfault',
    ],
    ['[    1.000000] traps: x[812] trap invalid opcode ip:401136 sp:7ffc error:0 in x[401000+1000]', 'segfault'],
    [
      '[    1.000000] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-...D } 5 jiffies s: 33',
      'rcu-stall',
    ],
    ['[    1.000000] rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:', 'rcu-stall'],
    ['[    1.000000] INFO: rcu_tasks detected stalls on tasks:', 'rcu-stall'],
    ['[    1.000000] WARNING: inconsistent lock state', 'lockdep'],
    ['[    1.000000] WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order detected', 'lockdep'],
    ['[    1.000000] WARNING: suspicious RCU usage', 'lockdep'],
    ['[    1.000000] WARNING: held lock freed!', 'lockdep'],
    ['[    1.000000] [ BUG: Invalid wait context ]', 'lockdep'],
    ['[    1.000000] BUG: using smp_processor_id() in preemptible [00000000] code: cat/12', 'bug'],
    ['[    1.000000] BUG: workqueue lockup - pool cpus=0 node=0 flags=0x0 nice=0 stuck for 43s!', 'bug'],
    ['[    1.000000] Oops: stack guard page: 0000 [#1] SMP', 'oops'],
    ['[    1.000000] PANIC: double fault, error_code: 0x0', 'oops'],
    ['[    1.000000] usb 1-1: a line that reports nothing', undefined],
  ])('%s', (line, kind) => {
    const log = line.includes('.000000') ? kindsOf(line) : [];
    expect(log.map(([found]) => found)).toEqual(kind === undefined ? [] : [kind]);
  });

  it('begins with the rule above it, once', () => {
    const text = [
      '[    1.000000] ------------[ cut here ]------------',
      '[    1.000000] kernel BUG at mm/slub.c:435!',
      '[    1.000001] Oops: invalid opcode: 0000 [#1] PREEMPT SMP',
      '[    1.000002] RIP: 0010:kfree+0x12/0x90',
      '[    1.000003] ---[ end trace 0000000000000000 ]---',
    ].join('\n');
    expect(kindsOf(text)).toEqual([['bug', 5]]);
  });

  it('has what WARN() says before the line that names the place', () => {
    const text = [
      '[    1.000000] ------------[ cut here ]------------',
      '[    1.000001] refcount_t: underflow; use-after-free.',
      '[    1.000002] WARNING: CPU: 1 PID: 12 at lib/refcount.c:28 refcount_warn_saturate+0xba/0x110',
      '[    1.000003] Modules linked in: a b',
      '[    1.000004] RIP: 0010:refcount_warn_saturate+0xba/0x110',
      '[    1.000005] ---[ end trace 0000000000000000 ]---',
      '[    1.000006] ------------[ cut here ]------------',
      '[    1.000007] eth0: nothing that is known follows',
    ].join('\n');
    const [report, ...more] = findReports(dmesg(text));
    expect(more).toEqual([]);
    expect(report).toMatchObject({ kind: 'warning', context: { cpu: 1, pid: 12 } });
    expect(reportLines(report?.records ?? [])[1]).toBe('refcount_t: underflow; use-after-free.');
    expect(report?.records).toHaveLength(6);
  });

  it('of a hung task keeps the writer of an rwsem with it (6.17)', () => {
    const text = [
      '[   40.000000] INFO: task cat:812 blocked for more than 10 seconds.',
      '[   40.000001]       Not tainted 6.17.0 #1',
      '[   40.000002] "echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.',
      '[   40.000003] task:cat             state:D stack:0     pid:812   tgid:812   ppid:1',
      '[   40.000004] Call Trace:',
      '[   40.000005]  __schedule+0x1/0x2',
      '[   40.000006] INFO: task cat:812 <writer> blocked on an rw-semaphore likely owned by task ls:815 <reader>',
      '[   40.000007] task:ls              state:S stack:0     pid:815   tgid:815   ppid:1',
      '[   40.000008] Call Trace:',
      '[   40.000009]  do_nanosleep+0x1/0x2',
    ].join('\n');
    const [report, ...more] = findReports(dmesg(text));
    expect(more).toEqual([]);
    expect(report?.records).toHaveLength(10);
    expect(report?.traces.map(({ frames }) => frames[0]?.symbol)).toEqual(['__schedule', 'do_nanosleep']);
  });

  it('ends when other things are said, and after a pause', () => {
    const warning = '[    1.000000] WARNING: CPU: 0 PID: 1 at kernel/x.c:12 fn+0x1/0x2';
    const others = Array.from({ length: 12 }, (_, i) => `[    1.0001${10 + i}] e1000: link is up`);
    expect(kindsOf([warning, ...others, '[    1.000200]  <TASK>'].join('\n'))).toEqual([['warning', 1]]);
    expect(kindsOf([warning, '[    9.000000]  <TASK>'].join('\n'))).toEqual([['warning', 1]]);
  });

  it('survives any damage to its text', () => {
    const random = seededRandom(7);
    const log = dmesgFixture('7.2').slice(300, 420);
    for (let round = 0; round < 300; round++) {
      const damaged = log.map((record) => {
        if (random() > 0.2) return record;
        const at = Math.floor(random() * record.text.length);
        return {
          ...record,
          text: record.text.slice(0, at) + String.fromCharCode(random() * 256) + record.text.slice(at + 2),
        };
      });
      for (const report of findReports(damaged)) expect(report.records.length).toBeLessThanOrEqual(log.length);
    }
  });
});
