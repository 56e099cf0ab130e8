/**
 * Finds structures by what they are made of, as crash's `whatis -m` and `-r` do: which have a member of this type or
 * name, in themselves or in a structure within them, and which are of this size.
 */
import { type CompoundType, type CType, resolve, type TypeNamespace, type TypeTable } from './type.ts';
import { typeName } from './type-name.ts';

export interface TypeQuery {
  /** A part of the name of a member's type, or of the type that it points to or is an array of: `mm_struct`. */
  readonly memberType?: string;
  /** A member's whole name. */
  readonly memberName?: string;
  /** Sizes in bytes, both included. */
  readonly size?: { readonly low: number; readonly high: number };
}

export interface FoundType {
  readonly namespace: TypeNamespace;
  readonly name: string;
  readonly size: number;
  readonly module: string | undefined;
  readonly type: CType;
}

/**
 * The structs and unions with a tag, and the typedefs of those without, that fit the query, in the order of the table.
 * It looks at every type of the kernel, so the modules' are read.
 */
export function* searchTypes(table: TypeTable, query: TypeQuery): Generator<FoundType> {
  const search = new MemberSearch(query);
  for (const { namespace, name, module } of table.names()) {
    if (namespace !== 'struct' && namespace !== 'union' && namespace !== 'typedef') continue;
    const type = table.find(namespace, name, module ?? 'vmlinux');
    const compound = type === undefined ? undefined : resolve(type);
    if (compound?.kind !== 'struct' && compound?.kind !== 'union') continue;
    if (namespace === 'typedef' && compound.name !== undefined) continue;
    const { size } = compound;
    if (query.size !== undefined && (size < query.size.low || size > query.size.high)) continue;
    if (type !== undefined && search.matches(compound)) yield { namespace, name, size, module, type };
  }
}

/** Structures nest a few levels; a table that was made up could nest them without end. */
const DEPTH_MAX = 32;

class MemberSearch {
  readonly #query: TypeQuery;
  /** What came out for each structure; false while it is looked at, for a structure within itself. */
  readonly #known = new Map<CompoundType, boolean>();

  constructor(query: TypeQuery) {
    this.#query = query;
  }

  matches(compound: CompoundType, depth = 0): boolean {
    const { memberName, memberType } = this.#query;
    if (memberName === undefined && memberType === undefined) return true;
    const known = this.#known.get(compound);
    if (known !== undefined || depth > DEPTH_MAX) return known ?? false;
    this.#known.set(compound, false);
    const found = compound.members.some((member) => {
      const nameFits = memberName === undefined || member.name === memberName;
      const typeFits = memberType === undefined || typeHas(member.type, memberType);
      if (nameFits && typeFits) return true;
      const inner = resolve(elementOf(member.type));
      return (inner.kind === 'struct' || inner.kind === 'union') && this.matches(inner, depth + 1);
    });
    this.#known.set(compound, found);
    return found;
  }
}

/** True when the type, or what it points to or holds, has the text in its name. */
function typeHas(type: CType, text: string): boolean {
  let current = elementOf(type);
  for (let i = 0; i < DEPTH_MAX; i++) {
    if (current.kind === 'typedef' && current.name.includes(text)) return true;
    if (current.kind === 'pointer' || current.kind === 'qualified' || current.kind === 'typedef')
      current = current.target;
    else if (current.kind === 'array') current = current.element;
    else return current.kind !== 'function' && typeName(current).includes(text);
  }
  return false;
}

function elementOf(type: CType): CType {
  let current = type;
  for (let i = 0; i < DEPTH_MAX; i++) {
    const resolved = resolve(current);
    if (resolved.kind !== 'array') return current;
    current = resolved.element;
  }
  return current;
}
