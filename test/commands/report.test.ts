import { describe, expect, it } from 'vitest';
import { dmesgFixture } from '../support/dmesg.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { FakePrintk } from '../support/fake-printk.ts';
import { fakeSession } from '../support/fake-session.ts';

const TEXT = 0xffff_ffff_8100_0000n;

/** A session on a kernel whose log is a real one's. */
function logged(name: string, from = 0, to?: number) {
  const fake = new FakeKernel();
  const printk = new FakePrintk(fake, { countBits: 9, sizeBits: 16 });
  for (const { text, time } of dmesgFixture(name).slice(from, to)) printk.add({ text, time });
  fake.symbols.add('tick_nohz_stop_tick', TEXT, 'T');
  fake.symbols.add('hrtimer_start_range_ns', TEXT + 0x1000n, 'T');
  return fakeSession(fake);
}

describe('report', () => {
  it('lists what the log reports', () => {
    expect(logged('7.2-oops').lines('report')).toEqual([
      '  N          TIME  KIND         CPU      PID  REPORT',
      '  1     28.743910  oops           0        0  Oops: int3: 0000 [#1] SMP NOPTI',
      '  2     28.755818  oops           1        1  Oops: int3: 0000 [#2] SMP NOPTI',
      '  3     28.756236  panic          -        -  Kernel panic - not syncing: Fatal exception in interrupt',
    ]);
  });

  it('shows one with its functions as symbols and its code disassembled', () => {
    const session = logged('7.2-oops');
    const lines = session.lines('report 1');
    expect(lines.slice(0, 2)).toEqual(['oops at 28.743910', 'Oops: int3: 0000 [#1] SMP NOPTI']);
    const code = lines.slice(lines.indexOf('Code, disassembled:'));
    // A breakpoint's pc lies behind its one byte, within the instruction that ftrace has put back meanwhile.
    expect(code.slice(1, 4)).toEqual([
      '   hrtimer_start_range_ns+0x0:\tendbr64',
      '=> hrtimer_start_range_ns+0x4:\tnopl   0x0(%rax,%rax,1)',
      '   hrtimer_start_range_ns+0x9:\tpush   %r15',
    ]);
    const [row] = session.json('report 1').rows;
    expect(row).toMatchObject({ kind: 'oops', cpu: 0, comm: 'swapper/0' });
    expect(row?.['stacks']).toMatchObject([
      { frames: expect.arrayContaining([expect.objectContaining({ pc: '0xffffffff810000f9', reliable: true })]) },
    ]);
  });

  it('shows the stacks alone, of one or of the last', () => {
    const session = logged('7.2-oops');
    expect(session.lines('report -s 1').slice(0, 3)).toEqual([
      '1. oops at 28.743910: Oops: int3: 0000 [#1] SMP NOPTI',
      '   #0 tick_nohz_stop_tick+0xf9 at ffffffff810000f9',
      '  ?#1 ftrace_stub_direct_tramp+0x10',
    ]);
    expect(session.lines('report -s')[0]).toMatch(/^3\. panic at /);
    expect(logged('7.2-oops', 3, 4).json('report -s').notices).toEqual([expect.stringMatching(/no report/)]);
  });

  it('disassembles the code of a segfault where the process has it', () => {
    const fake = new FakeKernel();
    const printk = new FakePrintk(fake);
    printk.add({
      text: 'a[8]: segfault at 10 ip 0000000000401136 sp 00007ffc error 4 in a[401000+1000]',
      time: 1_000n,
    });
    printk.add({ text: 'Code: 55 48 89 e5 <48> 8b 47 10 5d c3', time: 2_000n });
    const lines = fakeSession(fake).lines('report 1');
    expect(lines.slice(lines.indexOf('Code (in user space), disassembled:') + 1)).toEqual([
      '   0000000000401132:\tpush   %rbp',
      '   0000000000401133:\tmov    %rsp,%rbp',
      '=> 0000000000401136:\tmov    0x10(%rdi),%rax',
      '   000000000040113a:\tpop    %rbp',
      '   000000000040113b:\tret',
    ]);
  });

  it('says what is not there', () => {
    const session = logged('7.2-oops');
    expect(session.json('report 9').error).toMatch(/no report "9" in the log: "report" lists them/);
    expect(session.json('report -k oom').notices).toEqual([expect.stringMatching(/no report/)]);
    expect(session.json('report -k oom 1').error).toMatch(/no report "1"/);
  });
});

describe('oom', () => {
  it('explains the last kill, one by number, or all', () => {
    const session = logged('6.12', 150);
    expect(session.lines('oom')[0]).toBe('OOM kill 2 of 2, at 26.291843');
    expect(session.lines('oom 1')[0]).toBe('OOM kill 1 of 2, at 25.521815');
    expect(session.json('oom -a').rows.map((each) => each['cgroup'])).toEqual([null, '/web']);
    expect(session.json('oom 3').error).toMatch(/which has 2 OOM kills/);
  });

  it('says when there was none', () => {
    expect(logged('7.2-oops').json('oom').notices).toEqual([expect.stringMatching(/no OOM kill/)]);
  });
});
