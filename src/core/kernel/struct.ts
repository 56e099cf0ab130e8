/**
 * Declared subsets of kernel structures. A declaration names the members that kdbg uses and how it wants each; the
 * offsets come from the target's own type information when the declaration is first used, so one declaration serves
 * every kernel that has the members. Where a kernel renamed one, the names are listed newest first:
 *
 *     export const TaskStruct = defineStruct('task_struct', {
 *       pid: int('pid'),
 *       // Renamed by 2f064a59a11f "sched: Change task_struct::state" (v5.14).
 *       state: int('__state', 'state'),
 *     });
 *     kernel.struct(TaskStruct).at(address).pid
 *
 * A missing member is one clear error when the declaration is bound, not garbage in a column. Reading a field reads
 * that field (through the page cache) and throws FaultError when it cannot.
 */
import { DataError, NotFoundError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Memory } from '../memory/memory.ts';
import { decodeCString } from '../memory/text.ts';
import { findMember, type MemberLocation } from '../types/member-path.ts';
import { type CType, resolve, sizeOf } from '../types/type.ts';

/** How one member is read. */
export interface Field<T> {
  readonly paths: readonly string[];
  readonly optional: boolean;
  /** Bytes that are brought in for the field, of a member of this size. */
  readonly reads: (size: number) => number;
  /** Makes the reader once the member's place and type are known. */
  readonly bind: (memory: Memory, location: MemberLocation, what: string) => (address: bigint) => T;
}

export type Fields = Readonly<Record<string, Field<unknown>>>;

/** A kernel structure and the members of it that kdbg uses. */
export interface StructDefinition<F extends Fields> {
  readonly name: string;
  readonly fields: F;
}

