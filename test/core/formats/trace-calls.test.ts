import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type TraceCall, TraceCalls } from '../../../src/core/formats/trace-calls.ts';
import { isCall, isGraph, JoinedTrace } from '../../../src/core/formats/trace-joined.ts';
import { parseTrace, traceFixture } from '../../support/trace-fixture.ts';

function callsOf(entries: ReturnType<typeof parseTrace>): readonly TraceCall[] {
  const calls = new TraceCalls();
  const done = entries.flatMap((entry) => calls.push(entry));
  return [...done, ...calls.end()];
}

const graph = (...lines: readonly string[]) => callsOf(parseTrace(['# tracer: function_graph', ...lines]));
const tree = ({ function: fn, children, complete }: TraceCall): unknown[] => [
  `${fn?.name ?? '?'}${complete ? '' : ' ...'}`,
  ...children.map(tree),
];

describe('calls of function_graph', () => {
  it.each(['6.12', '7.2'])('of %s are joined', (release) => {
    const calls = callsOf(traceFixture(release, 'funcgraph-proc'));
    const first = calls.find((call) => call.function?.name === '__x64_sys_syslog');
    expect(first).toMatchObject({ complete: true, depth: 0 });
    expect(first?.duration).toBeGreaterThan(0n);
    expect(first?.children[0]?.function?.name).toBe('do_syslog');
  });

  it('keep what is within a call whose end or beginning is missing', () => {
    expect(
      graph(
        ' 0)   1.000 us    |    inner();',
        ' 0)   2.000 us    |  }',
        ' 0)               |  open() {',
        ' 0)               |    deeper() {',
        ' 0)               |  next() {',
        ' 0)   1.000 us    |  }',
        ' 0)               |  last() {',
      ).map(tree),
    ).toEqual([['inner'], ['? ...'], ['open ...', ['deeper ...']], ['next'], ['last ...']]);
  });

  it('of several tasks are told apart at switches', () => {
    const done = graph(
      ' 0)               |  a() {',
      ' 0)  cat-1  =>  dog-2',
      ' 0)               |  b() {',
      ' 0)   1.000 us    |    c();',
      ' 0)   3.000 us    |  }',
    );
    expect(done.map(tree)).toEqual([['b', ['c']], ['a ...']]);
  });

  it('end where entries were lost', () => {
    expect(graph(' 0)               |  a() {', 'CPU:0 [LOST 5 EVENTS]', ' 0)   1.000 us    |  }').map(tree)).toEqual([
      ['a ...'],
      ['? ...'],
    ]);
  });

  it('hold the events within them', () => {
    const [call] = graph(
      ' 0)               |  a() {',
      ' 0)   1.000 us    |    b();',
      ' 0)               |    /* sched_waking: comm=x */',
      ' 0)   9.000 us    |  } /* a = 0 */',
    );
    expect(call).toMatchObject({
      returned: '0',
      duration: 9000n,
      events: [{ before: 1, entry: { name: 'sched_waking' } }],
    });
  });
});

