import { describe, expect, it } from 'vitest';
import { decodeTraceFlags } from '../../../src/core/formats/trace-entry.ts';
import { LINE_MAX } from '../../../src/core/formats/trace-line.ts';
import { seededRandom } from '../../support/mutations.ts';
import { parseTrace, TRACE_RELEASES, traceFixture, traceSections } from '../../support/trace-fixture.ts';

describe('text of real trace buffers', () => {
  it.each(TRACE_RELEASES)('of %s is understood with every option', (release) => {
    const notUnderstood: string[] = [];
    let entries = 0;
    for (const [name, lines] of traceSections(release)) {
      for (const entry of parseTrace(lines)) {
        entries++;
        const isNote = /Overruns/.test(entry.raw);
        if ((entry.kind === 'text' || entry.kind === 'stack') && !isNote) notUnderstood.push(`${name}: ${entry.raw}`);
      }
    }
    expect(notUnderstood).toEqual([]);
    expect(entries).toBeGreaterThan(200);
  });

  it('gives functions with their callers, arguments and stacks', () => {
    expect(traceFixture('7.2', 'func-args')[1]).toMatchObject({
      kind: 'function',
      comm: 'dmesg',
      pid: 164,
      cpu: 1,
      flags: '...1.',
      time: 6_424_743_000n,
      function: { name: 'do_syslog' },
      caller: { name: '__x64_sys_syslog' },
      args: 'type=10, buf=0x0, len=0, source=0',
    });
    const [first, second] = traceFixture('7.2', 'func_stack_trace');
    expect(first?.stack?.map(({ name }) => name)).toEqual([
      '[FTRACE TRAMPOLINE]',
      '__x64_sys_syslog',
      'do_syscall_64',
      'entry_SYSCALL_64_after_hwframe',
    ]);
    expect(second?.stack).toHaveLength(5);
  });

  it('gives offsets and addresses where the kernel prints them', () => {
    expect(traceFixture('6.12', 'sym-offset')[0]).toMatchObject({ caller: { offset: expect.any(Number) } });
    expect(traceFixture('6.12', 'sym-addr')[0]).toMatchObject({ function: { address: expect.any(BigInt) } });
  });

  it('gives events and probes with their text and stacks', () => {
    const events = traceFixture('7.2', 'events');
    expect(events.slice(0, 1)).toMatchObject([{ kind: 'event', name: 'sys_exit', text: 'NR 1000 = -38', comm: 'h' }]);
    expect(events[2]).toMatchObject({ name: 'sys_syslog', text: '(type: 0xa, buf: 0 "", len: 0)' });
    expect(events[3]).toMatchObject({ name: 'sys_syslog', text: '-> 0x20000' });
    expect(traceFixture('7.2', 'fprobe')[1]).toMatchObject({
      name: 'fr',
      text: '(__x64_sys_syslog+0x1a/0x30 <- do_syslog) ret=131072',
    });
    expect(traceFixture('7.2', 'events-stacktrace')[0]).toMatchObject({
      name: 'sys_syslog',
      stack: expect.arrayContaining([{ name: 'do_syscall_64' }]),
    });
  });

  it('gives calls with depth and duration', () => {
    const calls = traceFixture('7.2', 'funcgraph-tail').slice(0, 5);
    expect(calls.map(({ kind, cpu, ...rest }) => [kind, 'depth' in rest && rest.depth, cpu])).toEqual([
      ['call', 0, 0],
      ['call', 1, 0],
      ['call', 2, 0],
      ['leaf', 3, 0],
      ['return', 2, 0],
    ]);
    expect(calls[3]).toMatchObject({ function: { name: 'security_capable' }, duration: 12_929n });
    expect(calls[4]).toMatchObject({ function: { name: 'capable' }, duration: 26_419n });
    expect(traceFixture('5.10', 'multi')[1]).toMatchObject({ kind: 'switch', to: { pid: 26 } });
  });
});

