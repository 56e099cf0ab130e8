import { describe, expect, it } from 'vitest';
import { symbolTableOf } from '../../support/kallsyms-builder.ts';

const NAMES = [
  'schedule',
  '__schedule',
  'schedule_timeout',
  'io_schedule',
  '__pfx_schedule',
  'jiffies',
  'jiffies_64',
  'mutex_lock',
  'mutex_lock_io',
  'rt_mutex_lock',
  'mutex_unlock',
  '__mutex_lock_slowpath',
  'init_task',
  'init_fsm',
  'vfs_read',
  'vfs_readv',
  'vcs_read',
  'tcp_v4_rcv',
  'tcp_recvmsg',
  'do_sys_open',
  'x86_64_start_kernel',
  'per_cpu_offset',
  'IO_APIC_init',
];
const table = symbolTableOf(Object.fromEntries(NAMES.map((name, i) => [name, 0xffffffff81000000n + BigInt(16 * i)])));

describe('near names', () => {
  it.each([
    ['shcedule', 'schedule'],
    ['schedul', 'schedule'],
    ['jiffie', 'jiffies'],
    ['mutex_lok', 'mutex_lock'],
    ['mutexlock', 'mutex_lock'],
    ['init_tsk', 'init_task'],
    ['vfs_raed', 'vfs_read'],
    ['tcpv4rcv', 'tcp_v4_rcv'],
    ['do_sysopen', 'do_sys_open'],
    ['mutlockslow', '__mutex_lock_slowpath'],
    ['startkernel', 'x86_64_start_kernel'],
    ['io_apic', 'IO_APIC_init'],
    ['Schedule', 'schedule'],
  ])('%s is %s', (wanted, first) => {
    expect(table.near(wanted, 3)[0]).toBe(first);
  });

  it('leaves twins out unless they are wanted', () => {
    expect(table.near('schedul', 20)).not.toContain('__pfx_schedule');
    expect(table.near('__pfx_schedul', 5)).toContain('__pfx_schedule');
  });

  it('has nothing for what resembles nothing', () => {
    for (const wanted of ['', 'q', 'zzzzzz', 'x'.repeat(1000), '\u{1f600}\u{1f600}\u{1f600}']) {
      expect(table.near(wanted, 5)).toEqual([]);
    }
    expect(table.near('schedul', 0)).toEqual([]);
  });

  it('gives at most as many as asked, each once', () => {
    const near = table.near('schedul', 3);
    expect(near).toHaveLength(3);
    expect(new Set(near).size).toBe(3);
  });
});
