/**
 * Text where an address is wanted (`rd`, `struct NAME ADDRESS`, `list`), by crash's rules:
 *
 * 1. Hex digits are an address, with or without 0x: `ffff888003a41b40`, `add`. Unlike in crash's `rd`, a word without
 *    0x that is also the name of a symbol is the symbol, and a notice says so.
 * 2. Anything else is a C expression in which a symbol stands for the place and not for what is in it: `jiffies`,
 *    `init_task + 0x10` and `runqueues:0` are addresses of the variables. This holds for the expression itself and
 *    for both sides of its outermost sums; within `*`, `[]`, casts and brackets of builtins names mean what C means.
 * 3. The result: a structure or an array is its address, a pointer where it points, an integer itself. So
 *    `init_task.mm` is the mm and `init_task.tasks` the list head in init_task.
 */
import { formatHex, parseHex } from '../memory/address.ts';
import { parsedOf, turns } from './evaluate.ts';
import { evaluatePerCpu, findSymbol } from './evaluate-name.ts';
import { arithmetic, evaluateNode } from './evaluate-node.ts';
import { Evaluation } from './evaluation.ts';
import type { Expression } from './expression.ts';
import type { ExpressionEnvironment } from './expression-environment.ts';
import { UNSIGNED_LONG } from './integer-arithmetic.ts';
import { isScalar } from './scalar.ts';
import { resolve } from './type.ts';
import { typeName } from './type-name.ts';
import { Value } from './value.ts';

/** An address, with the CPU it is of when a per-CPU suffix says one. */
export interface EvaluatedAddress {
  readonly cpu: number | undefined;
  readonly address: bigint;
}

/** The one address that a text means. Throws UsageError with the column, FaultError. */
export function evaluateAddress(text: string, environment: ExpressionEnvironment): bigint {
  const [first, second] = evaluateAddresses(text, environment);
  if (first !== undefined && second === undefined) return first.address;
  throw new Evaluation(text, environment).error(0, 'several CPUs are named; one address is wanted here');
}

/** All addresses that a text means: one, or one for each CPU that it names. */
export function evaluateAddresses(text: string, environment: ExpressionEnvironment): readonly EvaluatedAddress[] {
  const hex = bareHex(text, environment);
  if (hex !== undefined) return [{ cpu: undefined, address: hex }];
  const { source, root } = parsedOf(text, environment);
  return turns(root, source, environment).map(({ cpu, cpus }) => {
    const evaluation = new Evaluation(source, environment, { cpus });
    const place = evaluatePlace(root, evaluation);
    return { cpu, address: evaluation.at(root.at, () => addressIn(place, root, evaluation)) };
  });
}

/** A word of hex digits, unless a symbol has that name. */
function bareHex(text: string, environment: ExpressionEnvironment): bigint | undefined {
  const word = text.trim();
  const hex = parseHex(word);
  if (hex === undefined || !/^[A-Za-z_]/.test(word)) return hex;
  const symbol = findSymbol(word, environment);
  if (symbol === undefined) return hex;
  environment.notice?.(`${word} is taken as the symbol; as an address it is written ${formatHex(hex)}`);
  return undefined;
}

/** A node where names are places: the outermost ones and those of sums. */
function evaluatePlace(node: Expression, evaluation: Evaluation): Value {
  const { environment, memory } = evaluation;
  if (node.kind === 'binary' && (node.operator === '+' || node.operator === '-')) {
    const left = evaluatePlace(node.left, evaluation);
    return arithmetic(node, left, evaluatePlace(node.right, evaluation), evaluation);
  }
  if (node.kind === 'per-cpu') {
    const value = evaluatePerCpu(node, evaluation.cpus.get(node) ?? environment.cpu, evaluation);
    return value.address === undefined ? value : Value.of(memory, UNSIGNED_LONG, value.address);
  }
  if (node.kind === 'name' && environment.local?.(node.name) === undefined) {
    const symbol = findSymbol(node.name, environment);
    if (symbol !== undefined && environment.isPerCpu(symbol)) {
      throw evaluation.error(node.at, `${node.name} is a per-CPU variable: every CPU has its own`, {
        hint: `name the CPUs: ${node.name}:0 or ${node.name}:all`,
      });
    }
    if (symbol !== undefined) return Value.of(memory, UNSIGNED_LONG, symbol.address);
  }
  const value = evaluateNode(node, evaluation);
  const { kind } = resolve(value.type);
  const isAggregate = kind === 'struct' || kind === 'union' || kind === 'array' || kind === 'function';
  return isAggregate && value.address !== undefined ? Value.of(memory, UNSIGNED_LONG, value.address) : value;
}

function addressIn(value: Value, root: Expression, evaluation: Evaluation): bigint {
  if (isScalar(value.type)) return BigInt.asUintN(64, value.toBigInt());
  throw evaluation.error(root.at, `${typeName(value.type)} is not an address`);
}
