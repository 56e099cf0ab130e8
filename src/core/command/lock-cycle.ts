/** Deadlocks and chains of waits, drawn: each task with the lock that it waits for, and below it who owns that. */
import type { Chain } from '../kernel/locks/chains.ts';
import type { Cycle } from '../kernel/locks/cycles.ts';
import type { LockPlace } from '../kernel/locks/describe.ts';
import type { WaitEdge } from '../kernel/locks/graph.ts';
import type { LockReference, LockTask } from '../kernel/locks/lock.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import { rootCells } from './lock-root.ts';
import {
  counted,
  evidenceCells,
  evidenceLines,
  lockName,
  lockSpans,
  lockTaskSpan,
  sureSpans,
  taskReferenceCells,
  waitedText,
  wrappedLines,
} from './lock-view.ts';

export type Places = ReadonlyMap<string, LockPlace>;

/** What an edge goes over, as it was named in `Places`. */
export function placeKey({ kind, address }: LockReference): string {
  return `${kind} ${address ?? ''}`;
}

/** Tasks named of those that wait behind a cycle, or for a root. */
const BEHIND_SHOWN = 8;
/** Waits drawn of a chain: its beginning and its end. */
const CHAIN_SHOWN = 12;

function edgeCells(edges: readonly WaitEdge[], places: Places) {
  return {
    tasks: edges.map(({ wait }) => ({ ...taskReferenceCells(wait), waitedMs: wait.waitedMs ?? null })),
    locks: edges.map(({ wait, lock, owner, sure }) => ({
      lock: wait.address ?? null,
      kind: wait.kind,
      name: lockName(places.get(placeKey(wait))) ?? wait.what ?? null,
      mode: wait.mode,
      state: lock?.state ?? null,
      waiter: wait.pid,
      owner: owner.pid,
      sure,
      evidence: evidenceCells([...wait.evidence, ...owner.evidence]),
    })),
  };
}

/** A row of `deadlock`. */
export function cycleItem(cycle: Cycle, places: Places, index: number, evidence: boolean): Item {
  const data = {
    ...edgeCells(cycle.edges, places),
    sure: cycle.sure,
    behind: cycle.behind.map(taskReferenceCells),
  };
  return row(data, () => [...(index === 0 ? [] : ['']), ...cycleLines(cycle, places, evidence)]);
}

/**
 *     DEADLOCK of 2 tasks
 *     +-> 132 (lab_ab), for 5 min 12 s
 *     |     waits for mutex ffffffffc055c2a0  lab_root.mutex_b [kdbg_lab]
 *     |   owned by 133 (lab_ba), for 5 min 12 s
 *     |     waits for mutex ffffffffc055c280  lab_root.mutex_a [kdbg_lab]
 *     +-- owned by 132 (lab_ab)
 */
function cycleLines(cycle: Cycle, places: Places, evidence: boolean): readonly Line[] {
  const { edges, sure, behind } = cycle;
  const title = edges.length === 1 ? 'DEADLOCK of a task with itself' : `DEADLOCK of ${counted(edges.length, 'task')}`;
  const heading =
    sure === 'hint' ? `POSSIBLE ${title}: not all owners are certain` : sure === 'likely' ? `${title} (likely)` : title;
  const lines: Line[] = [[span(heading, undefined, 'error')]];
  for (const [i, edge] of edges.entries()) {
    const [corner, side] = i === 0 ? ['+-> ', '|   '] : ['|   ', '|   '];
    const before = edges[i - 1];
    const role = before === undefined ? [] : [ownedBy(before)];
    lines.push([corner, ...role, lockTaskSpan(edge.wait), ...sinceSpans(edge), ...doubt(before)]);
    lines.push([side, '  waits for ', ...edgeSpans(edge, places)]);
    if (evidence) lines.push(...edgeEvidence(edge, `${side}    `));
  }
  const last = edges.at(-1) as WaitEdge;
  lines.push(['+-- ', ownedBy(last), lockTaskSpan(last.owner), ...doubt(last)]);
  if (behind.length > 0) lines.push(...tasksLines(`Behind ${edges.length === 1 ? 'it' : 'them'}: `, behind));
  return lines;
}

