/**
 * A typed value: a C type, and where its bytes are. A value in memory is a place (an lvalue, as C says): nothing is
 * read until its number, string or bytes are asked for, so `task.member('mm').member('pgd')` reads two pointers and
 * no structure. A computed value (an rvalue) is only its number; a snapshot is bytes read before, which remember
 * their address.
 *
 * Reading throws FaultError that names what was read as `type.member`; the try forms return the Fault.
 */
import { DataError, FaultError, UsageError } from '../errors.ts';
import { PAGE_SIZE } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { decodeText } from '../memory/text.ts';
import { readStringBytes } from './c-string.ts';
import { getMember } from './member-path.ts';
import {
  type Bitfield,
  bitfieldLength,
  decodeBitfield,
  decodeFloat,
  decodeInteger,
  isCharacter,
  isScalar,
  isSigned,
  wrapInteger,
} from './scalar.ts';
import { type CType, type Member, type PointerType, resolve, sizeOf } from './type.ts';
import { typeName } from './type-name.ts';
import type { ValueMemory } from './value-memory.ts';

export type { ValueMemory };

/** Where the bytes of a value are. */
export type Location =
  | { readonly kind: 'memory'; readonly address: bigint }
  /** Bytes read before; `address` is where they came from. */
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array; readonly address: bigint | undefined }
  /** An rvalue: an integer or a pointer that was computed. */
  | { readonly kind: 'immediate'; readonly value: bigint };

/** Structures and arrays up to this many bytes are read whole to be printed. */
export const WHOLE_READ_MAX = 1024 * 1024;
/** A longer string is not one: the bound on `string()`. */
const STRING_LENGTH_MAX = 4096;

export class Value {
  readonly memory: ValueMemory;
  readonly type: CType;
  readonly location: Location;
  /** Set for a bitfield. */
  readonly bits: Bitfield | undefined;
  readonly #what: string | undefined;

  constructor(memory: ValueMemory, type: CType, location: Location, what?: string, bits?: Bitfield) {
    this.memory = memory;
    this.type = type;
    this.location = location;
    this.bits = bits;
    this.#what = what;
  }

  /** The value of this type at an address of kernel memory. */
  static at(memory: ValueMemory, type: CType, address: bigint, what?: string): Value {
    return new Value(memory, type, { kind: 'memory', address: BigInt.asUintN(64, address) }, what);
  }

  /** A computed integer or pointer, wrapped to its type. */
  static of(memory: ValueMemory, type: CType, value: bigint): Value {
    return new Value(memory, type, { kind: 'immediate', value: wrapInteger(value, type) });
  }

  /** What it is, for faults: "task_struct.comm". */
  get what(): string {
    return this.#what ?? nameOf(this.type);
  }

  /** Where it is in memory; undefined for a computed value. */
  get address(): bigint | undefined {
    return this.location.kind === 'immediate' ? undefined : this.location.address;
  }

  /** Bytes it takes: sizeof, or for a bitfield the bytes it is in. */
  get size(): number {
    return this.bits === undefined ? sizeOf(this.type) : bitfieldLength(this.bits);
  }

  /**
   * The member at a path (`thread.sp`, `pids[1]`), through a pointer if this is one.
   * Throws NotFoundError with near misses.
   */
  member(path: string): Value {
    const resolved = resolve(this.type);
    if (resolved.kind === 'pointer') return this.dereference().member(path);
    const found = getMember(this.type, path);
    const owner = (resolved.kind === 'struct' || resolved.kind === 'union') && resolved.name;
    const bits = found.bitSize === undefined ? undefined : { offset: found.bitOffset, size: found.bitSize };
    return this.part(found.type, found.offset, `${owner || this.what}.${path}`, bits);
  }

  /** A member by its place: anonymous ones have no name, and a malformed type may repeat one. */
  memberAt(member: Member): Value {
    const resolved = resolve(this.type);
    const owner = ((resolved.kind === 'struct' || resolved.kind === 'union') && resolved.name) || this.what;
    const bits = member.bitSize === undefined ? undefined : { offset: member.bitOffset % 8, size: member.bitSize };
    const what = member.name === undefined ? owner : `${owner}.${member.name}`;
    return this.part(member.type, Math.floor(member.bitOffset / 8), what, bits);
  }

