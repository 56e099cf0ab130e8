/**
 * What the words of a declaration mean: tags and typedefs of the text itself, then those of a kernel's type table. It
 * turns the syntax of a type into the type.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import { baseTypeOf } from './base-type.ts';
import { type DeclaredMember, layOut } from './c-layout.ts';
import type { ArrayCount, ConstantSyntax, Declaration, Layer, ParameterSyntax, SpecifierSyntax } from './c-syntax.ts';
import { nearNames } from './near-names.ts';
import { type CType, type EnumType, sizeOf, type TypeNamespace, type TypeTable, VOID } from './type.ts';

/** A tag or typedef that a text declares. */
export interface DeclaredType {
  readonly namespace: TypeNamespace;
  readonly name: string;
  readonly type: CType;
}

export interface TypeNameOptions {
  /** The module whose types are meant first. */
  readonly module?: string;
  /** Takes `task_struct` for `struct task_struct` where no typedef has the name, as crash does. Default true. */
  readonly bareTags?: boolean;
  /** False spares the search for near misses where a missing type is no error. Default true. */
  readonly suggest?: boolean;
}

/** Names that are being declared, before those of the table. */
export class Scope {
  readonly declared: DeclaredType[] = [];
  readonly #table: TypeTable;
  readonly #text: string;
  readonly #options: TypeNameOptions;
  readonly #constants = new Map<string, bigint>();

  constructor(table: TypeTable, text: string, options: TypeNameOptions) {
    this.#table = table;
    this.#text = text;
    this.#options = options;
  }

  declare(namespace: TypeNamespace, name: string, type: CType): void {
    this.declared.push({ namespace, name, type });
  }

  specifier(syntax: SpecifierSyntax): CType {
    return syntax.qualifiers.reduce<CType>(
      (target, qualifier) => ({ kind: 'qualified', qualifier, target }),
      this.#unqualified(syntax),
    );
  }

  parameter(syntax: ParameterSyntax): CType {
    return this.layered(this.specifier(syntax.specifier), syntax.declarator.layers);
  }

  layered(base: CType, layers: readonly Layer[]): CType {
    return layers.reduce<CType>((type, layer) => this.#layer(type, layer), base);
  }

  #layer(target: CType, layer: Layer): CType {
    switch (layer.kind) {
      case 'pointer':
        return layer.qualifiers.reduce<CType>((type, qualifier) => ({ kind: 'qualified', qualifier, target: type }), {
          kind: 'pointer',
          size: 8,
          target,
        });
      case 'array': {
        const count = this.#count(layer.count, layer.column);
        const size = count * sizeOf(target);
        if (!Number.isSafeInteger(size)) throw this.#error('the array is impossibly large', layer.column);
        return { kind: 'array', element: target, count, size };
      }
      case 'function':
        return {
          kind: 'function',
          returns: target,
          parameters: layer.parameters.map((parameter) => ({
            name: parameter.declarator.name,
            type: this.parameter(parameter),
          })),
          variadic: layer.variadic,
        };
    }
  }

