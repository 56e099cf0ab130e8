/**
 * What could be typed at a place in an expression: after `.` and `->` a member of what stands before (found by its
 * type, without reading memory), after `struct` a tag, after `$` a variable, elsewhere a name. Text before the cursor
 * may be unfinished in any way; nothing here throws for that.
 */
import { KdbgError } from '../errors.ts';
import { typeOfExpression } from './evaluate.ts';
import { EXPRESSION_LENGTH_MAX } from './expression.ts';
import type { ExpressionEnvironment } from './expression-environment.ts';
import { readToken, type Token } from './expression-lexer.ts';
import { findMember } from './member-path.ts';
import { type CompoundType, type CType, resolve, type TypeNamespace } from './type.ts';
import { parseTypeName } from './type-name.ts';

/** What is being typed. `start` is where its text begins, `prefix` what there is of it up to the cursor. */
export type ExpressionCompletion = { readonly start: number; readonly prefix: string } & (
  | { readonly kind: 'member'; readonly type: CompoundType }
  | { readonly kind: 'type'; readonly namespace: TypeNamespace }
  | { readonly kind: 'variable' }
  /** A symbol, an enumeration constant, a builtin; after `(` the name of a type as well. */
  | { readonly kind: 'name'; readonly types: boolean }
  | { readonly kind: 'cpu' }
);

/** Builtins and words of the language that a name may become. */
export const EXPRESSION_WORDS = ['sizeof', 'offsetof', 'container_of', 'per_cpu', 'per_cpu_ptr', 'NULL'] as const;

/** Undefined where nothing that has a name can stand: in a number, in a string, after a complete value. */
export function expressionCompletion(
  text: string,
  cursor: number,
  environment: ExpressionEnvironment,
): ExpressionCompletion | undefined {
  const before = text.slice(0, cursor);
  if (before.length > EXPRESSION_LENGTH_MAX) return undefined;
  const tokens = tokensOf(before);
  if (tokens === undefined) return undefined;
  const last = tokens.at(-1);
  const isTyping =
    last !== undefined && last.end === before.length && (last.kind === 'name' || last.kind === 'variable');
  const start = isTyping ? last.at : before.length;
  const prefix = before.slice(start);
  const done = isTyping ? tokens.slice(0, -1) : tokens;
  if (isTyping && last.kind === 'variable') return { kind: 'variable', start: start + 1, prefix: prefix.slice(1) };
  return completionAfter(done, before, { start, prefix }, environment);
}

function completionAfter(
  tokens: readonly Token[],
  before: string,
  typed: { readonly start: number; readonly prefix: string },
  environment: ExpressionEnvironment,
): ExpressionCompletion | undefined {
  const last = tokens.at(-1);
  const path = memberPathOwner(tokens, before, environment);
  if (path !== undefined) return { kind: 'member', type: path, ...typed };
  if (last?.kind === 'operator' && (last.text === '.' || last.text === '->')) {
    const type = ownerBefore(tokens.slice(0, -1), before, environment);
    return type === undefined ? undefined : { kind: 'member', type, ...typed };
  }
  if (last?.kind === 'name') {
    const { text } = last;
    const isTag = text === 'struct' || text === 'union' || text === 'enum';
    if (isTag) return { kind: 'type', namespace: text, ...typed };
    return text === 'sizeof' ? { kind: 'name', types: true, ...typed } : undefined;
  }
  if (last?.kind === 'operator' && last.text === ':' && isAfterName(tokens)) return { kind: 'cpu', ...typed };
  const isValueComplete = last !== undefined && (last.kind !== 'operator' || last.text === ')' || last.text === ']');
  // After a closing bracket a value begins only if it was a cast; `(struct foo *)in` is worth completing.
  if (isValueComplete && !(last.kind === 'operator' && last.text === ')')) return undefined;
  const opens = last?.kind === 'operator' && (last.text === '(' || last.text === ',');
  return { kind: 'name', types: opens, ...typed };
}

/** All tokens; undefined when the text ends within a string or has what is no token. */
function tokensOf(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  try {
    for (let position = 0; ; ) {
      const token = readToken(text, position);
      if (token.kind === 'end') return tokens;
      tokens.push(token);
      position = token.end;
    }
  } catch (error) {
    if (error instanceof KdbgError) return undefined;
    throw error;
  }
}

