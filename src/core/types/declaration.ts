/**
 * A type's definition as C text, the way gdb's ptype and crash's `struct` and `whatis` write it: one member a line,
 * indented by 4 for each level. Anonymous structs and unions are written out where they stand (gdb stops at `{...}`
 * below the first level); a struct with a name is only named.
 *
 * The lines are data: each says which member it shows, so that a screen can make it something to select.
 */
import { DataError } from '../errors.ts';
import { type CompoundType, type CType, type EnumType, type Member, resolve, sizeOf } from './type.ts';
import { declare, typeName } from './type-name.ts';

/** One line of a definition. */
export interface DeclarationLine {
  /** Without indentation. */
  readonly text: string;
  /** Levels of indentation: 0 for the first line and the last. */
  readonly depth: number;
  /** The member that the line declares; its closing line for one that is written out. Undefined for other lines. */
  readonly member?: DeclaredMember;
}

export interface DeclaredMember {
  /** As typed after the structure's name: `thread.sp`. */
  readonly path: string;
  readonly type: CType;
  /** Bytes from the start of the outermost structure. */
  readonly offset: number;
  /** For a bitfield: bits from `offset` to its lowest bit, and its width. */
  readonly bitOffset: number;
  readonly bitSize: number | undefined;
}

const DEPTH_MAX = 32;
const LINES_MAX = 100_000;

/**
 * The definition of a struct, union, enum or typedef. Anything else has one line, its name. Throws DataError for a
 * type that is impossibly large.
 */
export function definitionLines(type: CType): readonly DeclarationLine[] {
  if (type.kind === 'typedef') {
    const target = resolve(type);
    // crash shows what a typedef comes down to, not the next typedef of the chain.
    if (!hasBody(target)) return [{ text: `typedef ${declare(target, type.name)};`, depth: 0 }];
    return bodyOf(target, 'typedef ', ` ${type.name};`);
  }
  return hasBody(type) ? bodyOf(type, '', type.kind === 'enum' ? ';' : '') : [{ text: typeName(type), depth: 0 }];
}

/**
 * The whole declaration of one member in one line, with its semicolon: `int (*load)(struct file *);`. The constants of
 * an enum without a name are written out, as gdb does.
 */
export function memberDeclaration(member: { readonly name?: string | undefined; readonly type: CType } & Bits): string {
  const width = member.bitSize === undefined ? '' : ` : ${member.bitSize}`;
  const text = `${declare(member.type, member.name ?? '')}${width};`;
  const constants = anonymousEnum(member.type);
  return constants === undefined ? text : text.replace(`enum ${ANONYMOUS}`, () => `enum ${inlineConstants(constants)}`);
}

function anonymousEnum(type: CType): EnumType | undefined {
  let current: CType = type;
  for (let i = 0; i < DEPTH_MAX; i++) {
    if (current.kind === 'array') current = current.element;
    else if (current.kind === 'qualified' || current.kind === 'pointer') current = current.target;
    else return current.kind === 'enum' && current.name === undefined ? current : undefined;
  }
  return undefined;
}

/** `{A, B = 7, C}`: a value only where it is not one more than the one before. */
function inlineConstants(type: EnumType): string {
  let next = 0n;
  const shown = type.enumerators.slice(0, INLINE_CONSTANTS_MAX).map(({ name, value }) => {
    const expected = value === next;
    next = value + 1n;
    return expected ? name : `${name} = ${value}`;
  });
  if (type.enumerators.length > INLINE_CONSTANTS_MAX) shown.push('...');
  return `{${shown.join(', ')}}`;
}

const INLINE_CONSTANTS_MAX = 200;

interface Bits {
  readonly bitSize?: number | undefined;
}

function bodyOf(type: CompoundType | EnumType, before: string, after: string): DeclarationLine[] {
  const lines: DeclarationLine[] = [{ text: `${before}${header(type)} {`, depth: 0 }];
  if (type.kind === 'enum') {
    for (const { name, value } of type.enumerators) lines.push({ text: `${name} = ${value}`, depth: 1 });
  } else {
    addMembers(type, { prefix: '', bits: 0, depth: 1 }, lines);
  }
  lines.push({ text: `}${after}`, depth: 0 });
  return lines;
}

interface Place {
  /** Path of the enclosing named member, with its dot. */
  readonly prefix: string;
  readonly bits: number;
  readonly depth: number;
}

