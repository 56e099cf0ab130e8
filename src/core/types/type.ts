/**
 * C types as the kernel's own type information (BTF) describes them. Types are made on demand and shared: a pointer's
 * target, an array's element and a compound's members are looked up only when asked for, so a type graph with cycles
 * (every kernel struct) costs nothing until it is walked.
 *
 * Sizes and offsets are in bytes unless a name says bits.
 */

export type CType =
  | VoidType
  | IntType
  | FloatType
  | PointerType
  | ArrayType
  | CompoundType
  | EnumType
  | TypedefType
  | QualifiedType
  | FunctionType
  | ForwardType;

export interface VoidType {
  readonly kind: 'void';
}

export interface IntType {
  readonly kind: 'int';
  /** As BTF spells it: "unsigned int", "long unsigned int", "_Bool", "char". */
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
  readonly bool: boolean;
}

export interface FloatType {
  readonly kind: 'float';
  readonly name: string;
  readonly size: number;
}

export interface PointerType {
  readonly kind: 'pointer';
  readonly size: 8;
  readonly target: CType;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly element: CType;
  /** 0 for a flexible array member. */
  readonly count: number;
  readonly size: number;
}

/** A struct or a union. */
export interface CompoundType {
  readonly kind: 'struct' | 'union';
  /** Undefined for an anonymous one. */
  readonly name: string | undefined;
  readonly size: number;
  readonly members: readonly Member[];
  /** The module whose BTF defines it; undefined for vmlinux. */
  readonly module: string | undefined;
}

export interface Member {
  /** Undefined for an anonymous struct or union, whose members count as members of the outer one. */
  readonly name: string | undefined;
  readonly type: CType;
  /** Bits from the start of the compound. */
  readonly bitOffset: number;
  /** Bits of a bitfield; undefined for a plain member. */
  readonly bitSize: number | undefined;
}

export interface EnumType {
  readonly kind: 'enum';
  readonly name: string | undefined;
  readonly size: number;
  readonly signed: boolean;
  readonly enumerators: readonly Enumerator[];
}

export interface Enumerator {
  readonly name: string;
  readonly value: bigint;
}

export interface TypedefType {
  readonly kind: 'typedef';
  readonly name: string;
  readonly target: CType;
}

export interface QualifiedType {
  readonly kind: 'qualified';
  /** `type_tag` covers BTF_KIND_TYPE_TAG (__user, __rcu, __percpu); `tag` then holds its text. */
  readonly qualifier: 'const' | 'volatile' | 'restrict' | 'type_tag';
  readonly tag?: string;
  readonly target: CType;
}

/** A function's prototype. */
export interface FunctionType {
  readonly kind: 'function';
  readonly returns: CType;
  readonly parameters: readonly { readonly name: string | undefined; readonly type: CType }[];
  readonly variadic: boolean;
}

/** A struct or union that is only declared. */
export interface ForwardType {
  readonly kind: 'forward';
  readonly name: string;
  readonly union: boolean;
}

/** What a type name can name. */
export type TypeNamespace = 'struct' | 'union' | 'enum' | 'typedef' | 'base';

/**
 * The types of one kernel: vmlinux's and its modules'.
 *
 * A lookup goes through vmlinux and then every module, so a miss reads the type information of all modules. What asks
 * whether this kernel has a type at all, to tell kernels apart, gives `'vmlinux'` as the module and reads nothing more.
 * With a module's name that module comes first, then vmlinux, and no other is looked at.
 */
export interface TypeTable {
  /** The definition with this tag or name; undefined when there is none, or only a declaration (`struct foo;`). */
  find(namespace: TypeNamespace, name: string, module?: string): CType | undefined;
  /** All types with this tag or name; where nothing defines it, its mere declarations. */
  all(
    namespace: TypeNamespace,
    name: string,
    module?: string,
  ): readonly { readonly type: CType; readonly module: string | undefined }[];
  /** The value and type of an enumeration constant (PG_locked, PIDTYPE_PID). */
  enumerator(name: string, module?: string): { readonly value: bigint; readonly type: EnumType } | undefined;
  /** The prototype of a kernel function. */
  function(name: string, module?: string): FunctionType | undefined;
  /** The type of a global that BTF types itself (per-CPU variables mostly). */
  variable(name: string, module?: string): CType | undefined;
  /** Named types, for completion, `whatis -m` and search; lazily, vmlinux first. */
  names(): Iterable<{ readonly namespace: TypeNamespace; readonly name: string; readonly module: string | undefined }>;
  /** Every string of the BTF: names of members, parameters and enumerators are nowhere else. */
  strings(): Iterable<string>;
  /** Where the types come from, for `status`: "/sys/kernel/btf/vmlinux, 56 modules". */
  readonly source: string;
}

/** The type with typedefs and qualifiers taken off. Bounded: a cycle of typedefs is a malformed table. */
export function resolve(type: CType): Exclude<CType, TypedefType | QualifiedType> {
  let current = type;
  for (let depth = 0; depth < 64; depth++) {
    if (current.kind !== 'typedef' && current.kind !== 'qualified') return current;
    current = current.target;
  }
  return VOID;
}

export const VOID: VoidType = { kind: 'void' };

/** sizeof; void and functions have none (gcc says 1; kernel arithmetic on `void *` steps by bytes). */
export function sizeOf(type: CType): number {
  const resolved = resolve(type);
  switch (resolved.kind) {
    case 'void':
    case 'function':
      return 1;
    case 'forward':
      return 0;
    default:
      return resolved.size;
  }
}

/** True for `struct NAME` and `struct NAME *`, through typedefs and qualifiers: what typed pipes ask. */
export function isCompoundNamed(type: CType, name: string): boolean {
  const resolved = resolve(type);
  return (resolved.kind === 'struct' || resolved.kind === 'union') && resolved.name === name;
}
