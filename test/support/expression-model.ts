/**
 * Expressions of numbers as random trees, their C text, and a model of what they are worth that shares no code with
 * the evaluator: values are BigInts with a width and a sign.
 */
import fc from 'fast-check';

export type Tree =
  | { readonly kind: 'number'; readonly value: bigint; readonly suffix: '' | 'u' | 'l' | 'ul' }
  | { readonly kind: 'unary'; readonly operator: string; readonly operand: Tree }
  | { readonly kind: 'binary'; readonly operator: string; readonly left: Tree; readonly right: Tree }
  | { readonly kind: 'conditional'; readonly condition: Tree; readonly whenTrue: Tree; readonly whenFalse: Tree }
  | { readonly kind: 'cast'; readonly type: CastName; readonly operand: Tree };

const CASTS = {
  char: [8, true],
  'unsigned char': [8, false],
  short: [16, true],
  'unsigned short': [16, false],
  int: [32, true],
  'unsigned int': [32, false],
  long: [64, true],
  'unsigned long': [64, false],
} as const;
type CastName = keyof typeof CASTS;

/** Levels of C's grammar, loosest first: a tree in a tighter place needs brackets. */
const LEVELS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '<=', '>', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const BINARY = LEVELS.flat();
const level = (operator: string) => LEVELS.findIndex((operators) => operators.includes(operator)) + 1;
const UNARY_LEVEL = LEVELS.length + 1;

const number = fc.record({
  kind: fc.constant('number' as const),
  value: fc.oneof(
    fc.bigInt({ min: 0n, max: 70n }),
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.constantFrom(0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn, 1n << 32n, (1n << 63n) - 1n, 1n << 63n, (1n << 64n) - 1n),
  ),
  suffix: fc.constantFrom('' as const, 'u' as const, 'l' as const, 'ul' as const),
});

export const trees: fc.Arbitrary<Tree> = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 7, withCrossShrink: true },
    number,
    fc.record({
      kind: fc.constant('unary' as const),
      operator: fc.constantFrom('-', '+', '~', '!'),
      operand: tie('tree'),
    }),
    fc.record({
      kind: fc.constant('binary' as const),
      operator: fc.constantFrom(...BINARY),
      left: tie('tree'),
      right: tie('tree'),
    }),
    fc.record({
      kind: fc.constant('conditional' as const),
      condition: tie('tree'),
      whenTrue: tie('tree'),
      whenFalse: tie('tree'),
    }),
    fc.record({
      kind: fc.constant('cast' as const),
      type: fc.constantFrom(...(Object.keys(CASTS) as CastName[])),
      operand: tie('tree'),
    }),
  ),
})).tree;

/** C text with no more brackets than the grammar needs; `style` chooses how numbers are written. */
export function print(tree: Tree, style: (value: bigint) => string, within = 0): string {
  const [text, own] = spelled(tree, style);
  return own < within ? `(${text})` : text;
}

function spelled(tree: Tree, style: (value: bigint) => string): [string, number] {
  switch (tree.kind) {
    case 'number':
      return [`${style(tree.value)}${tree.suffix}`, UNARY_LEVEL + 1];
    case 'unary': {
      const operand = print(tree.operand, style, UNARY_LEVEL);
      // `--` and `++` would be other tokens.
      return [`${tree.operator}${/^[-+]/.test(operand) ? ' ' : ''}${operand}`, UNARY_LEVEL];
    }
    case 'cast':
      return [`(${tree.type})${print(tree.operand, style, UNARY_LEVEL)}`, UNARY_LEVEL];
    case 'conditional': {
      const condition = print(tree.condition, style, 1);
      return [`${condition} ? ${print(tree.whenTrue, style)} : ${print(tree.whenFalse, style)}`, 0];
    }
    default: {
      const own = level(tree.operator);
      return [`${print(tree.left, style, own)} ${tree.operator} ${print(tree.right, style, own + 1)}`, own];
    }
  }
}

export interface Modelled {
  readonly value: bigint;
  readonly bits: number;
  readonly signed: boolean;
}

