/**
 * C expressions evaluated on a kernel. A name, a member, `*p` and `a[i]` are places, read when their value is needed;
 * everything computed from them is a number with a C type.
 *
 * Kinder than C where C would refuse and the meaning is plain: `.` works on a pointer and `->` on a structure, a
 * pointer can be masked (`p & ~7`, an unsigned long then), and a string literal compares with a char array or pointer.
 */
import { UsageError } from '../errors.ts';
import { evaluateBuiltin } from './evaluate-builtin.ts';
import { evaluateName, evaluatePerCpu, evaluateVariable, findSymbol } from './evaluate-name.ts';
import type { Evaluation } from './evaluation.ts';
import type { BinaryNode, Expression, MemberNode, UnaryNode } from './expression.ts';
import {
  binaryInteger,
  CHAR,
  literal,
  promote,
  type TypedInteger,
  truth,
  UNSIGNED_LONG,
  unaryInteger,
} from './integer-arithmetic.ts';
import { addToPointer, pointerDifference, sameStrings } from './pointer-arithmetic.ts';
import { isInteger } from './scalar.ts';
import { resolve } from './type.ts';
import { typeName } from './type-name.ts';
import { pointerTo, Value } from './value.ts';

/** The value of a node; places stay unread. Throws UsageError with a column, FaultError. */
export function evaluateNode(node: Expression, evaluation: Evaluation): Value {
  switch (node.kind) {
    case 'number':
      return computed(literal(node.value, node.suffix), evaluation);
    case 'string':
      return stringValue(node.bytes, evaluation);
    case 'name':
      return evaluateName(node, evaluation);
    case 'variable':
      return evaluateVariable(node.name, node.at, evaluation);
    case 'per-cpu':
      return evaluatePerCpu(node, evaluation.cpus.get(node) ?? evaluation.environment.cpu, evaluation);
    case 'member':
      return evaluateMember(node, evaluation);
    case 'index': {
      const object = evaluateNode(node.object, evaluation);
      const index = integerOf(evaluateNode(node.index, evaluation), node.index.at, evaluation);
      return evaluation.at(node.object.at, () => object.index(index.value));
    }
    case 'unary':
      return evaluateUnary(node, evaluation);
    case 'binary':
      return evaluateBinary(node, evaluation);
    case 'conditional': {
      const chosen = isTrue(node.condition, evaluation) ? node.whenTrue : node.whenFalse;
      return evaluateNode(chosen, evaluation);
    }
    case 'cast': {
      const type = evaluation.type(node.type);
      const operand = evaluateNode(node.operand, evaluation);
      return evaluation.at(node.at, () => operand.cast(type));
    }
    default:
      return evaluateBuiltin(node, evaluation, (operand, within) => evaluateNode(operand, within));
  }
}

/** A value as arithmetic has it: ints promoted, pointers and arrays as addresses. Throws UsageError for a structure. */
export function integerOf(value: Value, column: number, evaluation: Evaluation): TypedInteger {
  return evaluation.at(column, () => {
    const decayed = value.decay();
    if (isInteger(decayed.type)) return promote(decayed.toBigInt(), decayed.type, decayed.bits?.size);
    if (resolve(decayed.type).kind === 'float') throw new UsageError('floating point is not computed');
    return { type: UNSIGNED_LONG, value: BigInt.asUintN(64, decayed.toBigInt()) };
  });
}

export function computed(integer: TypedInteger, evaluation: Evaluation): Value {
  return Value.of(evaluation.memory, integer.type, integer.value);
}

function stringValue(bytes: Uint8Array, evaluation: Evaluation): Value {
  const ended = new Uint8Array(bytes.length + 1);
  ended.set(bytes);
  const type = { kind: 'array', element: CHAR, count: ended.length, size: ended.length } as const;
  return new Value(evaluation.memory, type, { kind: 'bytes', bytes: ended, address: undefined }, 'a string');
}

function evaluateMember(node: MemberNode, evaluation: Evaluation): Value {
  const copy = dottedSymbol(node, evaluation);
  if (copy !== undefined) return copy;
  const object = evaluateNode(node.object, evaluation);
  const resolved = resolve(object.type);
  if (isInteger(resolved)) {
    const name = node.object.kind === 'name' ? node.object.name : undefined;
    throw evaluation.error(node.at, `${typeName(object.type)} has no member "${node.name}"`, {
      hint:
        name === undefined
          ? `cast it first: ((struct NAME *)x)->${node.name}`
          : `the type of ${name} is not known; say it: ((struct NAME *)${name})->${node.name}`,
    });
  }
  return evaluation.at(node.at, () => object.member(node.name));
}

