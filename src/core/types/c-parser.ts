/**
 * Parses C declarations and type names into the tree of c-syntax.ts. Text that a person pastes may be anything: its
 * length and nesting are bounded, and an error says the column.
 */
import {
  type ArrayCount,
  BASE_WORDS,
  type ConstantSyntax,
  type Declaration,
  type DeclaratorSyntax,
  isTypeWord,
  type Layer,
  type ParameterSyntax,
  type Qualifier,
  type SpecifierSyntax,
} from './c-syntax.ts';
import { type CToken, TokenStream } from './c-token.ts';

/** Deeper than any declaration that a person writes; keeps made-up text from exhausting the stack. */
const DEPTH_MAX = 40;

/** Reads declarations up to the end of the text. Throws UsageError with the column. */
export function parseDeclarationSyntax(text: string): readonly Declaration[] {
  const parser = new Parser(text, 0);
  const declarations: Declaration[] = [];
  while (!parser.atEnd()) {
    declarations.push(parser.declaration(false));
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
  readonly #tokens: TokenStream;
  #depth = 0;

  constructor(text: string, start: number) {
    this.#tokens = new TokenStream(text, start);
  }

  /** Where the last token that was used ends. */
  end(): number {
    return this.#tokens.end;
  }

  /** True when nothing but semicolons is left before the end. */
  atEnd(): boolean {
    while (this.#tokens.skip(';'));
    return this.#tokens.peek().kind === 'end';
  }

  declaration(isMember: boolean): Declaration {
    this.#nest();
    const typedef = !isMember && this.#tokens.skip('typedef');
    const specifier = this.specifier();
    const declarators: DeclaratorSyntax[] = [];
    while (!this.#tokens.skip(';')) {
      if (declarators.length > 0) this.#tokens.expect(',', 'or ";"');
      declarators.push(this.#withWidth(this.declarator('named'), isMember));
      if (!isMember && this.#tokens.peek().kind === 'end') break;
    }
    this.#depth--;
    return { typedef, specifier, declarators };
  }

  specifier(): SpecifierSyntax {
    const qualifiers: Qualifier[] = [];
    this.#tokens.qualifiers(qualifiers, true);
    const first = this.#tokens.peek();
    const names = this.#names(qualifiers);
    this.#tokens.qualifiers(qualifiers, true);
    return { qualifiers, column: first.column, names };
  }

  #names(qualifiers: Qualifier[]): SpecifierSyntax['names'] {
    const token = this.#tokens.peek();
    if (token.kind !== 'word') throw this.#tokens.error(token, 'a type name is wanted');
    if (token.text === 'struct' || token.text === 'union' || token.text === 'enum') return this.#tagged(token.text);
    if (!BASE_WORDS.has(token.text)) return { kind: 'name', name: this.#tokens.next().text };
    const words: string[] = [];
    while (BASE_WORDS.has(this.#tokens.peek().text)) {
      words.push(this.#tokens.next().text);
      this.#tokens.qualifiers(qualifiers, false);
    }
    return { kind: 'base', words };
  }

  #tagged(kind: 'struct' | 'union' | 'enum'): SpecifierSyntax['names'] {
    const keyword = this.#tokens.next();
    this.#tokens.attributes();
    const next = this.#tokens.peek();
    const tag = next.kind === 'word' ? this.#tokens.next().text : undefined;
    if (this.#tokens.skip('{')) {
      const body =
        kind === 'enum' ? { kind, tag, constants: this.#constants() } : { kind, tag, members: this.#members() };
      this.#tokens.attributes();
      return body;
    }
    if (tag === undefined) throw this.#tokens.error(next, `"${keyword.text}" needs a tag`);
    return { kind, tag };
  }

  #members(): readonly Declaration[] {
    const members: Declaration[] = [];
    while (!this.#tokens.skip('}')) {
      if (!this.#tokens.skip(';')) members.push(this.declaration(true));
    }
    return members;
  }

  #constants(): readonly ConstantSyntax[] {
    const constants: ConstantSyntax[] = [];
    while (!this.#tokens.skip('}')) {
      if (constants.length > 0) {
        this.#tokens.expect(',', 'or "}"');
        if (this.#tokens.skip('}')) break;
      }
      const name = this.#tokens.word('the name of a constant');
      constants.push({ name, value: this.#tokens.skip('=') ? this.#tokens.integer() : undefined });
    }
    return constants;
  }

  /** `named` may still have no name: an anonymous struct member, a parameter. `abstract` never takes one. */
  declarator(form: 'named' | 'abstract'): DeclaratorSyntax {
    this.#nest();
    const pointers: Layer[] = [];
    while (this.#tokens.skip('*')) {
      const qualifiers: Qualifier[] = [];
      this.#tokens.qualifiers(qualifiers, false);
      pointers.push({ kind: 'pointer', qualifiers });
    }
    const at = this.#tokens.peek();
    let inner: DeclaratorSyntax = { name: undefined, column: at.column, layers: [] };
    if (form === 'named' && at.kind === 'word') {
      inner = { ...inner, name: this.#tokens.next().text };
    } else if (at.text === '(' && this.#opensDeclarator(form)) {
      this.#tokens.next();
      inner = this.declarator(form);
      this.#tokens.expect(')');
    }
    const suffixes = this.#suffixes();
    this.#tokens.attributes();
    this.#depth--;
    // The suffix next to the name binds first, so counted from the specifier it is the last.
    return { ...inner, layers: [...pointers, ...suffixes.reverse(), ...inner.layers] };
  }

  /** Tells `(*fn)` and `(name)` from a parameter list. */
  #opensDeclarator(form: 'named' | 'abstract'): boolean {
    const next = this.#tokens.peek(1);
    return next.text === '*' || next.text === '(' || next.text === '[' || (form === 'named' && this.#isPlainName(next));
  }

  #isPlainName(token: CToken): boolean {
    return (
      token.kind === 'word' &&
      !isTypeWord(token.text) &&
      this.#tokens.peek(2).text === ')' &&
      this.#tokens.peek(3).text === '('
    );
  }

  #suffixes(): Layer[] {
    const layers: Layer[] = [];
    for (;;) {
      const { column } = this.#tokens.peek();
      if (this.#tokens.skip('[')) {
        layers.push({ kind: 'array', count: this.#count(), column });
        this.#tokens.expect(']');
      } else if (this.#tokens.skip('(')) {
        layers.push(this.#parameters());
      } else {
        return layers;
      }
    }
  }

  #count(): ArrayCount {
    const token = this.#tokens.peek();
    if (token.text === ']') return undefined;
    if (token.kind === 'word') return this.#tokens.next().text;
    const count = Number(this.#tokens.integer());
    if (count < 0 || count > 0xffff_ffff) throw this.#tokens.error(token, 'an array cannot have so many elements');
    return count;
  }

  #parameters(): Layer {
    const parameters: ParameterSyntax[] = [];
    if (this.#tokens.peek().text === 'void' && this.#tokens.peek(1).text === ')') this.#tokens.next();
    for (let variadic = false; ; ) {
      if (this.#tokens.skip(')')) return { kind: 'function', parameters, variadic };
      if (parameters.length > 0) this.#tokens.expect(',', 'or ")"');
      if (this.#tokens.skip('...')) {
        variadic = true;
        this.#tokens.expect(')');
        return { kind: 'function', parameters, variadic };
      }
      const specifier = this.specifier();
      parameters.push({ specifier, declarator: this.declarator('named') });
    }
  }

  #withWidth(declarator: DeclaratorSyntax, isMember: boolean): DeclaratorSyntax {
    const at = this.#tokens.peek();
    if (!isMember || !this.#tokens.skip(':')) return declarator;
    const bitSize = Number(this.#tokens.integer());
    if (bitSize < 0 || bitSize > 64) throw this.#tokens.error(at, 'a bitfield has at most 64 bits');
    this.#tokens.attributes();
    return { ...declarator, bitSize };
  }

  #nest(): void {
    if (++this.#depth > DEPTH_MAX) throw this.#tokens.error(this.#tokens.peek(), 'the declaration nests too deeply');
  }
}
