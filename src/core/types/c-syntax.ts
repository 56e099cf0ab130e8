/**
 * The grammar of C declarations and type names, as far as kernel headers need it: text to a tree of what was written,
 * with no idea yet of what exists. `c-declaration.ts` gives the tree types.
 *
 *     declaration = specifier { declarator [ ":" width ] "," } ";"
 *     specifier   = { qualifier } ( "unsigned long" ... | struct/union/enum TAG [ "{" ... "}" ] | NAME )
 *     declarator  = { "*" { qualifier } } ( NAME | "(" declarator ")" | nothing ) { "[" count "]" | "(" parameters ")" }
 *
 * A line pasted from the kernel's source parses: storage classes, `__user`, `__percpu`, `__read_mostly` and
 * `__attribute__((...))` are skipped. An initialiser is not part of a declaration here.
 */
import { UsageError } from '../errors.ts';
import { type CToken, tokenize } from './c-token.ts';
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

/** Deeper than any declaration that a person writes; keeps made-up text from exhausting the stack. */
const DEPTH_MAX = 40;
const TEXT_LENGTH_MAX = 1024 * 1024;

const BASE_WORDS = new Set([
  ...['void', 'char', 'short', 'int', 'long', 'signed', 'unsigned', 'float', 'double', '_Bool'],
  ...['__int128', '__int128_t', '__uint128_t', '__signed__'],
]);
const QUALIFIERS: ReadonlyMap<string, Qualifier> = new Map([
  ['const', 'const'],
  ['volatile', 'volatile'],
  ['restrict', 'restrict'],
  ['__restrict', 'restrict'],
  ['__restrict__', 'restrict'],
]);
const STORAGE = new Set(['static', 'extern', 'register', 'inline', '__inline', '__inline__', '__always_inline']);
const SPARSE = new Set(['__user', '__kernel', '__iomem', '__percpu', '__rcu', '__force', '__private', '__bitwise']);

/** True for a word that can only begin a type: a base type, `struct`, a qualifier. */
export function isTypeWord(word: string): boolean {
  return BASE_WORDS.has(word) || QUALIFIERS.has(word) || word === 'struct' || word === 'union' || word === 'enum';
}

/** Reads declarations up to the end of the text. Throws UsageError with the column. */
export function parseDeclarationSyntax(text: string): readonly Declaration[] {
  const parser = new Parser(text, 0);
  const declarations: Declaration[] = [];
  while (!parser.atEnd()) {
    if (!parser.skip(';')) declarations.push(parser.declaration(false));
  }
  return declarations;
}

/** Reads one type name that starts at `start`; `end` is where it stops. Throws UsageError with the column. */
export function parseTypeNameSyntax(
  text: string,
  start = 0,
): { readonly syntax: ParameterSyntax; readonly end: number } {
  const parser = new Parser(text, start);
  const specifier = parser.specifier();
  const declarator = parser.declarator('abstract');
  return { syntax: { specifier, declarator }, end: parser.end() };
}

class Parser {
  readonly #text: string;
  readonly #tokens: Generator<CToken>;
  readonly #ahead: CToken[] = [];
  #end: number;
  #depth = 0;

  constructor(text: string, start: number) {
    if (text.length > TEXT_LENGTH_MAX) throw new UsageError(`a declaration of ${text.length} characters is too long`);
    this.#text = text;
    this.#tokens = tokenize(text, start);
    this.#end = start;
  }

  /** Where the last token that was used ends. */
  end(): number {
    return this.#end;
  }

  atEnd(): boolean {
    return this.#peek().kind === 'end';
  }

