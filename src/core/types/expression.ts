/**
 * C expressions as a tree. Every node knows the column it is written at, so that an error met while evaluating points
 * at its cause as a parse error does. Type names stay text here: which types exist is the target's business.
 *
 * Not in this language: assignments, calls, commas, floating point. Beyond C: `$` variables, per-CPU suffixes
 * (`runqueues:0`), and the builtins `offsetof`, `container_of`, `per_cpu`, `per_cpu_ptr`.
 */
import { UsageError } from '../errors.ts';

/** Characters of an expression; a longer one is not typed by a person. */
export const EXPRESSION_LENGTH_MAX = 4096;
/** Levels of nesting, brackets and operators alike. */
export const EXPRESSION_DEPTH_MAX = 200;

export type UnaryOperator = '&' | '*' | '-' | '+' | '~' | '!';
export type BinaryOperator = ArithmeticOperator | ShiftOperator | '&' | '|' | '^' | ComparisonOperator | '&&' | '||';
export type ArithmeticOperator = '*' | '/' | '%' | '+' | '-';
export type ShiftOperator = '<<' | '>>';
export type ComparisonOperator = '==' | '!=' | '<' | '<=' | '>' | '>=';

/** A type as written, with the column of its first character. */
export interface TypeText {
  readonly text: string;
  readonly at: number;
}

/** The integer type that a literal's suffix asks for; none leaves it to the value. */
export type LiteralSuffix = '' | 'u' | 'l' | 'ul';

/** CPUs as a suffix names them. */
export type CpuSelection = 'current' | 'all' | readonly { readonly first: number; readonly last: number }[];

interface Node {
  /** Column of the character that an error about this node points at. */
  readonly at: number;
}

export interface NumberNode extends Node {
  readonly kind: 'number';
  readonly value: bigint;
  readonly suffix: LiteralSuffix;
}
export interface StringNode extends Node {
  readonly kind: 'string';
  readonly bytes: Uint8Array;
}
export interface NameNode extends Node {
  readonly kind: 'name';
  readonly name: string;
}
/** `$1`, `$task`; the name is without the `$`. */
export interface VariableNode extends Node {
  readonly kind: 'variable';
  readonly name: string;
}
/** `runqueues:0-3`. `text` is the suffix as written. */
export interface PerCpuNode extends Node {
  readonly kind: 'per-cpu';
  readonly name: NameNode;
  readonly cpus: CpuSelection;
  readonly text: string;
}
export interface MemberNode extends Node {
  readonly kind: 'member';
  readonly object: Expression;
  readonly name: string;
}
export interface IndexNode extends Node {
  readonly kind: 'index';
  readonly object: Expression;
  readonly index: Expression;
}
export interface UnaryNode extends Node {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
}
export interface BinaryNode extends Node {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}
export interface ConditionalNode extends Node {
  readonly kind: 'conditional';
  readonly condition: Expression;
  readonly whenTrue: Expression;
  readonly whenFalse: Expression;
}
export interface CastNode extends Node {
  readonly kind: 'cast';
  readonly type: TypeText;
  readonly operand: Expression;
}
export interface SizeofNode extends Node {
  readonly kind: 'sizeof';
  readonly type: TypeText | undefined;
  readonly operand: Expression | undefined;
}
export interface OffsetofNode extends Node {
  readonly kind: 'offsetof';
  readonly type: TypeText;
  readonly path: TypeText;
}
export interface ContainerOfNode extends Node {
  readonly kind: 'container-of';
  readonly pointer: Expression;
  readonly type: TypeText;
  readonly path: TypeText;
}
/** `per_cpu(variable, cpu)` is the variable of that CPU, `per_cpu_ptr(pointer, cpu)` the pointer to it. */
export interface PerCpuBuiltinNode extends Node {
  readonly kind: 'per_cpu' | 'per_cpu_ptr';
  readonly operand: Expression;
  readonly cpu: Expression;
}

export type Expression =
  | NumberNode
  | StringNode
  | NameNode
  | VariableNode
  | PerCpuNode
  | MemberNode
  | IndexNode
  | UnaryNode
  | BinaryNode
  | ConditionalNode
  | CastNode
  | SizeofNode
  | OffsetofNode
  | ContainerOfNode
  | PerCpuBuiltinNode;

/** An expression with the text that its columns count in. */
export interface ParsedExpression {
  readonly source: string;
  readonly root: Expression;
}

/** The expressions directly within one. */
export function operandsOf(node: Expression): readonly Expression[] {
  switch (node.kind) {
    case 'member':
      return [node.object];
    case 'index':
      return [node.object, node.index];
    case 'unary':
    case 'cast':
      return [node.operand];
    case 'binary':
      return [node.left, node.right];
    case 'conditional':
      return [node.condition, node.whenTrue, node.whenFalse];
    case 'sizeof':
      return node.operand === undefined ? [] : [node.operand];
    case 'container-of':
      return [node.pointer];
    case 'per_cpu':
    case 'per_cpu_ptr':
      return [node.operand, node.cpu];
    default:
      return [];
  }
}

/** An error at a column of an expression. */
export function expressionError(source: string, column: number, message: string, hint?: string): UsageError {
  return new UsageError(message, { source, column, ...(hint === undefined ? {} : { hint }) });
}