describe('a line of trace text', () => {
  const one = (line: string, tracer = 'nop') => parseTrace([`# tracer: ${tracer}`, line])[0];

  it.each<[string, string, object]>([
    [
      'nop',
      ' a b-c-17    [003] dNh1. 12.000345: my_event: k=v w',
      { comm: 'a b-c', pid: 17, cpu: 3, time: 12_000_345_000n, text: 'k=v w' },
    ],
    ['nop', '          <idle>-0       [000] d.h2.    1.000001: sched_waking: comm=a pid=2', { comm: '<idle>', pid: 0 }],
    ['nop', '   cat-12   ( 11) [000] .....     1.000001: e: x', { tgid: 11, pid: 12 }],
    ['nop', '   cat-12      [000] .....   4711: e: x', { time: 4711n, ticks: true }],
    [
      'nop',
      '   cat-12      [000] .....   1.000001: tracing_mark_write: hello: there',
      { kind: 'marker', text: 'hello: there' },
    ],
    [
      'nop',
      '201 1 8627272403 type: 384',
      { kind: 'event', pid: 201, cpu: 1, time: 8_627_272_403n, name: 'type', text: '384' },
    ],
    [
      'function',
      '201 1 862 ffffffff9684ca54 ffffffff97637b41',
      { kind: 'function', function: { address: 0xffffffff9684ca54n } },
    ],
    ['nop', 'CPU:2 [LOST 17660 EVENTS]', { kind: 'lost', cpu: 2, count: 17_660 }],
    [
      'function_graph',
      ' 1) # 1815.516 us |        } /* fn = -22 */',
      { kind: 'return', duration: 1_815_516n, returned: '-22' },
    ],
    [
      'function_graph',
      ' 1)   0.5 us    |  fn [mod](a=1); /* ret=0x0 */',
      { kind: 'leaf', args: 'a=1', returned: '0x0', function: { name: 'fn', module: 'mod' } },
    ],
    [
      'function_graph',
      ' 1)               |  /* sched_waking: comm=a */',
      { kind: 'event', name: 'sched_waking', text: 'comm=a' },
    ],
    ['function_graph', ' 1)   ==========> |', { kind: 'text' }],
    ['nop', 'whatever this is', { kind: 'text', raw: 'whatever this is' }],
  ])('%s: %s', (tracer, line, expected) => {
    expect(one(line, tracer)).toMatchObject(expected);
  });

  it('joins a stack to the entry of its CPU and task, also when others write in between', () => {
    const entries = parseTrace([
      '   cat-12      [000] .....   1.000001: e: x',
      '   dog-13      [001] .....   1.000002: e: y',
      '   cat-12      [000] .....   1.000003: <stack trace>',
      ' => vfs_read',
      ' => ksys_read',
      '   cow-14      [001] .....   1.000004: <stack trace>',
      ' => nobody',
    ]);
    expect(entries.map(({ kind, stack }) => [kind, stack?.length])).toEqual([
      ['event', 2],
      ['event', undefined],
      ['stack', 1],
    ]);
  });

  it('is kept when it is too long to look into', () => {
    const long = `   cat-12      [000] .....   1.000001: e: ${'x'.repeat(LINE_MAX)}`;
    expect(one(long)).toMatchObject({ kind: 'text', raw: long });
  });

  it('loses nothing of damaged text, and takes no time over it', () => {
    const random = seededRandom(11);
    const lines = [...traceSections('7.2').values()].flat();
    for (let round = 0; round < 5; round++) {
      const damaged = lines.map((line) => {
        if (random() > 0.3) return line;
        const at = Math.floor(random() * line.length);
        return (
          line.slice(0, at) + String.fromCharCode(32 + random() * 95).repeat(1 + random() * 40) + line.slice(at + 1)
        );
      });
      const kept = new Set(parseTrace(damaged).map(({ raw }) => raw));
      const missing = damaged.filter(
        (line) => !kept.has(line) && !/^#|^ => |stack trace>|^\s*-{20,}$|^\s*$/.test(line),
      );
      expect(missing).toEqual([]);
    }
  });
});

describe('trace flags', () => {
  it.each([
    ['.....', { irqs: 'on', needResched: [], context: 'task', preemptDepth: 0, migrateDisabled: 0 }],
    [
      'dNh1.',
      { irqs: 'off', needResched: ['now', 'preempt'], context: 'hardirq', preemptDepth: 1, migrateDisabled: 0 },
    ],
    ['D.sa', { irqs: 'both off', needResched: [], context: 'softirq', preemptDepth: 10, migrateDisabled: undefined }],
    [
      'XlZ.2',
      { irqs: 'unknown', needResched: ['lazy'], context: 'NMI in hardirq', preemptDepth: 0, migrateDisabled: 2 },
    ],
  ])('%s', (text, flags) => {
    expect(decodeTraceFlags(text)).toEqual(flags);
  });
});