/** True when `:` follows a name or a member directly, as a per-CPU suffix does. */
function isAfterName(tokens: readonly Token[]): boolean {
  const [name, colon] = tokens.slice(-2);
  return name?.kind === 'name' && colon?.at === name.end && !tokens.some((token) => isOperator(token, '?'));
}

/** The structure that the value just before has, through a pointer if it is one. */
function ownerBefore(
  tokens: readonly Token[],
  text: string,
  environment: ExpressionEnvironment,
): CompoundType | undefined {
  const start = operandStart(tokens);
  const end = tokens.at(-1)?.end;
  if (start === undefined || end === undefined) return undefined;
  try {
    return compoundIn(typeOfExpression(text.slice(start, end), environment));
  } catch (error) {
    if (error instanceof KdbgError) return undefined;
    throw error;
  }
}

function compoundIn(type: CType): CompoundType | undefined {
  const resolved = resolve(type);
  const target = resolved.kind === 'pointer' ? resolve(resolved.target) : resolved;
  return target.kind === 'struct' || target.kind === 'union' ? target : undefined;
}

/** Where the operand that ends with the last token begins: back over members, indices and brackets. */
function operandStart(tokens: readonly Token[]): number | undefined {
  let at = tokens.length - 1;
  for (;;) {
    const token = tokens[at];
    if (token === undefined) return undefined;
    if (isOperator(token, ']') || isOperator(token, ')')) {
      at = openingOf(tokens, at);
      if (at < 0) return undefined;
      const isIndex = isOperator(token, ']');
      const opening = tokens[at] as Token;
      const previous = tokens[at - 1];
      if (isIndex) at--;
      else if (previous?.kind === 'name' && previous.text !== 'sizeof') return previous.at;
      else if (!isJoin(previous)) return opening.at;
      if (isIndex) continue;
    } else if (token.kind === 'operator') return undefined;
    const join = tokens[at - 1];
    if (!isJoin(join)) return tokens[at]?.at;
    at -= 2;
  }
}

function isJoin(token: Token | undefined): boolean {
  return token !== undefined && (isOperator(token, '.') || isOperator(token, '->') || isOperator(token, ':'));
}

function openingOf(tokens: readonly Token[], closing: number): number {
  let open = 0;
  for (let at = closing; at >= 0; at--) {
    const token = tokens[at] as Token;
    if (isOperator(token, ')') || isOperator(token, ']')) open++;
    if (isOperator(token, '(') || isOperator(token, '[')) open--;
    if (open === 0) return at;
  }
  return -1;
}

function isOperator(token: Token, text: string): boolean {
  return token.kind === 'operator' && token.text === text;
}

/** Within `offsetof(TYPE, a.b.` and `container_of(x, TYPE, a.`: the structure whose member is named next. */
function memberPathOwner(
  tokens: readonly Token[],
  text: string,
  environment: ExpressionEnvironment,
): CompoundType | undefined {
  const call = enclosingCall(tokens);
  if (call === undefined) return undefined;
  const typeArgument = call.name === 'offsetof' ? 0 : 1;
  if (call.commas.length !== typeArgument + 1) return undefined;
  const typeStart = typeArgument === 0 ? call.open.end : (call.commas[0] as Token).end;
  const comma = call.commas.at(-1) as Token;
  const path = text.slice(comma.end, tokens.at(-1)?.end).trim();
  try {
    const type = parseTypeName(text.slice(typeStart, comma.at), environment.types);
    if (path === '') return compoundIn(type);
    if (!path.endsWith('.')) return undefined;
    const inner = findMember(type, path.slice(0, -1))?.type;
    return inner && compoundIn(inner);
  } catch (error) {
    if (error instanceof KdbgError) return undefined;
    throw error;
  }
}

/** The innermost unclosed bracket when it is one of a builtin with a member path, and its commas. */
function enclosingCall(
  tokens: readonly Token[],
): { readonly name: string; readonly open: Token; readonly commas: readonly Token[] } | undefined {
  const commas: Token[] = [];
  let closed = 0;
  for (let at = tokens.length - 1; at >= 0; at--) {
    const token = tokens[at] as Token;
    if (isOperator(token, ')')) closed++;
    else if (isOperator(token, '(') && closed-- === 0) {
      const name = tokens[at - 1];
      const isBuiltin = name?.kind === 'name' && /^(?:offsetof|container_of|list_entry)$/.test(name.text);
      return isBuiltin ? { name: name.text, open: token, commas: commas.reverse() } : undefined;
    } else if (closed === 0 && isOperator(token, ',')) commas.push(token);
  }
  return undefined;
}