/** The value and type, or what is wrong with it. */
export function model(tree: Tree): Modelled | 'division by zero' | 'a shift by a negative count' {
  switch (tree.kind) {
    case 'number':
      return modelNumber(tree.value, tree.suffix);
    case 'cast': {
      const operand = model(tree.operand);
      if (typeof operand === 'string') return operand;
      const [bits, signed] = CASTS[tree.type];
      const value = wrap(operand.value, bits, signed);
      // Used further, a char or short is an int.
      return bits < 32 ? { value, bits: 32, signed: true } : { value, bits, signed };
    }
    case 'conditional': {
      const condition = model(tree.condition);
      if (typeof condition === 'string') return condition;
      return model(condition.value === 0n ? tree.whenFalse : tree.whenTrue);
    }
    case 'unary': {
      const operand = model(tree.operand);
      if (typeof operand === 'string' || tree.operator === '+') return operand;
      if (tree.operator === '!') return truth(operand.value === 0n);
      return result(tree.operator === '-' ? 0n - operand.value : -1n - operand.value, operand.bits, operand.signed);
    }
    default:
      return modelBinary(tree.operator, tree.left, tree.right);
  }
}

function modelNumber(value: bigint, suffix: string): Modelled {
  const unsigned = suffix.includes('u');
  const fits = [
    { bits: 32, signed: true, max: (1n << 31n) - 1n, allowed: suffix === '' },
    { bits: 32, signed: false, max: (1n << 32n) - 1n, allowed: suffix === 'u' },
    { bits: 64, signed: true, max: (1n << 63n) - 1n, allowed: !unsigned },
    { bits: 64, signed: false, max: (1n << 64n) - 1n, allowed: true },
  ].find(({ allowed, max }) => allowed && value <= max) as { bits: number; signed: boolean };
  return { value, bits: fits.bits, signed: fits.signed };
}

function modelBinary(operator: string, left: Tree, right: Tree): ReturnType<typeof model> {
  const a = model(left);
  if (typeof a === 'string') return a;
  if (operator === '&&' && a.value === 0n) return truth(false);
  if (operator === '||' && a.value !== 0n) return truth(true);
  const b = model(right);
  if (typeof b === 'string') return b;
  if (operator === '&&' || operator === '||') return truth(b.value !== 0n);
  if (operator === '<<' || operator === '>>') return modelShift(operator, a, b.value);
  const bits = Math.max(a.bits, b.bits);
  // An unsigned operand makes the result unsigned unless a wider signed one holds all its values.
  const signed = !((!a.signed && a.bits === bits) || (!b.signed && b.bits === bits));
  const [x, y] = [wrap(a.value, bits, signed), wrap(b.value, bits, signed)];
  const compared = { '==': x === y, '!=': x !== y, '<': x < y, '<=': x <= y, '>': x > y, '>=': x >= y }[operator];
  if (compared !== undefined) return truth(compared);
  if ((operator === '/' || operator === '%') && y === 0n) return 'division by zero';
  const values: Record<string, () => bigint> = {
    '+': () => x + y,
    '-': () => x - y,
    '*': () => x * y,
    '/': () => x / y,
    '%': () => x % y,
    '&': () => x & y,
    '|': () => x | y,
    '^': () => x ^ y,
  };
  return result((values[operator] as () => bigint)(), bits, signed);
}

function modelShift(operator: string, a: Modelled, count: bigint): ReturnType<typeof model> {
  if (count < 0n) return 'a shift by a negative count';
  const bits = count >= BigInt(a.bits) ? 64 : a.bits;
  const steps = count > 64n ? 64n : count;
  return result(operator === '<<' ? a.value << steps : a.value >> steps, bits, a.signed);
}

/** An int that does not fit is a long; everything else wraps. */
function result(value: bigint, bits: number, signed: boolean): Modelled {
  const wider = bits === 32 && signed && wrap(value, 32, true) !== value ? 64 : bits;
  return { value: wrap(value, wider, signed), bits: wider, signed };
}

function wrap(value: bigint, bits: number, signed: boolean): bigint {
  const size = 1n << BigInt(bits);
  const low = ((value % size) + size) % size;
  return signed && low >= size / 2n ? low - size : low;
}

function truth(value: boolean): Modelled {
  return { value: value ? 1n : 0n, bits: 32, signed: true };
}
