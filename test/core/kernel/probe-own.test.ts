import { beforeEach, describe, expect, test } from 'vitest';
import type { Kernel } from '../../../src/core/kernel/kernel.ts';
import { probeArguments } from '../../../src/core/kernel/probe-argument.ts';
import {
  addOwnProbe,
  knownProbes,
  ownProbes,
  probeCounts,
  removeOwnProbe,
} from '../../../src/core/kernel/probe-own.ts';
import type { Probe, ProbeRequest } from '../../../src/core/kernel/probe-plan.ts';
import { probeNames, probeTarget } from '../../../src/core/kernel/probe-target.ts';
import { leftInstances, removeLeftInstance, startOwnTrace, stopOwnTrace } from '../../../src/core/kernel/trace-own.ts';
import { FakeTracefs, ROOT, stepText } from '../../support/fake-tracefs.ts';
import { typedKernel } from '../../support/fake-types-kernel.ts';

const SOURCE = 'struct file { int mode; const char *name; }; long vfs_read(struct file *file, unsigned long count);';
const OLD = '  Format: p[:[<group>/][<event>]] <place> [<args>]\n $stack<index>, $retval, $comm, $arg<N>,\n';

let tracefs: FakeTracefs;
let kernel: Kernel;
beforeEach(() => {
  tracefs = new FakeTracefs();
  const { fake } = typedKernel(SOURCE);
  fake.symbols.add('vfs_read', 0xffffffff81000100n, 'T');
  kernel = tracefs.session({ kernel: fake }).kernel;
});

const start = (): string =>
  startOwnTrace(kernel, {
    tracer: 'nop',
    functions: [],
    exceptFunctions: [],
    events: [],
    pids: [],
    ownPids: [500],
    cpuMask: undefined,
    options: [],
    clock: 'mono',
    bufferKib: 64,
  }).instance;

function request(texts: readonly string[], more: Partial<ProbeRequest> = {}): ProbeRequest {
  const target = probeTarget(kernel, 'vfs_read');
  const values = probeArguments(texts, probeNames(kernel, target));
  return { target, arguments: values, filter: undefined, fprobe: false, stack: false, ...more };
}

const add = (texts: readonly string[], more: Partial<ProbeRequest> = {}): Probe =>
  addOwnProbe(kernel, request(texts, more));
const shown = (probe: Probe): readonly string[] =>
  probe.events.map(({ definition }) => definition.replace(/kdbg_[0-9a-f]{8}/, 'G'));

describe('a probe as definitions', () => {
  test.each([
    ['calls alone', [], {}, ['p:G/vfs_read vfs_read']],
    ['arguments', ['count', 'file->name'], {}, ['p:G/vfs_read vfs_read count=$arg2:u64 name=+0(+8($arg1)):string']],
    ['a return alone', ['ret'], {}, ['r256:G/vfs_read vfs_read ret=$retval:s64']],
    [
      'registers are kept to the return',
      ['count', 'ret'],
      {},
      ['r256:G/vfs_read vfs_read count=$arg2:u64 ret=$retval:s64'],
    ],
    [
      'what is read from memory is read at the entry',
      ['file->mode', 'count', 'ret'],
      {},
      ['p:G/vfs_read vfs_read mode=+0($arg1):s32 count=$arg2:u64', 'r256:G/vfs_read__return vfs_read ret=$retval:s64'],
    ],
    ['by ftrace', ['count', 'ret'], { fprobe: true }, ['f:G/vfs_read vfs_read%return count=$arg2:u64 ret=$retval:s64']],
  ])('%s', (_, texts, more, expected) => {
    start();
    expect(shown(add(texts, more))).toEqual(expected);
  });

  test('a kernel that keeps nothing to the return has two events', () => {
    tracefs.files.set(`${ROOT}/README`, OLD);
    start();
    expect(shown(add(['count', 'ret']))).toEqual([
      'p:G/vfs_read vfs_read count=$arg2:u64',
      'r256:G/vfs_read__return vfs_read ret=$retval:s64',
    ]);
    expect(() => add(['count'], { fprobe: true })).toThrow(/no fprobe can be set/);
  });

  test('a kernel that does not count arguments is given registers', () => {
    tracefs.files.set(`${ROOT}/README`, OLD.replace(', $arg<N>,', ''));
    start();
    expect(shown(add(['count', 'file->mode']))).toEqual(['p:G/vfs_read vfs_read count=%si:u64 mode=+0(%di):s32']);
  });
});

