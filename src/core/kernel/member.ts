/** Where members are, for the noun files that need an offset and no declared structure. */
import { NotFoundError } from '../errors.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { findMember, type MemberLocation } from '../types/member-path.ts';
import { type CType, sizeOf } from '../types/type.ts';
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

/**
 * The member's place and type; undefined when vmlinux has neither the structure nor the member. It asks what this kernel
 * has, so it does not look through the modules: a miss would read the BTF of all of them.
 */
export function findStructMember(kernel: Kernel, structure: string, path: string): MemberLocation | undefined {
  const type = structureIn(kernel, structure, VMLINUX);
  return type === undefined ? undefined : findMember(type, path);
}

function structureType(kernel: Kernel, structure: string): CType {
  const type = structureIn(kernel, structure, VMLINUX) ?? structureIn(kernel, structure);
  if (type === undefined) throw new NotFoundError('type', `struct ${structure}`);
  return type;
}

function structureIn(kernel: Kernel, structure: string, module?: string): CType | undefined {
  return kernel.types.find('struct', structure, module) ?? kernel.types.find('union', structure, module);
}
