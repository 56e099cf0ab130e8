import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KdbgError, UsageError } from '../../../src/core/errors.ts';
import { evaluate, evaluateEach, typeOfExpression } from '../../../src/core/types/evaluate.ts';
import { evaluateAddresses } from '../../../src/core/types/evaluate-address.ts';
import { expressionCompletion } from '../../../src/core/types/expression-completion.ts';
import { parseExpression } from '../../../src/core/types/expression-parser.ts';
import { isSigned } from '../../../src/core/types/scalar.ts';
import { ExpressionKernel, emptyEnvironment } from '../../support/c-types.ts';
import { model, print, type Tree, trees } from '../../support/expression-model.ts';

/** Sixteen digits are an address in every base, so numbers of that length are written otherwise. */
const STYLES: readonly ((value: bigint) => string)[] = [
  (value) => (value.toString().length === 16 ? `0x${value.toString(16)}` : value.toString()),
  (value) => `0x${value.toString(16)}`,
  (value) => `0b${value.toString(2)}`,
  (value) => `0o${value.toString(8)}`,
];

/** A parsed node as the tree it was printed from. */
function shape(node: ReturnType<typeof parseExpression>['root']): Tree {
  switch (node.kind) {
    case 'number':
      return { kind: 'number', value: node.value, suffix: node.suffix };
    case 'unary':
      return { kind: 'unary', operator: node.operator, operand: shape(node.operand) };
    case 'binary':
      return { kind: 'binary', operator: node.operator, left: shape(node.left), right: shape(node.right) };
    case 'conditional':
      return {
        kind: 'conditional',
        condition: shape(node.condition),
        whenTrue: shape(node.whenTrue),
        whenFalse: shape(node.whenFalse),
      };
    case 'cast':
      return { kind: 'cast', type: node.type.text as (Tree & { kind: 'cast' })['type'], operand: shape(node.operand) };
    default:
      throw new Error(node.kind);
  }
}

test('a random expression parses to the tree it was printed from, and is worth what C says', () => {
  const environment = emptyEnvironment();
  let worth = 0;
  fc.assert(
    fc.property(trees, fc.nat(STYLES.length - 1), (tree, style) => {
      const text = print(tree, STYLES[style] as (value: bigint) => string);
      fc.pre(text.length <= 4096);
      const parsed = parseExpression(text, () => false);
      expect(shape(parsed.root)).toEqual(tree);
      const expected = model(tree);
      if (typeof expected === 'string') {
        expect(() => evaluate(parsed, environment)).toThrow(expected);
        return;
      }
      worth++;
      const value = evaluate(parsed, environment);
      expect(value.toBigInt()).toBe(expected.value);
      // The tree's own type; a cast to a char or short at the top is not promoted yet.
      if (tree.kind === 'cast' && value.size < 4) return;
      if (tree.kind !== 'conditional')
        expect([value.size * 8, isSigned(value.type)]).toEqual([expected.bits, expected.signed]);
    }),
    { numRuns: 3000 },
  );
  expect(worth).toBeGreaterThan(1000);
});

const PIECES = [
  ...[
    'init_task',
    'task_pointer',
    'untyped',
    'runqueues',
    'minus',
    'nothere',
    'schedule',
    '$x',
    '$',
    'NULL',
    'u32',
    'RQ_IDLE',
  ],
  ...[
    '.',
    '->',
    '[',
    ']',
    '(',
    ')',
    '*',
    '&',
    '+',
    '-',
    '/',
    '%',
    '<<',
    '>>',
    '<',
    '==',
    '!=',
    '&&',
    '||',
    '?',
    ':',
    ',',
    '!',
    '~',
  ],
  ...['pid', 'tasks', 'next', 'comm', 'parent', 'counts', 'se', 'weight', 'curr', 'nr_running', 'cold', 'in_iowait'],
  ...[
    '0',
    '1',
    '2',
    '0x10',
    'ffff888002000000',
    '1G',
    '08',
    "'a'",
    '"bash"',
    '"',
    "'",
    '=',
    '#',
    '\\',
    '\0',
    'é',
    '\ud800',
  ],
  ...[
    'sizeof',
    'sizeof(',
    'offsetof(',
    'container_of(',
    'per_cpu(',
    'per_cpu_ptr(',
    'struct ',
    'task_struct',
    'unsigned ',
    'long',
  ],
  ...['(struct task_struct *)', '(task_struct *)', '(u32)', ':0', ':all', ':1,3', ' ', ' ', '\t', '\n'],
];

/** Everything that can be asked of a text. What is thrown must be meant for the user, with its place in the text. */
function tryAll(text: string, kernel: ExpressionKernel): void {
  const { environment } = kernel;
  const tries = [
    () => evaluateEach(text, environment).map(({ value }) => value.tryBytes()),
    () => typeOfExpression(text, environment),
    () => evaluateAddresses(text, environment),
    () => expressionCompletion(text, text.length, environment),
  ];
  for (const attempt of tries) {
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof KdbgError)) throw error;
      if (!(error instanceof UsageError)) continue;
      expect([error.source, (error.column ?? -1) >= 0, (error.column ?? 0) <= text.length]).toEqual([text, true, true]);
    }
  }
}

test('10,000 texts of pieces of expressions give a value or an error with a column, in bounded time', () => {
  const kernel = new ExpressionKernel();
  const started = performance.now();
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }), (pieces) => tryAll(pieces.join(''), kernel)),
    { numRuns: 10_000 },
  );
  expect(performance.now() - started).toBeLessThan(20_000);
});

test('10,000 texts of any characters do too', () => {
  const kernel = new ExpressionKernel();
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 64 }), (text) => tryAll(text, kernel)),
    { numRuns: 10_000 },
  );
});

test('long texts of one piece are bounded', () => {
  const kernel = new ExpressionKernel();
  for (const piece of PIECES) {
    const started = performance.now();
    tryAll(piece.repeat(4096 / piece.length), kernel);
    expect([piece, performance.now() - started < 1000]).toEqual([piece, true]);
  }
});