  /** The element at an index of an array, or of what a pointer points into. Not bounded by the array's count. */
  index(index: bigint | number): Value {
    const resolved = resolve(this.type);
    if (resolved.kind === 'array') {
      const offset = BigInt(index) * BigInt(sizeOf(resolved.element));
      return this.part(resolved.element, Number(offset), `${this.what}[${index}]`);
    }
    const target = this.#target();
    const address = this.toBigInt() + BigInt(index) * BigInt(sizeOf(target));
    return Value.at(this.memory, target, address, pointedAt(target, this.what));
  }

  /** What a pointer points to; the first element of an array. Throws UsageError for anything else. */
  dereference(): Value {
    if (resolve(this.type).kind === 'array') return this.index(0);
    const target = this.#target();
    return Value.at(this.memory, target, this.toBigInt(), pointedAt(target, this.what));
  }

  /** A pointer to it. Throws UsageError when it has no address. */
  addressOf(): Value {
    if (this.bits !== undefined) throw new UsageError(`${this.what} is a bitfield: it has no address`);
    if (this.address === undefined) throw new UsageError('a computed value has no address');
    return Value.of(this.memory, pointerTo(this.type), this.address);
  }

  /** Arrays and functions as the pointers that C makes of them in an expression; anything else as it is. */
  decay(): Value {
    const resolved = resolve(this.type);
    if (resolved.kind !== 'array' && resolved.kind !== 'function') return this;
    if (this.address === undefined) throw new UsageError('a computed value has no address');
    const target = resolved.kind === 'array' ? resolved.element : this.type;
    return Value.of(this.memory, pointerTo(target), this.address);
  }

  /** The value converted to an integer or pointer type, as a C cast does. Throws UsageError for other casts. */
  cast(type: CType): Value {
    const from = this.decay();
    if (!isScalar(type) || !isScalar(from.type)) {
      throw new UsageError(`cannot cast ${typeName(this.type)} to ${typeName(type)}`, {
        hint: 'cast a pointer to it instead: *(TYPE *)&x',
      });
    }
    return Value.of(this.memory, type, from.toBigInt());
  }

  /**
   * The number: sign-correct, of ints, bools, enums, bitfields and pointers. Throws FaultError; UsageError for a type
   * whose values are not integers.
   */
  toBigInt(): bigint {
    if (this.location.kind === 'immediate') return this.location.value;
    const resolved = resolve(this.type);
    if (!isScalar(resolved)) throw new UsageError(`${typeName(this.type)} is not a number`);
    if (this.bits !== undefined) return decodeBitfield(this.bytes(), this.bits, isSigned(resolved));
    return decodeInteger(this.bytes(), isSigned(resolved));
  }

  /** The number as a double. Throws DataError when it is not exact: an address, a wild count. */
  toNumber(): number {
    if (resolve(this.type).kind === 'float') return decodeFloat(this.bytes());
    const value = this.toBigInt();
    const number = Number(value);
    if (!Number.isSafeInteger(number)) throw new DataError(`${this.what} is ${value}: too large for a count`);
    return number;
  }

  /** Its bytes as they are in memory (little-endian for a computed value). Throws FaultError. */
  bytes(): Uint8Array {
    const bytes = this.tryBytes();
    if (bytes instanceof Fault) throw new FaultError(bytes);
    return bytes;
  }

  tryBytes(): Uint8Array | Fault {
    const { location, size } = this;
    if (location.kind === 'memory') return this.memory.tryRead(location.address, size, this.what);
    if (location.kind === 'bytes') return location.bytes;
    const bytes = new Uint8Array(Math.min(size, 16));
    for (let i = 0; i < bytes.length; i++) bytes[i] = Number((location.value >> BigInt(i * 8)) & 0xffn);
    return bytes;
  }

