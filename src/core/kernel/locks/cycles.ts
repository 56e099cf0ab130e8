/**
 * Cycles of waits: deadlocks. Each task waits for one lock; a lock may have several owners, and a task that waits for an
 * rwsem with readers waits for all of them, so that one cycle through any of them is a deadlock. Strongly connected
 * components (Tarjan) say where cycles are, and within each the elementary ones are listed (Johnson's scheme of blocking),
 * bounded. A diamond (two ways to the same root) has none.
 */
import type { Kernel } from '../kernel.ts';
import { graphFrom, type WaitEdge, type WaitGraph } from './graph.ts';
import { type LockTask, type Sureness, weaker } from './lock.ts';
import { lockKey } from './lock-key.ts';
import { readTasksAgain, taskTable } from './task-table.ts';
import { waitsAgain } from './wait.ts';

export interface Cycle {
  /** Each edge's owner is the next one's waiter; the last leads back to the first. */
  readonly edges: readonly WaitEdge[];
  /** The waiters of the edges, in order; starts with the lowest PID. */
  readonly tasks: readonly LockTask[];
  /** The weakest of its edges: `certain` and `likely` are deadlocks, `hint` is one that may be. */
  readonly sure: Sureness;
  /** Tasks outside of it that wait, directly or through others, for a lock of the cycle. */
  readonly behind: readonly LockTask[];
}

/** More cycles than anybody reads: readers of one rwsem alone can make many. */
const CYCLES_MAX = 1000;
const STEPS_MAX = 1_000_000;

/** All elementary cycles (bounded), surest first. */
export function cycles(graph: WaitGraph): readonly Cycle[] {
  const found: (readonly WaitEdge[])[] = [];
  for (const component of components(graph)) {
    if (found.length >= CYCLES_MAX) break;
    elementary(graph, component, found);
  }
  const waiters = waitersByOwner(graph);
  return found
    .map((edges) => toCycle(graph, edges, waiters))
    .sort((a, b) => rank(a.sure) - rank(b.sure) || a.edges.length - b.edges.length);
}

/**
 * The cycles that are still there when their tasks and locks are looked at again: on a live target edges are of different
 * moments, and a cycle may be put together of them. On a frozen one all of them.
 */
export function confirmedCycles(kernel: Kernel, graph: WaitGraph): readonly Cycle[] {
  const first = cycles(graph);
  if (kernel.liveness === 'frozen' || first.length === 0) return first;
  const tasks = [...new Set(first.flatMap((cycle) => cycle.tasks.map(({ task }) => task)))];
  const again = graphFrom(kernel, waitsAgain(kernel, tasks));
  const sameWait = (task: bigint) => {
    const was = graph.waits.get(task);
    const now = again.waits.get(task);
    return was !== undefined && now !== undefined && lockKey(was) === lockKey(now) && was.node === now.node;
  };
  // A thread that does the same all the time waits with the same waiter, at the same place of its stack, again and again.
  const table = taskTable(kernel);
  const after = new Map(readTasksAgain(kernel, tasks).map(({ task, switches }) => [task, switches]));
  const sleptOn = (task: bigint) => table.find(task)?.switches === after.get(task);
  return first.filter((cycle) =>
    cycle.edges.every(({ wait, owner }) => {
      const owners = again.edges.get(wait.task) ?? [];
      return sleptOn(wait.task) && sameWait(wait.task) && owners.some((edge) => edge.owner.task === owner.task);
    }),
  );
}

function rank(sure: Sureness): number {
  return ['certain', 'likely', 'hint'].indexOf(sure);
}

