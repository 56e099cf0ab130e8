/**
 * What lies at an offset within a structure: offset 0x18 of a task_struct is `__state`. In a union it is several
 * things at once.
 */
import type { MemberLocation } from './member-path.ts';
import { type CType, type Member, resolve, sizeOf } from './type.ts';

/** The innermost member that covers the offset. */
export interface MemberAt extends MemberLocation {
  /** Bytes from the member's start to the offset asked for. */
  readonly within: number;
}

const DEPTH_MAX = 32;
/** A union in a union multiplies what a byte can be; more than this tells nobody anything. */
const MEMBERS_MAX = 64;

/**
 * The innermost members that cover byte `offset`, in the order of declaration. For padding, the structure that it pads;
 * none beyond the end of the type. The path of the type itself is ''.
 */
export function membersAt(type: CType, offset: number): readonly MemberAt[] {
  const found: MemberAt[] = [];
  if (offset >= 0 && offset < Math.max(1, sizeOf(type))) {
    descend({ path: '', type, offset: 0, bitOffset: 0, bitSize: undefined }, offset, found, 0);
  }
  return found;
}

function descend(location: MemberLocation, offset: number, found: MemberAt[], depth: number): void {
  if (found.length >= MEMBERS_MAX) return;
  const inner = depth < DEPTH_MAX ? innerAt(location, offset) : [];
  if (inner.length === 0) found.push({ ...location, within: offset - location.offset });
  for (const next of inner) descend(next, offset, found, depth + 1);
}

function innerAt(location: MemberLocation, offset: number): readonly MemberLocation[] {
  const type = resolve(location.type);
  if (type.kind === 'array') {
    const length = sizeOf(type.element);
    if (length === 0) return [];
    const index = Math.floor((offset - location.offset) / length);
    const start = location.offset + index * length;
    const path = `${location.path}[${index}]`;
    return [{ path, type: type.element, offset: start, bitOffset: 0, bitSize: undefined }];
  }
  if (type.kind !== 'struct' && type.kind !== 'union') return [];
  return type.members
    .filter((member) => covers(member, offset - location.offset))
    .slice(0, MEMBERS_MAX)
    .map((member) => ({
      path: member.name === undefined ? location.path : join(location.path, member.name),
      type: member.type,
      offset: location.offset + Math.floor(member.bitOffset / 8),
      bitOffset: member.bitSize === undefined ? 0 : member.bitOffset % 8,
      bitSize: member.bitSize,
    }));
}

function covers(member: Member, offset: number): boolean {
  const bits = member.bitSize ?? sizeOf(member.type) * 8;
  return offset >= Math.floor(member.bitOffset / 8) && offset * 8 < member.bitOffset + bits;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
