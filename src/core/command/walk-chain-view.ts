/** The way up of a walk, drawn with the owner of a lock above those who wait for it: `up` goes up. */
import type { Cell } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { edgeSpans, ownedBy, type Places, placeKey } from './lock-cycle.ts';
import { counted, lockSpans, lockTaskSpan, placesOf, sureSpans, taskReferenceCells, waitedText } from './lock-view.ts';
import type { Scope } from './scope.ts';
import type { WalkChain, WalkRung } from './walk-chain.ts';

/** Where the names of tasks end. */
const NAME_WIDTH = 26;
const HERE = ['  ', span('<- here', undefined, 'match')];

/** The chain as data: from where the walk came up from to the top. */
export function walkChainCells({ rungs, closes }: WalkChain): { readonly [name: string]: Cell } {
  return {
    chain: rungs.map(({ task, edge }) => ({
      ...taskReferenceCells(task),
      lock: edge?.wait.address ?? null,
      kind: edge?.wait.kind ?? null,
      sure: edge?.sure ?? null,
    })),
    circle: closes === undefined ? null : rungs.slice(closes).map(({ task }) => taskReferenceCells(task)),
  };
}

/**
 *     DEADLOCK of 2 tasks: the way up leads back to 136 (lab_ab)
 *     +--   ^ waits for mutex ffffffffc0658280  lab_root.mutex_a [kdbg_lab], owned by
 *     |   137 (lab_ba)                    54.8 s  1. of 3
 *     |     ^ waits for mutex ffffffffc06582a0  lab_root.mutex_b [kdbg_lab], owned by
 *     +-> 136 (lab_ab)                    54.8 s  1. of 2  <- here
 */
export function walkChainLines(scope: Scope, chain: WalkChain): readonly Line[] {
  const { rungs, here, closes, root, lock } = chain;
  const places = placesOn(scope, chain);
  const lines: Line[] = [heading(chain)];
  for (let i = rungs.length - 1; i >= 0; i--) {
    const { edge, task } = rungs[i] as WalkRung;
    const isTop = i === rungs.length - 1;
    const isOnCircle = closes !== undefined && i >= closes;
    if (edge !== undefined) {
      const rail = !isOnCircle ? '    ' : isTop ? '+-- ' : '|   ';
      const how = [', ', ownedBy(edge).trimEnd(), ...sureSpans(edge.sure)];
      lines.push([rail, '  ^ waits for ', ...edgeSpans(edge, places), ...how]);
    }
    const rail = !isOnCircle ? '    ' : i === closes ? '+-> ' : '|   ';
    const does = isTop && root !== undefined ? [`, which ${root.text}`] : sinceCells(rungs[i] as WalkRung);
    lines.push([rail, lockTaskSpan(task), ...does, ...(i === here ? HERE : [])]);
  }
  if (lock !== undefined) {
    const place = places.get(placeKey(lock));
    lines.push(['    ', ...lockSpans(lock, place), `, ${counted(lock.waiters.length, 'waiter')}`, ...HERE]);
  }
  return lines;
}

function placesOn(scope: Scope, { rungs, lock }: WalkChain): Places {
  const references = [...rungs.flatMap(({ edge }) => edge?.wait ?? []), ...(lock === undefined ? [] : [lock])];
  return new Map([...placesOf(scope, references)].map(([reference, place]) => [placeKey(reference), place]));
}

function heading({ rungs, closes, sure }: WalkChain): Line {
  const back = closes === undefined ? undefined : rungs[closes];
  if (closes === undefined || back === undefined) return [span('the way up', undefined, 'header')];
  const count = rungs.length - closes;
  const what = `DEADLOCK of ${count === 1 ? 'a task with itself' : counted(count, 'task')}`;
  const title = sure === 'hint' ? `POSSIBLE ${what}` : what;
  return [
    span(title, undefined, 'error'),
    ...(sure === 'likely' ? sureSpans(sure) : []),
    ': the way up leads back to ',
    lockTaskSpan(back.task),
  ];
}

/** How long it has waited, and where in the queue. */
function sinceCells({ task, edge }: WalkRung): readonly string[] {
  if (edge === undefined) return [];
  const name = `${task.pid} (${task.comm})`;
  const at = edge.lock?.waiters.findIndex((waiter) => waiter.task === task.task) ?? -1;
  const place = at < 0 ? '' : `  ${at + 1}. of ${edge.lock?.waiters.length}`;
  return [' '.repeat(Math.max(1, NAME_WIDTH - name.length)), waitedText(edge.wait.waitedMs).padStart(12), place];
}