/** Compilers name copies and parts of functions `name.cold`, `name.isra.0`: a symbol, unless `name` has such a member. */
function dottedSymbol(node: MemberNode, evaluation: Evaluation): Value | undefined {
  const parts = [node.name];
  let root: Expression = node.object;
  for (; root.kind === 'member'; root = root.object) parts.unshift(root.name);
  if (root.kind !== 'name') return undefined;
  const name = [root.name, ...parts].join('.');
  const { symbols } = evaluation.environment;
  if (symbols?.find(name) === undefined) return undefined;
  const variable = symbols.find(root.name);
  const owner = variable && evaluation.environment.typeOfGlobal(variable.name, variable.module);
  if (owner !== undefined) return undefined;
  return evaluateName({ kind: 'name', name, at: root.at }, evaluation);
}

function evaluateUnary(node: UnaryNode, evaluation: Evaluation): Value {
  const { operator, operand } = node;
  if (operator === '!') return computed(truth(!isTrue(operand, evaluation)), evaluation);
  const value = evaluateNode(operand, evaluation);
  if (operator === '&') return evaluation.at(node.at, () => addressOf(value, operand, evaluation));
  if (operator === '*') return evaluation.at(node.at, () => dereference(value, evaluation));
  return computed(unaryInteger(operator, integerOf(value, operand.at, evaluation)), evaluation);
}

/** `&sym` is an address whether the symbol's type is known or not. */
function addressOf(value: Value, operand: Expression, evaluation: Evaluation): Value {
  if (value.address !== undefined || value.bits !== undefined) return value.addressOf();
  const isSymbol = operand.kind === 'name' && findSymbol(operand.name, evaluation.environment) !== undefined;
  if (isSymbol || operand.kind === 'per-cpu')
    return Value.of(evaluation.memory, pointerTo({ kind: 'void' }), value.toBigInt());
  return value.addressOf();
}

function dereference(value: Value, evaluation: Evaluation): Value {
  const decayed = value.decay();
  const resolved = resolve(decayed.type);
  if (resolved.kind === 'pointer') return evaluation.untouched(decayed.dereference());
  throw new UsageError(`${typeName(value.type)} is not a pointer`, {
    hint: 'cast it first: *(unsigned long *)x',
  });
}

function evaluateBinary(node: BinaryNode, evaluation: Evaluation): Value {
  const { operator, left, right } = node;
  if (operator === '&&' || operator === '||') {
    const first = isTrue(left, evaluation);
    const decided = first === (operator === '||');
    return computed(truth(decided ? first : isTrue(right, evaluation)), evaluation);
  }
  const a = evaluateNode(left, evaluation);
  const b = evaluateNode(right, evaluation);
  if (operator === '==' || operator === '!=') {
    const same = evaluation.at(node.at, () => sameStrings(a, b, node, evaluation));
    if (same !== undefined) return computed(truth(same === (operator === '==')), evaluation);
  }
  return arithmetic(node, a, b, evaluation);
}

/** Everything but `&&` and `||`, on two values: pointers step by what they point to, the rest is integers. */
export function arithmetic(node: BinaryNode, a: Value, b: Value, evaluation: Evaluation): Value {
  const { operator, left, right, at } = node;
  const [first, second] = evaluation.at(at, () => [a.decay(), b.decay()]);
  const isPointer = [first, second].map((value) => resolve(value.type).kind === 'pointer');
  const isSum = operator === '+' || operator === '-';
  if (isSum && isPointer[0] && isPointer[1]) {
    if (operator === '+') throw evaluation.error(at, 'two pointers cannot be added');
    return evaluation.at(at, () => pointerDifference(first, second, evaluation));
  }
  if (isSum && isPointer[0]) {
    const steps = integerOf(second, right.at, evaluation).value;
    return evaluation.at(at, () => addToPointer(first, operator === '+' ? steps : -steps, evaluation));
  }
  if (operator === '+' && isPointer[1]) {
    const steps = integerOf(first, left.at, evaluation).value;
    return evaluation.at(at, () => addToPointer(second, steps, evaluation));
  }
  const x = integerOf(first, left.at, evaluation);
  const y = integerOf(second, right.at, evaluation);
  // All numbers are zero where only the type is asked for, and a divisor is not.
  const divisor = evaluation.typeOnly ? { ...y, value: 1n } : y;
  return computed(
    binaryInteger(operator, x, operator === '/' || operator === '%' ? divisor : y, (message) => {
      throw evaluation.error(at, message);
    }),
    evaluation,
  );
}

export function isTrue(node: Expression, evaluation: Evaluation): boolean {
  return integerOf(evaluateNode(node, evaluation), node.at, evaluation).value !== 0n;
}
