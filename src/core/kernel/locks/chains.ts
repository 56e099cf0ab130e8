/** Chains of waits that end: at a task that waits for nothing whose owner is known. */
import type { Kernel } from '../kernel.ts';
import { type TaskState, taskState } from '../task-state.ts';
import { PF_EXITING } from '../task-struct.ts';
import { cycles, reach, waitersByOwner } from './cycles.ts';
import type { WaitEdge, WaitGraph } from './graph.ts';
import { type LockTask, type Sureness, type Wait, weaker } from './lock.ts';
import { sleepersOf } from './sleeper.ts';
import { type TaskEntry, taskTable } from './task-table.ts';
import { sleepsIn } from './wait-function.ts';

/** What the task at the end of a chain does. */
export interface RootHolder extends LockTask {
  /** Its state as ps writes it. */
  readonly state: TaskState;
  readonly doing: 'running' | 'runnable' | 'io' | 'waiting' | 'sleeping' | 'stopped' | 'exiting' | 'idle';
  /** A phrase: `runs on a CPU`, `sleeps in handle_userfault`, `waits for I/O in io_schedule`. */
  readonly text: string;
  /** What it waits for, when that is something without an owner (a completion, I/O, user space). */
  readonly wait: Wait | undefined;
}

export interface Chain {
  /** From the waiter furthest back to the root; each edge's owner is the next one's waiter. */
  readonly edges: readonly WaitEdge[];
  /** The task that holds all up; undefined when it has ended meanwhile. */
  readonly root: RootHolder | undefined;
  /** What the root waits for itself, without an owner that is known. */
  readonly last: Wait | undefined;
  /** All tasks that wait for the root, directly or through others. */
  readonly blocked: readonly LockTask[];
  readonly sure: Sureness;
}

/** The longest chain to each root, longest first, without those that lead into a cycle. */
export function chains(kernel: Kernel, graph: WaitGraph): readonly Chain[] {
  const deadlocked = new Set(cycles(graph).flatMap(({ tasks }) => tasks.map(({ task }) => task)));
  const waiters = waitersByOwner(graph);
  const roots = [...waiters.keys()].filter((task) => !graph.edges.has(task));
  const holders = rootHolders(kernel, graph, roots);
  const found = roots.map((task) => toChain(graph, waiters, task, holders.get(task), deadlocked));
  return found
    .filter((chain) => chain.edges.length > 0)
    .sort((a, b) => b.edges.length - a.edges.length || b.blocked.length - a.blocked.length);
}

function toChain(
  graph: WaitGraph,
  waiters: ReadonlyMap<bigint, readonly bigint[]>,
  root: bigint,
  holder: RootHolder | undefined,
  deadlocked: ReadonlySet<bigint>,
): Chain {
  const edges = longestTo(graph, waiters, root, deadlocked);
  const blocked = [...reach(waiters, [root])]
    .filter((task) => task !== root)
    .flatMap((task) => graph.tasks.get(task) ?? []);
  const sure = edges.reduce<Sureness>((weakest, edge) => weaker(weakest, edge.sure), 'certain');
  return { edges, root: holder, last: holder?.wait, blocked, sure };
}

/** Breadth first from the root against the edges: who is reached last is furthest back. Loops are left out. */
function longestTo(
  graph: WaitGraph,
  waiters: ReadonlyMap<bigint, readonly bigint[]>,
  root: bigint,
  deadlocked: ReadonlySet<bigint>,
): readonly WaitEdge[] {
  const towards = new Map<bigint, WaitEdge>();
  let furthest = root;
  const queue = [root];
  for (const task of queue) {
    for (const waiter of waiters.get(task) ?? []) {
      if (waiter === root || towards.has(waiter) || deadlocked.has(waiter)) continue;
      const edge = graph.edges.get(waiter)?.find(({ owner }) => owner.task === task);
      if (edge === undefined) continue;
      towards.set(waiter, edge);
      queue.push(waiter);
      furthest = waiter;
    }
  }
  const edges: WaitEdge[] = [];
  for (let edge = towards.get(furthest); edge !== undefined; edge = towards.get(edge.owner.task)) edges.push(edge);
  return edges;
}

/** What a task that others wait for does itself. */
export function rootHolder(kernel: Kernel, graph: WaitGraph, task: bigint): RootHolder | undefined {
  return rootHolders(kernel, graph, [task]).get(task);
}

/** As rootHolder, for many; the stacks of those that wait for nothing known are read together. */
function rootHolders(kernel: Kernel, graph: WaitGraph, tasks: readonly bigint[]): ReadonlyMap<bigint, RootHolder> {
  const table = taskTable(kernel);
  const entries = tasks.flatMap((task) => table.find(task) ?? []);
  const without = entries.filter(({ task, onCpu, state }) => !graph.waits.has(task) && !onCpu && state !== 0);
  const places = new Map<bigint, string | undefined>();
  for (const { entry, stack } of sleepersOf(kernel, without)) places.set(entry.task, sleepsIn(stack));
  return new Map(
    entries.map((entry) => {
      const { task, pid, comm } = entry;
      const wait = graph.waits.get(task);
      const does = activity(entry, wait, wait?.within ?? places.get(task));
      return [task, { task, pid, comm, state: taskState(entry), wait, ...does }];
    }),
  );
}

function activity(
  entry: TaskEntry,
  wait: Wait | undefined,
  within: string | undefined,
): Pick<RootHolder, 'doing' | 'text'> {
  const state = taskState(entry);
  if (entry.onCpu) return { doing: 'running', text: 'runs on a CPU' };
  if (state === 'DE' || state === 'ZO') return { doing: 'exiting', text: 'has ended' };
  if (state === 'RU') return { doing: 'runnable', text: 'is runnable and waits for a CPU' };
  if (state === 'ST' || state === 'TR')
    return { doing: 'stopped', text: state === 'ST' ? 'is stopped' : 'is stopped by a tracer' };
  const place = within === undefined ? '' : ` in ${within}`;
  if (wait?.what !== undefined)
    return { doing: wait.kind === 'io' ? 'io' : 'waiting', text: `waits for ${wait.what}${place}` };
  if (entry.inIowait) return { doing: 'io', text: `waits for I/O${place}` };
  // That it sleeps on a queue says no more than the function does.
  if (wait?.kind === 'wait_queue') return { doing: 'waiting', text: `sleeps${place}` };
  if (wait !== undefined)
    return { doing: 'waiting', text: `waits for ${wait.kind === 'epoll' ? 'events' : `a ${wait.kind}`}${place}` };
  if (state === 'ID') return { doing: 'idle', text: `is idle${place}` };
  if ((entry.flags & PF_EXITING) !== 0) return { doing: 'exiting', text: `is ending, and sleeps${place}` };
  return { doing: 'sleeping', text: `sleeps${place}` };
}
