/**
 * The names that a person may look for on a target, as the engine hands them to the search: symbols without twins and
 * bookkeeping, and types by their tags.
 */
import { CancelledError, KdbgError } from '../core/errors.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import { fuzzyNames } from '../core/symbols/fuzzy-search.ts';
import { type PackedNames, packNames, shared } from '../core/symbols/packed-names.ts';
import type { SymbolTable } from '../core/symbols/symbol-table.ts';
import type { TypeNamespace } from '../core/types/type.ts';

export interface SymbolNames {
  readonly names: PackedNames;
  /** nm letters as character codes. */
  readonly types: Uint8Array;
  readonly addresses: BigUint64Array;
  /** 0 for vmlinux, otherwise 1 + an index of `moduleNames`. */
  readonly modules: Uint16Array;
  readonly moduleNames: readonly string[];
}

export interface TypeNames {
  readonly names: PackedNames;
  /** Indexes of NAMESPACES. */
  readonly namespaces: Uint8Array;
}

export const NAMESPACES: readonly TypeNamespace[] = ['struct', 'union', 'enum', 'typedef'];

export interface TargetNames {
  /** Which names these are: another number when a module came or went. */
  readonly generation: number;
  /** Undefined where the target gives none, or when they are those of the generation that was named. */
  readonly symbols: SymbolNames | undefined;
  readonly types: TypeNames | undefined;
}

const generations = new WeakMap<SymbolTable, number>();
let lastGeneration = 0;

/** The names, unless they are those of the generation `known`. A target that lacks symbols or types gives fewer. */
export function targetNames(kernel: Kernel, known: number): TargetNames {
  try {
    return newNames(kernel, known);
  } catch (error) {
    // Something else was more urgent than to read them: whoever asks again gets them.
    if (error instanceof CancelledError) return { generation: known, symbols: undefined, types: undefined };
    throw error;
  }
}

function newNames(kernel: Kernel, known: number): TargetNames {
  const table = attempt(() => kernel.symbols);
  const generation = table === undefined ? 1 : generationOf(table);
  if (generation === known) return { generation, symbols: undefined, types: undefined };
  return {
    generation,
    symbols: table === undefined ? undefined : symbolNames(table),
    types: attempt(() => typeNames(kernel)),
  };
}

function generationOf(table: SymbolTable): number {
  const known = generations.get(table);
  if (known !== undefined) return known;
  // 0 is nobody's, 1 that of a target without symbols.
  lastGeneration = Math.max(lastGeneration, 1) + 1;
  generations.set(table, lastGeneration);
  return lastGeneration;
}

function symbolNames(table: SymbolTable): SymbolNames {
  const { names, types, addresses, modules } = fuzzyNames(table);
  return {
    names: packNames(names),
    types: shared(types),
    addresses: shared(addresses),
    modules: shared(modules),
    moduleNames: table.modules,
  };
}

/** The types of vmlinux: those of modules would have to be read for it, which a remote target takes long for. */
function typeNames(kernel: Kernel): TypeNames {
  const names: string[] = [];
  const namespaces: number[] = [];
  for (const { namespace, name, module } of kernel.types.names()) {
    if (module !== undefined) break;
    const number = NAMESPACES.indexOf(namespace);
    // `int` and its kind are no tags.
    if (number < 0) continue;
    names.push(name);
    namespaces.push(number);
  }
  return { names: packNames(names), namespaces: shared(Uint8Array.from(namespaces)) };
}

/** What a target cannot give is not searched; the commands that need it say why. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KdbgError) || error instanceof CancelledError) throw error;
    return undefined;
  }
}
