/**
 * Reads C expressions by operator precedence (a Pratt parser). Two places need more than a token: `(` begins a cast
 * when a type name follows, so the parser asks which words are types; and `:` directly after a variable begins a
 * list of CPUs (`runqueues:0-3`), except where a `?` still waits for its colon: `c ? (runqueues:0) : x`.
 *
 * Every error is a UsageError with its column. Length and depth are bounded, so hostile text costs nothing.
 */
import { isTypeWord } from './c-syntax.ts';
import { cpuListAt, parseCpuList } from './cpu-list.ts';
import {
  EXPRESSION_DEPTH_MAX,
  EXPRESSION_LENGTH_MAX,
  type Expression,
  expressionError,
  type NameNode,
  operandsOf,
  type ParsedExpression,
  type TypeText,
} from './expression.ts';
import { readToken } from './expression-lexer.ts';
import { CONDITIONAL_PRECEDENCE, isBinary, isUnary, precedenceOf } from './expression-operators.ts';
import { TokenCursor } from './token-cursor.ts';

/** What follows the name in `(task_struct *)x`: no expression ends with a star. */
const POINTER_CAST = /^\s*\*[\s*]*\)/;
const TOO_DEEP = 'the expression is nested too deeply';

/** True for a word that names a type in the target: a typedef. */
export type IsTypeName = (name: string) => boolean;

/** The expression that the text is, all of it. Throws UsageError. */
export function parseExpression(source: string, isTypeName: IsTypeName): ParsedExpression {
  if (source.length > EXPRESSION_LENGTH_MAX) {
    throw expressionError(
      source,
      EXPRESSION_LENGTH_MAX,
      `an expression has at most ${EXPRESSION_LENGTH_MAX} characters`,
    );
  }
  const parser = new Parser(source, isTypeName);
  return { source, root: parser.whole() };
}

class Parser {
  readonly #cursor: TokenCursor;
  readonly #isTypeName: IsTypeName;
  #depth = 0;
  /** True while a `?` waits for its colon. */
  #colonTaken = false;
  /** True within a builtin's arguments, where a comma separates them. */
  #commaTaken = false;

  constructor(source: string, isTypeName: IsTypeName) {
    this.#cursor = new TokenCursor(source);
    this.#isTypeName = isTypeName;
  }