/** Strongly connected components that contain a cycle, by Tarjan's algorithm without recursion. */
function components(graph: WaitGraph): readonly ReadonlySet<bigint>[] {
  const index = new Map<bigint, number>();
  const low = new Map<bigint, number>();
  const stack: bigint[] = [];
  const onStack = new Set<bigint>();
  const found: Set<bigint>[] = [];
  for (const root of graph.edges.keys()) {
    if (index.has(root)) continue;
    const work: { task: bigint; next: number }[] = [];
    const enter = (task: bigint) => {
      index.set(task, index.size);
      low.set(task, index.get(task) as number);
      stack.push(task);
      onStack.add(task);
      work.push({ task, next: 0 });
    };
    enter(root);
    for (let at = work.at(-1); at !== undefined; at = work.at(-1)) {
      const edge = graph.edges.get(at.task)?.[at.next++];
      if (edge !== undefined) {
        const to = edge.owner.task;
        if (!index.has(to)) enter(to);
        else if (onStack.has(to)) low.set(at.task, Math.min(low.get(at.task) as number, index.get(to) as number));
        continue;
      }
      work.pop();
      const { task } = at;
      const parent = work.at(-1)?.task;
      if (parent !== undefined) low.set(parent, Math.min(low.get(parent) as number, low.get(task) as number));
      if (low.get(task) !== index.get(task)) continue;
      const component = new Set<bigint>();
      for (let member = stack.pop(); member !== undefined; member = stack.pop()) {
        onStack.delete(member);
        component.add(member);
        if (member === task) break;
      }
      if (component.size > 1 || waitsForItself(graph, task)) found.push(component);
    }
  }
  return found;
}

function waitsForItself(graph: WaitGraph, task: bigint): boolean {
  return (graph.edges.get(task) ?? []).some(({ owner }) => owner.task === task);
}

/** The elementary cycles of a component: each is found from its first task in the order of PIDs, and only once. */
function elementary(graph: WaitGraph, component: ReadonlySet<bigint>, found: (readonly WaitEdge[])[]): void {
  const pid = (task: bigint) => graph.tasks.get(task)?.pid ?? 0;
  const order = [...component].sort((a, b) => pid(a) - pid(b));
  const place = new Map(order.map((task, i) => [task, i]));
  let steps = 0;
  for (const [start, root] of order.entries()) {
    const path: WaitEdge[] = [];
    const onPath = new Set([root]);
    // Tasks from which there is no way back to the root while what is on the path is on it.
    const blocked = new Set<bigint>();
    const work = [{ task: root, next: 0, closed: false }];
    for (let at = work.at(-1); at !== undefined; at = work.at(-1)) {
      if (found.length >= CYCLES_MAX || ++steps > STEPS_MAX) return;
      const edge = graph.edges.get(at.task)?.[at.next++];
      if (edge === undefined) {
        work.pop();
        path.pop();
        onPath.delete(at.task);
        const above = work.at(-1);
        if (at.closed && above !== undefined) above.closed = true;
        if (at.closed) blocked.clear();
        else blocked.add(at.task);
        continue;
      }
      const to = edge.owner.task;
      if (to === root) {
        found.push([...path, edge]);
        at.closed = true;
      } else if ((place.get(to) ?? -1) > start && !onPath.has(to) && !blocked.has(to)) {
        path.push(edge);
        onPath.add(to);
        work.push({ task: to, next: 0, closed: false });
      }
    }
  }
}

function toCycle(graph: WaitGraph, edges: readonly WaitEdge[], waiters: ReadonlyMap<bigint, readonly bigint[]>): Cycle {
  const tasks = edges.map(({ wait: { task, pid, comm } }) => ({ task, pid, comm }));
  const sure = edges.reduce<Sureness>((weakest, edge) => weaker(weakest, edge.sure), 'certain');
  const members = new Set(tasks.map(({ task }) => task));
  const behind = [...reach(waiters, members)]
    .filter((task) => !members.has(task))
    .flatMap((task) => graph.tasks.get(task) ?? [])
    .sort((a, b) => a.pid - b.pid);
  return { edges, tasks, sure, behind };
}

/** Who waits for each task. */
export function waitersByOwner(graph: WaitGraph): ReadonlyMap<bigint, readonly bigint[]> {
  const waiters = new Map<bigint, bigint[]>();
  for (const [task, edges] of graph.edges) {
    for (const { owner } of edges) {
      const known = waiters.get(owner.task);
      if (known === undefined) waiters.set(owner.task, [task]);
      else known.push(task);
    }
  }
  return waiters;
}

/** All that wait for some tasks, directly or through others, with these. */
export function reach(waiters: ReadonlyMap<bigint, readonly bigint[]>, from: Iterable<bigint>): ReadonlySet<bigint> {
  const seen = new Set(from);
  for (const task of seen) for (const waiter of waiters.get(task) ?? []) seen.add(waiter);
  return seen;
}
