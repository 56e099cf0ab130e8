import { describe, expect, test } from 'vitest';
import { returnedText } from '../../../src/core/command/trace-call-view.ts';
import { calledFunctions, calleeNodes, calleeTree, selfTime } from '../../../src/core/command/trace-callee-tree.ts';
import { isCall, joinCalls } from '../../../src/core/formats/trace-joined.ts';
import { parseTrace } from '../../support/trace-fixture.ts';

const TEXT = [
  '# tracer: function_graph',
  ' 0)               |  outer() {',
  ' 0)               |    target() {',
  ' 0)   2.000 us    |      inner(); /* = -2 */',
  ' 0)   3.000 us    |      inner(); /* = -2 */',
  ' 0)               |      target() {',
  ' 0)   1.000 us    |        inner(); /* = 0x0 */',
  ' 0)   1.500 us    |      } /* = 0x0 */',
  ' 0) + 10.000 us   |    } /* = 0x0 */',
  ' 0)   9.000 us    |    other();',
  ' 0) + 20.000 us   |  }',
  ' 1)   4.000 us    |  target();',
  ' 1)               |  target() {',
];

const tree = (name: string) => calleeTree(joinCalls(parseTrace(TEXT)).filter(isCall), name);

describe('what a function calls', () => {
  test('is laid over one another, wherever it was called', () => {
    const root = tree('target');
    if (root === undefined) throw new Error('no tree');
    expect(
      [...calleeNodes(root, 9)].map((node) => [
        node.function.name,
        node.depth,
        node.count,
        node.unfinished,
        Number(node.total),
        Number(selfTime(node)),
        Object.fromEntries(node.returned),
      ]),
    ).toEqual([
      ['target', 0, 3, 1, 14_000, 7500, { '0x0': 1 }],
      ['inner', 1, 2, 0, 5000, 5000, { '-2': 2 }],
      ['target', 1, 1, 0, 1500, 500, { '0x0': 1 }],
      ['inner', 2, 1, 0, 1000, 1000, { '0x0': 1 }],
    ]);
    expect([...calleeNodes(root, 0)]).toHaveLength(1);
  });

  test('and every function by itself', () => {
    const all = calledFunctions(joinCalls(parseTrace(TEXT)).filter(isCall));
    expect(all.map((node) => [node.function.name, node.count, Number(node.total), Number(selfTime(node))])).toEqual([
      ['outer', 1, 20_000, 1000],
      ['target', 4, 15_500, 8000],
      ['other', 1, 9000, 9000],
      ['inner', 3, 6000, 6000],
    ]);
  });

  test('is nothing when it was not called', () => {
    expect(tree('absent')).toBeUndefined();
  });

  test.each([
    ['-2', '-2 (ENOENT)'],
    ['0xfffffffffffffffe', '0xfffffffffffffffe (ENOENT)'],
    ['0x0', '0x0'],
    ['17', '17'],
    ['nonsense', 'nonsense'],
  ])('returned %s', (value, shown) => {
    expect(returnedText(value)).toBe(shown);
  });
});