  whole(): Expression {
    const root = this.#expression(0);
    if (this.#cursor.token.kind !== 'end') throw this.#cursor.unexpected('an operator');
    // Operators of one level make a tree as deep as their chain is long, and evaluating walks down it.
    if (depthOf(root) > EXPRESSION_DEPTH_MAX) throw expressionError(this.#cursor.source, root.at, TOO_DEEP);
    return root;
  }

  #expression(minimum: number): Expression {
    return this.#nested(() => {
      let left = this.#unary();
      for (;;) {
        const next = this.#continued(left, minimum);
        if (next === undefined) return left;
        left = next;
      }
    });
  }

  /** The expression that an operator after `left` makes; undefined when none as tight as `minimum` follows. */
  #continued(left: Expression, minimum: number): Expression | undefined {
    const token = this.#cursor.token;
    if (token.kind !== 'operator') return undefined;
    if (token.text === '?' && minimum <= CONDITIONAL_PRECEDENCE) return this.#conditional(left);
    if (!isBinary(token.text)) return undefined;
    const precedence = precedenceOf(token.text);
    if (precedence < minimum) return undefined;
    this.#cursor.next();
    const right = this.#expression(precedence + 1);
    return { kind: 'binary', operator: token.text, left, right, at: token.at };
  }

  #conditional(condition: Expression): Expression {
    const { at } = this.#cursor.next();
    const whenTrue = this.#with({ colon: true }, () => this.#expression(0));
    this.#cursor.expect(':');
    return { kind: 'conditional', condition, whenTrue, whenFalse: this.#expression(CONDITIONAL_PRECEDENCE), at };
  }

  #unary(): Expression {
    const token = this.#cursor.token;
    if (token.kind === 'operator' && isUnary(token.text)) {
      this.#cursor.next();
      const operand = this.#nested(() => this.#unary());
      return { kind: 'unary', operator: token.text, operand, at: token.at };
    }
    if (token.kind === 'operator' && token.text === '(' && this.#beginsType(token.end)) return this.#cast();
    if (token.kind === 'name' && token.text === 'sizeof') return this.#sizeof();
    return this.#postfix(this.#primary());
  }

  #cast(): Expression {
    this.#cursor.next();
    const type = this.#typeText(')');
    this.#cursor.expect(')');
    return { kind: 'cast', type, operand: this.#nested(() => this.#unary()), at: type.at };
  }

  #sizeof(): Expression {
    const { at } = this.#cursor.next();
    if (this.#cursor.is('(') && this.#beginsType(this.#cursor.token.end)) {
      this.#cursor.next();
      const type = this.#typeText(')');
      this.#cursor.expect(')');
      return { kind: 'sizeof', type, operand: undefined, at };
    }
    return { kind: 'sizeof', type: undefined, operand: this.#nested(() => this.#unary()), at };
  }

  #postfix(primary: Expression): Expression {
    let node = primary;
    while (this.#cursor.token.kind === 'operator') {
      const { text, at } = this.#cursor.token;
      if (text === '.' || text === '->') {
        this.#cursor.next();
        node = { kind: 'member', object: node, ...this.#memberName() };
      } else if (text === '[') {
        this.#cursor.next();
        const index = this.#with({}, () => this.#expression(0));
        this.#cursor.expect(']');
        node = { kind: 'index', object: node, index, at };
      } else if (text === ':' && at === this.#cursor.lastEnd && !this.#colonTaken) {
        node = this.#perCpu(node);
      } else if (text === '(') {
        throw this.#cursor.error('a function cannot be called here', 'kdbg only reads the kernel');
      } else break;
    }
    return node;
  }

  /** A number can follow the dot too: compilers name copies of functions `name.isra.0`. */
  #memberName(): { name: string; at: number } {
    const token = this.#cursor.next();
    if (token.kind === 'name') return { name: token.text, at: token.at };
    const text = this.#cursor.source.slice(token.at, token.end);
    if (token.kind === 'number' && /^\d+$/.test(text)) return { name: text, at: token.at };
    throw this.#cursor.unexpected('a member name', token);
  }

  /** `runqueues.nr_running:0-3` is the member of each CPU's variable: the suffix belongs to the name it begins with. */
  #perCpu(node: Expression): Expression {
    const { at, end } = this.#cursor.token;
    const text = cpuListAt(this.#cursor.source, end, !this.#commaTaken);
    const wrap = (inner: Expression): Expression => {
      if (inner.kind === 'name') return { kind: 'per-cpu', name: inner, cpus: parseCpuList(text), text, at };
      if (inner.kind === 'member' || inner.kind === 'index') return { ...inner, object: wrap(inner.object) };
      throw expressionError(this.#cursor.source, at, 'CPUs can be named only after a per-CPU variable, as runqueues:0');
    };
    this.#cursor.goTo(end + text.length);
    return wrap(node);
  }

  #primary(): Expression {
    const token = this.#cursor.next();
    switch (token.kind) {
      case 'number':
        return { kind: 'number', value: token.value, suffix: token.suffix, at: token.at };
      case 'string':
        return { kind: 'string', bytes: token.bytes, at: token.at };
      case 'variable':
        return { kind: 'variable', name: token.text, at: token.at };
      case 'name':
        return this.#builtin({ kind: 'name', name: token.text, at: token.at });
      default:
        if (token.kind === 'operator' && token.text === '(') return this.#parenthesised();
        throw this.#cursor.unexpected('a value', token);
    }
  }

  #parenthesised(): Expression {
    const inner = this.#with({}, () => this.#expression(0));
    this.#cursor.expect(')');
    return inner;
  }

  /** A name, or one of the builtins when a bracket follows it. */
  #builtin(name: NameNode): Expression {
    if (!this.#cursor.is('(')) {
      if (!isTypeWord(name.name)) return name;
      throw expressionError(
        this.#cursor.source,
        name.at,
        'a type is not a value',
        'as in sizeof(struct page) or (struct page *)x',
      );
    }
    const { at } = name;
    switch (name.name) {
      case 'offsetof': {
        this.#cursor.next();
        const type = this.#typeText(',');
        this.#cursor.expect(',');
        return this.#closed({ kind: 'offsetof', type, path: this.#cursor.textUpTo(')'), at });
      }
      case 'container_of':
      case 'list_entry': {
        this.#cursor.next();
        const pointer = this.#argument();
        this.#cursor.expect(',');
        const type = this.#typeText(',');
        this.#cursor.expect(',');
        return this.#closed({ kind: 'container-of', pointer, type, path: this.#cursor.textUpTo(')'), at });
      }
      case 'per_cpu':
      case 'per_cpu_ptr': {
        this.#cursor.next();
        const operand = this.#argument();
        this.#cursor.expect(',');
        return this.#closed({ kind: name.name, operand, cpu: this.#argument(), at });
      }
      default:
        return name;
    }
  }

  #argument(): Expression {
    return this.#with({ comma: true }, () => this.#expression(0));
  }

  #closed(node: Expression): Expression {
    this.#cursor.expect(')');
    return node;
  }

  /** Whether a type name begins at a position: a word of types, a typedef, or any name in `(name *)`. */
  #beginsType(position: number): boolean {
    const token = readToken(this.#cursor.source, position);
    if (token.kind !== 'name') return false;
    return (
      isTypeWord(token.text) || this.#isTypeName(token.text) || POINTER_CAST.test(this.#cursor.source.slice(token.end))
    );
  }

  #typeText(end: ')' | ','): TypeText {
    const type = this.#cursor.textUpTo(end);
    if (type.text === '') throw expressionError(this.#cursor.source, type.at, 'expected a type');
    return type;
  }

  #nested<T>(parse: () => T): T {
    if (++this.#depth > EXPRESSION_DEPTH_MAX) throw this.#cursor.error(TOO_DEEP);
    const result = parse();
    this.#depth--;
    return result;
  }

  #with<T>(taken: { readonly colon?: boolean; readonly comma?: boolean }, parse: () => T): T {
    const [colon, comma] = [this.#colonTaken, this.#commaTaken];
    this.#colonTaken = taken.colon === true;
    this.#commaTaken = taken.comma === true;
    const result = parse();
    this.#colonTaken = colon;
    this.#commaTaken = comma;
    return result;
  }
}

function depthOf(node: Expression): number {
  let deepest = 0;
  for (const operand of operandsOf(node)) deepest = Math.max(deepest, depthOf(operand));
  return deepest + 1;
}
