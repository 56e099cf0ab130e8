/**
 * Kinds of arguments that mean something in the kernel: addresses, expressions, symbols, types with members, CPUs,
 * modules. Each completes from the target itself.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import { cpus, namedCpus } from '../kernel/cpu.ts';
import { isTextType } from '../symbols/symbol-table.ts';
import { evaluateInteger } from '../types/evaluate.ts';
import { type EvaluatedAddress, evaluateAddress, evaluateAddresses } from '../types/evaluate-address.ts';
import { findMember, getMember, memberNames } from '../types/member-path.ts';
import { type CType, resolve, type TypeNamespace } from '../types/type.ts';
import { parseTypeName, typeName } from '../types/type-name.ts';
import { CANDIDATES_MAX } from './complete.ts';
import type { Candidate, Completions, Kind } from './define.ts';
import { environmentOf } from './environment.ts';
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
  complete: (text, scope) => ({ candidates: symbolCandidates(text, scope) }),
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

/** An address, or `struct.member` as its offset: what may come first in `list`. */
export const offsetOrAddress: Kind<bigint> = {
  name: 'offset or address',
  parse(text, scope) {
    const tag = /^([A-Za-z_]\w*)\./.exec(text)?.[1];
    const isMember = tag !== undefined && scope.kernel.types.find('struct', tag) !== undefined;
    return isMember ? BigInt(offset.parse(text, scope)) : address.parse(text, scope);
  },
  complete: completeTypeWithMembers,
};

/** `a,b.c` as paths; `task_struct.a,task_struct.b` is accepted as well, and `m[1,2]` does not exist. */
export function splitMembers(list: string, typeTag: string): readonly string[] {
  if (list.trim() === '') return [];
  return list.split(',').map((member) => {
    const trimmed = member.trim();
    return trimmed.startsWith(`${typeTag}.`) ? trimmed.slice(typeTag.length + 1) : trimmed;
  });
}

/** Names within an expression: members after `.` or `->` of what stands before, else symbols and types. */
function completeExpression(text: string, scope: Scope): Completions {
  const word = /[A-Za-z_$][\w]*$/.exec(text)?.[0] ?? '';
  const start = text.length - word.length;
  const owner = /([A-Za-z_$][\w.\->[\]]*?)(?:\.|->)$/.exec(text.slice(0, start))?.[1];
  if (owner !== undefined) return { start, candidates: memberCandidates(ownerType(owner, scope), '') };
  if (word.length === 0) return { candidates: [] };
  return { start, candidates: symbolCandidates(word, scope) };
}

/** The type of `symbol.a->b`, without reading memory; undefined where it is not known. */
function ownerType(path: string, scope: Scope): CType | undefined {
  const [symbol = '', ...members] = path.replaceAll('->', '.').split('.');
  let type = scope.kernel.kernelTypes.typeOfGlobal(symbol);
  for (const member of members) {
    if (type === undefined) return undefined;
    type = findMember(pointee(type), member)?.type;
  }
  return type;
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

function symbolCandidates(prefix: string, scope: Scope): readonly Candidate[] {
  const { symbols } = scope.kernel;
  const found: Candidate[] = [];
  for (const name of symbols.names()) {
    if (!name.startsWith(prefix) || name.startsWith('__pfx_')) continue;
    const symbol = symbols.find(name);
    const kind = symbol === undefined || !isTextType(symbol.type) ? 'data' : 'text';
    found.push({ text: name, detail: symbol?.module === undefined ? kind : `${kind} [${symbol.module}]` });
    if (found.length >= CANDIDATES_MAX) break;
  }
  return found.sort((a, b) => (a.text < b.text ? -1 : 1));
}

/** The module of this name as the symbols know it. Throws NotFoundError. */
export function knownModule(name: string, scope: Scope): string {
  const { modules } = scope.kernel.symbols;
  const wanted = name.replaceAll('-', '_');
  const found = modules.find((module) => module.replaceAll('-', '_') === wanted);
  if (found !== undefined) return found;
  throw new NotFoundError('module', name, modules.filter((module) => module.includes(wanted.slice(0, 3))).slice(0, 5));
}
