/**
 * Evaluates a C expression, given as text or parsed before (a filter is parsed once and evaluated for every row).
 *
 * A per-CPU suffix that names several CPUs gives several values, one a CPU. Suffixes of one CPU each stand for
 * themselves (`runqueues:0.nr_running - runqueues:1.nr_running`); several lists must be the same list, which is gone
 * through once.
 */
import { NotFoundError } from '../errors.ts';
import { VMLINUX } from './btf-table.ts';
import { selectCpus } from './cpu-list.ts';
import { evaluateNode, integerOf } from './evaluate-node.ts';
import { Evaluation } from './evaluation.ts';
import { type Expression, operandsOf, type ParsedExpression, type PerCpuNode } from './expression.ts';
import type { ExpressionEnvironment } from './expression-environment.ts';
import { parseExpression } from './expression-parser.ts';
import type { CType } from './type.ts';
import type { Value } from './value.ts';

/** One value of an expression, with the CPU that it is of when a per-CPU suffix says one. */
export interface Evaluated {
  readonly cpu: number | undefined;
  readonly value: Value;
}

/** Parses an expression with a target's typedefs, to be evaluated any number of times. Throws UsageError. */
export function parseFor(source: string, { types, symbols }: NameSpaces): ParsedExpression {
  return parseExpression(source, (name) => {
    if (types.find('typedef', name, VMLINUX) !== undefined) return true;
    // `(init_task)`: a symbol is no typedef of a module, and to be sure by types alone the BTF of all would be read.
    return symbols?.find(name) === undefined && types.find('typedef', name) !== undefined;
  });
}

/** What tells the name of a type from that of a variable. */
export type NameSpaces = Pick<ExpressionEnvironment, 'types' | 'symbols'>;

/** The expression's one value. Throws UsageError (with the column), FaultError. */
export function evaluate(expression: string | ParsedExpression, environment: ExpressionEnvironment): Value {
  const parsed = parsedOf(expression, environment);
  const values = evaluateEach(parsed, environment);
  const [first, second] = values;
  if (first !== undefined && second === undefined) return first.value;
  const suffix = perCpuNodes(parsed.root).find((node) => node.cpus !== 'current');
  const evaluation = new Evaluation(parsed.source, environment);
  throw evaluation.error(suffix?.at ?? 0, `the expression has ${values.length} values; one is wanted here`, {
    hint: 'name one CPU',
  });
}

/** All values of the expression: one, or one for each CPU that it names. */
export function evaluateEach(
  expression: string | ParsedExpression,
  environment: ExpressionEnvironment,
): readonly Evaluated[] {
  const { source, root } = parsedOf(expression, environment);
  return turns(root, source, environment).map(({ cpu, cpus }) => ({
    cpu,
    value: evaluateNode(root, new Evaluation(source, environment, { cpus })),
  }));
}

/** The expression's type; reads no memory. */
export function typeOfExpression(expression: string | ParsedExpression, environment: ExpressionEnvironment): CType {
  const { source, root } = parsedOf(expression, environment);
  return evaluateNode(root, new Evaluation(source, environment, { typeOnly: true })).type;
}

/** The expression's one value as an integer: a count, a size, a flag word; pointers give their address. */
export function evaluateInteger(expression: string | ParsedExpression, environment: ExpressionEnvironment): bigint {
  const parsed = parsedOf(expression, environment);
  return integerOf(evaluate(parsed, environment), parsed.root.at, new Evaluation(parsed.source, environment)).value;
}

/** The name that the whole expression is, for what a bare variable means: `p runqueues` lists its addresses. */
export function bareName(expression: ParsedExpression): string | undefined {
  return expression.root.kind === 'name' ? expression.root.name : undefined;
}

export function parsedOf(expression: string | ParsedExpression, environment: ExpressionEnvironment): ParsedExpression {
  return typeof expression === 'string' ? parseFor(expression, environment) : expression;
}

/** One turn of evaluating: the CPU that each per-CPU suffix stands for in it. */
export interface Turn {
  readonly cpu: number | undefined;
  readonly cpus: ReadonlyMap<PerCpuNode, number>;
}

/** The turns that an expression's per-CPU suffixes ask for. Throws UsageError for CPUs that do not exist. */
export function turns(root: Expression, source: string, environment: ExpressionEnvironment): readonly Turn[] {
  const nodes = perCpuNodes(root).map((node) => ({ node, chosen: chosenCpus(node, source, environment) }));
  const several = nodes.filter(({ chosen }) => chosen.length !== 1);
  const list = several[0];
  for (const { node, chosen } of several) {
    if (chosen.join() === list?.chosen.join()) continue;
    throw new Evaluation(source, environment).error(node.at, 'two different lists of CPUs in one expression');
  }
  const count = list?.chosen.length ?? 1;
  return Array.from({ length: count }, (_, turn) => {
    const cpus = new Map(nodes.map(({ node, chosen }) => [node, chosen[chosen.length === 1 ? 0 : turn] as number]));
    return { cpu: list?.chosen[turn] ?? nodes[0]?.chosen[0], cpus };
  });
}

function chosenCpus(node: PerCpuNode, source: string, environment: ExpressionEnvironment): readonly number[] {
  try {
    return selectCpus(node.cpus, environment.cpus, environment.cpu);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    throw new Evaluation(source, environment).error(node.at + 1, error.message);
  }
}

function perCpuNodes(node: Expression): readonly PerCpuNode[] {
  if (node.kind === 'per-cpu') return [node];
  return operandsOf(node).flatMap(perCpuNodes);
}
