import { expect, test } from 'vitest';
import { callItems } from '../../../src/core/command/trace-call-view.ts';
import { isCall, joinCalls } from '../../../src/core/formats/trace-joined.ts';
import { foldOf, type Line, textOf } from '../../../src/core/output/line.ts';
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
    (isCall(each) ? [...callItems(kernel, each, { levels })] : []).flatMap((item) =>
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
    '100.000002 2.000 us first',
    expect.stringContaining('sched_waking: comm=x'),
    '100.000004 4.000 us second + 1 within',
  ]);
  expect(shown(9).slice(3)).toEqual([
    '100.000004 4.000 us second',
    '100.000005 1.000 us deep = -22 (EINVAL)',
    '100.000008 [001] dog-78 ... us open (its end is missing)',
    '100.000009 3.000 us ? (its beginning is missing)',
  ]);
});

/** The lines as a pane has them: each with what it folds away. */
function unfolding(levels: number): readonly Line[] {
  const kernel = new FakeKernel().kernel();
  return joinCalls(parseTrace(TEXT)).flatMap((each) =>
    isCall(each)
      ? [...callItems(kernel, each, { levels, unfolds: true })].flatMap((item) =>
          item.kind === 'row' && typeof item.view === 'function' ? [...item.view()] : [],
        )
      : [],
  );
}

test('for a pane a call goes with what it folds away, each level with its own', () => {
  const [outer = ''] = unfolding(1);
  expect(textOf(outer)).toMatch(/ outer {2}\+ 4 within$/);
  const fold = foldOf(outer);
  expect(fold).toMatchObject({ count: 4, isOpen: true, key: '100000001000 0 77 outer 0' });
  expect(fold?.lines.map((line) => textOf(line).trim().split(/ {2,}/).at(-1))).toEqual([
    'first',
    expect.stringContaining('sched_waking'),
    '+ 1 within',
  ]);
  const second = foldOf(fold?.lines[2] ?? '');
  expect(second).toMatchObject({ count: 1, isOpen: false });
  expect(second?.lines.map(textOf)).toEqual([expect.stringMatching(/^ +100\.000005 .* deep = -22 \(EINVAL\)$/)]);
});
