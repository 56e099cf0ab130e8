import { beforeEach, describe, expect, test } from 'vitest';
import {
  leftInstances,
  ownDirectory,
  ownTrace,
  removeLeftInstance,
  startOwnTrace,
  stopOwnTrace,
  switchOwnTrace,
} from '../../../src/core/kernel/trace-own.ts';
import type { TraceRequest } from '../../../src/core/kernel/trace-plan.ts';
import { FakeTracefs, ROOT, stepText } from '../../support/fake-tracefs.ts';

const request = (more: Partial<TraceRequest> = {}): TraceRequest => ({
  tracer: 'function',
  functions: ['do_sys_open*'],
  exceptFunctions: [],
  events: [],
  pids: [],
  ownPids: [500, 501],
  cpuMask: undefined,
  options: [],
  clock: 'mono',
  bufferKib: 64,
  ...more,
});

let fake: FakeTracefs;
beforeEach(() => {
  fake = new FakeTracefs();
});

describe('starting', () => {
  test('sets all up before the tracer starts, and says first what undoes it', () => {
    const { kernel } = fake.session();
    startOwnTrace(kernel, request({ options: ['func_stack_trace', 'nosym-offset'], cpuMask: '1' }));
    expect(fake.changes.map(stepText)).toEqual([
      'mkdir .',
      'write tracing_on 0',
      'write buffer_size_kb 64',
      'write trace_clock mono',
      'write tracing_cpumask 1',
      'append set_ftrace_filter do_sys_open*',
      'append set_ftrace_notrace_pid 500',
      'append set_ftrace_notrace_pid 501',
      'append set_event_notrace_pid 500',
      'append set_event_notrace_pid 501',
      'write options/func_stack_trace 1',
      'write options/sym-offset 0',
      'write current_tracer function',
      'write tracing_on 1',
    ]);
    expect(fake.restores).toHaveLength(1);
    expect(fake.restores[0]?.after).toBe(0);
    expect(fake.restores[0]?.steps.map(stepText)).toEqual([
      'write tracing_on 0',
      'write current_tracer nop',
      'write options/func_stack_trace 0',
      'write options/sym-offset 0',
      'rmdir .',
    ]);
  });

  test('events get their filter before they are switched on', () => {
    const { kernel } = fake.session();
    const events = [
      { name: 'sched:sched_switch', filter: 'prev_pid == 1' },
      { name: 'sched', filter: undefined },
    ];
    startOwnTrace(kernel, request({ tracer: 'nop', functions: [], events, pids: [7] }));
    expect(fake.changes.map(stepText).slice(4)).toEqual([
      'append set_ftrace_pid 7',
      'append set_event_pid 7',
      'write events/sched/sched_switch/filter prev_pid == 1',
      'write events/sched/sched_switch/enable 1',
      'write events/sched/enable 1',
      'write current_tracer nop',
      'write tracing_on 1',
    ]);
  });

  test('a kernel without filters of tasks to leave out is traced all the same', () => {
    for (const name of ['set_ftrace_notrace_pid', 'set_event_notrace_pid']) fake.files.delete(`${ROOT}/${name}`);
    const { kernel } = fake.session();
    startOwnTrace(kernel, request());
    expect(fake.changes.map(stepText).join('\n')).not.toContain('notrace_pid');
  });

  test('one at a time', () => {
    const { kernel } = fake.session();
    startOwnTrace(kernel, request());
    expect(() => startOwnTrace(kernel, request())).toThrow(/a trace is on already/);
    expect(fake.instances).toHaveLength(1);
  });
});

