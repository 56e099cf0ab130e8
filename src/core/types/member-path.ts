/**
 * Paths through C types: `thread.sp`, `pids[1].node`, `se.vruntime`. Members of anonymous structs and unions count as
 * members of the outer one, as in C.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import { type CompoundType, type CType, type Member, resolve, sizeOf } from './type.ts';

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

function walkPath(type: CType, path: string): MemberLocation | NotFoundError {
  let current: CType = type;
  let bits = 0;
  let bitSize: number | undefined;
  for (const step of parsePath(path)) {
    const resolved = resolve(current);
    if (typeof step === 'number') {
      if (resolved.kind !== 'array') return new NotFoundError('member', `[${step}]`, [], `in "${path}": not an array`);
      bits += step * sizeOf(resolved.element) * 8;
      current = resolved.element;
      continue;
    }
    if (resolved.kind !== 'struct' && resolved.kind !== 'union') {
      return new NotFoundError('member', step, [], `in "${path}": not a struct or union`);
    }
    const found = memberNamed(resolved, step, 0);
    if (found === undefined) {
      return new NotFoundError(
        'member',
        step,
        nearMembers(resolved, step),
        `in ${resolved.kind} ${resolved.name ?? ''}`,
      );
    }
    bits += found.bitOffset;
    bitSize = found.member.bitSize;
    current = found.member.type;
  }
  return {
    path,
    type: current,
    offset: Math.floor(bits / 8),
    bitOffset: bitSize === undefined ? 0 : bits % 8,
    bitSize,
  };
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

/** Anonymous members nest a few levels in the kernel; a malformed table could nest them in a cycle. */
const ANONYMOUS_DEPTH_MAX = 16;

/** The member of this name and its place in bits, looked for in anonymous members too. */
export function memberNamed(
  compound: CompoundType,
  name: string,
  depth: number,
): { readonly member: Member; readonly bitOffset: number } | undefined {
  for (const member of compound.members) {
    if (member.name === name) return { member, bitOffset: member.bitOffset };
    if (member.name !== undefined || depth >= ANONYMOUS_DEPTH_MAX) continue;
    const inner = resolve(member.type);
    if (inner.kind !== 'struct' && inner.kind !== 'union') continue;
    const found = memberNamed(inner, name, depth + 1);
    if (found !== undefined) return { member: found.member, bitOffset: member.bitOffset + found.bitOffset };
  }
  return undefined;
}

/** Names of all members, those of anonymous members included: for completion. */
export function memberNames(compound: CompoundType, depth = 0): readonly string[] {
  return compound.members.flatMap((member) => {
    if (member.name !== undefined) return [member.name];
    const inner = resolve(member.type);
    const nested = inner.kind === 'struct' || inner.kind === 'union';
    return nested && depth < ANONYMOUS_DEPTH_MAX ? memberNames(inner, depth + 1) : [];
  });
}

function nearMembers(compound: CompoundType, name: string): readonly string[] {
  const wanted = name.toLowerCase().replaceAll('_', '');
  return memberNames(compound)
    .filter((member) => {
      const candidate = member.toLowerCase().replaceAll('_', '');
      return candidate.includes(wanted) || wanted.includes(candidate);
    })
    .slice(0, 5);
}