describe('calls that do not return', () => {
  const lines = (...more: readonly string[]) => parseTrace(['# tracer: function_graph', ...more]);
  const line = (us: number, cpu: number, task: string, rest: string) =>
    `  100.${String(us).padStart(6, '0')} |   ${cpu})    ${task}     ${rest}`;
  const given = (calls: TraceCalls, entries: ReturnType<typeof parseTrace>, entriesMost = 3) =>
    entries.flatMap((entry) => [
      ...calls.push(entry),
      ...calls.overdue({ entries: entriesMost, nanoseconds: 2_000_000n }, entry.time),
    ]);

  it('are given as far as they came after so many entries, and go on in parts', () => {
    const calls = new TraceCalls();
    const done = given(
      calls,
      lines(
        line(1, 0, 'cat-77', '|               |  poll() {'),
        line(2, 0, 'cat-77', '|   1.000 us    |    before();'),
        line(3, 1, 'dog-78', '|   1.000 us    |  leaf();'),
        line(4, 1, 'dog-78', '|   1.000 us    |  leaf();'),
        line(5, 0, 'cat-77', '|   1.000 us    |    after();'),
        line(6, 0, 'cat-77', '|   9.000 us    |  }'),
      ),
    );
    expect(done.map(tree)).toEqual([['leaf'], ['leaf'], ['poll ...', ['before']], ['poll', ['after']]]);
    expect(done[2]).toMatchObject({ isOpen: true, part: 0, duration: undefined });
    expect(done[3]).toMatchObject({ isOpen: false, part: 1, duration: 9000n, complete: true });
  });

  it('are given once, as long as nothing comes within them', () => {
    const calls = new TraceCalls();
    given(calls, lines(line(1, 0, 'cat-77', '|               |  poll() {')));
    expect(calls.overdue().map(tree)).toEqual([['poll ...']]);
    expect(calls.overdue()).toEqual([]);
    expect(calls.end()).toEqual([]);
  });

  it('are given after so much time of the trace', () => {
    const calls = new TraceCalls();
    const done = given(
      calls,
      lines(
        line(1, 0, 'cat-77', '|               |  poll() {'),
        line(1000, 1, 'dog-78', '|   1.000 us    |  early();'),
        line(2001, 1, 'dog-78', '|   1.000 us    |  late();'),
      ),
      1000,
    );
    expect(done.map(tree)).toEqual([['early'], ['late'], ['poll ...']]);
  });

  it('of the idle tasks are told apart by their CPUs', () => {
    const done = given(
      new TraceCalls(),
      lines(
        line(1, 0, '<idle>-0', '|               |  a() {'),
        line(2, 1, '<idle>-0', '|               |  b() {'),
        line(3, 0, '<idle>-0', '|   1.000 us    |  }'),
        line(4, 1, '<idle>-0', '|   1.000 us    |  }'),
      ),
      1000,
    );
    expect(done.map(tree)).toEqual([['a'], ['b']]);
  });

  it('of more tasks than are kept make room, and none is lost', () => {
    const calls = new TraceCalls();
    const tasks = Array.from({ length: 5000 }, (_, i) => line(1, 0, `t-${i + 1}`, '|               |  f() {'));
    const early = lines(...tasks).flatMap((entry) => calls.push(entry));
    expect(early.length).toBe(5000 - 4096);
    expect(early.length + calls.end().length).toBe(5000);
  });

  it('hold no more than the limit, whatever comes, and every call and event is given once', () => {
    const body = fc.constantFrom('|               |', '|   1.000 us    |');
    const kind = fc.constantFrom('f() {', 'g();', '}', '/* e: x */');
    const any = fc.record({ body, kind, depth: fc.nat(6), cpu: fc.nat(2), pid: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(any, { maxLength: 120 }), (all) => {
        const entries = lines(
          ...all.map((each, i) =>
            line(i + 1, each.cpu, `t-${each.pid}`, `${each.body}  ${'  '.repeat(each.depth)}${each.kind}`),
          ),
        );
        const trace = new JoinedTrace({ entries: 10, nanoseconds: 1_000_000_000n });
        const joined = [...entries.flatMap((entry) => trace.push(entry)), ...trace.end()];
        const events = (call: TraceCall): number =>
          call.events.length + call.children.reduce((sum, child) => sum + events(child), 0);
        const size = (call: TraceCall): number => 1 + events(call) + call.children.reduce((sum, c) => sum + size(c), 0);
        const shown = joined.reduce((sum, each) => sum + (isCall(each) ? events(each) : 1), 0);
        expect(shown).toBe(entries.filter((entry) => !isGraph(entry)).length);
        // What is open at a time is at most what is held and the calls around it.
        for (const each of joined) if (isCall(each)) expect(size(each)).toBeLessThan(10 * 2 + 8);
      }),
      { numRuns: 300 },
    );
  });
});
