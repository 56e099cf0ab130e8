/**
 * The names of an expression, as the session gives them meaning: the kernel's types, symbols and per-CPU areas, the
 * context's CPU, and the user's variables.
 */
import { KdbgError } from '../errors.ts';
import { cpus } from '../kernel/cpu.ts';
import { namesakeType } from '../kernel/namesake.ts';
import { isPerCpuSymbol, perCpuOffset } from '../kernel/percpu.ts';
import { Fault, type ReadRange } from '../memory/fault.ts';
import type { ExpressionEnvironment } from '../types/expression-environment.ts';
import { typeName } from '../types/type-name.ts';
import { Value, type ValueMemory } from '../types/value.ts';
import type { Scope } from './scope.ts';

/** The environment of one command. Remarks that its answers need are shown among its rows, each once. */
export function environmentOf(scope: Scope): ExpressionEnvironment {
  const told = new Set<string>();
  return environment(scope, (text) => {
    if (!told.has(text) && !scope.notices.includes(text)) scope.notices.push(text);
    told.add(text);
  });
}

/** The environment of an expression that is only being typed: it has nothing to remark. */
export function quietEnvironmentOf(scope: Scope): ExpressionEnvironment {
  return environment(scope, () => undefined);
}

function environment(scope: Scope, notice: (text: string) => void): ExpressionEnvironment {
  const { kernel, shell } = scope;
  return {
    get memory() {
      return valueMemory(scope);
    },
    get types() {
      return kernel.types;
    },
    get symbols() {
      return kernel.symbols;
    },
    get cpus() {
      return cpus(kernel, 'possible');
    },
    get cpu() {
      return scope.context.cpu;
    },
    typeOfGlobal(name, module) {
      const known = kernel.kernelTypes.typeOfGlobal(name, module);
      if (known !== undefined) return known;
      const symbol = kernel.symbols.find(name, module);
      const namesake = symbol && namesakeType(kernel, symbol);
      if (namesake === undefined) return undefined;
      notice(`the type of ${name} is not known: taken as ${typeName(namesake)}, which has its name and its size`);
      return namesake;
    },
    variable(name) {
      const value = shell.variable(name);
      return value instanceof Value ? value : undefined;
    },
    variableNames: () => shell.variableNames(),
    isPerCpu: (symbol) => isPerCpuSymbol(kernel, symbol),
    perCpuOffset: (cpu) => perCpuOffset(kernel, cpu),
    notice,
  };
}

/** Kernel memory for values; on a target without memory every read is a fault that says so. */
export function valueMemory(scope: Scope): ValueMemory {
  const { kernel } = scope;
  if (kernel.hasMemory) return kernel.memory;
  return {
    tryRead(address, length, what) {
      const range: ReadRange = { space: 'virtual', address, length };
      try {
        return kernel.memory.tryRead(address, length, what);
      } catch (error) {
        if (!(error instanceof KdbgError)) throw error;
        return new Fault({ ...range, what }, 'denied', error.message);
      }
    },
  };
}
