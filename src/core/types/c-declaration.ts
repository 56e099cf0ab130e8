/**
 * C declarations given types: `struct list_head modules, btf_modules;`, `unsigned long __per_cpu_offset[];`, and type
 * names: `struct file *`, `int (*)(void *)`. Tags and typedefs are looked up in a kernel's type table; a struct that is
 * declared with its members is laid out here.
 */
import { UsageError } from '../errors.ts';
import { parseDeclarationSyntax, parseTypeNameSyntax } from './c-parser.ts';
import { type DeclaredType, Scope, type TypeNameOptions } from './c-scope.ts';
import type { Declaration, DeclaratorSyntax } from './c-syntax.ts';
import type { CType, TypeTable } from './type.ts';

/** What a declaration declares. */
export interface DeclaredVariable {
  readonly name: string;
  readonly type: CType;
}

/**
 * Parses declarations. Throws UsageError for what does not parse, with the column, and NotFoundError for a type that
 * does not exist.
 */
export function parseDeclarations(
  text: string,
  table: TypeTable,
  options: TypeNameOptions = {},
): { readonly variables: readonly DeclaredVariable[]; readonly types: readonly DeclaredType[] } {
  const scope = new Scope(table, text, options);
  const variables: DeclaredVariable[] = [];
  for (const declaration of parseDeclarationSyntax(text)) {
    const base = scope.specifier(declaration.specifier);
    for (const declarator of declaration.declarators) {
      const variable = declaredVariable(scope, base, declarator, declaration, text);
      if (variable === undefined) continue;
      if (declaration.typedef) {
        const type: CType = { kind: 'typedef', name: variable.name, target: variable.type };
        scope.declare('typedef', variable.name, type);
      } else {
        variables.push(variable);
      }
    }
  }
  return { variables, types: scope.declared };
}

function declaredVariable(
  scope: Scope,
  base: CType,
  declarator: DeclaratorSyntax,
  declaration: Declaration,
  text: string,
): DeclaredVariable | undefined {
  const { name, column } = declarator;
  if (name !== undefined) return { name, type: scope.layered(base, declarator.layers) };
  const { names } = declaration.specifier;
  const isBody = 'members' in names || 'constants' in names;
  if (isBody && declarator.layers.length === 0) return undefined;
  throw new UsageError('a declaration needs a name', { source: text, column });
}

/**
 * Parses the type name at `start`. `end` is the place after it, so that an expression can go on from there. Throws as
 * parseDeclarations does.
 */
export function parseTypeAt(
  text: string,
  start: number,
  table: TypeTable,
  options: TypeNameOptions = {},
): { readonly type: CType; readonly end: number } {
  const { syntax, end } = parseTypeNameSyntax(text, start);
  return { type: new Scope(table, text, options).parameter(syntax), end };
}
