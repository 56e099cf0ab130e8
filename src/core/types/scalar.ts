/**
 * Integers in memory: little-endian, 1 to 16 bytes, signed or not, or a bitfield within them.
 */
import type { CType } from './type.ts';
import { resolve } from './type.ts';

/** Where a bitfield lies in the bytes it is read from: `offset` bits above the lowest bit of the first byte (0..7). */
export interface Bitfield {
  readonly offset: number;
  /** Its width in bits. */
  readonly size: number;
}

/** Bytes that must be read to have the whole bitfield. */
export function bitfieldLength(bits: Bitfield): number {
  return Math.ceil((bits.offset + bits.size) / 8);
}

/** The integer that all of the bytes make. */
export function decodeInteger(bytes: Uint8Array, signed: boolean): bigint {
  let value = 0n;
  for (let i = bytes.length - 1; i >= 0; i--) value = (value << 8n) | BigInt(bytes[i] as number);
  return signed ? BigInt.asIntN(bytes.length * 8, value) : value;
}

/** The bitfield's value within bytes that hold all of it. */
export function decodeBitfield(bytes: Uint8Array, bits: Bitfield, signed: boolean): bigint {
  const value = decodeInteger(bytes, false) >> BigInt(bits.offset);
  return signed ? BigInt.asIntN(bits.size, value) : BigInt.asUintN(bits.size, value);
}

/** A float or a double; NaN for the sizes that neither is. */
export function decodeFloat(bytes: Uint8Array): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return view.getFloat32(0, true);
  if (bytes.length === 8) return view.getFloat64(0, true);
  return Number.NaN;
}

/** True for types whose values are one integer: ints, bools, enums and pointers. */
export function isScalar(type: CType): boolean {
  const { kind } = resolve(type);
  return kind === 'int' || kind === 'enum' || kind === 'pointer';
}

/** True for `int`, `u64`, `enum`, `_Bool`, `char`: what arithmetic takes as it is. */
export function isInteger(type: CType): boolean {
  const { kind } = resolve(type);
  return kind === 'int' || kind === 'enum';
}

/** True for types of negative values too. */
export function isSigned(type: CType): boolean {
  const resolved = resolve(type);
  return (resolved.kind === 'int' || resolved.kind === 'enum') && resolved.signed;
}

/** True for one-byte integers: C strings are made of them, `u8` included, as gdb has it. */
export function isCharacter(type: CType): boolean {
  const resolved = resolve(type);
  return resolved.kind === 'int' && resolved.size === 1 && !resolved.bool;
}

/** A value as an integer of this type holds it: wrapped to its size, 0 or 1 for a bool. */
export function wrapInteger(value: bigint, type: CType): bigint {
  const resolved = resolve(type);
  if (resolved.kind === 'int' && resolved.bool) return value === 0n ? 0n : 1n;
  const size = resolved.kind === 'int' || resolved.kind === 'enum' ? resolved.size : 8;
  return isSigned(resolved) ? BigInt.asIntN(size * 8, value) : BigInt.asUintN(size * 8, value);
}