describe('setting and removing', () => {
  test('what undoes it is said before it is made, and the event is on last', () => {
    const instance = start();
    const before = tracefs.changes.length;
    add(['file->mode', 'ret'], { filter: 'mode > 4', stack: true });
    const group = instance.replace('-', '_');
    expect(tracefs.changes.slice(before).map(stepText)).toEqual([
      `append ${ROOT}/dynamic_events p:${group}/vfs_read vfs_read mode=+0($arg1):s32`,
      `append ${ROOT}/dynamic_events r256:${group}/vfs_read__return vfs_read ret=$retval:s64`,
      `write events/${group}/vfs_read/filter mode > 4`,
      'write options/stacktrace 1',
      `write events/${group}/vfs_read__return/enable 1`,
      `write events/${group}/vfs_read/enable 1`,
    ]);
    const said = tracefs.restores.at(-1);
    expect(said?.after).toBe(before);
    expect(said?.steps.map(stepText)).toEqual([
      `write events/${group}/enable 0`,
      'write tracing_on 0',
      'write current_tracer nop',
      'rmdir .',
      `append ${ROOT}/dynamic_events -:${group}/vfs_read`,
      `append ${ROOT}/dynamic_events -:${group}/vfs_read__return`,
    ]);
  });

  test.each(['stopping the trace', 'what the guard does'])('after %s tracefs is as it was', (how) => {
    const before = tracefs.snapshot();
    start();
    add(['file->mode', 'ret']);
    add(['count']);
    expect(tracefs.probes.definitions).toHaveLength(3);
    if (how === 'stopping the trace') stopOwnTrace(kernel);
    else for (const step of tracefs.restores.at(-1)?.steps ?? []) tracefs.control.apply([step]);
    expect(tracefs.snapshot()).toBe(before);
  });

  test('one is removed, the others stay, and their names are not given again', () => {
    start();
    const first = add(['count']);
    const second = add(['file->mode']);
    expect([first.name, second.name]).toEqual(['vfs_read', 'vfs_read_2']);
    removeOwnProbe(kernel, first);
    expect(tracefs.probes.definitions).toHaveLength(1);
    expect(ownProbes(kernel)).toEqual([second]);
    expect(knownProbes(kernel)).toEqual([second, first]);
    expect(tracefs.restores.at(-1)?.steps.filter(({ kind }) => kind === 'append')).toHaveLength(1);
    expect(add([]).name).toBe('vfs_read_3');
  });

  test("others' probes are never touched", () => {
    const others = 'p:perf/vfs_read vfs_read\n';
    tracefs.files.set(`${ROOT}/dynamic_events`, others);
    start();
    removeOwnProbe(kernel, add(['count']));
    add(['count']);
    stopOwnTrace(kernel);
    expect(tracefs.files.get(`${ROOT}/dynamic_events`)).toBe(others);
  });

  test('what the kernel refuses leaves nothing, and is said with the caret of the kernel', () => {
    tracefs.probes.refused.set('vfs_read', 'Failed to register probe event');
    tracefs.files.set('/sys/kernel/debug/kprobes/blacklist', '0xffffffff81000100-0xffffffff81000110\tvfs_read\n');
    start();
    const before = tracefs.files.get(`${ROOT}/dynamic_events`);
    const error = errorOf(() => add(['count']));
    expect(error).toMatchObject({
      message: 'the kernel refuses the probe: Failed to register probe event',
      hint: expect.stringContaining('must not touch'),
      source: expect.stringMatching(/^p:kdbg_[0-9a-f]{8}\/vfs_read vfs_read count/),
      column: 'p:kdbg_01234567/vfs_read '.length,
    });
    expect(tracefs.files.get(`${ROOT}/dynamic_events`)).toBe(before);
    expect(ownProbes(kernel)).toEqual([]);
    expect(tracefs.restores.at(-1)?.steps.map(stepText)).not.toContainEqual(expect.stringContaining('dynamic_events'));
  });

  test('a filter that the kernel refuses leaves nothing either', () => {
    start();
    expect(() => add(['count'], { filter: 'count > (' })).toThrow(/refuses the filter/);
    expect(tracefs.probes.definitions).toEqual([]);
  });

  test.each([
    ['count', /compares nothing/],
    ['nosuch > 3', /no argument "nosuch"/],
    ['mode > 3 && ret < 0', /known at the entry with what is known at the return/],
  ])('the filter %s', (filter, message) => {
    start();
    expect(() => add(['file->mode', 'ret'], { filter })).toThrow(message);
  });
});

describe('counts', () => {
  test('are those of this group, whatever others call theirs', () => {
    tracefs.files.set(`${ROOT}/dynamic_events`, 'p:perf/vfs_read vfs_read\np:libc/open /lib/libc.so.6:0x1000\n');
    start();
    add(['count']);
    tracefs.files.set(`${ROOT}/kprobe_profile`, '  vfs_read    900    1\n  vfs_read    7    2\n');
    expect(probeCounts(kernel).get('vfs_read')).toEqual({ hits: 7, misses: 2 });
    tracefs.files.set(`${ROOT}/kprobe_profile`, 'x\n'.repeat(10));
    expect(probeCounts(kernel).size).toBe(0);
  });
});

describe('what a killed session has left', () => {
  test('is recognised by its group, with or without its instance, and removed', () => {
    const before = tracefs.snapshot();
    tracefs.probes.write('p:kdbg_0badcafe/vfs_read vfs_read');
    tracefs.makeInstance('kdbg-0badcafe');
    tracefs.control.apply([
      { kind: 'write', path: `${ROOT}/instances/kdbg-0badcafe/events/kdbg_0badcafe/vfs_read/enable`, text: '1' },
    ]);
    tracefs.probes.write('p:kdbg_00c0ffee/other vfs_read');
    expect(leftInstances(kernel)).toEqual(['kdbg-0badcafe', 'kdbg-00c0ffee']);
    for (const instance of leftInstances(kernel)) removeLeftInstance(kernel, instance);
    expect(tracefs.snapshot()).toBe(before);
  });
});

function errorOf(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}
