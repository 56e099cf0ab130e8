/**
 * Global variables by name, typed by BTF, by the user or by the seed table: for the noun files that need one integer of
 * a kernel and no structure of it.
 */
import { findMember, type MemberLocation } from '../types/member-path.ts';
import { type CType, resolve, sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';

/** A global, or a member of one. */
export interface GlobalPlace {
  readonly address: bigint;
  readonly type: CType;
}

/** Where a global, or the member of it at `path`, is; undefined where this kernel has none or its type is unknown. */
export function findGlobal(kernel: Kernel, name: string, path?: string): GlobalPlace | undefined {
  const address = kernel.addressOf(name);
  const type = address === undefined ? undefined : kernel.kernelTypes.typeOfGlobal(name);
  if (address === undefined || type === undefined) return undefined;
  if (path === undefined) return { address, type };
  const member: MemberLocation | undefined = findMember(type, path);
  return member && { address: address + BigInt(member.offset), type: member.type };
}

/** The integer there (with its sign), or of a structure around one (atomic_t). Throws FaultError. */
export function readGlobalInteger(kernel: Kernel, name: string, path?: string): bigint | undefined {
  const place = findGlobal(kernel, name, path);
  if (place === undefined) return undefined;
  const type = resolve(place.type);
  const what = path === undefined ? name : `${name}.${path}`;
  const size = Math.min(sizeOf(type), 8);
  const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed;
  const bytes = kernel.memory.read(place.address, size, what);
  let value = 0n;
  for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return signed ? BigInt.asIntN(size * 8, value) : value;
}