  declaration(isMember: boolean): Declaration {
    this.#nest();
    const typedef = !isMember && this.skip('typedef');
    const specifier = this.specifier();
    const declarators: DeclaratorSyntax[] = [];
    while (!this.skip(';')) {
      if (declarators.length > 0) this.#expect(',', 'or ";"');
      declarators.push(this.#withWidth(this.declarator('named'), isMember));
      if (!isMember && this.atEnd()) break;
    }
    this.#depth--;
    return { typedef, specifier, declarators };
  }

  specifier(): SpecifierSyntax {
    const qualifiers: Qualifier[] = [];
    this.#qualifiers(qualifiers, true);
    const first = this.#peek();
    const names = this.#names(qualifiers);
    this.#qualifiers(qualifiers, true);
    return { qualifiers, column: first.column, names };
  }

  #names(qualifiers: Qualifier[]): SpecifierSyntax['names'] {
    const token = this.#peek();
    if (token.kind !== 'word') throw this.#error(token, 'a type name is wanted');
    if (token.text === 'struct' || token.text === 'union' || token.text === 'enum') return this.#tagged(token.text);
    if (!BASE_WORDS.has(token.text)) return { kind: 'name', name: this.#next().text };
    const words: string[] = [];
    while (BASE_WORDS.has(this.#peek().text)) {
      words.push(this.#next().text);
      this.#qualifiers(qualifiers, false);
    }
    return { kind: 'base', words };
  }

  #tagged(kind: 'struct' | 'union' | 'enum'): SpecifierSyntax['names'] {
    const keyword = this.#next();
    this.#attributes();
    const next = this.#peek();
    const tag = next.kind === 'word' ? this.#next().text : undefined;
    if (this.skip('{')) {
      const body =
        kind === 'enum' ? { kind, tag, constants: this.#constants() } : { kind, tag, members: this.#members() };
      this.#attributes();
      return body;
    }
    if (tag === undefined) throw this.#error(next, `"${keyword.text}" needs a tag`);
    return { kind, tag };
  }

  #members(): readonly Declaration[] {
    const members: Declaration[] = [];
    while (!this.skip('}')) {
      if (!this.skip(';')) members.push(this.declaration(true));
    }
    return members;
  }

  #constants(): readonly ConstantSyntax[] {
    const constants: ConstantSyntax[] = [];
    while (!this.skip('}')) {
      if (constants.length > 0) {
        this.#expect(',', 'or "}"');
        if (this.skip('}')) break;
      }
      const name = this.#word('the name of a constant');
      constants.push({ name, value: this.skip('=') ? this.#integer() : undefined });
    }
    return constants;
  }

  /** `named` may still have no name: an anonymous struct member, a parameter. `abstract` never takes one. */
  declarator(form: 'named' | 'abstract'): DeclaratorSyntax {
    this.#nest();
    const pointers: Layer[] = [];
    while (this.skip('*')) {
      const qualifiers: Qualifier[] = [];
      this.#qualifiers(qualifiers, false);
      pointers.push({ kind: 'pointer', qualifiers });
    }
    const at = this.#peek();
    let inner: DeclaratorSyntax = { name: undefined, column: at.column, layers: [] };
    if (form === 'named' && at.kind === 'word') {
      inner = { ...inner, name: this.#next().text };
    } else if (at.text === '(' && this.#opensDeclarator(form)) {
      this.#next();
      inner = this.declarator(form);
      this.#expect(')');
    }
    const suffixes = this.#suffixes();
    this.#attributes();
    this.#depth--;
    // The suffix next to the name binds first, so counted from the specifier it is the last.
    return { ...inner, layers: [...pointers, ...suffixes.reverse(), ...inner.layers] };
  }

  /** Tells `(*fn)` and `(name)` from a parameter list. */
  #opensDeclarator(form: 'named' | 'abstract'): boolean {
    const next = this.#peek(1);
    return next.text === '*' || next.text === '(' || next.text === '[' || (form === 'named' && this.#isPlainName(next));
  }

  #isPlainName(token: CToken): boolean {
    return token.kind === 'word' && !isTypeWord(token.text) && this.#peek(2).text === ')' && this.#peek(3).text === '(';
  }

  #suffixes(): Layer[] {
    const layers: Layer[] = [];
    for (;;) {
      const { column } = this.#peek();
      if (this.skip('[')) {
        layers.push({ kind: 'array', count: this.#count(), column });
        this.#expect(']');
      } else if (this.skip('(')) {
        layers.push(this.#parameters());
      } else {
        return layers;
      }
    }
  }

  #count(): ArrayCount {
    const token = this.#peek();
    if (token.text === ']') return undefined;
    if (token.kind === 'word') return this.#next().text;
    const count = Number(this.#integer());
    if (count < 0 || count > 0xffff_ffff) throw this.#error(token, 'an array cannot have so many elements');
    return count;
  }

  #parameters(): Layer {
    const parameters: ParameterSyntax[] = [];
    if (this.#peek().text === 'void' && this.#peek(1).text === ')') this.#next();
    for (let variadic = false; ; ) {
      if (this.skip(')')) return { kind: 'function', parameters, variadic };
      if (parameters.length > 0) this.#expect(',', 'or ")"');
      if (this.skip('...')) {
        variadic = true;
        this.#expect(')');
        return { kind: 'function', parameters, variadic };
      }
      const specifier = this.specifier();
      parameters.push({ specifier, declarator: this.declarator('named') });
    }
  }

  #withWidth(declarator: DeclaratorSyntax, isMember: boolean): DeclaratorSyntax {
    const at = this.#peek();
    if (!isMember || !this.skip(':')) return declarator;
    const bitSize = Number(this.#integer());
    if (bitSize < 0 || bitSize > 64) throw this.#error(at, 'a bitfield has at most 64 bits');
    this.#attributes();
    return { ...declarator, bitSize };
  }

  #integer(): bigint {
    const negative = this.skip('-');
    const token = this.#next();
    if (token.kind !== 'number') throw this.#error(token, 'a number is wanted');
    return negative ? -token.value : token.value;
  }

  #qualifiers(into: Qualifier[], storage: boolean): void {
    for (;;) {
      this.#attributes();
      const token = this.#peek();
      const qualifier = QUALIFIERS.get(token.text);
      if (qualifier !== undefined) into.push(qualifier);
      else if (!SPARSE.has(token.text) && !(storage && STORAGE.has(token.text))) return;
      this.#next();
    }
  }

  /** Skips `__attribute__((...))` and the kernel's section and alignment macros, which follow a declarator. */
  #attributes(): void {
    for (;;) {
      const token = this.#peek();
      const takesList = token.text === '__attribute__' || token.text === '__aligned' || token.text === '__section';
      if (takesList && this.#peek(1).text === '(') {
        this.#next();
        this.#balanced();
      } else if (
        /^__(packed|read_mostly|ro_after_init|init|initdata|visible|cacheline_aligned\w*)$|^____/.test(token.text)
      ) {
        this.#next();
      } else {
        return;
      }
    }
  }

  #balanced(): void {
    let depth = 0;
    do {
      const token = this.#next();
      if (token.kind === 'end') throw this.#error(token, '")" is wanted');
      if (token.text === '(') depth++;
      if (token.text === ')') depth--;
    } while (depth > 0);
  }

  #word(what: string): string {
    const token = this.#next();
    if (token.kind !== 'word') throw this.#error(token, `${what} is wanted`);
    return token.text;
  }

  skip(text: string): boolean {
    if (this.#peek().text !== text) return false;
    this.#next();
    return true;
  }

  #expect(text: string, alternative = ''): void {
    const token = this.#peek();
    if (this.skip(text)) return;
    throw this.#error(token, `"${text}"${alternative === '' ? '' : ` ${alternative}`} is wanted`);
  }

  #nest(): void {
    if (++this.#depth > DEPTH_MAX) throw this.#error(this.#peek(), 'the declaration nests too deeply');
  }

  #peek(distance = 0): CToken {
    while (this.#ahead.length <= distance) {
      const step = this.#tokens.next();
      this.#ahead.push(step.done === true ? { kind: 'end', text: '', column: this.#text.length } : step.value);
    }
    return this.#ahead[distance] as CToken;
  }

  #next(): CToken {
    const token = this.#peek();
    this.#ahead.shift();
    this.#end = token.column + token.text.length;
    return token;
  }

  #error(token: CToken, message: string): UsageError {
    const found = token.kind === 'end' ? 'the end' : `"${token.text}"`;
    return new UsageError(`${message}, not ${found}`, { source: this.#text, column: token.column });
  }
}
