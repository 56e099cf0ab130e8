/**
 * Kinds of arguments that mean something in the kernel: addresses, expressions, symbols, types with members, CPUs,
 * modules. Each completes from the target itself.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import { cpus, namedCpus } from '../kernel/cpu.ts';
import { VMLINUX } from '../types/btf-table.ts';
import { evaluateInteger } from '../types/evaluate.ts';
import { type EvaluatedAddress, evaluateAddress, evaluateAddresses } from '../types/evaluate-address.ts';
import { expressionCandidates, symbolCandidates } from '../types/expression-candidates.ts';
import { findMember, getMember, memberNames } from '../types/member-path.ts';
import { type CType, resolve, type TypeNamespace } from '../types/type.ts';
import { parseTypeName, typeName } from '../types/type-name.ts';
import { CANDIDATES_MAX } from './complete.ts';
import type { Candidate, Completions, Kind } from './define.ts';
import { environmentOf, quietEnvironmentOf } from './environment.ts';
import type { Scope } from './scope.ts';

/** An address: hex digits with or without 0x, a symbol, any C expression. */
export const address: Kind<bigint> = {
  name: 'address',
  parse: (text, scope) => evaluateAddress(text, environmentOf(scope)),
  complete: completeExpression,
};

/** An address, or one for each CPU of a suffix: `runqueues:0,2`. */
export const addresses: Kind<readonly EvaluatedAddress[]> = {
  name: 'address[:cpus]',
  parse: (text, scope) => evaluateAddresses(text, environmentOf(scope)),
  complete: completeExpression,
};

/** An integer expression: a count, an offset; decimal unless 0x says hex. */
export const integer: Kind<bigint> = {
  name: 'integer',
  parse: (text, scope) => evaluateInteger(text, environmentOf(scope)),
  complete: completeExpression,
};

/** A C expression as typed. */
export const expression: Kind<string> = {
  name: 'expression',
  parse: (text) => text.trim(),
  complete: completeExpression,
};

/** CPUs: `0`, `1,3-5`, `a` or `all`. */
export const cpuList: Kind<readonly number[]> = {
  name: 'cpus',
  parse: (text, scope) => namedCpus(scope.kernel, text, scope.context.cpu),
  complete: (_text, scope) => ({
    candidates: [{ text: 'all' }, ...cpus(scope.kernel, 'possible').map((cpu) => ({ text: String(cpu) }))],
  }),
};

/** A symbol's name as typed; completed from the table. */
export const symbolName: Kind<string> = {
  name: 'symbol',
  parse: (text) => text,
  complete: (text, scope) => ({ candidates: symbolCandidates(scope.kernel.symbols, text, CANDIDATES_MAX) }),
};

/** A module's name. */
export const moduleName: Kind<string> = {
  name: 'module',
  parse: (text) => text,
  complete: (_text, scope) => ({ candidates: scope.kernel.symbols.modules.map((text) => ({ text })) }),
};

/** A type's name, `struct task_struct` or `u64` or `struct list_head *`. */
export const typeArgument: Kind<CType> = {
  name: 'type',
  parse: (text, scope) => parseTypeName(text, scope.kernel.types),
  complete: (text, scope) => ({ candidates: typeCandidates(text, scope, undefined) }),
};

/** A type and members of it: `task_struct.pid,comm`. */
export interface TypeWithMembers {
  readonly type: CType;
  /** As typed; empty when the whole type is meant. */
  readonly members: readonly string[];
}

/** `NAME[.member[,member]...]`; a later member may repeat the type's name. */
export const typeWithMembers: Kind<TypeWithMembers> = {
  name: 'struct.member',
  parse(text, scope) {
    const [name = '', ...rest] = text.split('.');
    const type = parseTypeName(name, scope.kernel.types);
    const members = splitMembers(rest.join('.'), name);
    for (const member of members) getMember(type, member);
    if (text.includes('.') && members.length === 0) {
      throw new UsageError(`"${text}" names no member`, { column: text.length });
    }
    return { type, members };
  },
  complete: completeTypeWithMembers,
};

/** An offset: `struct.member`, or a number of bytes. */
export const offset: Kind<number> = {
  name: 'offset',
  parse(text, scope) {
    if (/^[A-Za-z_]/.test(text) && text.includes('.')) {
      const { type, members } = typeWithMembers.parse(text, scope);
      const [member] = members;
      if (member === undefined || members.length > 1) throw new UsageError('one member is wanted', { column: 0 });
      return getMember(type, member).offset;
    }
    const value = Number(evaluateInteger(text, environmentOf(scope)));
    if (!Number.isSafeInteger(value)) throw new UsageError(`"${text}" is no offset`, { column: 0 });
    return value;
  },
  complete: completeTypeWithMembers,
};