describe('what the kernel refuses', () => {
  test.each<readonly [string, Partial<TraceRequest>, Readonly<Record<string, string>>, RegExp]>([
    ['a function that is not there', { functions: ['nosuch'] }, {}, /traces no function "nosuch"/],
    ['a tracer', { tracer: 'function_graph' }, { current_tracer: 'EINVAL' }, /cannot run the tracer function_graph/],
    ['an event', { tracer: 'nop', events: [{ name: 'no:such', filter: undefined }] }, {}, /refused the event/],
    [
      'a filter of an event',
      { tracer: 'nop', events: [{ name: 'sched:sched_switch', filter: '!' }] },
      {},
      /the event or its filter/,
    ],
    ['an option', { options: ['nosuch'] }, {}, /no trace option "such"/],
    ['the last step', {}, { tracing_on: 'EIO' }, /EIO/],
    ['the first step', {}, { tracing_cpumask: 'EINVAL' }, /EINVAL/],
  ])('%s: nothing stays', (_name, more, refusals, message) => {
    const before = fake.snapshot();
    for (const [path, detail] of Object.entries(refusals)) fake.refusals.set(path, detail);
    const { kernel } = fake.session();
    expect(() => startOwnTrace(kernel, request({ cpuMask: '3', ...more }))).toThrow(message);
    expect(fake.snapshot()).toBe(before);
    expect(ownTrace(kernel)).toBeUndefined();
    // Nothing is left to be restored either.
    expect(fake.restores.at(-1)?.steps).toEqual([]);
  });

  test('a tracer that this kernel has not is refused before anything is changed', () => {
    expect(() => startOwnTrace(fake.session().kernel, request({ tracer: 'hwlat' }))).toThrow(/has no tracer "hwlat"/);
    expect(fake.changes).toEqual([]);
  });

  test('a filter that the kernel took and does not hold does not start the tracer', () => {
    const { apply } = fake.control;
    fake.control.apply = (steps) => apply(steps.filter(({ path }) => !path.endsWith('set_ftrace_filter')));
    expect(() => startOwnTrace(fake.session().kernel, request())).toThrow(/traces no function/);
    expect(fake.changes.map(stepText)).not.toContain('write current_tracer function');
    expect(fake.instances).toEqual([]);
  });

  test('what cannot be undone now is left to the far side', () => {
    fake.refusals.set('trace_clock', 'EINVAL');
    const { kernel } = fake.session();
    const { apply } = fake.control;
    fake.control.apply = (steps) => {
      if (steps.some(({ kind }) => kind === 'rmdir')) return { path: '/x', reason: 'io', detail: 'EBUSY' };
      return apply(steps);
    };
    expect(() => startOwnTrace(kernel, request())).toThrow(/trace_clock: EINVAL/);
    expect(fake.restores.map(({ steps }) => steps.length)).toEqual([3]);
  });

  test('a machine without room', () => {
    fake.files.set('/proc/meminfo', 'MemAvailable: 60000 kB\n');
    expect(() => startOwnTrace(fake.session().kernel, request())).toThrow(/needs 67 MiB .*58 MiB are available/);
    fake.files.set('/proc/meminfo', 'MemAvailable: 6000000 kB\n');
    for (let i = 0; i < 8; i++) fake.makeInstance(`kdbg-0000000${i}`);
    expect(() => startOwnTrace(fake.session().kernel, request())).toThrow(/8 instances of kdbg/);
    expect(fake.changes).toEqual([]);
  });

  test('a target that cannot be changed', () => {
    expect(() => startOwnTrace(fake.session({ control: false }).kernel, request())).toThrow(/only a live target/);
  });
});

describe('ending', () => {
  test('all is as before, options too', () => {
    fake.stackOption = '1\n';
    fake.makeInstance('perf');
    const before = fake.snapshot();
    const { kernel } = fake.session();
    startOwnTrace(kernel, request({ options: ['nofunc_stack_trace'] }));
    expect(fake.stackOption).toBe('0\n');
    stopOwnTrace(kernel);
    expect(fake.snapshot()).toBe(before);
    expect(fake.restores.at(-1)).toEqual({ steps: [], after: fake.changes.length });
    expect(() => ownDirectory(kernel)).toThrow(/no trace is on/);
  });

  test('a trace goes on when all that was derived is forgotten', () => {
    const { kernel } = fake.session();
    const { instance } = startOwnTrace(kernel, request());
    kernel.forgetAll();
    expect(ownTrace(kernel)?.instance).toBe(instance);
    expect(leftInstances(kernel)).toEqual([]);
  });

  test('an instance that cannot be removed stays known', () => {
    const { kernel } = fake.session();
    startOwnTrace(kernel, request());
    fake.refusals.set(fake.instances[0] as string, 'EBUSY');
    expect(() => stopOwnTrace(kernel)).toThrow(/EBUSY/);
    expect(ownTrace(kernel)).toBeDefined();
    fake.refusals.clear();
    stopOwnTrace(kernel);
    expect(fake.instances).toEqual([]);
  });

  test('a trace whose instance somebody removed is gone, and another can be started', () => {
    const { kernel } = fake.session();
    const { instance } = startOwnTrace(kernel, request());
    fake.control.apply([{ kind: 'rmdir', path: `${ROOT}/instances/${instance}` }]);
    expect(() => switchOwnTrace(kernel, false)).toThrow(/the trace is gone: its instance kdbg-/);
    expect(startOwnTrace(kernel, request()).instance).not.toBe(instance);
  });
});

describe('what earlier sessions left', () => {
  test('is found by its name and removed; what others have made is not', () => {
    for (const name of ['kdbg-0123abcd', 'kdbg-notes', 'perf']) fake.makeInstance(name);
    const { kernel } = fake.session();
    startOwnTrace(kernel, request());
    expect(leftInstances(kernel)).toEqual(['kdbg-0123abcd']);
    removeLeftInstance(kernel, 'kdbg-0123abcd');
    expect(leftInstances(kernel)).toEqual([]);
    expect(() => removeLeftInstance(kernel, 'perf')).toThrow(/no instance of kdbg/);
    expect(fake.instances).toContain('perf');
    // The trace that is on is still undone when the session ends.
    expect(fake.restores.at(-1)?.steps).not.toEqual([]);
  });
});
