/**
 * The types of one kernel: vmlinux's BTF and, each read when it is first needed, that of its modules. Types of one
 * name in several modules are kept apart.
 *
 * A lookup goes through vmlinux, then the modules. A miss therefore reads the BTF of every module: what asks whether
 * this kernel has a type at all (to tell kernels apart) names the module `vmlinux` and reads nothing more.
 */

import { DataError, UnsupportedError } from '../errors.ts';
import { type Btf, parseBtf } from '../formats/btf.ts';
import { BtfLayer, type NamedType } from './btf-layer.ts';
import { BtfTypes } from './btf-type.ts';
import type { CType, EnumType, FunctionType, TypeNamespace, TypeTable } from './type.ts';

/** Reads the BTF of modules, all of them in one request; undefined for a module that has none. */
export type ModuleBtfReader = (modules: readonly string[]) => readonly (Uint8Array | undefined)[];

/** Names vmlinux where a module's name is wanted. */
export const VMLINUX = 'vmlinux';

interface Module {
  readonly name: string;
  readonly read: ModuleBtfReader;
  /** Undefined until read; null where there is nothing to be had. */
  layer: BtfLayer | null | undefined;
}

export class BtfTable implements TypeTable {
  readonly #path: string;
  readonly #vmlinux: BtfLayer;
  readonly #modules = new Map<string, Module>();
  readonly #declared = new Map<string, CType>();
  readonly #warnings: string[] = [];

  /** Throws DataError for bytes that are not BTF. `path` says where they come from. */
  constructor(vmlinux: Uint8Array, path = '/sys/kernel/btf/vmlinux') {
    this.#path = path;
    this.#vmlinux = new BtfLayer(new BtfTypes(parseBtf(vmlinux)));
    this.#warnings.push(...this.#vmlinux.btf.warnings);
  }

  get source(): string {
    const count = this.#modules.size;
    return count === 0 ? this.#path : `${this.#path}, ${count} module${count === 1 ? '' : 's'}`;
  }

  /** What was found wrong in the BTF that was read so far. */
  get warnings(): readonly string[] {
    return this.#warnings;
  }

  get btf(): Btf {
    return this.#vmlinux.btf;
  }

  /** Names a module whose BTF can be read when it is needed. A module that is already there is replaced. */
  addModule(name: string, read: () => Uint8Array | undefined): void {
    this.addModules([name], () => [read()]);
  }

  /** Names many modules that are read together: one round trip on a remote target. */
  addModules(names: readonly string[], read: ModuleBtfReader): void {
    for (const name of names) this.#modules.set(moduleKey(name), { name, read, layer: undefined });
  }

  /** The modules that have been named, whether read or not. */
  get modules(): readonly string[] {
    return [...this.#modules.values()].map((module) => module.name);
  }

  /** Adds a type that the user declared: it comes before all others. */
  declare(namespace: TypeNamespace, name: string, type: CType): void {
    this.#declared.set(`${namespace} ${name}`, type);
  }

  find(namespace: TypeNamespace, name: string, module?: string): CType | undefined {
    const declared = this.#declared.get(`${namespace} ${name}`);
    if (declared !== undefined) return declared;
    return this.#first(module, (layer) => layer.all(namespace, name).find(({ kind }) => kind !== 'forward'));
  }

  all(
    namespace: TypeNamespace,
    name: string,
    module?: string,
  ): readonly { readonly type: CType; readonly module: string | undefined }[] {
    const declared = this.#declared.get(`${namespace} ${name}`);
    const found: { type: CType; module: string | undefined }[] =
      declared === undefined ? [] : [{ type: declared, module: undefined }];
    for (const layer of this.#layers(module)) {
      for (const type of layer.all(namespace, name)) found.push({ type, module: layer.types.module });
    }
    const definitions = found.filter(({ type }) => type.kind !== 'forward');
    return definitions.length > 0 ? definitions : found;
  }

  enumerator(name: string, module?: string): { readonly value: bigint; readonly type: EnumType } | undefined {
    return this.#first(module, (layer) => layer.enumerator(name));
  }

  function(name: string, module?: string): FunctionType | undefined {
    return this.#first(module, (layer) => layer.function(name));
  }

  variable(name: string, module?: string): CType | undefined {
    return this.#first(module, (layer) => layer.variable(name));
  }

  /** Every type of vmlinux, then of each module; a module is read when the iteration comes to it. */
  *names(): Generator<NamedType> {
    for (const [key, type] of this.#declared) {
      const [namespace, name] = key.split(' ') as [TypeNamespace, string];
      yield { namespace, name, module: undefined, type };
    }
    for (const layer of this.#layers()) yield* layer.named();
  }

  *strings(): Generator<string> {
    for (const layer of this.#layers()) yield* layer.btf.strings.own();
  }

  #first<T>(module: string | undefined, look: (layer: BtfLayer) => T | undefined): T | undefined {
    for (const layer of this.#layers(module)) {
      const found = look(layer);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Where a name is looked for, in order: a module's own types before vmlinux's when it is named. */
  *#layers(module?: string): Generator<BtfLayer> {
    if (module !== undefined && module !== VMLINUX) {
      const named = this.#modules.get(moduleKey(module));
      if (named !== undefined) yield* this.#read([named]);
    }
    yield this.#vmlinux;
    if (module !== undefined) return;
    const modules = [...this.#modules.values()];
    yield* present(modules);
    yield* this.#read(modules.filter(({ layer }) => layer === undefined));
  }

  /** The layers of these modules, after reading those that were not: one request for each reader. */
  #read(modules: readonly Module[]): readonly BtfLayer[] {
    const missing = modules.filter(({ layer }) => layer === undefined);
    for (const read of new Set(missing.map((module) => module.read))) {
      const together = missing.filter((module) => module.read === read);
      const blobs = read(together.map(({ name }) => name));
      for (const [i, module] of together.entries()) module.layer = this.#parse(module.name, blobs[i]);
    }
    return present(modules);
  }

  /** A module's BTF that is damaged costs that module's types, not the session. */
  #parse(name: string, bytes: Uint8Array | undefined): BtfLayer | null {
    if (bytes === undefined) return null;
    try {
      const btf = parseBtf(bytes, { base: this.#vmlinux.btf, name });
      this.#warnings.push(...btf.warnings);
      return new BtfLayer(new BtfTypes(btf, name, this.#vmlinux.types));
    } catch (error) {
      if (!(error instanceof DataError || error instanceof UnsupportedError)) throw error;
      this.#warnings.push(error.message);
      return null;
    }
  }
}

function present(modules: readonly Module[]): readonly BtfLayer[] {
  return modules.map(({ layer }) => layer).filter((layer) => layer !== null && layer !== undefined);
}

/** The kernel writes a module's name with underscores whatever its file is called. */
function moduleKey(name: string): string {
  return name.replaceAll('-', '_');
}
