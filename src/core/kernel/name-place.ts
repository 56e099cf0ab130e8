/**
 * Where the kernel's structures hold names that its users gave: of tasks, machines and files. The names themselves are
 * read elsewhere; this is for whoever has to find every copy.
 */

import { NotFoundError } from '../errors.ts';
import { sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { defineStruct, optional, pointer } from './struct.ts';

/** A char array, with a NUL behind the name where it is shorter. */
export interface NamePlace {
  readonly address: bigint;
  readonly length: number;
}

/** Offsets in struct dentry of a name that it holds itself, which d_name.name then points at. */
export interface DentryName {
  readonly pointer: number;
  readonly name: number;
  readonly size: number;
}

const TaskNamespaces = defineStruct('task_struct', { nsproxy: optional(pointer('nsproxy')) });
const Nsproxy = defineStruct('nsproxy', { uts: optional(pointer('uts_ns')) });

/** task_struct.comm. Throws NotFoundError. */
export function commPlace(kernel: Kernel, task: bigint): NamePlace {
  return placeOf(kernel, 'task_struct', task, 'comm');
}

/** The UTS namespace of a task, which a container has of its own; undefined for a task that is exiting. Throws FaultError. */
export function utsNamespaceOf(kernel: Kernel, task: bigint): bigint | undefined {
  const { nsproxy } = kernel.struct(TaskNamespaces).at(task);
  if (nsproxy === undefined || nsproxy === 0n) return undefined;
  return kernel.struct(Nsproxy).at(nsproxy).uts;
}

/** nodename and domainname of a struct uts_namespace. Throws NotFoundError. */
export function machineNamePlaces(kernel: Kernel, namespace: bigint): readonly NamePlace[] {
  return ['name.nodename', 'name.domainname'].map((path) => placeOf(kernel, 'uts_namespace', namespace, path));
}

/** Throws NotFoundError. */
export function dentryName(kernel: Kernel): DentryName {
  // Renamed by 61bc426d5ec3 "dcache: back inline names with a struct-wrapped array" (v6.14).
  const { offset: name, size } = extentOf(kernel, 'dentry', 'd_shortname', 'd_iname');
  return { pointer: extentOf(kernel, 'dentry', 'd_name.name').offset, name, size };
}

function placeOf(kernel: Kernel, structure: string, address: bigint, path: string): NamePlace {
  const { offset, size } = extentOf(kernel, structure, path);
  return { address: address + BigInt(offset), length: size };
}

/** Of the first of these members that the structure has. */
function extentOf(kernel: Kernel, structure: string, ...paths: readonly string[]): { offset: number; size: number } {
  for (const path of paths) {
    const member = findStructMember(kernel, structure, path);
    if (member !== undefined) return { offset: member.offset, size: sizeOf(member.type) };
  }
  throw new NotFoundError('member', paths.join('" or "'), [], `in struct ${structure}`);
}
