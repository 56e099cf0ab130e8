/**
 * Where the members of a struct lie that is only known by its declaration: the x86-64 System V ABI, which the other
 * 64-bit Linux ABIs share for plain members and for bitfields of the usual kind. Type information gives offsets, so
 * this serves only types that the user declares.
 */
import { type CompoundType, type CType, type Member, resolve, sizeOf } from './type.ts';

/** A member as declared: a bitfield of 0 bits and no name ends the storage unit. */
export interface DeclaredMember {
  readonly name: string | undefined;
  readonly type: CType;
  readonly bitSize: number | undefined;
}

/** Nested structs that are looked into for an alignment. */
const DEPTH_MAX = 16;

/** Alignment in bytes. Attributes of a declaration are not known; a packed struct is told by its offsets. */
export function alignOf(type: CType, depth = 0): number {
  const resolved = resolve(type);
  switch (resolved.kind) {
    case 'void':
    case 'function':
    case 'forward':
      return 1;
    case 'array':
      return alignOf(resolved.element, depth);
    case 'struct':
    case 'union':
      return depth < DEPTH_MAX ? alignOfCompound(resolved, depth) : 1;
    default:
      return Math.min(16, Math.max(1, resolved.size));
  }
}

function alignOfCompound(compound: CompoundType, depth: number): number {
  const known = alignments.get(compound);
  if (known !== undefined) return known;
  // A struct within itself occurs in damaged type information only.
  alignments.set(compound, 1);
  let alignment = 1;
  for (const member of compound.members) {
    const own = alignOf(member.type, depth + 1);
    if (member.bitSize === undefined && (member.bitOffset / 8) % own !== 0) {
      alignment = 1;
      break;
    }
    alignment = Math.max(alignment, own);
  }
  while (compound.size % alignment !== 0) alignment /= 2;
  alignments.set(compound, alignment);
  return alignment;
}

const alignments = new WeakMap<CompoundType, number>();

/** Places the members one after the other (a struct) or all at 0 (a union). */
export function layOut(
  kind: 'struct' | 'union',
  declared: readonly DeclaredMember[],
): { readonly members: readonly Member[]; readonly size: number } {
  const members: Member[] = [];
  let alignment = 1;
  let bits = 0;
  let end = 0;
  for (const { name, type, bitSize } of declared) {
    const own = alignOf(type);
    const size = sizeOf(type) * 8;
    if (kind === 'union') bits = 0;
    if (bitSize === undefined) {
      bits = roundUp(bits, own * 8);
    } else if (bitSize === 0 || Math.floor(bits / size) !== Math.floor((bits + bitSize - 1) / size)) {
      // A bitfield does not cross a boundary of its type's size.
      bits = roundUp(bits, size);
    }
    if (name !== undefined || bitSize === undefined) {
      members.push({ name, type, bitOffset: bits, bitSize });
      alignment = Math.max(alignment, own);
    }
    bits += bitSize ?? size;
    end = Math.max(end, bits);
  }
  return { members, size: roundUp(Math.ceil(end / 8), alignment) };
}

function roundUp(value: number, to: number): number {
  return to === 0 ? value : Math.ceil(value / to) * to;
}
