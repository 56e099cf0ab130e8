/**
 * What a name means in C: a type's definition, a variable's declaration, a function's prototype; and the search for
 * types by size or member.
 */
import { defineCommand, flag, option, rest } from '../src/core/command/define.ts';
import { text, word } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { NotFoundError, UnsupportedError, UsageError } from '../src/core/errors.ts';
import { decimalColumn, textColumn } from '../src/core/output/columns.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import type { KernelSymbol } from '../src/core/symbols/symbol-table.ts';
import { definitionLines, formatDefinition, formatSize } from '../src/core/types/declaration.ts';
import { walkMembers } from '../src/core/types/member-path.ts';
import { type CType, resolve, sizeOf, type TypeNamespace } from '../src/core/types/type.ts';
import { declare, parseTypeName, typeName } from '../src/core/types/type-name.ts';
import { searchTypes } from '../src/core/types/type-search.ts';

const FOUND = {
  size: decimalColumn('SIZE', 'bytes', { width: 6 }),
  type: textColumn('TYPE', 'the structure', { tone: 'type' }),
};

export default defineCommand({
  name: 'whatis',
  group: 'types',
  summary: 'the C definition of a name; types by size or member',
  description: [
    'Types come from BTF, which has the prototypes of functions and the types of per-CPU variables but not those of other globals. kdbg knows the most used ones; -D declares more: whatis -D "struct list_head my_list;".',
  ],
  needs: ['types'],
  options: {
    o: flag('show the offset of each member'),
    r: option(word, 'SIZE[-SIZE]', 'structures of this size, or of one in the range'),
    m: option(word, 'MEMBER', 'structures with a member of this name, or of a type of this name'),
    D: option(text, 'DECLARATION', 'declare the type of a global variable for this session'),
  },
  operands: { name: rest(text, '[NAME]', 'a type, a variable, a function or an enumeration constant') },
  examples: [
    { line: 'whatis struct list_head', shows: 'a definition' },
    { line: 'whatis vfs_read', shows: 'a prototype' },
    { line: 'whatis pid_t', shows: 'a typedef' },
    { line: 'whatis -m wait_list', shows: 'structures with such a member' },
    { line: 'whatis -r 16-24 -m next', shows: 'and of such a size' },
  ],
  *run(scope, { o, r, m, D, name }) {
    if (D !== undefined) {
      scope.kernel.kernelTypes.declare(D);
      yield notice('declared for this session');
      return;
    }
    if (r !== undefined || m !== undefined) {
      yield* search(scope, r, m);
      return;
    }
    if (name === '') throw new UsageError('whatis wants a name');
    yield describe(scope, name, o);
  },
});

function* search(scope: Scope, range: string | undefined, member: string | undefined): Iterable<Item> {
  const size = range === undefined ? undefined : parseRange(range);
  const query = {
    ...(size === undefined ? {} : { size }),
    ...(member === undefined ? {} : memberQuery(scope, member)),
  };
  const found = [...searchTypes(scope.kernel.types, query)].sort((a, b) => a.size - b.size);
  for (const { size: bytes, namespace, name, module } of found) {
    scope.check();
    const type = namespace === 'typedef' ? name : `${namespace} ${name}`;
    yield row({ size: bytes, type, ...(module === undefined ? {} : { module }) }, FOUND);
  }
  if (found.length === 0) yield notice('no structure is like that');
}

/** A name that some type has is the type of a member, any other the name of one. */
function memberQuery(scope: Scope, name: string): { readonly memberType: string } | { readonly memberName: string } {
  const bare = name.replace(/^(struct|union|enum) /, '');
  return namedType(scope, bare) === undefined ? { memberName: name } : { memberType: bare };
}

function parseRange(textual: string): { readonly low: number; readonly high: number } {
  const match = /^(0x[0-9a-fA-F]+|\d+)(?:-(0x[0-9a-fA-F]+|\d+))?$/.exec(textual);
  if (match === null) throw new UsageError(`"${textual}" is not a size or a range of sizes`);
  return { low: Number(match[1]), high: Number(match[2] ?? match[1]) };
}

function describe(scope: Scope, name: string, offsets: boolean): Item {
  const type = namedType(scope, name);
  if (type !== undefined) return typeItem(scope, type, offsets);
  const { types, kernelTypes } = scope.kernel;
  const prototype = types.function(name);
  if (prototype !== undefined) {
    const declaration = `${declare(prototype, name)};`;
    return row({ name, kind: 'function', declaration }, () => [declaration]);
  }
  const symbol = symbolNamed(scope, name);
  const variable = kernelTypes.typeOfGlobal(name, symbol?.module);
  if (variable !== undefined) {
    const declaration = `${declare(variable, name)};`;
    return row({ name, kind: 'variable', declaration }, () => [declaration]);
  }
  const constant = types.enumerator(name);
  if (constant !== undefined) {
    const of = constant.type.name === undefined ? 'an enum without a name' : `enum ${constant.type.name}`;
    return row({ name, kind: 'enumerator', value: constant.value, type: typeName(constant.type) }, () => [
      `${name} = ${constant.value} of ${of}`,
    ]);
  }
  if (symbol !== undefined) {
    throw new NotFoundError('type', name, [], 'in the type information: it is a symbol whose type is not known');
  }
  throw new NotFoundError('type', name, nearTypes(scope, name));
}

/** The symbol of this name; undefined on a target that has no symbols either. */
function symbolNamed(scope: Scope, name: string): KernelSymbol | undefined {
  try {
    return scope.kernel.symbols.find(name);
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

/** A name that is a type: by its tag, or any spelling with a space or star in it. */
function namedType(scope: Scope, name: string): CType | undefined {
  if (/[\s*[(]/.test(name)) return parseTypeName(name, scope.kernel.types);
  for (const namespace of ['struct', 'union', 'enum', 'typedef', 'base'] as const satisfies readonly TypeNamespace[]) {
    const found = scope.kernel.types.find(namespace, name);
    if (found !== undefined) return found;
  }
  return undefined;
}

function typeItem(scope: Scope, type: CType, offsets: boolean): Item {
  const radix = offsetRadix(scope.settings);
  const resolved = resolve(type);
  const compound = resolved.kind === 'struct' || resolved.kind === 'union';
  const members = compound
    ? [...walkMembers(resolved)].map((member) => ({
        name: member.path,
        offset: member.offset,
        type: typeName(member.type),
      }))
    : [];
  return row({ type: typeName(type), size: sizeOf(type), members }, () => [
    ...formatDefinition(type, definitionLines(type), offsets ? { radix } : undefined),
    formatSize(type, radix),
  ]);
}

function nearTypes(scope: Scope, name: string): readonly string[] {
  const near: string[] = [];
  const wanted = name.toLowerCase();
  for (const each of scope.kernel.types.names()) {
    if (each.name.toLowerCase().startsWith(wanted.slice(0, 4)) && each.name.includes(wanted.slice(-3)))
      near.push(each.name);
    if (near.length >= 5) break;
  }
  return near;
}
