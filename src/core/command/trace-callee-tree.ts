/**
 * What a function calls, all its calls laid over one another: a function that was called by the same way is one node,
 * with how often, how long, and what it gave back.
 */
import type { TraceCall } from '../formats/trace-calls.ts';
import type { TraceFunction } from '../formats/trace-entry.ts';

export interface CalleeNode {
  readonly function: TraceFunction;
  /** 0 for the function itself. */
  readonly depth: number;
  count: number;
  /** Calls whose end, or whose time, was not seen. */
  unfinished: number;
  /** Nanoseconds of all finished calls together, and of the longest. */
  total: bigint;
  longest: bigint;
  /** What was returned, as the kernel wrote it, with how often; the first few values. */
  readonly returned: Map<string, number>;
  readonly callees: Map<string, CalleeNode>;
}

/** A tree that damaged text makes is no larger. */
const NODES_MAX = 20_000;
const DEPTH_MAX = 200;
const VALUES_MAX = 16;

/** The tree of a function's calls; undefined when there was none. Calls of itself within it are its callees. */
export function calleeTree(calls: readonly TraceCall[], name: string): CalleeNode | undefined {
  const roots = new Map<string, CalleeNode>();
  const budget = { left: NODES_MAX };
  const look = (call: TraceCall, depth: number): void => {
    if (call.function?.name === name) add(roots, call, 0, budget);
    else if (depth < DEPTH_MAX) for (const child of call.children) look(child, depth + 1);
  };
  for (const call of calls) look(call, 0);
  return roots.values().next().value;
}

/** Each function that was called, wherever: those that took longest first, each with its direct callees. */
export function calledFunctions(calls: readonly TraceCall[]): readonly CalleeNode[] {
  const nodes = new Map<string, CalleeNode>();
  const budget = { left: NODES_MAX };
  const look = (call: TraceCall, depth: number): void => {
    const children = call.children.map((child) => ({ ...child, children: [] }));
    add(nodes, { ...call, children }, 0, budget);
    if (depth < DEPTH_MAX) for (const child of call.children) look(child, depth + 1);
  };
  for (const call of calls) look(call, 0);
  return [...nodes.values()].sort((a, b) => Number(b.total - a.total) || b.count - a.count);
}

/** What a node's own code took: what is not its callees'. */
export function selfTime({ total, callees }: CalleeNode): bigint {
  const inner = [...callees.values()].reduce((sum, callee) => sum + callee.total, 0n);
  return total > inner ? total - inner : 0n;
}

/** A node and, some levels deep, those below it, the ones that took longest first. */
export function* calleeNodes(node: CalleeNode, levels: number): Iterable<CalleeNode> {
  yield node;
  if (levels <= 0) return;
  const callees = [...node.callees.values()].sort((a, b) => Number(b.total - a.total) || b.count - a.count);
  for (const callee of callees) yield* calleeNodes(callee, levels - 1);
}

function add(siblings: Map<string, CalleeNode>, call: TraceCall, depth: number, budget: { left: number }): void {
  const own = call.function ?? { name: '?' };
  const key = `${own.name} ${own.module ?? ''}`;
  let node = siblings.get(key);
  if (node === undefined) {
    if (budget.left-- <= 0) return;
    node = {
      function: own,
      depth,
      count: 0,
      unfinished: 0,
      total: 0n,
      longest: 0n,
      returned: new Map(),
      callees: new Map(),
    };
    siblings.set(key, node);
  }
  node.count++;
  const { duration, returned } = call;
  if (duration === undefined) node.unfinished++;
  else {
    node.total += duration;
    if (duration > node.longest) node.longest = duration;
  }
  if (returned !== undefined && (node.returned.has(returned) || node.returned.size < VALUES_MAX)) {
    node.returned.set(returned, (node.returned.get(returned) ?? 0) + 1);
  }
  if (depth < DEPTH_MAX) for (const child of call.children) add(node.callees, child, depth + 1, budget);
}
