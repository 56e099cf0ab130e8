/**
 * The builtins of expressions: sizeof, offsetof, container_of, per_cpu and per_cpu_ptr, as the kernel's macros of
 * these names.
 */
import { UsageError } from '../errors.ts';
import { formatRanges } from './cpu-list.ts';
import { findSymbol } from './evaluate-name.ts';
import type { Evaluation } from './evaluation.ts';
import type {
  ContainerOfNode,
  Expression,
  OffsetofNode,
  PerCpuBuiltinNode,
  SizeofNode,
  TypeText,
} from './expression.ts';
import { UNSIGNED_LONG } from './integer-arithmetic.ts';
import { getMember } from './member-path.ts';
import { type CType, resolve, sizeOf } from './type.ts';
import { typeName } from './type-name.ts';
import { pointerTo, Value } from './value.ts';

export type Builtin = SizeofNode | OffsetofNode | ContainerOfNode | PerCpuBuiltinNode;
type Evaluate = (node: Expression, evaluation: Evaluation) => Value;

export function evaluateBuiltin(node: Builtin, evaluation: Evaluation, evaluate: Evaluate): Value {
  switch (node.kind) {
    case 'sizeof':
      return Value.of(evaluation.memory, UNSIGNED_LONG, BigInt(sizeOfOperand(node, evaluation, evaluate)));
    case 'offsetof':
      return Value.of(evaluation.memory, UNSIGNED_LONG, BigInt(offsetOf(node.type, node.path, evaluation)));
    case 'container-of': {
      const pointer = evaluation.at(node.pointer.at, () => pointerValue(evaluate(node.pointer, evaluation)));
      const start = pointer - BigInt(offsetOf(node.type, node.path, evaluation));
      return Value.of(evaluation.memory, pointerTo(evaluation.type(node.type)), start);
    }
    case 'per_cpu':
    case 'per_cpu_ptr':
      return perCpu(node, evaluation, evaluate);
  }
}

function sizeOfOperand(node: SizeofNode, evaluation: Evaluation, evaluate: Evaluate): number {
  if (node.type !== undefined) return completeSize(evaluation.type(node.type), node.type.at, evaluation);
  const operand = node.operand as Expression;
  // `sizeof(task_struct)`: a struct may be named without its keyword where no symbol has the name.
  if (operand.kind === 'name' && findSymbol(operand.name, evaluation.environment) === undefined) {
    const { types, local } = evaluation.environment;
    const type = local?.(operand.name)?.type ?? types.find('struct', operand.name) ?? types.find('union', operand.name);
    if (type !== undefined) return completeSize(type, operand.at, evaluation);
  }
  const value = evaluate(operand, evaluation.forType());
  if (value.bits !== undefined) throw evaluation.error(operand.at, 'a bitfield has no size');
  return completeSize(value.type, operand.at, evaluation);
}

function completeSize(type: CType, column: number, evaluation: Evaluation): number {
  if (resolve(type).kind !== 'forward') return sizeOf(type);
  throw evaluation.error(column, `${typeName(type)} is only declared in this kernel: its size is not known`);
}

function offsetOf(type: TypeText, path: TypeText, evaluation: Evaluation): number {
  const owner = evaluation.type(type);
  const member = evaluation.at(path.at, () => getMember(owner, path.text));
  if (member.bitSize !== undefined) throw evaluation.error(path.at, `${path.text} is a bitfield: it has no offset`);
  return member.offset;
}

/** A pointer or an address; a structure is refused, its address must be asked for. */
function pointerValue(value: Value): bigint {
  const { kind } = resolve(value.type);
  if (kind === 'struct' || kind === 'union') {
    throw new UsageError(`${typeName(value.type)} is not a pointer`, { hint: 'take its address with &' });
  }
  return value.decay().toBigInt();
}

function perCpu(node: PerCpuBuiltinNode, evaluation: Evaluation, evaluate: Evaluate): Value {
  const { environment } = evaluation;
  const cpu = evaluation.at(node.cpu.at, () => evaluate(node.cpu, evaluation).toBigInt());
  if (!environment.cpus.includes(Number(cpu)) && !evaluation.typeOnly) {
    throw evaluation.error(node.cpu.at, `no CPU ${cpu}: there are ${formatRanges(environment.cpus)}`);
  }
  const offset = evaluation.typeOnly ? 0n : environment.perCpuOffset(Number(cpu));
  // The operand is looked at for its type and address only: reading it needs a CPU.
  const operand = evaluate(node.operand, evaluation);
  return evaluation.at(node.operand.at, () => {
    if (node.kind === 'per_cpu_ptr') {
      const pointer = operand.decay();
      if (resolve(pointer.type).kind !== 'pointer') {
        throw new UsageError(`${typeName(operand.type)} is not a pointer`, { hint: 'per_cpu(variable, cpu)' });
      }
      return Value.of(evaluation.memory, pointer.type, pointer.toBigInt() + offset);
    }
    if (operand.address === undefined) throw new UsageError('not a variable', { hint: 'per_cpu_ptr(pointer, cpu)' });
    return Value.at(evaluation.memory, operand.type, operand.address + offset, operand.what);
  });
}
