/**
 * What the names of an expression mean: the target's types, symbols and memory, its CPUs, and the user's variables.
 * Parts are asked for when they are needed, so `sizeof(struct page)` works where there is no memory.
 */
import type { KernelSymbol, SymbolTable } from '../symbols/symbol-table.ts';
import type { CType, TypeTable } from './type.ts';
import type { Value, ValueMemory } from './value.ts';

export interface ExpressionEnvironment {
  readonly memory: ValueMemory;
  readonly types: TypeTable;
  /** Absent where the target has none. */
  readonly symbols?: SymbolTable;
  /** The type of a global variable of vmlinux or of a module, from BTF or from the table of declarations. */
  typeOfGlobal(name: string, module?: string): CType | undefined;
  /** `$name` and `$1`: a value that was kept; undefined when there is none. */
  variable(name: string): Value | undefined;
  /** Names of the variables, for completion and near misses. */
  variableNames?(): Iterable<string>;
  /** Names that come before symbols: members of the row that a filter looks at, locals of a frame. */
  local?(name: string): Value | undefined;
  /** CPUs that have per-CPU areas, in order. */
  readonly cpus: readonly number[];
  /** The CPU that `runqueues:` means. */
  readonly cpu: number;
  /** True for a symbol that stands for a per-CPU variable: its address is an offset or the initial copy. */
  isPerCpu(symbol: KernelSymbol): boolean;
  /** What is added to a per-CPU address to have the one of a CPU: `__per_cpu_offset[cpu]`. */
  perCpuOffset(cpu: number): bigint;
  /** Told when an answer needs a remark: a name that several symbols have. */
  notice?(text: string): void;
}
