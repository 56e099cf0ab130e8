import { expect, test } from 'vitest';
import { callItems, isCall, joinCalls } from '../../../src/core/command/trace-call-view.ts';
import { textOf } from '../../../src/core/output/line.ts';
import { FakeKernel } from '../../support/fake-kernel.ts';
import { parseTrace } from '../../support/trace-fixture.ts';

const TEXT = [
  '# tracer: function_graph',
  '  100.000001 |   0)    cat-77     |               |  outer() {',
  '  100.000002 |   0)    cat-77     |   2.000 us    |    first();',
  '  100.000003 |   0)    cat-77     |               |    /* sched_waking: comm=x */',
  '  100.000004 |   0)    cat-77     |               |    second() {',
  '  100.000005 |   0)    cat-77     |   1.000 us    |      deep(); /* = -22 */',
  '  100.000006 |   0)    cat-77     |   4.000 us    |    }',
  '  100.000007 |   0)    cat-77     |   9.000 us    |  }',
  '  100.000008 |   1)    dog-78     |               |  open() {',
  '  100.000009 |   1)    dog-78     |   3.000 us    |    }',
];

function shown(levels: number): readonly string[] {
  const kernel = new FakeKernel().kernel();
  return joinCalls(parseTrace(TEXT)).flatMap((each) =>
    (isCall(each) ? [...callItems(kernel, each, levels)] : []).flatMap((item) =>
      item.kind === 'row' && typeof item.view === 'function'
        ? [...item.view()].map((line) => textOf(line).trim().replace(/ +/g, ' '))
        : [],
    ),
  );
}

test('calls are folded to as many levels as are wanted, with what is within counted', () => {
  expect(shown(0)).toEqual([
    '100.000001 [000] cat-77 9.000 us outer + 4 within',
    '100.000008 [001] dog-78 ... us open (its end is missing) + 1 within',
  ]);
  expect(shown(1).slice(0, 4)).toEqual([
    '100.000001 [000] cat-77 9.000 us outer',
    '2.000 us first',
    expect.stringContaining('sched_waking: comm=x'),
    '4.000 us second + 1 within',
  ]);
  expect(shown(9).slice(3)).toEqual([
    '4.000 us second',
    '1.000 us deep = -22 (EINVAL)',
    '100.000008 [001] dog-78 ... us open (its end is missing)',
    '3.000 us ? (its beginning is missing)',
  ]);
});
