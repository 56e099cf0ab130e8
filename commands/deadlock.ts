/**
 * Cycles of waits, and what holds up those that wait without one.
 */
import { defineCommand, flag } from '../src/core/command/define.ts';
import { chainCells, chainLines, cycleItem, type Places, placeKey } from '../src/core/command/lock-cycle.ts';
import { rootSpans } from '../src/core/command/lock-root.ts';
import { counted, sureSpans } from '../src/core/command/lock-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { type Chain, chains } from '../src/core/kernel/locks/chains.ts';
import { type Cycle, confirmedCycles } from '../src/core/kernel/locks/cycles.ts';
import { describeLocks } from '../src/core/kernel/locks/describe.ts';
import { waitGraph } from '../src/core/kernel/locks/graph.ts';
import type { Wait } from '../src/core/kernel/locks/lock.ts';
import { type Item, notice, row, text } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';

/** Chains drawn when they are not asked for: what is longer than one wait, the longest first. */
const CHAINS_SHOWN = 3;
const ROOTS_SHOWN = 20;

export default defineCommand({
  name: 'deadlock',
  group: 'locks',
  summary: 'tasks that wait for each other, and who holds up the rest',
  description: [
    'A deadlock is drawn as a circle: each task with the lock that it waits for, below it the owner of that lock, and so on until the first task is reached again. "POSSIBLE" says that an owner in it is a hint only: the kernel remembers one reader of a rw_semaphore, which may have let go. On a live target each circle is looked at twice, and left out unless it is still there.',
    'Chains lead to a task that waits for no lock: that is who holds all others up, and what it does is said. Rows are cycles; with -c chains are rows as well.',
  ],
  needs: ['memory', 'symbols', 'types'],
  options: {
    a: flag('begin with tasks in interruptible sleep, too'),
    c: flag('all chains'),
    e: flag('by what each wait and each owner is known'),
  },
  examples: [
    { line: 'deadlock', shows: 'who waits for whom, if anybody does in a circle' },
    { line: 'deadlock -e', shows: 'the same with the evidence for each step' },
  ],
  run: (scope, args) => show(scope, args as unknown as DeadlockArgs),
});

interface DeadlockArgs {
  readonly a: boolean;
  readonly c: boolean;
  readonly e: boolean;
}

function* show(scope: Scope, args: DeadlockArgs): Iterable<Item> {
  const { kernel } = scope;
  const graph = waitGraph(kernel, args.a ? 'sleeping' : 'blocked');
  const ways = chains(kernel, graph);
  const found = confirmedCycles(kernel, graph);
  const drawn = args.c ? ways : ways.filter(({ edges }) => edges.length > 1).slice(0, CHAINS_SHOWN);
  const places = placesOn(scope, found, drawn);
  for (const [i, cycle] of found.entries()) {
    scope.check();
    yield cycleItem(cycle, places, i, args.e);
  }
  if (found.length === 0) yield notice('no deadlock');
  for (const chain of drawn) {
    scope.check();
    const lines = (): readonly Line[] => ['', ...chainLines(chain, places, args.e)];
    yield args.c ? row(chainCells(chain, places), lines) : text(...lines());
  }
  if (!args.c) yield* roots(ways);
}

/** Who holds up whom: every end of a chain with how many wait for it. */
function* roots(ways: readonly Chain[]): Iterable<Item> {
  const ends = [...ways].sort((a, b) => b.blocked.length - a.blocked.length).slice(0, ROOTS_SHOWN);
  if (ends.length === 0) return;
  yield text(
    '',
    [span('HELD UP BY', undefined, 'header')],
    ...ends.flatMap(({ root, blocked, sure }): readonly Line[] =>
      root === undefined
        ? []
        : [[`${counted(blocked.length, 'task').padStart(12)}  `, ...rootSpans(root), ...sureSpans(sure)]],
    ),
    ...(ways.length > ends.length ? [`             and ${ways.length - ends.length} others: deadlock -c`] : []),
  );
}

function placesOn(scope: Scope, found: readonly Cycle[], drawn: readonly Chain[]): Places {
  const waits = new Map<string, Wait>();
  for (const { edges } of [...found, ...drawn]) for (const { wait } of edges) waits.set(placeKey(wait), wait);
  const references = [...waits.values()];
  const places = describeLocks(scope.kernel, references);
  return new Map([...waits.keys()].map((key, i) => [key, places[i] as (typeof places)[number]]));
}
