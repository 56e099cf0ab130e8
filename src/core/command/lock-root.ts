/** Where a wait leads in the end: over owners and what they wait for, to a cycle or to the task that holds all up. */
import type { Kernel } from '../kernel/kernel.ts';
import { type RootHolder, rootHolder } from '../kernel/locks/chains.ts';
import type { Cycle } from '../kernel/locks/cycles.ts';
import type { WaitGraph } from '../kernel/locks/graph.ts';
import type { Cell } from '../output/item.ts';
import type { Span } from '../output/line.ts';
import { lockTaskSpan, sureSpans, taskReferenceCells } from './lock-view.ts';

/** The end of the way from a waiting task. */
export interface WaitEnd {
  /** The cycle that the way ends in. */
  readonly cycle: Cycle | undefined;
  /** The task that everybody on the way waits for; undefined in a cycle, and where no owner is known. */
  readonly root: RootHolder | undefined;
  /** Waits on the way. */
  readonly length: number;
}

/** Follows the first owner of each lock. */
export function waitEnd(kernel: Kernel, graph: WaitGraph, cycles: readonly Cycle[], from: bigint): WaitEnd {
  const seen = new Set<bigint>();
  let at = from;
  for (;;) {
    const cycle = cycles.find(({ tasks }) => tasks.some(({ task }) => task === at));
    if (cycle !== undefined) return { cycle, root: undefined, length: seen.size };
    const next = graph.edges.get(at)?.[0]?.owner.task;
    if (next === undefined || seen.has(at)) break;
    seen.add(at);
    at = next;
  }
  return { cycle: undefined, root: at === from ? undefined : rootHolder(kernel, graph, at), length: seen.size };
}

/** `150 (lab_chain10), which sleeps in lab_rest`, `a deadlock of 131 (lab_rwab) and 132 (lab_rwba)`. */
export function endSpans({ cycle, root }: WaitEnd): readonly Span[] {
  if (cycle !== undefined) {
    const names = cycle.tasks.flatMap((task, i): readonly Span[] => [...(i === 0 ? [] : [' -> ']), lockTaskSpan(task)]);
    return [cycle.sure === 'hint' ? 'what may be a deadlock: ' : 'a deadlock: ', ...names, ...sureSpans(cycle.sure)];
  }
  return root === undefined ? [] : rootSpans(root);
}

/** `150 (lab_chain10), which sleeps in lab_rest`. */
export function rootSpans(root: RootHolder): readonly Span[] {
  return [lockTaskSpan(root), `, which ${root.text}`];
}

export function rootCells(root: RootHolder | undefined): Cell {
  if (root === undefined) return null;
  return { ...taskReferenceCells(root), state: root.state, doing: root.doing, text: root.text };
}
