/**
 * The names of an expression, as the session gives them meaning: the kernel's types, symbols and per-CPU areas, the
 * context's CPU, and the user's variables.
 */
import { KdbgError } from '../errors.ts';
import { cpus } from '../kernel/cpu.ts';
import { isPerCpuSymbol, perCpuOffset } from '../kernel/percpu.ts';
import { Fault, type ReadRange } from '../memory/fault.ts';
import type { ExpressionEnvironment } from '../types/expression-environment.ts';
import { Value, type ValueMemory } from '../types/value.ts';
import type { Scope } from './scope.ts';

/** The environment of one command. `notices` gathers remarks that its answers need. */
export function environmentOf(scope: Scope, notices?: string[]): ExpressionEnvironment {
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
    typeOfGlobal: (name) => kernel.kernelTypes.typeOfGlobal(name),
    variable(name) {
      const value = shell.variable(name);
      return value instanceof Value ? value : undefined;
    },
    variableNames: () => shell.variableNames(),
    isPerCpu: (symbol) => isPerCpuSymbol(kernel, symbol),
    perCpuOffset: (cpu) => perCpuOffset(kernel, cpu),
    notice: (text) => notices?.push(text),
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
