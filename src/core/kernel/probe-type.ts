/**
 * How the kernel is to read a value that a probe shows: `u8` to `s64` by the C type, `x64` for a pointer, `string` for
 * `char *` and arrays of char, `b3@5/32` for a bitfield, `u8[6]` for an array (Documentation/trace/kprobetrace.rst).
 */
import { type ArrayType, type CompoundType, type CType, resolve, sizeOf } from '../types/type.ts';
import { typeName } from '../types/type-name.ts';
import {
  loadedText,
  memberOf,
  memoryText,
  type ProbeBits,
  type ProbeOperand,
  type ProbeSpace,
  pointedAt,
  registerText,
} from './probe-operand.ts';

/** What one argument of a probe fetches and how. */
export interface ProbeFetch {
  /** In the kernel's language, without name and type: `+40($arg1)`. */
  readonly text: string;
  readonly kernelType: string;
  /** The C type of the value; undefined where it is not known, or another form was asked for. */
  readonly type: CType | undefined;
}

/** MAX_ARRAY_LEN of kernel/trace/trace_probe.h. */
const ARRAY_MAX = 64;
/** Structs of one member within each other; malformed type information could have them in a circle. */
const WRAPPED_MAX = 8;
const REQUESTED =
  /^(?:(?:[sux](?:8|16|32|64)|char|string|ustring|symbol|symstr)(?:\[([1-9]\d?)\])?|b[1-9]\d?@\d{1,2}\/(?:8|16|32|64))$/;

/** Types that can be asked for, without arrays and bits. */
export const PROBE_TYPES: readonly string[] = [
  ...['string', 'ustring', 'symbol', 'symstr', 'char'],
  ...['u', 's', 'x'].flatMap((letter) => [8, 16, 32, 64].map((bits) => `${letter}${bits}`)),
];

/** True for a type that can be asked for behind a path: `name:string`. */
export function isProbeType(text: string): boolean {
  return REQUESTED.test(text) && Number(REQUESTED.exec(text)?.[1] ?? 0) <= ARRAY_MAX;
}

/** The fetch of an operand, in the form that was asked for or the one that its C type has; a text says why there is none. */
export function probeFetch(operand: ProbeOperand, requested: string | undefined, depth = 0): ProbeFetch | string {
  if (requested !== undefined) return requestedFetch(operand, requested);
  if (operand.kind === 'address') return wordFetch(operand, 'x64', undefined);
  if (operand.kind !== 'value' && operand.bits !== undefined) return bitsFetch(operand, operand.bits);
  const { type } = operand;
  const resolved = type === undefined ? undefined : resolve(type);
  switch (resolved?.kind) {
    case undefined:
      return wordFetch(operand, operand.kind === 'value' && operand.text === '$comm' ? 'string' : 'x64', type);
    case 'pointer': {
      const target = resolve(resolved.target);
      // A pointer that a function returns may be an error: what it points at is not read unless it is asked for.
      if (isChar(target) && loadedText(operand) !== '$retval') return requestedFetch(operand, 'string');
      return wordFetch(operand, target.kind === 'function' ? 'symbol' : 'x64', type);
    }
    case 'array':
      return arrayFetch(operand, resolved, type as CType);
    case 'int':
    case 'enum':
      if (resolved.size > 8) return `${typeName(type as CType)} is wider than what a probe can show`;
      return wordFetch(operand, `${resolved.signed ? 's' : 'u'}${resolved.size * 8}`, type);
    case 'struct':
    case 'union': {
      const only = depth < WRAPPED_MAX ? onlyMember(operand, resolved) : undefined;
      if (only !== undefined) return probeFetch(only, requested, depth + 1);
      return `${typeName(type as CType)} is no value that a probe can show: name a member of it`;
    }
    default:
      return `${typeName(type as CType)} is nothing that a probe can show`;
  }
}

/** A struct that only wraps a value for the compiler to check (kuid_t, atomic_t) is shown as its value. */
function onlyMember(operand: ProbeOperand, { members }: CompoundType): ProbeOperand | undefined {
  const [member, ...others] = members;
  return member?.name === undefined || others.length > 0 ? undefined : memberOf(operand, member.name);
}

function wordFetch(operand: ProbeOperand, kernelType: string, type: CType | undefined): ProbeFetch | string {
  const text = loadedText(operand);
  if (text !== undefined) return { text, kernelType, type };
  if (operand.kind !== 'registers') return "the kernel's probes cannot compute an address: name what is there";
  return bitsFetch(operand, { from: 0, count: sizeOf(operand.type) * 8 });
}

/** Strings and arrays are read from where they are; other forms reinterpret the value. */
function requestedFetch(operand: ProbeOperand, requested: string): ProbeFetch | string {
  const isText = requested === 'string' || requested === 'ustring' || requested === 'symstr';
  if (operand.kind === 'value' && operand.text === '$comm')
    return { text: '$comm', kernelType: requested, type: undefined };
  if (!(isText && requested !== 'symstr') && !requested.endsWith(']')) return wordFetch(operand, requested, undefined);
  const place = pointedAt(operand) ?? untypedPlace(operand);
  if (place === undefined) return `${requested} is read from a pointer or an array`;
  const space = requested === 'ustring' ? 'user' : place.space;
  const kernelType = requested === 'string' && space === 'user' ? 'ustring' : requested;
  return { text: memoryText(place.base, place.offset, space), kernelType, type: undefined };
}

/** `$arg1:string` of a function whose parameters nobody knows. */
function untypedPlace(
  operand: ProbeOperand,
): { readonly base: string; readonly offset: number; readonly space: ProbeSpace } | undefined {
  if (operand.kind !== 'value' || operand.type !== undefined) return undefined;
  return { base: operand.text, offset: 0, space: 'kernel' };
}

function arrayFetch(operand: ProbeOperand, array: ArrayType, type: CType): ProbeFetch | string {
  const element = resolve(array.element);
  if (operand.kind !== 'place') return `${typeName(type)} is nothing that a probe can show`;
  const text = memoryText(operand.base, operand.offset, operand.space);
  if (isChar(element)) return { text, kernelType: 'string', type: undefined };
  const size = sizeOf(element);
  const letter = element.kind === 'pointer' ? 'x' : element.kind === 'int' ? (element.signed ? 's' : 'u') : undefined;
  if (letter === undefined || size > 8)
    return `${typeName(type)} is no value that a probe can show: name an element of it`;
  if (array.count === 0)
    return `the length of ${typeName(type)} is not known: name an element of it, or :u8[16] so many`;
  return { text, kernelType: `${letter}${size * 8}[${Math.min(array.count, ARRAY_MAX)}]`, type };
}

/** The kernel reads a container of 8 to 64 bits and cuts the bits out of it. */
function bitsFetch(operand: Exclude<ProbeOperand, { kind: 'address' }>, bits: ProbeBits): ProbeFetch | string {
  const { type } = operand;
  const within = operand.kind === 'registers' ? (operand.offset % 8) * 8 + bits.from : bits.from;
  const container = [8, 16, 32, 64].find((size) => within + bits.count <= size);
  if (container === undefined) return 'these bits do not lie in one word, which is all that a probe can read';
  if (operand.kind === 'value') return 'these bits are in no memory';
  const text =
    operand.kind === 'registers' ? registerText(operand) : memoryText(operand.base, operand.offset, operand.space);
  return { text, kernelType: `b${bits.count}@${within}/${container}`, type };
}

function isChar(type: CType): boolean {
  const resolved = resolve(type);
  return resolved.kind === 'int' && resolved.size === 1 && resolved.name === 'char';
}
