/**
 * The words, numbers and signs of C declarations, with their places. What a line of the kernel's source has besides is
 * skipped: comments, storage classes, sparse's annotations, attributes.
 */
import { UsageError } from '../errors.ts';
import { QUALIFIERS, type Qualifier } from './c-syntax.ts';

export type CToken =
  | { readonly kind: 'word' | 'sign' | 'end'; readonly text: string; readonly column: number }
  | { readonly kind: 'number'; readonly text: string; readonly column: number; readonly value: bigint };

const TOKEN = /\s+|\/\*[\s\S]*?\*\/|\/\/[^\n]*|([A-Za-z_]\w*)|(0[xX][0-9a-fA-F]{1,16}|\d{1,20})([uUlL]*)|(\.\.\.|\S)/gy;

const TEXT_LENGTH_MAX = 1024 * 1024;
const STORAGE = new Set(['static', 'extern', 'register', 'inline', '__inline', '__inline__', '__always_inline']);
const SPARSE = new Set(['__user', '__kernel', '__iomem', '__percpu', '__rcu', '__force', '__private', '__bitwise']);

/** Tokens one after the other, with a look ahead. */
export class TokenStream {
  readonly #text: string;
  readonly #tokens: Generator<CToken>;
  readonly #ahead: CToken[] = [];
  #end: number;

  constructor(text: string, start: number) {
    if (text.length > TEXT_LENGTH_MAX) throw new UsageError(`a declaration of ${text.length} characters is too long`);
    this.#text = text;
    this.#tokens = tokenize(text, start);
    this.#end = start;
  }

  /** Where the last token that was used ends. */
  get end(): number {
    return this.#end;
  }

  /** A number with its sign. */
  integer(): bigint {
    const negative = this.skip('-');
    const token = this.next();
    if (token.kind !== 'number') throw this.error(token, 'a number is wanted');
    return negative ? -token.value : token.value;
  }

  /** Collects qualifiers; sparse's annotations and, where they may stand, storage classes are passed over. */
  qualifiers(into: Qualifier[], storage: boolean): void {
    for (;;) {
      this.attributes();
      const token = this.peek();
      const qualifier = QUALIFIERS.get(token.text);
      if (qualifier !== undefined) into.push(qualifier);
      else if (!SPARSE.has(token.text) && !(storage && STORAGE.has(token.text))) return;
      this.next();
    }
  }

  /** Skips `__attribute__((...))` and the kernel's section and alignment macros, which follow a declarator. */
  attributes(): void {
    for (;;) {
      const token = this.peek();
      const takesList = token.text === '__attribute__' || token.text === '__aligned' || token.text === '__section';
      if (takesList && this.peek(1).text === '(') {
        this.next();
        this.#balanced();
      } else if (
        /^__(packed|read_mostly|ro_after_init|init|initdata|visible|cacheline_aligned\w*)$|^____/.test(token.text)
      ) {
        this.next();
      } else {
        return;
      }
    }
  }

  #balanced(): void {
    let depth = 0;
    do {
      const token = this.next();
      if (token.kind === 'end') throw this.error(token, '")" is wanted');
      if (token.text === '(') depth++;
      if (token.text === ')') depth--;
    } while (depth > 0);
  }

  /** The next token, which must be a word. */
  word(what: string): string {
    const token = this.next();
    if (token.kind !== 'word') throw this.error(token, `${what} is wanted`);
    return token.text;
  }

  /** Takes the next token if it is this one. */
  skip(text: string): boolean {
    if (this.peek().text !== text) return false;
    this.next();
    return true;
  }

  expect(text: string, alternative = ''): void {
    const token = this.peek();
    if (this.skip(text)) return;
    throw this.error(token, `"${text}"${alternative === '' ? '' : ` ${alternative}`} is wanted`);
  }

  peek(distance = 0): CToken {
    while (this.#ahead.length <= distance) {
      const step = this.#tokens.next();
      this.#ahead.push(step.done === true ? { kind: 'end', text: '', column: this.#text.length } : step.value);
    }
    return this.#ahead[distance] as CToken;
  }

  next(): CToken {
    const token = this.peek();
    this.#ahead.shift();
    this.#end = token.column + token.text.length;
    return token;
  }

  /** What is wrong, at a token. */
  error(token: CToken, message: string): UsageError {
    const found = token.kind === 'end' ? 'the end' : `"${token.text}"`;
    return new UsageError(`${message}, not ${found}`, { source: this.#text, column: token.column });
  }
}

/** Tokens from `start` on. Throws UsageError where a number is followed by letters. */
function* tokenize(text: string, start: number): Generator<CToken> {
  const pattern = new RegExp(TOKEN);
  pattern.lastIndex = start;
  while (pattern.lastIndex < text.length) {
    const column = pattern.lastIndex;
    const match = pattern.exec(text);
    if (match === null) return;
    const [whole, word, digits, , sign] = match;
    if (word !== undefined) yield { kind: 'word', text: word, column };
    else if (sign !== undefined) yield { kind: 'sign', text: sign, column };
    else if (digits !== undefined) {
      if (/^\w/.test(text.slice(pattern.lastIndex, pattern.lastIndex + 1))) {
        throw new UsageError(`"${whole}" is followed by a letter`, { source: text, column: pattern.lastIndex });
      }
      yield { kind: 'number', text: whole, column, value: BigInt(digits) };
    }
  }
}