  /** The same value with its bytes read once: its members read no more. Or the fault that hit it. */
  snapshot(): Value | Fault {
    if (this.location.kind !== 'memory') return this;
    const bytes = this.tryBytes();
    if (bytes instanceof Fault) return bytes;
    return new Value(this.memory, this.type, { ...this.location, kind: 'bytes', bytes }, this.what, this.bits);
  }

  /**
   * What to read parts from: the snapshot, or where it is too large or lies on several pages of which one faults, the
   * value itself, so that each part is read or not. A fault only when no part can be read.
   */
  readable(): Value | Fault {
    if (this.location.kind !== 'memory' || this.size > WHOLE_READ_MAX) return this;
    const whole = this.snapshot();
    return whole instanceof Fault && this.#spansPages() ? this : whole;
  }

  #spansPages(): boolean {
    const start = this.address ?? 0n;
    const page = BigInt(PAGE_SIZE);
    return start / page !== (start + BigInt(Math.max(this.size, 1) - 1)) / page;
  }

  /** The text of a char array, or of the string that a char pointer points to, up to its NUL. Throws FaultError. */
  string(max = STRING_LENGTH_MAX): string {
    const resolved = resolve(this.type);
    if (resolved.kind === 'array' && isCharacter(resolved.element) && resolved.count > 0) {
      const bytes = this.bytes();
      const nul = bytes.indexOf(0);
      return decodeText(bytes, 0, nul < 0 ? bytes.length : nul);
    }
    const pointer = resolve(this.decay().type);
    if (pointer.kind !== 'pointer' || !isCharacter(pointer.target)) {
      throw new UsageError(`${typeName(this.type)} is not a string`);
    }
    const string = readStringBytes(this.memory, this.decay().toBigInt(), max, this.what);
    if (string.fault !== undefined) throw new FaultError(string.fault);
    return decodeText(string.bytes);
  }

  /** A part of it, `offset` bytes from its start; beyond the bytes of a snapshot it is the memory there. */
  part(type: CType, offset: number, what: string, bits?: Bitfield): Value {
    const { location } = this;
    const length = bits === undefined ? sizeOf(type) : bitfieldLength(bits);
    if (location.kind === 'immediate') throw new UsageError(`${this.what} is a computed value: it has no members`);
    const address = location.address === undefined ? undefined : BigInt.asUintN(64, location.address + BigInt(offset));
    if (location.kind === 'bytes' && offset >= 0 && offset + length <= location.bytes.length) {
      const bytes = location.bytes.subarray(offset, offset + length);
      return new Value(this.memory, type, { kind: 'bytes', bytes, address }, what, bits);
    }
    if (address === undefined) throw new DataError(`${what} lies outside of ${this.what}`);
    return new Value(this.memory, type, { kind: 'memory', address }, what, bits);
  }

  #target(): CType {
    const resolved = resolve(this.type);
    if (resolved.kind !== 'pointer') throw new UsageError(`${typeName(this.type)} is not a pointer`);
    const target = resolve(resolved.target);
    if (target.kind === 'void') {
      throw new UsageError('cannot look through a void pointer', { hint: 'cast it first: (struct NAME *)x' });
    }
    if (target.kind === 'forward') {
      throw new UsageError(`${typeName(target)} is only declared in this kernel: it has no members`);
    }
    return resolved.target;
  }
}

/** The type of a pointer to this one. */
export function pointerTo(target: CType): PointerType {
  return { kind: 'pointer', size: 8, target };
}

function nameOf(type: CType): string {
  const resolved = resolve(type);
  if (resolved.kind === 'struct' || resolved.kind === 'union') return resolved.name ?? resolved.kind;
  return typeName(type);
}

/** A structure is called by its name wherever it was reached from; other targets by the pointer they came from. */
function pointedAt(target: CType, pointer: string): string {
  const resolved = resolve(target);
  if ((resolved.kind === 'struct' || resolved.kind === 'union') && resolved.name !== undefined) return resolved.name;
  return `*${pointer}`;
}
