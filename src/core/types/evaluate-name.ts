/**
 * What a bare name in an expression stands for, in this order: a local, a kernel symbol, an enumeration constant,
 * NULL/true/false, and last a hexadecimal address without 0x of at least eight digits, as logs print them.
 *
 * A symbol whose type is known is a variable of that type. Without debuginfo most globals have no known type: such a
 * symbol is its own address, as an unsigned long, so `*(struct foo *)sym` and `sym + 8` work. A per-CPU symbol has a
 * type and no place: its members and its address can be asked for, reading it needs a CPU.
 */

import type { UsageError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import { isTextType } from '../symbols/symbol-table.ts';
import { VMLINUX } from './btf-table.ts';
import type { Evaluation } from './evaluation.ts';
import type { NameNode, PerCpuNode } from './expression.ts';
import type { ExpressionEnvironment } from './expression-environment.ts';
import { INT, UNSIGNED_LONG } from './integer-arithmetic.ts';
import { nearNames } from './near-names.ts';
import { type CType, VOID } from './type.ts';
import { pointerTo, Value, type ValueMemory } from './value.ts';

export function evaluateName(node: NameNode, evaluation: Evaluation): Value {
  const { environment, memory } = evaluation;
  const { name } = node;
  const local = environment.local?.(name);
  if (local !== undefined) return evaluation.untouched(local);
  const symbol = findSymbol(name, environment);
  if (symbol !== undefined) return symbolValue(symbol, node, evaluation);
  const constant = environment.types.enumerator(name);
  if (constant !== undefined) return Value.of(memory, constant.type, constant.value);
  if (name === 'NULL') return Value.of(memory, pointerTo(VOID), 0n);
  if (name === 'true' || name === 'false') return Value.of(memory, INT, name === 'true' ? 1n : 0n);
  if (/^[0-9a-fA-F]{8,15}$/.test(name)) return Value.of(memory, UNSIGNED_LONG, BigInt(`0x${name}`));
  throw unknownName(node, evaluation);
}

/** The symbol that a name means; says so when it is not the only one. */
export function findSymbol(name: string, environment: ExpressionEnvironment): KernelSymbol | undefined {
  const symbol = environment.symbols?.find(name);
  if (symbol === undefined) return undefined;
  const others = (environment.symbols?.all(name) ?? []).filter((other) => other.address !== symbol.address);
  if (others.length > 0) {
    const where = symbol.module === undefined ? '' : ` in ${symbol.module}`;
    environment.notice?.(
      `${others.length + 1} symbols are named ${name}: taking ${formatAddress(symbol.address)}${where}`,
    );
  }
  return symbol;
}

function symbolValue(symbol: KernelSymbol, node: NameNode, evaluation: Evaluation): Value {
  const { environment } = evaluation;
  const type = symbolType(symbol, environment);
  if (environment.isPerCpu(symbol)) {
    if (type === undefined) return Value.of(evaluation.memory, pointerTo(VOID), symbol.address);
    const memory = evaluation.typeOnly ? evaluation.memory : withoutCpu(node, evaluation);
    return Value.at(memory, type, symbol.address, symbol.name);
  }
  if (type === undefined) return Value.of(evaluation.memory, UNSIGNED_LONG, symbol.address);
  return Value.at(evaluation.memory, type, symbol.address, symbol.name);
}

export function symbolType(symbol: KernelSymbol, environment: ExpressionEnvironment): CType | undefined {
  if (isTextType(symbol.type)) return environment.types.function(symbol.name, symbol.module ?? VMLINUX);
  return environment.typeOfGlobal(symbol.name, symbol.module);
}

/** Memory that says why a per-CPU variable cannot be read as it is. */
function withoutCpu(node: NameNode, evaluation: Evaluation): ValueMemory {
  return {
    tryRead: () => {
      throw evaluation.error(node.at, `${node.name} is a per-CPU variable: every CPU has its own`, {
        hint: `name the CPUs: ${node.name}:0, ${node.name}:0-3 or ${node.name}:all`,
      });
    },
  };
}

/** `runqueues:2`, for the CPU of this turn. */
export function evaluatePerCpu(node: PerCpuNode, cpu: number, evaluation: Evaluation): Value {
  const { environment } = evaluation;
  const symbol = findSymbol(node.name.name, environment);
  if (symbol === undefined) throw unknownName(node.name, evaluation);
  if (!environment.isPerCpu(symbol)) {
    throw evaluation.error(node.at, `${symbol.name} is not a per-CPU variable`);
  }
  const address = symbol.address + environment.perCpuOffset(cpu);
  const type = symbolType(symbol, environment);
  if (type === undefined) return Value.of(evaluation.memory, UNSIGNED_LONG, address);
  return Value.at(evaluation.memory, type, address, symbol.name);
}

export function unknownName(node: NameNode, evaluation: Evaluation): UsageError {
  const { symbols, types } = evaluation.environment;
  const { name } = node;
  for (const namespace of ['struct', 'union', 'enum', 'typedef'] as const) {
    if (types.find(namespace, name) === undefined) continue;
    const type = namespace === 'typedef' ? name : `${namespace} ${name}`;
    return evaluation.error(node.at, `${type} is a type, not a value`, {
      hint: `as in sizeof(${type}) or (${type} *)x`,
    });
  }
  if (symbols === undefined) return evaluation.error(node.at, `no symbol "${name}": this target has no symbols`);
  if (symbols.addressesHidden && symbols.all(name).length > 0) {
    return evaluation.error(node.at, `the address of ${name} is hidden by this kernel`, {
      hint: 'as a rule root sees it: "status" says how to become root here',
    });
  }
  const near = symbols.near(name, 5);
  const suggestion = near.length > 0 ? `; did you mean ${near.join(', ')}?` : '';
  return evaluation.error(node.at, `no symbol "${name}"${suggestion}`);
}

/** `$1`, `$task`. */
export function evaluateVariable(name: string, at: number, evaluation: Evaluation): Value {
  const value = evaluation.environment.variable(name);
  if (value !== undefined) return evaluation.untouched(value);
  const near = nearNames(name, evaluation.environment.variableNames?.() ?? []);
  const suggestion = near.length > 0 ? `; did you mean ${near.map((other) => `$${other}`).join(', ')}?` : '';
  throw evaluation.error(at, name === '' ? 'there is no earlier value' : `no variable "$${name}"${suggestion}`);
}
