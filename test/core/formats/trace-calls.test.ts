import { describe, expect, it } from 'vitest';
import { type TraceCall, TraceCalls } from '../../../src/core/formats/trace-calls.ts';
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
