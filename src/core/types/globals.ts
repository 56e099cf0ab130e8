/**
 * Types of global variables: those that the user declared, those that BTF gives (per-CPU variables), and those of the
 * seed table. `p init_task.comm` works on a kernel that says of `init_task` only where it is.
 *
 * A seed is knowledge from outside of this kernel and could be wrong, so `GLOBAL_CHECKS` says what must hold in memory
 * if some of them are right.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import { parseDeclarations } from './c-declaration.ts';
import { parseDeclarationSyntax } from './c-parser.ts';
import { GLOBAL_SEEDS } from './global-seeds.ts';
import type { CType, TypeNamespace, TypeTable } from './type.ts';

export interface GlobalType {
  readonly type: CType;
  /** Who says so: the user, the kernel's BTF, or the seed table. */
  readonly from: 'user' | 'btf' | 'seed';
}

/** A type table that takes types of the user's. */
export interface DeclarableTypeTable extends TypeTable {
  declare(namespace: TypeNamespace, name: string, type: CType): void;
}

/** The types of a table's globals. */
export function createGlobals(table: DeclarableTypeTable): Globals {
  return new Globals(table);
}

export class Globals {
  readonly #table: DeclarableTypeTable;
  readonly #declared = new Map<string, CType>();
  /** What the seeds came to for each name that was asked for. */
  readonly #seeded = new Map<string, CType | undefined>();

  constructor(table: DeclarableTypeTable) {
    this.#table = table;
  }

  /** The type of a global; undefined when nothing tells it. */
  typeOf(name: string, module?: string): CType | undefined {
    return this.find(name, module)?.type;
  }

  /**
   * The type of a global and who says so. `module` is the one that the symbol belongs to: its types are
   * meant by a name that vmlinux has as well.
   */
  find(name: string, module = 'vmlinux'): GlobalType | undefined {
    const declared = this.#declared.get(name);
    if (declared !== undefined) return { type: declared, from: 'user' };
    const known = this.#table.variable(name, module);
    if (known !== undefined) return { type: known, from: 'btf' };
    const seeded = this.#seed(name, module);
    return seeded && { type: seeded, from: 'seed' };
  }

  /**
   * Takes C declarations of variables, structs, enums and typedefs: `struct foo { int a; }; struct foo my_foo;`. Gives
   * the names that it declared. A later declaration of a name replaces an earlier one. Throws UsageError for what does
   * not parse, with the column, and NotFoundError for a type that does not exist.
   */
  declare(text: string): readonly string[] {
    const { variables, types } = parseDeclarations(text, this.#table);
    for (const { namespace, name, type } of types) this.#table.declare(namespace, name, type);
    for (const { name, type } of variables) this.#declared.set(name, type);
    return [...types, ...variables].map(({ name }) => name);
  }

  /** Names that a type can be told for without asking BTF: for completion and for `status`. */
  names(): readonly string[] {
    return [...new Set([...this.#declared.keys(), ...seedsByName().keys()])];
  }

  #seed(name: string, module: string): CType | undefined {
    const key = `${module} ${name}`;
    if (!this.#seeded.has(key)) {
      const seeds = seedsByName().get(name) ?? [];
      const types = seeds.map((seed) => typeFromSeed(seed, name, this.#table, module));
      this.#seeded.set(
        key,
        types.find((type) => type !== undefined),
      );
    }
    return this.#seeded.get(key);
  }
}

/** Undefined where this kernel lacks a type or a constant that the seed is made of: it is another kernel's. */
function typeFromSeed(seed: string, name: string, table: TypeTable, module: string): CType | undefined {
  try {
    const { variables } = parseDeclarations(seed, table, { module, bareTags: false, suggest: false });
    return variables.find((variable) => variable.name === name)?.type;
  } catch (error) {
    if (error instanceof NotFoundError || error instanceof UsageError) return undefined;
    throw error;
  }
}

let seeds: ReadonlyMap<string, readonly string[]> | undefined;

/** The seed lines that declare each name, parsed once. */
function seedsByName(): ReadonlyMap<string, readonly string[]> {
  if (seeds !== undefined) return seeds;
  const byName = new Map<string, string[]>();
  for (const seed of GLOBAL_SEEDS) {
    for (const { declarators } of parseDeclarationSyntax(seed)) {
      for (const { name = '' } of declarators) byName.set(name, [...(byName.get(name) ?? []), seed]);
    }
  }
  seeds = byName;
  return byName;
}
