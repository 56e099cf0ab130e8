/**
 * What a part of a C path is in the kernel's probe language (Documentation/trace/kprobetrace.rst). The language loads
 * words: `$arg1` is a register, `+24($arg1)` the memory 24 bytes beyond where it points, `@jiffies` the memory of a
 * symbol. It cannot compute: an address that is not at offset 0 can be read from and is no value of its own.
 */
import { memberNamed } from '../types/member-path.ts';
import { type CType, type PointerType, resolve, sizeOf } from '../types/type.ts';

const WORD = 8;

/** Bits of a bitfield, from its lowest. */
export interface ProbeBits {
  readonly from: number;
  readonly count: number;
}

/** Where a base leads: it is a pointer into kernel or user memory, or names a symbol. */
export type ProbeSpace = 'kernel' | 'user' | 'symbol';

export type ProbeOperand =
  /** What the text loads: a register, or memory that was read. */
  | { readonly kind: 'value'; readonly text: string; readonly type: CType | undefined }
  /** Memory: `offset` bytes beyond where `base` points, or beyond the symbol that it names. */
  | {
      readonly kind: 'place';
      readonly base: string;
      readonly offset: number;
      readonly space: ProbeSpace;
      readonly type: CType;
      readonly bits: ProbeBits | undefined;
    }
  /** The address of such memory. */
  | {
      readonly kind: 'address';
      readonly base: string;
      readonly offset: number;
      readonly space: ProbeSpace;
      readonly target: CType;
    }
  /** A part of an aggregate that is passed by value: bits of the registers from `register` on. */
  | {
      readonly kind: 'registers';
      readonly register: number;
      readonly offset: number;
      readonly type: CType;
      readonly bits: ProbeBits | undefined;
    };

/** `+24($arg1)`, `+u24($arg1)` for user memory, `@jiffies+4`: what loads the memory there. */
export function memoryText(base: string, offset: number, space: ProbeSpace): string {
  const sign = offset < 0 ? '-' : '+';
  if (space === 'symbol') return offset === 0 ? `@${base}` : `@${base}${sign}${Math.abs(offset)}`;
  return `${sign}${space === 'user' ? 'u' : ''}${Math.abs(offset)}(${base})`;
}

/** What an operand points at, as memory; undefined where it is no pointer. */
export function pointedAt(operand: ProbeOperand): (ProbeOperand & { readonly kind: 'place' }) | undefined {
  if (operand.kind === 'address') {
    const { target, ...memory } = operand;
    return { ...memory, kind: 'place', type: target, bits: undefined };
  }
  const type = operand.type === undefined ? undefined : resolve(operand.type);
  if (operand.kind === 'place' && type?.kind === 'array') return { ...operand, type: type.element };
  const base = loadedText(operand);
  if (type?.kind !== 'pointer' || base === undefined) return undefined;
  const space = isUserPointer(type) ? 'user' : 'kernel';
  return { kind: 'place', base, offset: 0, space, type: type.target, bits: undefined };
}

/** The text that loads a whole operand; undefined for bits, aggregates and addresses that must be computed. */
export function loadedText(operand: ProbeOperand): string | undefined {
  switch (operand.kind) {
    case 'value':
      return operand.text;
    case 'place':
      return operand.bits === undefined ? memoryText(operand.base, operand.offset, operand.space) : undefined;
    case 'address':
      return operand.offset === 0 && operand.space !== 'symbol' ? operand.base : undefined;
    case 'registers':
      return operand.bits === undefined && operand.offset % WORD === 0 ? registerText(operand) : undefined;
  }
}

/** The register that holds the first byte of a part of an aggregate. */
export function registerText({ register, offset }: { readonly register: number; readonly offset: number }): string {
  return `$arg${register + Math.floor(offset / WORD)}`;
}

/** A member of a struct or union; undefined where it has none of this name, or is none. */
export function memberOf(operand: ProbeOperand, name: string): ProbeOperand | undefined {
  if (operand.kind !== 'place' && operand.kind !== 'registers') return undefined;
  const compound = resolve(operand.type);
  if (compound.kind !== 'struct' && compound.kind !== 'union') return undefined;
  const found = memberNamed(compound, name);
  if (found === undefined) return undefined;
  const { bitSize, type } = found.member;
  const bits = bitSize === undefined ? undefined : { from: found.bitOffset % 8, count: bitSize };
  return { ...operand, offset: operand.offset + Math.floor(found.bitOffset / 8), type, bits };
}

/** The memory so many elements further. */
export function elementOf(
  place: ProbeOperand & { readonly kind: 'place' },
  index: number,
): ProbeOperand & { readonly kind: 'place' } {
  return { ...place, offset: place.offset + index * sizeOf(place.type) };
}

/** `__user` is in type information only where the compiler writes type tags (clang, gcc since 16). */
function isUserPointer({ target }: PointerType): boolean {
  let current: CType = target;
  while (current.kind === 'qualified') {
    if (current.qualifier === 'type_tag' && current.tag === 'user') return true;
    current = current.target;
  }
  return false;
}