  #unqualified(syntax: SpecifierSyntax): CType {
    const { names, column } = syntax;
    switch (names.kind) {
      case 'base':
        return this.#base(names.words, column);
      case 'name':
        return this.#named(names.name, column);
      case 'enum':
        return names.constants === undefined
          ? this.#tagged('enum', names.tag ?? '', column)
          : this.#enum(names.tag, names.constants);
      default:
        return names.members === undefined
          ? this.#tagged(names.kind, names.tag ?? '', column)
          : this.#compound(syntax, names.kind, names.members, names.tag);
    }
  }

  #base(words: readonly string[], column: number): CType {
    if (words.length === 1 && words[0] === 'void') return VOID;
    const base = baseTypeOf(words);
    if (base === undefined) throw this.#error(`"${words.join(' ')}" is not a C type`, column);
    for (const name of base.names) {
      const found = this.#table.find('base', name, 'vmlinux');
      if (found !== undefined) return found;
    }
    return base.type;
  }

  #named(name: string, column: number): CType {
    const namespaces: readonly TypeNamespace[] =
      this.#options.bareTags === false ? ['typedef', 'base'] : ['typedef', 'struct', 'union', 'enum', 'base'];
    for (const namespace of namespaces) {
      const found = this.#find(namespace, name, 'vmlinux');
      if (found !== undefined) return found;
    }
    // Not vmlinux's: only now are the modules asked, once, for every meaning of the name.
    for (const namespace of namespaces) {
      const found = this.#find(namespace, name, this.#options.module);
      if (found !== undefined) return found;
    }
    throw this.#notFound(name, name, column);
  }

  #tagged(kind: 'struct' | 'union' | 'enum', tag: string, column: number): CType {
    const found = this.#find(kind, tag, this.#options.module);
    if (found !== undefined) return found;
    const forward = this.#table.all(kind, tag, this.#options.module).find(({ type }) => type.kind === 'forward');
    if (forward !== undefined) return forward.type;
    throw this.#notFound(`${kind} ${tag}`, tag, column, kind);
  }

  #find(namespace: TypeNamespace, name: string, module: string | undefined): CType | undefined {
    const declared = this.declared.findLast((own) => own.namespace === namespace && own.name === name);
    return declared?.type ?? this.#table.find(namespace, name, module);
  }

  #compound(syntax: SpecifierSyntax, kind: 'struct' | 'union', body: readonly Declaration[], tag?: string): CType {
    // The members are found on demand, so that a struct can hold pointers to itself.
    let laidOut: ReturnType<typeof layOut> | 'being laid out' | undefined;
    const members = (): ReturnType<typeof layOut> => {
      if (laidOut === 'being laid out') throw this.#error(`${kind} ${tag} contains itself`, syntax.column);
      if (laidOut === undefined) {
        laidOut = 'being laid out';
        laidOut = layOut(kind, this.#members(body));
      }
      return laidOut;
    };
    const type: CType = {
      kind,
      name: tag,
      get size() {
        return members().size;
      },
      get members() {
        return members().members;
      },
      module: undefined,
    };
    if (tag !== undefined) this.declare(kind, tag, type);
    // Asked for now, an unknown type is an error of this declaration.
    members();
    return type;
  }

  #members(declarations: readonly Declaration[]): DeclaredMember[] {
    return declarations.flatMap(({ specifier, declarators }): DeclaredMember[] => {
      const base = this.specifier(specifier);
      if (declarators.length === 0) return [{ name: undefined, type: base, bitSize: undefined }];
      return declarators.map((declarator) => ({
        name: declarator.name,
        type: this.layered(base, declarator.layers),
        bitSize: declarator.bitSize,
      }));
    });
  }

  #enum(tag: string | undefined, constants: readonly ConstantSyntax[]): CType {
    let next = 0n;
    const enumerators = constants.map(({ name, value }) => {
      const own = value ?? next;
      next = own + 1n;
      this.#constants.set(name, own);
      return { name, value: own };
    });
    const signed = enumerators.some(({ value }) => value < 0n);
    const wide = enumerators.some(
      ({ value }) => value > (signed ? 0x7fff_ffffn : 0xffff_ffffn) || value < -0x8000_0000n,
    );
    const type: EnumType = { kind: 'enum', name: tag, size: wide ? 8 : 4, signed, enumerators };
    if (tag !== undefined) this.declare('enum', tag, type);
    return type;
  }

  #count(count: ArrayCount, column: number): number {
    if (count === undefined) return 0;
    if (typeof count === 'number') return count;
    const value = this.#constants.get(count) ?? this.#table.enumerator(count, this.#options.module)?.value;
    if (value === undefined) throw this.#error(`"${count}" is not a number or an enumeration constant`, column + 1);
    if (value < 0n || value > 0xffff_ffffn) throw this.#error('an array cannot have so many elements', column + 1);
    return Number(value);
  }

  #notFound(what: string, name: string, column: number, only?: TypeNamespace): NotFoundError {
    const near = this.#options.suggest === false ? [] : nearNames(name, this.#names(only));
    return new NotFoundError('type', what, near, column === 0 ? '' : `(column ${column + 1})`);
  }

  *#names(only: TypeNamespace | undefined): Generator<string> {
    for (const own of this.#table.names()) {
      if (only === undefined || own.namespace === only) yield own.name;
    }
  }

  #error(message: string, column: number): UsageError {
    return new UsageError(message, { source: this.#text, column });
  }
}