/** A row of `deadlock -c`, and the drawing of a chain without it. */
export function chainCells(chain: Chain, places: Places) {
  return {
    ...edgeCells(chain.edges, places),
    sure: chain.sure,
    root: rootCells(chain.root),
    blocked: chain.blocked.map(taskReferenceCells),
  };
}

export function chainLines(chain: Chain, places: Places, evidence: boolean): readonly Line[] {
  const { edges, root, sure, blocked } = chain;
  const lines: Line[] = [
    [
      span(`CHAIN of ${counted(edges.length, 'wait')}`, undefined, 'header'),
      ...sureSpans(sure),
      blocked.length === edges.length ? '' : `; ${counted(blocked.length, 'task')} wait for its end`,
    ],
  ];
  const [head, tail] =
    edges.length > CHAIN_SHOWN ? [CHAIN_SHOWN / 2, edges.length - CHAIN_SHOWN / 2] : [edges.length, 0];
  for (const [i, edge] of edges.entries()) {
    if (i >= head && i < tail) {
      if (i === head) lines.push([span(`    ... ${counted(tail - head, 'wait')} ...`, undefined, 'dim')]);
      continue;
    }
    const before = edges[i - 1];
    const role = before === undefined ? [] : [ownedBy(before)];
    lines.push(['    ', ...role, lockTaskSpan(edge.wait), ...sinceSpans(edge), ...doubt(before)]);
    lines.push(['      waits for ', ...edgeSpans(edge, places)]);
    if (evidence) lines.push(...edgeEvidence(edge, '        '));
  }
  const last = edges.at(-1) as WaitEdge;
  const does = root === undefined ? '' : `, which ${root.text}`;
  lines.push(['=>  ', ownedBy(last), lockTaskSpan(last.owner), ...doubt(last), does]);
  return lines;
}

/** How the owner of an edge has its lock, before the owner's name. */
export function ownedBy({ owner }: WaitEdge): string {
  switch (owner.role) {
    case 'owner':
      return owner.mode === 'read' ? 'read by ' : 'owned by ';
    case 'next':
      return 'handed to ';
    case 'last':
      return owner.mode === 'read' ? 'read last by ' : 'taken last by ';
    case 'worker':
      return 'done by ';
  }
}

function doubt(edge: WaitEdge | undefined): readonly Span[] {
  return edge === undefined ? [] : sureSpans(edge.sure);
}

function sinceSpans({ wait }: WaitEdge): readonly Span[] {
  return wait.waitedMs === undefined ? [] : [`, for ${waitedText(wait.waitedMs)}`];
}

/** What a wait is for, with what that lock is. */
export function edgeSpans({ wait }: WaitEdge, places: Places): readonly Span[] {
  const mode = wait.mode === 'read' || wait.mode === 'write' ? [` to ${wait.mode}`] : [];
  if (wait.address === undefined) return [wait.what ?? `a ${wait.kind}`];
  return [...lockSpans(wait, places.get(placeKey(wait))), ...mode];
}

function edgeEvidence({ wait, owner }: WaitEdge, indent: string): readonly Line[] {
  return [...wait.evidence, ...owner.evidence].flatMap((each) => evidenceLines(each, indent));
}

/** A few tasks by name behind a beginning, broken at the width of a screen. */
export function tasksLines(beginning: string, tasks: readonly LockTask[]): readonly Line[] {
  const shown = tasks.slice(0, BEHIND_SHOWN).map(lockTaskSpan);
  const left = tasks.length - shown.length;
  return wrappedLines(beginning, [...shown, ...(left === 0 ? [] : [`and ${left} more`])], ', ');
}
