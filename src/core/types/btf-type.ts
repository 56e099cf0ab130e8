/**
 * C types made from BTF records, each when it is first asked for and then kept: one id is one object, in vmlinux and
 * in every module that refers to it.
 *
 * A table that the kernel accepted has no typedef of itself and no array of itself; one that was damaged or made up
 * can. Such a type is refused where it is made, so whoever holds a CType can take typedefs and arrays off it without
 * counting.
 */

import { DataError } from '../errors.ts';
import type { Btf, BtfRecord } from '../formats/btf.ts';
import { BTF_KIND } from '../formats/btf-kind.ts';
import { enumType } from './btf-enum.ts';
import {
  type ArrayType,
  type CompoundType,
  type CType,
  type ForwardType,
  type FunctionType,
  type IntType,
  type Member,
  type PointerType,
  type QualifiedType,
  type TypedefType,
  VOID,
} from './type.ts';

/** Typedefs, qualifiers and arrays on the way to a type that has a size. The kernel's deepest are below 10. */
const CHAIN_MAX = 64;

const INT_SIGNED = 1;
const INT_BOOL = 4;

const QUALIFIERS: ReadonlyMap<number, QualifiedType['qualifier']> = new Map([
  [BTF_KIND.const, 'const'],
  [BTF_KIND.volatile, 'volatile'],
  [BTF_KIND.restrict, 'restrict'],
  [BTF_KIND.typeTag, 'type_tag'],
]);

/** The types of one BTF blob; those of its base come from the base's own BtfTypes. */
export class BtfTypes {
  readonly btf: Btf;
  /** The module whose BTF it is; undefined for vmlinux. */
  readonly module: string | undefined;
  readonly #base: BtfTypes | undefined;
  readonly #made = new Map<number, CType>();

  constructor(btf: Btf, module?: string, base?: BtfTypes) {
    this.btf = btf;
    this.module = module;
    this.#base = base;
  }

  /** The type with this id. Throws DataError where the blob refers to nothing, or to what is not a type. */
  type(id: number): CType {
    if (id === 0) return VOID;
    if (this.#base !== undefined && id < this.btf.firstId) return this.#base.type(id);
    const made = this.#made.get(id);
    if (made !== undefined) return made;
    const type = this.#make(this.btf.record(id));
    this.#made.set(id, type);
    return type;
  }

  #make(record: BtfRecord): CType {
    switch (record.kind) {
      case BTF_KIND.int:
        return intType(record);
      case BTF_KIND.float:
        return { kind: 'float', name: record.name, size: record.size };
      case BTF_KIND.pointer:
        return this.#pointer(record.target);
      case BTF_KIND.array:
        return this.#array(record);
      case BTF_KIND.struct:
      case BTF_KIND.union:
        return this.#compound(record);
      case BTF_KIND.enum:
      case BTF_KIND.enum64:
        return enumType(this.btf, record);
      case BTF_KIND.forward:
        return forwardType(record);
      case BTF_KIND.typedef:
        return this.#typedef(record);
      case BTF_KIND.funcProto:
        return this.#prototype(record);
      default: {
        const qualifier = QUALIFIERS.get(record.kind);
        if (qualifier !== undefined) return this.#qualified(record, qualifier);
        throw new DataError(`${this.btf.what}: type ${record.id} is wanted as a C type, but is of kind ${record.kind}`);
      }
    }
  }

