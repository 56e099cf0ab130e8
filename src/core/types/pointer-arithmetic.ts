/**
 * Pointers in expressions: steps of the size of what they point to (1 for void and functions, as gcc has it), their
 * distance, and strings compared by what they say.
 */
import { UsageError } from '../errors.ts';
import { decodeText } from '../memory/text.ts';
import type { Evaluation } from './evaluation.ts';
import type { BinaryNode } from './expression.ts';
import { LONG } from './integer-arithmetic.ts';
import { type CType, resolve, sizeOf } from './type.ts';
import { typeName } from './type-name.ts';
import { Value } from './value.ts';

/** `p + n`, of the pointer's own type. */
export function addToPointer(pointer: Value, steps: bigint, evaluation: Evaluation): Value {
  const address = pointer.toBigInt() + steps * BigInt(stepOf(pointer.type));
  return Value.of(evaluation.memory, pointer.type, address);
}

/** `p - q` in elements. Throws UsageError when they point to things of different sizes. */
export function pointerDifference(a: Value, b: Value, evaluation: Evaluation): Value {
  const step = stepOf(a.type);
  if (step !== stepOf(b.type)) {
    throw new UsageError(`${typeName(a.type)} and ${typeName(b.type)} have no distance`, {
      hint: 'cast both to unsigned long for a distance in bytes',
    });
  }
  const bytes = BigInt.asIntN(64, a.toBigInt() - b.toBigInt());
  return Value.of(evaluation.memory, LONG, bytes / BigInt(step));
}

/** For `==` with a string literal: whether a char array or pointer says the same. Undefined without a literal. */
export function sameStrings(a: Value, b: Value, node: BinaryNode, evaluation: Evaluation): boolean | undefined {
  if (node.left.kind !== 'string' && node.right.kind !== 'string') return undefined;
  const texts = [a, b].map((value, i) => {
    const side = i === 0 ? node.left : node.right;
    return side.kind === 'string' ? decodeText(side.bytes) : evaluation.at(side.at, () => value.string());
  });
  return texts[0] === texts[1];
}

function stepOf(pointer: CType): number {
  const resolved = resolve(pointer);
  const target = resolved.kind === 'pointer' ? resolved.target : resolved;
  if (resolve(target).kind === 'forward') {
    throw new UsageError(`${typeName(target)} is only declared in this kernel: its size is not known`);
  }
  return Math.max(1, sizeOf(target));
}
