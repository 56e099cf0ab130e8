import { describe, expect, test } from 'vitest';
import { entriesWritten, readTraceState, readTraceStats } from '../../../src/core/kernel/trace-state.ts';
import { tracefs } from '../../../src/core/kernel/tracefs.ts';
import { FakeKernel, fakeFiles } from '../../support/fake-kernel.ts';
import { FakeTracefs, ROOT } from '../../support/fake-tracefs.ts';

describe('the state of a buffer', () => {
  test('where nothing is set nothing is shown', () => {
    const { kernel } = new FakeTracefs().session();
    expect(readTraceState(tracefs(kernel), undefined)).toEqual({
      instance: undefined,
      tracer: 'nop',
      isOn: true,
      filters: new Map(),
      events: [],
      clock: 'local',
      bufferKib: 1408,
      options: ['print-parent'],
    });
  });

  test('filters, pids and events that are set', () => {
    const fake = new FakeTracefs();
    const directory = fake.makeInstance('perf');
    const set = (name: string, text: string): unknown => fake.files.set(`${directory}/${name}`, text);
    set('set_ftrace_filter', 'vfs_read\nlab_sleep [kdbg_lab]\n');
    set('set_event', 'sched:sched_switch\n');
    set('set_event_pid', '12\n13\n');
    set('tracing_on', '0\n');
    set('buffer_size_kb', '7 (expanded: 1408)\n');
    const { kernel } = fake.session();
    expect(readTraceState(tracefs(kernel), 'perf')).toMatchObject({
      isOn: false,
      bufferKib: 7,
      events: ['sched:sched_switch'],
      filters: new Map([
        ['set_ftrace_filter', ['vfs_read', 'lab_sleep [kdbg_lab]']],
        ['set_event_pid', ['12', '13']],
      ]),
    });
  });

  test('files that say nothing sensible', () => {
    const fake = new FakeTracefs();
    for (const name of ['trace_clock', 'buffer_size_kb', 'tracing_on']) fake.files.set(`${ROOT}/${name}`, 'X\n');
    fake.files.delete(`${ROOT}/set_event`);
    fake.files.set(`${ROOT}/set_ftrace_filter`, 'f\n'.repeat(20_000));
    const { kernel } = fake.session();
    const state = readTraceState(tracefs(kernel), undefined);
    expect(state).toMatchObject({ clock: undefined, bufferKib: undefined, isOn: false, events: [] });
    expect(state.filters.get('set_ftrace_filter')).toHaveLength(10_000);
  });
});

test('the counters of each CPU', () => {
  const fake = new FakeTracefs();
  fake.files.set(`${ROOT}/per_cpu/cpu10/stats`, 'nonsense\n');
  fake.files.set(`${ROOT}/per_cpu/cpux/stats`, 'entries: 7\n');
  const { kernel } = fake.session();
  fake.files.set('/proc/uptime', '12.34 20.00\n');
  const { cpus, uptime } = readTraceStats(tracefs(kernel), undefined);
  expect(uptime).toBe(12_340);
  expect(cpus).toEqual([
    { cpu: 0, entries: 0, overrun: 0, dropped: 0, bytes: 0 },
    { cpu: 1, entries: 3, overrun: 2, dropped: 1, bytes: 144 },
    { cpu: 10, entries: 0, overrun: 0, dropped: 0, bytes: 0 },
  ]);
  expect(entriesWritten(cpus)).toBe(6);
});

describe('where tracefs is', () => {
  test('below debugfs on older machines', () => {
    const files = fakeFiles({ '/sys/kernel/debug/tracing/current_tracer': 'nop\n' });
    expect(tracefs(new FakeKernel().kernel({ files })).directory('x')).toBe('/sys/kernel/debug/tracing/instances/x');
  });

  test('nowhere, and what would help', () => {
    expect(() => tracefs(new FakeKernel().kernel({ files: fakeFiles({}) }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('mount -t tracefs') }),
    );
    const failing = (reason: 'denied' | 'not-recorded') => {
      const read = (path: string) => ({ ok: false, failure: { path, reason, detail: reason } }) as const;
      return { ...fakeFiles({}), read };
    };
    expect(() => tracefs(new FakeKernel().kernel({ files: failing('denied') }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('root can read it') }),
    );
    expect(() => tracefs(new FakeKernel().kernel({ files: failing('not-recorded') }))).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('the commands that the session ran') }),
    );
  });
});
