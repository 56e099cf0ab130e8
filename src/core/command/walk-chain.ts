/** The way up that a walk goes: from where it came, over each lock to the task that has it, to the end or round in a circle. */
import type { Kernel } from '../kernel/kernel.ts';
import { type RootHolder, rootHolder } from '../kernel/locks/chains.ts';
import { confirmedCycles } from '../kernel/locks/cycles.ts';
import { graphFrom, type WaitEdge, type WaitGraph, waitGraph } from '../kernel/locks/graph.ts';
import { type Lock, type LockTask, type Sureness, weaker } from '../kernel/locks/lock.ts';
import { waitOf, waits } from '../kernel/locks/wait.ts';
import type { TaskSummary } from '../kernel/task-summary.ts';
import type { WalkPlace, WalkStep } from './walk-cursor.ts';
import type { WalkView } from './walk-view.ts';

/** A task on the way, and what it waits for; undefined at the end, and where nobody is known to have it. */
export interface WalkRung {
  readonly task: LockTask;
  readonly edge: WaitEdge | undefined;
}

export interface WalkChain {
  /** From the lowest one, where the walk came up from. */
  readonly rungs: readonly WalkRung[];
  /** Which of them the walk stands on; undefined on a lock. */
  readonly here: number | undefined;
  /** The lock that the walk stands on: below the lowest. */
  readonly lock: Lock | undefined;
  /** The rung that the uppermost one waits for: a circle. */
  readonly closes: number | undefined;
  /** How sure the circle is: the weakest of its edges; a hint as well when it was not there at a second look. */
  readonly sure: Sureness;
  /** What the uppermost one does, where it waits for nobody. */
  readonly root: RootHolder | undefined;
}

/** Tasks drawn: no chain of a sane system is as long. */
const RUNGS_MAX = 100;

/** The way from the steps up to where it ends, as it is now. */
export function walkChain(kernel: Kernel, steps: readonly WalkStep[], { place, lock, task: own }: WalkView): WalkChain {
  const trail = place.kind === 'task' ? cameUp(steps) : (lock?.owners ?? []).slice(0, 1).map(({ task }) => task);
  const graph = graphWith(kernel, trail);
  const rungs: WalkRung[] = [];
  let closes: number | undefined;
  for (let at = trail[0]; at !== undefined && rungs.length < RUNGS_MAX; ) {
    const known = rungs.findIndex(({ task }) => task.task === at);
    if (known >= 0) {
      closes = known;
      break;
    }
    const edges: readonly WaitEdge[] = graph.edges.get(at) ?? [];
    // A walk may have gone to another owner than the first.
    const next = trail[rungs.length + 1];
    const edge = edges.find(({ owner }) => owner.task === next) ?? edges[0];
    const before: WalkRung | undefined = rungs.at(-1);
    const task = edge?.wait ?? before?.edge?.owner ?? graph.tasks.get(at) ?? alone(place, own);
    if (task === undefined) break;
    rungs.push({ task, edge });
    at = edge?.owner.task;
  }
  const top = rungs.at(-1);
  const stands = place.kind === 'task' ? rungs.findIndex(({ task }) => task.task === place.task) : -1;
  return {
    rungs,
    here: stands < 0 ? undefined : stands,
    lock: place.kind === 'lock' ? lock : undefined,
    closes,
    sure: closes === undefined ? 'certain' : sureness(kernel, graph, rungs.slice(closes)),
    root: top === undefined || top.edge !== undefined ? undefined : rootHolder(kernel, graph, top.task.task),
  };
}

/** A task that neither waits nor is waited for. */
function alone(place: WalkPlace, task: TaskSummary | undefined): LockTask | undefined {
  return place.kind === 'lock' || task === undefined ? undefined : { task: place.task, pid: task.pid, comm: task.comm };
}

/** The tasks of the last steps that went up without a break, the first one first, each once. */
function cameUp(steps: readonly WalkStep[]): readonly bigint[] {
  const tasks: bigint[] = [];
  for (let i = steps.length - 1; i >= 0; i--) {
    const { place, by } = steps[i] as WalkStep;
    if (place.kind !== 'task') break;
    tasks.unshift(place.task);
    if (!by.startsWith('up ')) break;
  }
  return [...new Set(tasks)];
}

/** The graph of all that is blocked, with tasks that are not: one that sleeps interruptibly may be walked from, too. */
function graphWith(kernel: Kernel, tasks: readonly bigint[]): WaitGraph {
  const graph = waitGraph(kernel);
  const others = tasks.filter((task) => !graph.tasks.has(task)).flatMap((task) => waitOf(kernel, task) ?? []);
  return others.length === 0 ? graph : graphFrom(kernel, [...waits(kernel), ...others]);
}

function sureness(kernel: Kernel, graph: WaitGraph, circle: readonly WalkRung[]): Sureness {
  const tasks = new Set(circle.map(({ task }) => task.task));
  const isConfirmed = confirmedCycles(kernel, graph).some(
    (cycle) => cycle.tasks.length === tasks.size && cycle.tasks.every(({ task }) => tasks.has(task)),
  );
  if (!isConfirmed) return 'hint';
  return circle.reduce<Sureness>((weakest, { edge }) => weaker(weakest, edge?.sure ?? 'certain'), 'certain');
}
