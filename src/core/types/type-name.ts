/**
 * Names of C types: `struct list_head **`, `char [16]`, `int (*)(void *)`, as gdb and crash write them. A declaration
 * is the same around a name: `int (*fn)(struct foo *, int)`.
 */
import { UsageError } from '../errors.ts';
import { spellBase } from './base-type.ts';
import { parseTypeAt } from './c-declaration.ts';
import type { TypeNameOptions } from './c-scope.ts';
import type { CType, FunctionType, QualifiedType, TypeTable } from './type.ts';

/** The type that a whole text names. Throws UsageError with the column, NotFoundError with near misses. */
export function parseTypeName(text: string, table: TypeTable, options: TypeNameOptions = {}): CType {
  const { type, end } = parseTypeAt(text, 0, table, options);
  const rest = text.slice(end).trimStart();
  if (rest !== '') {
    const column = text.length - rest.length;
    throw new UsageError(`"${rest}" is not part of a type name`, { source: text, column });
  }
  return type;
}

/** The type's name: `unsigned long`, `struct file *`, `struct {...}` for one that has none. */
export function typeName(type: CType): string {
  return declare(type, '');
}

/** The declaration of a variable or member of this type, without a semicolon: `char comm[16]`. */
export function declare(type: CType, name: string): string {
  return declareAround(type, name, { left: SPELLED_TYPES_MAX }, 0);
}

/** A function's parameters, and their types in turn, of a table that was made up to have no end. */
const SPELLED_TYPES_MAX = 500;
const DEPTH_MAX = 64;

interface Budget {
  left: number;
}

/** Builds the declarator from the name outwards, until it comes to a type with a name of its own. */
function declareAround(type: CType, name: string, budget: Budget, depth: number): string {
  let declarator = name;
  let current = type;
  let isPointed = false;
  const prefixes: string[] = [];
  for (let steps = depth; steps < DEPTH_MAX && budget.left-- > 0; steps++) {
    switch (current.kind) {
      case 'pointer':
        declarator = `*${declarator}`;
        isPointed = true;
        current = current.target;
        break;
      case 'array':
        // BTF has no difference between `[]` and `[0]`: the first is what kernels of today mean.
        declarator = `${grouped(declarator, isPointed)}[${current.count === 0 ? '' : current.count}]`;
        isPointed = false;
        current = current.element;
        break;
      case 'function':
        declarator = `${grouped(declarator, isPointed)}(${parameterList(current, budget, steps)})`;
        isPointed = false;
        current = current.returns;
        break;
      case 'qualified': {
        const { words, target } = qualifiers(current);
        if (target.kind === 'pointer') declarator = ` ${words.join(' ')}${declarator === '' ? '' : ' '}${declarator}`;
        else prefixes.push(...words);
        current = target;
        break;
      }
      default:
        return assemble(prefixes, current, declarator);
    }
  }
  return `... ${declarator}`.trimEnd();
}

function assemble(prefixes: readonly string[], type: CType, declarator: string): string {
  // A tag such as __rcu stands after the type's name, where the kernel's source has it.
  // An array of const and a const array are the same; gcc records both.
  const words = [...new Set(prefixes)];
  const before = words.filter((word) => !word.startsWith('__'));
  const after = words.filter((word) => word.startsWith('__'));
  const specifier = [...before, nameOf(type), ...after].join(' ');
  return declarator === '' ? specifier : `${specifier} ${declarator.trimStart()}`;
}

function grouped(declarator: string, isPointed: boolean): string {
  return isPointed ? `(${declarator.trimStart()})` : declarator;
}

/** The qualifiers around a type, in the order in which C text has them. */
function qualifiers(type: QualifiedType): { readonly words: readonly string[]; readonly target: CType } {
  const words = new Set<string>();
  let current: CType = type;
  for (let i = 0; i < DEPTH_MAX && current.kind === 'qualified'; i++) {
    words.add(current.qualifier === 'type_tag' ? `__${current.tag ?? ''}` : current.qualifier);
    current = current.target;
  }
  const order = ['const', 'volatile', 'restrict'];
  const rank = (word: string) => (order.indexOf(word) + order.length + 1) % (order.length + 1);
  return { words: [...words].sort((a, b) => rank(a) - rank(b)), target: current };
}

/** What a type is called that is not built of another. */
function nameOf(type: CType): string {
  switch (type.kind) {
    case 'void':
      return 'void';
    case 'int':
    case 'float':
      return spellBase(type.name);
    case 'struct':
    case 'union':
    case 'enum':
      return `${type.kind} ${type.name ?? '{...}'}`;
    case 'forward':
      return `${type.union ? 'union' : 'struct'} ${type.name}`;
    case 'typedef':
      return type.name;
    default:
      return '...';
  }
}

function parameterList(type: FunctionType, budget: Budget, depth: number): string {
  const shown: string[] = [];
  for (const parameter of type.parameters) {
    if (budget.left <= 0) break;
    shown.push(declareAround(parameter.type, parameter.name ?? '', budget, depth + 1));
  }
  if (type.variadic || shown.length < type.parameters.length) shown.push('...');
  return shown.length === 0 ? 'void' : shown.join(', ');
}
