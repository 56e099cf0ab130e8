/** The operators of expressions, and how tightly the binary ones bind: a higher number binds tighter. */
import type { BinaryOperator, UnaryOperator } from './expression.ts';

/** `?:` binds looser than every binary operator. */
export const CONDITIONAL_PRECEDENCE = 1;

const PRECEDENCE: Readonly<Record<BinaryOperator, number>> = {
  '||': 2,
  '&&': 3,
  '|': 4,
  '^': 5,
  '&': 6,
  '==': 7,
  '!=': 7,
  '<': 8,
  '<=': 8,
  '>': 8,
  '>=': 8,
  '<<': 9,
  '>>': 9,
  '+': 10,
  '-': 10,
  '*': 11,
  '/': 11,
  '%': 11,
};
const UNARY: readonly string[] = ['&', '*', '-', '+', '~', '!'] satisfies UnaryOperator[];

export function precedenceOf(operator: BinaryOperator): number {
  return PRECEDENCE[operator];
}

export function isBinary(text: string): text is BinaryOperator {
  return Object.hasOwn(PRECEDENCE, text);
}

export function isUnary(text: string): text is UnaryOperator {
  return UNARY.includes(text);
}