/** One structure in memory: its address, and its fields read on access. */
export type Loaded<F extends Fields> = { readonly address: bigint } & {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** A definition with the offsets of one kernel. */
export interface BoundStruct<F extends Fields> {
  readonly name: string;
  readonly type: CType;
  /** sizeof the structure. */
  readonly size: number;
  at(address: bigint): Loaded<F>;
  /** Offset of a field in bytes; undefined for an optional one that this kernel lacks. */
  offset(field: keyof F): number | undefined;
  has(field: keyof F): boolean;
  /** What is read of one structure, to be asked for with other things. */
  ranges(address: bigint): readonly ReadRequest[];
  /** Brings the pages of many structures in with one request. */
  prefetch(addresses: readonly bigint[]): void;
}

export function defineStruct<const F extends Fields>(name: string, fields: F): StructDefinition<F> {
  return { name, fields };
}

/** An integer, enum, bool or bitfield of at most 32 bits, or a wider one known to be small. */
export function int(...paths: readonly string[]): Field<number> {
  return field(paths, (memory, location, what) => {
    const read = integerReader(memory, location, what);
    return (address) => {
      const value = Number(read(address));
      if (!Number.isSafeInteger(value)) {
        throw new DataError(`${what} at ${formatAddress(address + BigInt(location.offset))} is impossibly large`);
      }
      return value;
    };
  });
}

/** An integer of up to 64 bits: long, u64, atomic64_t, ktime_t. */
export function long(...paths: readonly string[]): Field<bigint> {
  return field(paths, integerReader);
}

/** A pointer's value. */
export function pointer(...paths: readonly string[]): Field<bigint> {
  return field(paths, (memory, location, what) => {
    const offset = BigInt(location.offset);
    return (address) => memory.u64(address + offset, what);
  });
}

/** A char array as text, up to its NUL. */
export function chars(...paths: readonly string[]): Field<string> {
  return field(paths, (memory, location, what) => {
    const offset = BigInt(location.offset);
    const length = Math.min(sizeOf(location.type), 4096);
    return (address) => decodeCString(memory.read(address + offset, length, what));
  });
}

/** The raw bytes of a member. */
export function bytes(...paths: readonly string[]): Field<Uint8Array> {
  return field(paths, (memory, location, what) => {
    const offset = BigInt(location.offset);
    const length = sizeOf(location.type);
    return (address) => memory.read(address + offset, length, what);
  });
}

/** The address of a member that is embedded in the structure: a list_head, a lock, an array. Reads nothing. */
export function embedded(...paths: readonly string[]): Field<bigint> {
  const located = field(paths, (_memory, location) => {
    const offset = BigInt(location.offset);
    return (address) => address + offset;
  });
  // What is embedded is read next, if it is a small thing: a list_head, a few counters.
  return { ...located, reads: (size) => Math.min(size, EMBEDDED_MAX) };
}

/** The same field, undefined where the kernel has none of its names. */
export function optional<T>(of: Field<T>): Field<T | undefined> {
  return { ...of, optional: true };
}

function field<T>(paths: readonly string[], bind: Field<T>['bind']): Field<T> {
  return { paths, optional: false, reads: (size) => size, bind };
}

/** Reads an integer of any size, with its sign; a bitfield is shifted out of the bytes that hold it. */
function integerReader(memory: Memory, location: MemberLocation, what: string): (address: bigint) => bigint {
  const offset = BigInt(location.offset);
  const type = resolve(location.type);
  const signed = (type.kind === 'int' || type.kind === 'enum') && type.signed;
  if (location.bitSize !== undefined) {
    const { bitSize, bitOffset } = location;
    const length = Math.ceil((bitOffset + bitSize) / 8);
    return (address) => {
      let raw = 0n;
      const field = memory.read(address + offset, length, what);
      for (let i = length - 1; i >= 0; i--) raw = (raw << 8n) | BigInt(field[i] as number);
      const value = BigInt.asUintN(bitSize, raw >> BigInt(bitOffset));
      return signed ? BigInt.asIntN(bitSize, value) : value;
    };
  }
  const size = integerSize(type, location);
  switch (size) {
    case 1:
      return (address) => BigInt.asIntN(signed ? 8 : 64, BigInt(memory.u8(address + offset, what)));
    case 2:
      return (address) => BigInt.asIntN(signed ? 16 : 64, BigInt(memory.u16(address + offset, what)));
    case 4:
      return signed
        ? (address) => BigInt(memory.s32(address + offset, what))
        : (address) => BigInt(memory.u32(address + offset, what));
    default:
      return signed ? (address) => memory.s64(address + offset, what) : (address) => memory.u64(address + offset, what);
  }
}

/** atomic_t, atomic64_t, refcount_t and the like are structs around one integer: the path may stop at them. */
function integerSize(type: ReturnType<typeof resolve>, location: MemberLocation): number {
  if (type.kind === 'struct' || type.kind === 'union') return Math.min(type.size, 8);
  const size = sizeOf(location.type);
  return size === 1 || size === 2 || size === 4 ? size : 8;
}

/** Binds a definition to a kernel's types. Throws NotFoundError for a type or a required member that is not there. */
export function bindStruct<F extends Fields>(
  definition: StructDefinition<F>,
  type: CType,
  memory: () => Memory,
): BoundStruct<F> {
  const locations = new Map<string, MemberLocation>();
  const prototype: object = {};
  const ranges: { start: number; end: number }[] = [];
  for (const [key, declared] of Object.entries(definition.fields)) {
    const location = firstMember(type, declared.paths);
    if (location === undefined) {
      if (!declared.optional) {
        throw new NotFoundError('member', declared.paths.join('" or "'), [], `in struct ${definition.name}`);
      }
      Object.defineProperty(prototype, key, { value: undefined, enumerable: true });
      continue;
    }
    locations.set(key, location);
    ranges.push({ start: location.offset, end: location.offset + declared.reads(sizeOf(location.type)) });
    defineReader(prototype, key, declared, location, `${definition.name}.${location.path}`, memory);
  }
  const pieces = mergeRanges(ranges);
  const rangesAt = (address: bigint): readonly ReadRequest[] =>
    pieces.map(({ start, end }) => ({
      space: 'virtual',
      address: address + BigInt(start),
      length: end - start,
      what: definition.name,
    }));
  return {
    name: definition.name,
    type,
    size: sizeOf(type),
    at(address) {
      const loaded = Object.create(prototype) as { address: bigint };
      loaded.address = address;
      return loaded as Loaded<F>;
    },
    offset: (key) => locations.get(key as string)?.offset,
    has: (key) => locations.has(key as string),
    ranges: rangesAt,
    prefetch: (addresses) => memory().prefetch(addresses.flatMap(rangesAt)),
  };
}

const EMBEDDED_MAX = 256;
/** Fields this far apart are asked for in one piece: a large structure has pages without any that is wanted. */
const GAP_MAX = 1024;

function mergeRanges(ranges: readonly { readonly start: number; readonly end: number }[]) {
  const merged: { start: number; end: number }[] = [];
  for (const { start, end } of [...ranges].sort((a, b) => a.start - b.start)) {
    const last = merged.at(-1);
    if (last !== undefined && start <= last.end + GAP_MAX) last.end = Math.max(last.end, end);
    else if (end > start) merged.push({ start, end });
  }
  return merged;
}

/** The reader is made on first access, so that binding a structure needs no memory: layouts work without it. */
function defineReader(
  prototype: object,
  key: string,
  declared: Field<unknown>,
  location: MemberLocation,
  what: string,
  memory: () => Memory,
): void {
  let read: ((address: bigint) => unknown) | undefined;
  Object.defineProperty(prototype, key, {
    enumerable: true,
    get(this: { address: bigint }) {
      read ??= declared.bind(memory(), location, what);
      return read(this.address);
    },
  });
}

function firstMember(type: CType, paths: readonly string[]): MemberLocation | undefined {
  for (const path of paths) {
    const location = findMember(type, path);
    if (location !== undefined) return location;
  }
  return undefined;
}
