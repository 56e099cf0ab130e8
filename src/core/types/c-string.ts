/**
 * C strings in memory, read in pieces that end with a page: the string may end just before one that cannot be read.
 */
import { PAGE_SIZE } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { isCharacter } from './scalar.ts';
import { type CType, resolve } from './type.ts';
import type { ValueMemory } from './value-memory.ts';

const PIECE = 256;

/** A string's bytes without its NUL. */
export interface StringBytes {
  readonly bytes: Uint8Array;
  /** False when `max` bytes came without a NUL. */
  readonly ended: boolean;
  /** Why the rest could not be read. */
  readonly fault: Fault | undefined;
}

/** The bytes up to a NUL, at most `max`. */
export function readStringBytes(memory: ValueMemory, address: bigint, max: number, what: string): StringBytes {
  const bytes: number[] = [];
  while (bytes.length < max) {
    const at = address + BigInt(bytes.length);
    const toPageEnd = PAGE_SIZE - Number(at & BigInt(PAGE_SIZE - 1));
    const piece = memory.tryRead(at, Math.min(PIECE, toPageEnd, max - bytes.length), what);
    if (piece instanceof Fault) return { bytes: Uint8Array.from(bytes), ended: false, fault: piece };
    const nul = piece.indexOf(0);
    bytes.push(...(nul < 0 ? piece : piece.subarray(0, nul)));
    if (nul >= 0) return { bytes: Uint8Array.from(bytes), ended: true, fault: undefined };
  }
  return { bytes: Uint8Array.from(bytes), ended: false, fault: undefined };
}

/** True for a pointer to characters in kernel memory; the string of a `char __user *` is in a process. */
export function isStringPointer(type: CType): boolean {
  const resolved = resolve(type);
  if (resolved.kind !== 'pointer' || !isCharacter(resolved.target)) return false;
  let target = resolved.target;
  for (let depth = 0; depth < 8 && (target.kind === 'qualified' || target.kind === 'typedef'); depth++) {
    if (target.kind === 'qualified' && (target.tag === 'user' || target.tag === '__user')) return false;
    target = target.target;
  }
  return true;
}
