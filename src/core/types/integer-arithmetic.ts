/**
 * C's integer arithmetic: promotions, the usual conversions, wrapping to the result's size (C11 6.3.1, 6.5).
 *
 * Where C leaves the result undefined, kdbg gives the one that a person means instead of what some compiler does: a
 * signed 32-bit result that does not fit becomes a long, and a shift by the width of the operand or more is done in
 * 64 bits, so `1 << 40` and `4096 * 1048576` are right. An unsuffixed literal is an int, else a long, else an unsigned
 * long; `0xffffffff` is the long 4294967295, where C has an unsigned int that `+ 1` takes to 0.
 */
import type { BinaryOperator, LiteralSuffix } from './expression.ts';
import { isSigned, wrapInteger } from './scalar.ts';
import { type CType, type IntType, resolve } from './type.ts';

export const INT: IntType = { kind: 'int', name: 'int', size: 4, signed: true, bool: false };
export const UNSIGNED_INT: IntType = { kind: 'int', name: 'unsigned int', size: 4, signed: false, bool: false };
export const LONG: IntType = { kind: 'int', name: 'long int', size: 8, signed: true, bool: false };
export const UNSIGNED_LONG: IntType = { kind: 'int', name: 'long unsigned int', size: 8, signed: false, bool: false };
export const CHAR: IntType = { kind: 'int', name: 'char', size: 1, signed: true, bool: false };
const INT128: IntType = { kind: 'int', name: '__int128', size: 16, signed: true, bool: false };
const UNSIGNED_INT128: IntType = { kind: 'int', name: '__int128 unsigned', size: 16, signed: false, bool: false };

/** A number with its type. */
export interface TypedInteger {
  readonly type: IntType;
  readonly value: bigint;
}

/** Ends with the error that an operation has no result, with what is wrong. */
export type Fail = (message: string) => never;

/** A literal as C types it, but for hex ones, which are never made unsigned to fit 32 bits. */
export function literal(value: bigint, suffix: LiteralSuffix): TypedInteger {
  const types = {
    '': [INT, LONG, UNSIGNED_LONG],
    u: [UNSIGNED_INT, UNSIGNED_LONG],
    l: [LONG, UNSIGNED_LONG],
    ul: [UNSIGNED_LONG],
  }[suffix];
  const type = types.find((candidate) => wrapInteger(value, candidate) === value) ?? UNSIGNED_LONG;
  return { type, value: wrapInteger(value, type) };
}

/** An int, bool or enum as arithmetic has it: at least an int. `bits` is the width of a bitfield. */
export function promote(value: bigint, type: CType, bits?: number): TypedInteger {
  const resolved = resolve(type);
  const size = resolved.kind === 'int' || resolved.kind === 'enum' ? resolved.size : 8;
  const signed = isSigned(resolved);
  const width = bits ?? size * 8;
  if (width < 32 || (width === 32 && signed)) return { type: INT, value };
  return { type: integerType(Math.max(width <= 32 ? 4 : 8, size > 8 ? 16 : 0), signed), value };
}

export function binaryInteger(
  operator: BinaryOperator,
  left: TypedInteger,
  right: TypedInteger,
  fail: Fail,
): TypedInteger {
  if (operator === '<<' || operator === '>>') return shift(operator, left, right.value, fail);
  const type = commonType(left.type, right.type);
  const a = wrapInteger(left.value, type);
  const b = wrapInteger(right.value, type);
  switch (operator) {
    case '+':
      return inType(a + b, type);
    case '-':
      return inType(a - b, type);
    case '*':
      return inType(a * b, type);
    case '/':
      return b === 0n ? fail('division by zero') : inType(a / b, type);
    case '%':
      return b === 0n ? fail('division by zero') : inType(a % b, type);
    case '&':
      return inType(a & b, type);
    case '|':
      return inType(a | b, type);
    case '^':
      return inType(a ^ b, type);
    case '==':
      return truth(a === b);
    case '!=':
      return truth(a !== b);
    case '<':
      return truth(a < b);
    case '<=':
      return truth(a <= b);
    case '>':
      return truth(a > b);
    case '>=':
      return truth(a >= b);
    case '&&':
      return truth(a !== 0n && b !== 0n);
    case '||':
      return truth(a !== 0n || b !== 0n);
  }
}

export function unaryInteger(operator: '-' | '+' | '~' | '!', operand: TypedInteger): TypedInteger {
  switch (operator) {
    case '-':
      return inType(-operand.value, operand.type);
    case '~':
      return inType(~operand.value, operand.type);
    case '!':
      return truth(operand.value === 0n);
    default:
      return operand;
  }
}

export function truth(value: boolean): TypedInteger {
  return { type: INT, value: value ? 1n : 0n };
}

function shift(operator: '<<' | '>>', left: TypedInteger, count: bigint, fail: Fail): TypedInteger {
  if (count < 0n) return fail('a shift by a negative count');
  const width = BigInt(left.type.size * 8);
  const type = count >= width && width < 64n ? integerType(8, left.type.signed) : left.type;
  const bits = BigInt(type.size * 8);
  if (operator === '<<') return count >= bits ? { type, value: 0n } : inType(left.value << count, type);
  return inType(left.value >> (count >= bits ? bits : count), type);
}

/** The value in its type; an int that overflows becomes a long. */
function inType(value: bigint, type: IntType): TypedInteger {
  if (type === INT && wrapInteger(value, INT) !== value) return { type: LONG, value: wrapInteger(value, LONG) };
  return { type, value: wrapInteger(value, type) };
}

function commonType(a: IntType, b: IntType): IntType {
  if (a.size !== b.size) return a.size > b.size ? a : b;
  return a.signed ? b : a;
}

function integerType(size: number, signed: boolean): IntType {
  if (size === 16) return signed ? INT128 : UNSIGNED_INT128;
  if (size === 8) return signed ? LONG : UNSIGNED_LONG;
  return signed ? INT : UNSIGNED_INT;
}