  #pointer(id: number): PointerType {
    const types = this;
    let target: CType | undefined;
    return {
      kind: 'pointer',
      size: 8,
      get target() {
        target ??= types.type(id);
        return target;
      },
    };
  }

  #array(record: BtfRecord): ArrayType {
    const count = record.word(2);
    const size = this.#sizeOf(record.id);
    return { kind: 'array', element: this.type(record.word(0)), count, size };
  }

  #typedef(record: BtfRecord): TypedefType {
    this.#sizeOf(record.id);
    return { kind: 'typedef', name: record.name, target: this.type(record.target) };
  }

  #qualified(record: BtfRecord, qualifier: QualifiedType['qualifier']): QualifiedType {
    this.#sizeOf(record.id);
    const target = this.type(record.target);
    return qualifier === 'type_tag'
      ? { kind: 'qualified', qualifier, tag: record.name, target }
      : { kind: 'qualified', qualifier, target };
  }

  #compound(record: BtfRecord): CompoundType {
    const types = this;
    let members: readonly Member[] | undefined;
    return {
      kind: record.kind === BTF_KIND.struct ? 'struct' : 'union',
      name: record.name || undefined,
      size: record.size,
      get members() {
        members ??= types.#members(record);
        return members;
      },
      module: this.module,
    };
  }

  #members(record: BtfRecord): readonly Member[] {
    const members: Member[] = [];
    for (let i = 0; i < record.vlen; i++) {
      const id = record.word(i * 3 + 1);
      const packed = record.word(i * 3 + 2);
      const place = record.flag
        ? { bitOffset: packed & 0xffffff, bitSize: packed >>> 24 || undefined }
        : this.#placeByInt(id, packed);
      members.push(this.#member(record.nameAt(i * 3) || undefined, id, place));
    }
    return members;
  }

  #member(
    name: string | undefined,
    id: number,
    place: { readonly bitOffset: number; readonly bitSize: number | undefined },
  ): Member {
    const types = this;
    let type: CType | undefined;
    return {
      name,
      get type() {
        type ??= types.type(id);
        return type;
      },
      bitOffset: place.bitOffset,
      bitSize: place.bitSize,
    };
  }

  /**
   * Where a member lies in a struct without kind_flag. There a bitfield is a member whose integer type is narrower
   * than its size, and the type says by how many bits it is shifted (before 9d5f9f701b18 "bpf: btf: fix struct/union/
   * fwd types with kind_flag", v5.0; pahole still writes structs without bitfields this way).
   */
  #placeByInt(id: number, bitOffset: number): { bitOffset: number; bitSize: number | undefined } {
    const record = this.#stripped(id);
    if (record?.kind !== BTF_KIND.int) return { bitOffset, bitSize: undefined };
    const { bits, shift } = intBits(record);
    if (bits === record.size * 8 && shift === 0) return { bitOffset, bitSize: undefined };
    return { bitOffset: bitOffset + shift, bitSize: bits };
  }

  /** The record behind typedefs and qualifiers; undefined for void. */
  #stripped(id: number): BtfRecord | undefined {
    let current = id;
    for (let i = 0; i < CHAIN_MAX; i++) {
      const kind = this.btf.kind(current);
      if (kind === 0) return undefined;
      const record = this.btf.record(current);
      if (kind !== BTF_KIND.typedef && !QUALIFIERS.has(kind)) return record;
      current = record.target;
    }
    return undefined;
  }

  #prototype(record: BtfRecord): FunctionType {
    const types = this;
    let returns: CType | undefined;
    let parameters: FunctionType['parameters'] | undefined;
    // A last parameter of no name and no type stands for "...".
    const last = record.vlen - 1;
    const variadic = last >= 0 && record.word(last * 2) === 0 && record.word(last * 2 + 1) === 0;
    return {
      kind: 'function',
      get returns() {
        returns ??= types.type(record.target);
        return returns;
      },
      get parameters() {
        parameters ??= Array.from({ length: variadic ? last : record.vlen }, (_, i) => ({
          name: record.nameAt(i * 2) || undefined,
          type: types.type(record.word(i * 2 + 1)),
        }));
        return parameters;
      },
      variadic,
    };
  }

  /** The size of an array, typedef or qualified type, by following ids. Throws DataError for one of itself. */
  #sizeOf(id: number): number {
    let count = 1;
    let current = id;
    for (let i = 0; i < CHAIN_MAX; i++) {
      if (current === 0) return count;
      const record = this.btf.record(current);
      if (record.kind === BTF_KIND.array) {
        count *= record.word(2);
        if (!Number.isSafeInteger(count)) throw new DataError(`${this.btf.what}: array type ${id} is impossibly large`);
        current = record.word(0);
      } else if (record.kind === BTF_KIND.typedef || QUALIFIERS.has(record.kind)) {
        current = record.target;
      } else {
        const size = count * elementSize(record);
        if (!Number.isSafeInteger(size)) throw new DataError(`${this.btf.what}: array type ${id} is impossibly large`);
        return size;
      }
    }
    throw new DataError(`${this.btf.what}: type ${id} is defined by itself`);
  }
}

function elementSize(record: BtfRecord): number {
  switch (record.kind) {
    case BTF_KIND.pointer:
      return 8;
    case BTF_KIND.int:
    case BTF_KIND.float:
    case BTF_KIND.struct:
    case BTF_KIND.union:
    case BTF_KIND.enum:
    case BTF_KIND.enum64:
      return record.size;
    default:
      return 0;
  }
}

/** An integer's width and shift in bits: full and 0 except in old bitfields. */
export function intBits(record: BtfRecord): { readonly bits: number; readonly shift: number } {
  const word = record.word(0);
  return { bits: word & 0xff, shift: (word >>> 16) & 0xff };
}

function intType(record: BtfRecord): IntType {
  const encoding = (record.word(0) >>> 24) & 0xf;
  return {
    kind: 'int',
    name: record.name,
    size: record.size,
    signed: (encoding & INT_SIGNED) !== 0,
    bool: (encoding & INT_BOOL) !== 0,
  };
}

function forwardType(record: BtfRecord): ForwardType {
  return { kind: 'forward', name: record.name, union: record.flag };
}
