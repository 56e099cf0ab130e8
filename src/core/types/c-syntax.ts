/**
 * C declarations and type names as they are written: a tree with no idea yet of what exists. `c-parser.ts` makes it of
 * text, `c-scope.ts` gives it types. The grammar is what kernel headers need:
 *
 *     declaration = specifier { declarator [ ":" width ] "," } ";"
 *     specifier   = { qualifier } ( "unsigned long" ... | struct/union/enum TAG [ "{" ... "}" ] | NAME )
 *     declarator  = { "*" { qualifier } } ( NAME | "(" declarator ")" | nothing ) { "[" count "]" | "(" parameters ")" }
 *
 * A line pasted from the kernel's source parses: storage classes, `__user`, `__percpu`, `__read_mostly` and
 * `__attribute__((...))` are skipped. An initialiser is not part of a declaration here.
 */
import type { QualifiedType } from './type.ts';

export type Qualifier = Exclude<QualifiedType['qualifier'], 'type_tag'>;

export interface SpecifierSyntax {
  readonly qualifiers: readonly Qualifier[];
  readonly column: number;
  readonly names:
    | { readonly kind: 'base'; readonly words: readonly string[] }
    | { readonly kind: 'name'; readonly name: string }
    | { readonly kind: 'struct' | 'union'; readonly tag: string | undefined; readonly members?: readonly Declaration[] }
    | { readonly kind: 'enum'; readonly tag: string | undefined; readonly constants?: readonly ConstantSyntax[] };
}

export interface ConstantSyntax {
  readonly name: string;
  readonly value: bigint | undefined;
}

/** What surrounds the name, from the specifier outwards: `int *a[3]` is pointer, then array of 3. */
export type Layer =
  | { readonly kind: 'pointer'; readonly qualifiers: readonly Qualifier[] }
  | { readonly kind: 'array'; readonly count: ArrayCount; readonly column: number }
  | { readonly kind: 'function'; readonly parameters: readonly ParameterSyntax[]; readonly variadic: boolean };

/** A number, the name of an enumeration constant, or nothing: `[]`. */
export type ArrayCount = number | string | undefined;

export interface ParameterSyntax {
  readonly specifier: SpecifierSyntax;
  readonly declarator: DeclaratorSyntax;
}

export interface DeclaratorSyntax {
  readonly name: string | undefined;
  readonly column: number;
  readonly layers: readonly Layer[];
  readonly bitSize?: number;
}

export interface Declaration {
  readonly typedef: boolean;
  readonly specifier: SpecifierSyntax;
  readonly declarators: readonly DeclaratorSyntax[];
}

/** Words that a base type is made of. */
export const BASE_WORDS = new Set([
  ...['void', 'char', 'short', 'int', 'long', 'signed', 'unsigned', 'float', 'double', '_Bool'],
  ...['__int128', '__int128_t', '__uint128_t', '__signed__'],
]);
export const QUALIFIERS: ReadonlyMap<string, Qualifier> = new Map([
  ['const', 'const'],
  ['volatile', 'volatile'],
  ['restrict', 'restrict'],
  ['__restrict', 'restrict'],
  ['__restrict__', 'restrict'],
]);

/** True for a word that can only begin a type: a base type, `struct`, a qualifier. */
export function isTypeWord(word: string): boolean {
  return BASE_WORDS.has(word) || QUALIFIERS.has(word) || word === 'struct' || word === 'union' || word === 'enum';
}