/** What may come first in `list`: an address, or an offset; a word may be both. */
export interface OffsetOrAddress {
  /** Bytes; undefined for what can only be an address. */
  readonly offset: number | undefined;
  /** Undefined for a member of a structure. */
  readonly address: bigint | undefined;
}

/** An address, or `struct.member` as its offset. A variable that is called as its type makes `lab_root.list` both. */
export const offsetOrAddress: Kind<OffsetOrAddress> = {
  name: 'offset or address',
  parse(text, scope) {
    const tag = /^([A-Za-z_]\w*)\./.exec(text)?.[1];
    const symbol = tag === undefined ? undefined : scope.kernel.symbols.find(tag);
    const module = symbol && (symbol.module ?? VMLINUX);
    const isMember = tag !== undefined && scope.kernel.types.find('struct', tag, module) !== undefined;
    if (!isMember) {
      const place = address.parse(text, scope);
      return { offset: Number(place), address: place };
    }
    return { offset: offset.parse(text, scope), address: symbol && attempt(() => address.parse(text, scope)) };
  },
  complete: completeTypeWithMembers,
};

/** Undefined for what makes no sense as this. */
function attempt<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (error instanceof UsageError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** `a,b.c` as paths; `task_struct.a,task_struct.b` is accepted as well, and `m[1,2]` does not exist. */
export function splitMembers(list: string, typeTag: string): readonly string[] {
  if (list.trim() === '') return [];
  return list.split(',').map((member) => {
    const trimmed = member.trim();
    return trimmed.startsWith(`${typeTag}.`) ? trimmed.slice(typeTag.length + 1) : trimmed;
  });
}

/** Names within an expression: members of what stands before, symbols, types, variables, CPUs. */
function completeExpression(text: string, scope: Scope): Completions {
  return expressionCandidates(text, text.length, quietEnvironmentOf(scope), CANDIDATES_MAX);
}

function pointee(type: CType): CType {
  const resolved = resolve(type);
  return resolved.kind === 'pointer' ? resolved.target : resolved.kind === 'array' ? resolved.element : type;
}

function memberCandidates(type: CType | undefined, path: string): readonly Candidate[] {
  if (type === undefined) return [];
  const owner = path === '' ? pointee(type) : findMember(pointee(type), path)?.type;
  if (owner === undefined) return [];
  return memberNames(pointee(owner)).map((name) => {
    const member = findMember(pointee(owner), name);
    return { text: name, ...(member === undefined ? {} : { detail: typeName(member.type) }) };
  });
}

function completeTypeWithMembers(text: string, scope: Scope): Completions {
  const dot = text.indexOf('.');
  if (dot < 0) return { candidates: typeCandidates(text, scope, ['struct', 'union']) };
  const type = parseTypeName(text.slice(0, dot), scope.kernel.types);
  const path = text.slice(Math.max(dot, text.lastIndexOf(',')) + 1);
  const lastDot = path.lastIndexOf('.');
  const start = text.length - (path.length - lastDot - 1);
  return { start, candidates: memberCandidates(type, lastDot < 0 ? '' : path.slice(0, lastDot)) };
}

function typeCandidates(
  prefix: string,
  scope: Scope,
  namespaces: readonly TypeNamespace[] | undefined,
): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  for (const { namespace, name } of scope.kernel.types.names()) {
    if (!name.startsWith(prefix) || (namespaces !== undefined && !namespaces.includes(namespace))) continue;
    found.set(name, { text: name, detail: namespace });
    if (found.size >= CANDIDATES_MAX) break;
  }
  return [...found.values()].sort((a, b) => (a.text < b.text ? -1 : 1));
}

/** The module of this name as the symbols know it. Throws NotFoundError. */
export function knownModule(name: string, scope: Scope): string {
  const { modules } = scope.kernel.symbols;
  const wanted = name.replaceAll('-', '_');
  const found = modules.find((module) => module.replaceAll('-', '_') === wanted);
  if (found !== undefined) return found;
  throw new NotFoundError('module', name, modules.filter((module) => module.includes(wanted.slice(0, 3))).slice(0, 5));
}
