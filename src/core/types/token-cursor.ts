/** The place of a parser in an expression's text: the next token, what went before, and errors that point there. */
import type { UsageError } from '../errors.ts';
import { expressionError, type TypeText } from './expression.ts';
import { readToken, type Token } from './expression-lexer.ts';

const ASSIGNMENT = /^(?:=|[-+*/%&|^]=|<<=|>>=|\+\+|--)$/;

export class TokenCursor {
  readonly source: string;
  /** The next token. */
  token: Token;
  /** Where the last token ended: `x:0` is a per-CPU suffix and `x :0` is not. */
  lastEnd = 0;

  constructor(source: string) {
    this.source = source;
    this.token = readToken(source, 0);
  }

  /** Takes the token. */
  next(): Token {
    const { token } = this;
    this.goTo(token.end);
    return token;
  }

  /** Goes on at a position of the text. */
  goTo(position: number): void {
    this.lastEnd = position;
    this.token = readToken(this.source, position);
  }

  is(operator: string): boolean {
    return this.token.kind === 'operator' && this.token.text === operator;
  }

  /** Takes the operator that must be here. Throws UsageError. */
  expect(operator: string): void {
    if (!this.is(operator)) throw this.unexpected(`"${operator}"`);
    this.next();
  }

  /** Takes the text up to a closing mark that is not within brackets; the mark itself stays. */
  textUpTo(end: ')' | ','): TypeText {
    const { at } = this.token;
    let last = at;
    for (let open = 0; this.token.kind !== 'end'; last = this.next().end) {
      const text = this.token.kind === 'operator' ? this.token.text : '';
      if (open === 0 && (text === end || text === ')')) break;
      if (text === '(' || text === '[') open++;
      if (text === ')' || text === ']') open--;
    }
    return { text: this.source.slice(at, last), at };
  }

  /** An error at the next token. */
  error(message: string, hint?: string): UsageError {
    return expressionError(this.source, this.token.at, message, hint);
  }

  unexpected(wanted: string, token = this.token): UsageError {
    const text = this.source.slice(token.at, token.end);
    if (token.kind === 'operator' && ASSIGNMENT.test(text)) {
      return expressionError(this.source, token.at, 'nothing can be assigned: kdbg never writes kernel memory');
    }
    const found = token.kind === 'end' ? 'the expression ends' : `found ${JSON.stringify(text)}`;
    return expressionError(this.source, token.at, `expected ${wanted}, ${found}`);
  }
}