function addMembers(compound: CompoundType, place: Place, lines: DeclarationLine[]): void {
  for (const member of compound.members) {
    if (lines.length >= LINES_MAX || place.depth > DEPTH_MAX) {
      throw new DataError(`${typeName(compound)} has no end of members: its type information is damaged`);
    }
    addMember(member, place, lines);
  }
}

function addMember(member: Member, { prefix, bits, depth }: Place, lines: DeclarationLine[]): void {
  const at = bits + member.bitOffset;
  const path = `${prefix}${member.name ?? ''}`;
  const declared: DeclaredMember = {
    path,
    type: member.type,
    offset: Math.floor(at / 8),
    bitOffset: member.bitSize === undefined ? 0 : at % 8,
    bitSize: member.bitSize,
  };
  const named = member.name === undefined ? {} : { member: declared };
  const body = anonymousBody(member.type);
  if (body === undefined) {
    lines.push({ text: memberDeclaration(member), depth, ...named });
    return;
  }
  const { before, after } = aroundBody(member, body.type);
  lines.push({ text: `${before} {`, depth });
  const inner = `${path}${'[0]'.repeat(body.dimensions)}`;
  addMembers(
    body.type,
    { prefix: member.name === undefined ? prefix : `${inner}.`, bits: at, depth: depth + 1 },
    lines,
  );
  lines.push({ text: `}${after};`, depth, ...named });
}

/** The struct without a name that a member is, or is an array of. */
function anonymousBody(type: CType): { readonly type: CompoundType; readonly dimensions: number } | undefined {
  let current: CType = type;
  for (let dimensions = 0; dimensions < DEPTH_MAX; ) {
    if (current.kind === 'array') {
      dimensions++;
      current = current.element;
    } else if (current.kind === 'qualified') {
      current = current.target;
    } else {
      if (current.kind !== 'struct' && current.kind !== 'union') return undefined;
      return current.name === undefined ? { type: current, dimensions } : undefined;
    }
  }
  return undefined;
}

/** What stands before and after the braces: `const struct` and ` pages[4]`. */
function aroundBody(member: Member, body: CompoundType): { readonly before: string; readonly after: string } {
  const whole = declare(member.type, member.name ?? '');
  const marker = ` ${ANONYMOUS}`;
  const at = whole.indexOf(marker);
  return at < 0
    ? { before: body.kind, after: member.name === undefined ? '' : ` ${member.name}` }
    : { before: whole.slice(0, at), after: whole.slice(at + marker.length) };
}

const ANONYMOUS = '{...}';

function header(type: CompoundType | EnumType): string {
  return type.name === undefined ? type.kind : `${type.kind} ${type.name}`;
}

function hasBody(type: CType): type is CompoundType | EnumType {
  return type.kind === 'struct' || type.kind === 'union' || type.kind === 'enum';
}

/** How offsets are shown before the members. */
export interface OffsetOptions {
  readonly radix: 10 | 16;
  /** The address of a structure: its members' addresses are shown then. */
  readonly address?: bigint;
}

/**
 * Lines as text. With offsets each member has its own in front, right-aligned: `   [0x18] struct list_head tasks;`;
 * lines without one are indented alike.
 */
export function formatDefinition(type: CType, lines: readonly DeclarationLine[], offsets?: OffsetOptions): string[] {
  const target = resolve(type);
  const step = target.kind === 'enum' ? 2 : 4;
  if (offsets === undefined) return lines.map(({ text, depth }) => `${' '.repeat(depth * step)}${text}`);
  const show = (offset: number): string => {
    if (offsets.address !== undefined) return BigInt.asUintN(64, offsets.address + BigInt(offset)).toString(16);
    return offsets.radix === 16 ? `0x${offset.toString(16)}` : String(offset);
  };
  const width = Math.max(show(sizeOf(type)).length, 1) + 4;
  return lines.map(({ text, depth, member }) => {
    if (depth === 0) return text;
    const prefix = member === undefined ? '' : `[${show(member.offset)}]`;
    return `${prefix.padStart(width)} ${' '.repeat((depth - 1) * step)}${text}`;
  });
}

/** The line that crash puts after a definition: `SIZE: 0x18`. */
export function formatSize(type: CType, radix: 10 | 16): string {
  const size = sizeOf(type);
  return `SIZE: ${radix === 16 ? `0x${size.toString(16)}` : size}`;
}
