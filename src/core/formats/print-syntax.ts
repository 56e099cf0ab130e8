/**
 * `print fmt:` of an event: the arguments of a printk as C expressions over the record (include/trace/stages), parsed.
 * Macros that the kernel left in the text (__print_flags, __get_str) are calls here.
 */
export type PrintExpression =
  | { readonly kind: 'number'; readonly value: bigint }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly PrintExpression[] }
  | { readonly kind: 'list'; readonly items: readonly PrintExpression[] }
  | { readonly kind: 'cast'; readonly type: string; readonly of: PrintExpression }
  | { readonly kind: 'unary'; readonly operator: string; readonly of: PrintExpression }
  | {
      readonly kind: 'binary';
      readonly operator: string;
      readonly left: PrintExpression;
      readonly right: PrintExpression;
    }
  | {
      readonly kind: 'choice';
      readonly test: PrintExpression;
      readonly yes: PrintExpression;
      readonly no: PrintExpression;
    }
  | { readonly kind: 'index'; readonly of: PrintExpression; readonly at: PrintExpression };

export interface PrintFormat {
  readonly format: string;
  readonly args: readonly PrintExpression[];
}

interface Token {
  readonly kind: 'number' | 'text' | 'name' | 'operator' | 'end';
  readonly text: string;
}

const TOKENS =
  /\s*(?:(?<number>0[xX][0-9a-fA-F]+|\d+)[uUlL]*|(?<text>"(?:[^"\\]|\\.)*")|(?<char>'(?:[^'\\]|\\.)')|(?<name>[A-Za-z_]\w*)|(?<operator>->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:(),.{}[\]]))/y;
const TOKENS_MAX = 20_000;
const DEPTH_MAX = 100;
/** Operators of all arguments together: `1 + 1 + ...` nests as deep as it is long. */
const OPERATORS_MAX = 2000;
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const TYPE =
  /^(?:const|volatile|unsigned|signed|long|int|short|char|void|struct|union|enum|bool|size_t|gfp_t|pgoff_t|dev_t|[us](?:8|16|32|64)|__[us](?:8|16|32|64)|u?int(?:8|16|32|64)_t|loff_t|sector_t|__force|uintptr_t|pid_t|umode_t|__be(?:16|32|64)|__le(?:16|32|64))$/;
const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  '"': '"',
  '\\': '\\',
  "'": "'",
  '0': '\0',
  r: '\r',
};

/** Undefined where it is more of C than is understood. */
export function parsePrintFormat(text: string): PrintFormat | undefined {
  const tokens = tokensOf(text.replaceAll('(REC)->', 'REC->'));
  if (tokens === undefined) return undefined;
  try {
    return new PrintParser(tokens).format();
  } catch (error) {
    if (error instanceof NotUnderstood) return undefined;
    throw error;
  }
}

class NotUnderstood extends Error {}

function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const rest = text.trimEnd();
  for (let at = 0; at < rest.length; ) {
    TOKENS.lastIndex = at;
    const groups = TOKENS.exec(rest)?.groups;
    if (groups === undefined || tokens.length >= TOKENS_MAX) return undefined;
    at = TOKENS.lastIndex;
    const { number, text: quoted, char, name, operator } = groups;
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (quoted !== undefined) tokens.push({ kind: 'text', text: unescaped(quoted.slice(1, -1)) });
    else if (char !== undefined) {
      tokens.push({ kind: 'number', text: String(unescaped(char.slice(1, -1)).charCodeAt(0)) });
    } else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else tokens.push({ kind: 'operator', text: operator as string });
  }
  return tokens;
}

function unescaped(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|(.))/g,
    (_, hex?: string, octal?: string, one?: string) => {
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) & 0xff);
      return ESCAPES[one as string] ?? (one as string);
    },
  );
}

class PrintParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #operators = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  format(): PrintFormat {
    const args: PrintExpression[] = [];
    const first = this.#texts();
    while (this.#take(',')) args.push(this.#choice());
    if (this.#next.kind !== 'end') throw new NotUnderstood();
    return { format: first, args };
  }

  get #next(): Token {
    return this.#tokens[this.#at] ?? { kind: 'end', text: '' };
  }

  #is(text: string): boolean {
    return this.#next.kind === 'operator' && this.#next.text === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #must(text: string): void {
    if (!this.#take(text)) throw new NotUnderstood();
  }

  /** Texts that stand side by side are one. */
  #texts(): string {
    if (this.#next.kind !== 'text') throw new NotUnderstood();
    let text = '';
    for (; this.#next.kind === 'text'; this.#at++) text += this.#next.text;
    return text;
  }

  #choice(): PrintExpression {
    if (++this.#depth > DEPTH_MAX) throw new NotUnderstood();
    const test = this.#binary(0);
    let result = test;
    if (this.#take('?')) {
      const yes = this.#choice();
      this.#must(':');
      result = { kind: 'choice', test, yes, no: this.#choice() };
    }
    this.#depth--;
    return result;
  }

  #binary(level: number): PrintExpression {
    const operators = LEVELS[level];
    if (operators === undefined) return this.#unary();
    let left = this.#binary(level + 1);
    while (this.#next.kind === 'operator' && operators.includes(this.#next.text)) {
      const operator = this.#next.text;
      this.#at++;
      this.#count();
      left = { kind: 'binary', operator, left, right: this.#binary(level + 1) };
    }
    return left;
  }

  #count(): void {
    if (++this.#operators > OPERATORS_MAX) throw new NotUnderstood();
  }

  #unary(): PrintExpression {
    if (++this.#depth > DEPTH_MAX) throw new NotUnderstood();
    const result = this.#prefixed();
    this.#depth--;
    return result;
  }

  #prefixed(): PrintExpression {
    for (const operator of ['-', '+', '!', '~', '&', '*']) {
      if (this.#take(operator)) return { kind: 'unary', operator, of: this.#unary() };
    }
    if (this.#is('(') && this.#isTypeAt(this.#at + 1)) {
      this.#at++;
      const type = this.#type();
      this.#must(')');
      return { kind: 'cast', type, of: this.#unary() };
    }
    return this.#postfixed();
  }

  #isTypeAt(at: number): boolean {
    const token = this.#tokens[at];
    if (token?.kind !== 'name') return false;
    if (TYPE.test(token.text)) return true;
    // An unknown name in parentheses with a star behind it, or before what begins an operand, is a type as well.
    const after = this.#tokens[at + 1];
    const beyond = this.#tokens[at + 2];
    if (after?.text === '*' && beyond?.text === ')') return true;
    const isOperand = beyond?.kind === 'name' || beyond?.kind === 'number' || beyond?.text === '(';
    return token.text !== 'REC' && after?.text === ')' && isOperand;
  }

  #type(): string {
    const words: string[] = [];
    while (this.#next.kind === 'name' || this.#is('*')) words.push(this.#tokens[this.#at++]?.text as string);
    return words.join(' ');
  }

  #postfixed(): PrintExpression {
    let result = this.#primary();
    for (;;) {
      if (!this.#take('[')) return result;
      this.#count();
      const at = this.#choice();
      this.#must(']');
      result = { kind: 'index', of: result, at };
    }
  }

  #primary(): PrintExpression {
    const token = this.#next;
    if (token.kind === 'text') return { kind: 'text', value: this.#texts() };
    if (this.#take('(')) {
      const inner = this.#choice();
      this.#must(')');
      return inner;
    }
    if (this.#take('{')) return { kind: 'list', items: this.#items('}') };
    this.#at++;
    if (token.kind === 'number') {
      const text = /^0\d+$/.test(token.text) ? `0o${token.text.slice(1)}` : token.text;
      if (/^0o.*[89]/.test(text)) throw new NotUnderstood();
      return { kind: 'number', value: BigInt.asUintN(64, BigInt(text)) };
    }
    if (token.kind !== 'name') throw new NotUnderstood();
    if (token.text === 'REC' && this.#take('->')) {
      const field = this.#next;
      this.#at++;
      if (field.kind !== 'name') throw new NotUnderstood();
      return { kind: 'field', name: field.text };
    }
    if (token.text === 'sizeof' && this.#take('(')) {
      const type = this.#type();
      this.#must(')');
      return { kind: 'call', name: 'sizeof', args: [{ kind: 'text', value: type }] };
    }
    if (this.#take('(')) return { kind: 'call', name: token.text, args: this.#items(')') };
    return { kind: 'name', name: token.text };
  }

  #items(end: string): readonly PrintExpression[] {
    const items: PrintExpression[] = [];
    while (!this.#take(end)) {
      items.push(this.#choice());
      if (!this.#take(',') && !this.#is(end)) throw new NotUnderstood();
    }
    return items;
  }
}
