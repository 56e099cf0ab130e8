/**
 * Paths through C types: `thread.sp`, `pids[1].node`, `se.vruntime`. Members of anonymous structs and unions count as
 * members of the outer one, as in C. A path stays within the structure: it does not follow pointers.
 */
import { DataError, NotFoundError, UsageError } from '../errors.ts';
import { nearNames } from './near-names.ts';
import { type CompoundType, type CType, type Member, resolve, sizeOf } from './type.ts';
import { typeName } from './type-name.ts';

/** Where a member is within a structure. */
export interface MemberLocation {
  readonly path: string;
  readonly type: CType;
  /** Bytes from the start of the structure. */
  readonly offset: number;
  /** For a bitfield: bits from `offset` to its lowest bit (0..7), and its width. */
  readonly bitOffset: number;
  readonly bitSize: number | undefined;
}

/** A member and its place in bits from the start of the outermost structure. */
export interface PlacedMember {
  readonly member: Member;
  readonly bitOffset: number;
}

/** Anonymous members nest a few levels in the kernel; a malformed table could nest them in a cycle. */
const ANONYMOUS_DEPTH_MAX = 16;
/** The kernel's widest structure has some thousand members. */
const MEMBERS_MAX = 100_000;

/** The member at this path; undefined when there is none. Throws UsageError for a path that is malformed. */
export function findMember(type: CType, path: string): MemberLocation | undefined {
  const location = walkPath(type, path);
  return location instanceof NotFoundError ? undefined : location;
}

/** As findMember; throws NotFoundError with the nearest member names. */
export function getMember(type: CType, path: string): MemberLocation {
  const location = walkPath(type, path);
  if (location instanceof NotFoundError) throw location;
  return location;
}

/** The member of this name, looked for in anonymous members too. */
export function memberNamed(compound: CompoundType, name: string): PlacedMember | undefined {
  return flattened(compound).get(name);
}

/**
 * Names of all members of a structure, or of the one at a path within it (`thread`, `pids[0]`), those of anonymous
 * members included: for completion. Empty where the path leads to nothing or to what has no members.
 */
export function memberNames(type: CType, path = ''): readonly string[] {
  const target = resolve(path === '' ? type : (findMember(type, path)?.type ?? type));
  if (path !== '' && target === resolve(type)) return [];
  return isCompound(target) ? [...flattened(target).keys()] : [];
}

/**
 * Every named member with its path: those of the structure itself, or with `deep` also those of the structures within
 * it (not of arrays). Throws DataError for a type that contains more than a kernel's can.
 */
export function* walkMembers(type: CType, options: { readonly deep?: boolean } = {}): Generator<MemberLocation> {
  const budget = { left: MEMBERS_MAX };
  yield* within(type, '', 0, options.deep === true ? ANONYMOUS_DEPTH_MAX : 0, budget);
}

function* within(
  type: CType,
  prefix: string,
  bits: number,
  depth: number,
  budget: { left: number },
): Generator<MemberLocation> {
  const resolved = resolve(type);
  if (!isCompound(resolved)) return;
  for (const { member, bitOffset } of flattened(resolved).values()) {
    if (budget.left-- <= 0) throw tooManyMembers(type);
    const location = place(`${prefix}${member.name}`, member.type, bits + bitOffset, member.bitSize);
    yield location;
    if (depth > 0) yield* within(member.type, `${location.path}.`, bits + bitOffset, depth - 1, budget);
  }
}

/** A structure's named members by name, in order. Of a name that occurs twice, which C forbids, the first. */
function flattened(compound: CompoundType): ReadonlyMap<string, PlacedMember> {
  const known = flatMembers.get(compound);
  if (known !== undefined) return known;
  const members = new Map<string, PlacedMember>();
  const budget = { left: MEMBERS_MAX };
  collect(compound, 0, 0, members, budget);
  flatMembers.set(compound, members);
  return members;
}

const flatMembers = new WeakMap<CompoundType, ReadonlyMap<string, PlacedMember>>();

function collect(
  compound: CompoundType,
  bits: number,
  depth: number,
  into: Map<string, PlacedMember>,
  budget: { left: number },
): void {
  for (const member of compound.members) {
    if (budget.left-- <= 0) throw tooManyMembers(compound);
    const bitOffset = bits + member.bitOffset;
    if (member.name !== undefined) {
      if (!into.has(member.name)) into.set(member.name, { member, bitOffset });
      continue;
    }
    const inner = resolve(member.type);
    if (isCompound(inner) && depth < ANONYMOUS_DEPTH_MAX) collect(inner, bitOffset, depth + 1, into, budget);
  }
}

function walkPath(type: CType, path: string): MemberLocation | NotFoundError {
  let current: CType = type;
  let bits = 0;
  let bitSize: number | undefined;
  for (const step of parsePath(path)) {
    const resolved = resolve(current);
    if (typeof step === 'number') {
      if (resolved.kind !== 'array') {
        return new NotFoundError('member', `[${step}]`, [], `in "${path}": ${typeName(current)} is not an array`);
      }
      bits += step * sizeOf(resolved.element) * 8;
      current = resolved.element;
      continue;
    }
    if (!isCompound(resolved)) {
      const why = `in "${path}": ${typeName(current)} is not a struct or union`;
      return new NotFoundError('member', step, [], why);
    }
    const found = memberNamed(resolved, step);
    if (found === undefined) {
      const near = nearNames(step, flattened(resolved).keys());
      return new NotFoundError('member', step, near, `in ${typeName(resolved)}`);
    }
    bits += found.bitOffset;
    bitSize = found.member.bitSize;
    current = found.member.type;
  }
  return place(path, current, bits, bitSize);
}

function place(path: string, type: CType, bits: number, bitSize: number | undefined): MemberLocation {
  return { path, type, offset: Math.floor(bits / 8), bitOffset: bitSize === undefined ? 0 : bits % 8, bitSize };
}

/** `a.b[2].c` as names and indices. */
function parsePath(path: string): readonly (string | number)[] {
  const steps: (string | number)[] = [];
  const token = /([A-Za-z_]\w*)|\[(\d{1,9}|0x[0-9a-fA-F]{1,8})\]|\.|->/gy;
  let wantName = true;
  while (token.lastIndex < path.length) {
    const at = token.lastIndex;
    const match = token.exec(path);
    if (match === null) throw new UsageError(`"${path}" is not a member path`, { source: path, column: at });
    if (match[1] !== undefined && wantName) {
      steps.push(match[1]);
      wantName = false;
    } else if (match[2] !== undefined && (!wantName || steps.length === 0)) {
      steps.push(Number(match[2]));
      wantName = false;
    } else if (match[1] === undefined && match[2] === undefined && !wantName) {
      wantName = true;
    } else {
      throw new UsageError(`"${path}" is not a member path`, { source: path, column: at });
    }
  }
  if (wantName)
    throw new UsageError(`"${path}" ends where a member name is wanted`, { source: path, column: path.length });
  return steps;
}

function isCompound(type: CType): type is CompoundType {
  return type.kind === 'struct' || type.kind === 'union';
}

function tooManyMembers(type: CType): DataError {
  return new DataError(`${typeName(type)} has more than ${MEMBERS_MAX} members: its type information is damaged`);
}
