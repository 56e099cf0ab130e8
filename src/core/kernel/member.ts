/** Where members are, for the noun files that need an offset and no declared structure. */
import { NotFoundError } from '../errors.ts';
import { findMember, type MemberLocation } from '../types/member-path.ts';
import { sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';

/** A member's offset in bytes, and the size of the structure that holds it. */
export interface MemberOffset {
  readonly offset: number;
  readonly size: number;
}

/**
 * Offset of the first of these members that the structure has: the names that kernels gave it, newest first. Throws
 * NotFoundError for a structure or a member that this kernel has not.
 */
export function memberOffset(kernel: Kernel, structure: string, member: string | readonly string[]): MemberOffset {
  const paths = typeof member === 'string' ? [member] : member;
  const type = structureType(kernel, structure);
  for (const path of paths) {
    const location = findMember(type, path);
    if (location !== undefined) return { offset: location.offset, size: sizeOf(type) };
  }
  throw new NotFoundError('member', paths.join('" or "'), [], `in struct ${structure}`);
}

/** The member's place and type; undefined when the kernel has neither the structure nor the member. */
export function findStructMember(kernel: Kernel, structure: string, path: string): MemberLocation | undefined {
  const type = kernel.types.find('struct', structure) ?? kernel.types.find('union', structure);
  return type === undefined ? undefined : findMember(type, path);
}

function structureType(kernel: Kernel, structure: string) {
  const type = kernel.types.find('struct', structure) ?? kernel.types.find('union', structure);
  if (type === undefined) throw new NotFoundError('type', `struct ${structure}`);
  return type;
}
