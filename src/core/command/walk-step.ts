/** One step of a walk as it is shown: who, what it waits for and by what that is known, where one can go from here. */
import type { Evidence, Lock, Owner } from '../kernel/locks/lock.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import {
  counted,
  evidenceCells,
  evidenceLines,
  lockName,
  lockSpans,
  lockTaskSpan,
  ownerCells,
  placesOf,
  stateSpans,
  sureSpans,
  waitedText,
  waiterCells,
  waiterLine,
} from './lock-view.ts';
import type { Scope } from './scope.ts';
import { offsetRadix } from './settings.ts';
import { frameCells, stackLines } from './stack-view.ts';
import { type ShownStack, stacksOf } from './task-stacks.ts';
import { taskCells, taskName } from './task-view.ts';
import { byHand } from './walk-by-hand.ts';
import type { WalkChain } from './walk-chain.ts';
import { walkChainCells, walkChainLines } from './walk-chain-view.ts';
import { isSamePlace, type WalkStep } from './walk-cursor.ts';
import { neighbour, placeInQueue, type WalkView } from './walk-view.ts';

/** Waiters shown on either side of where the walk stands. */
const AROUND = 3;
const STACK_VIEW = { offsets: false, words: false, symbolise: undefined, raw: false } as const;

/** The last of the steps, seen; with `chain` the way up is drawn before it. */
export function walkItem(scope: Scope, steps: readonly WalkStep[], view: WalkView, chain?: WalkChain): Item {
  const { task, wait, lock, owners, holds } = view;
  const places = placesOf(scope, [...(lock === undefined ? [] : [lock]), ...holds]);
  const [shown] = task === undefined ? [] : [...stacksOf(scope, [task])];
  const name = (of: Lock) => lockName(places.get(of)) ?? null;
  const closes = closedAt(steps);
  const commands = byHand(scope.kernel, view);
  const data = {
    step: steps.length,
    by: steps.at(-1)?.by ?? null,
    ...(task === undefined ? {} : { ...taskCells(task), state: task.state }),
    waits: wait === undefined ? null : { kind: wait.kind, mode: wait.mode, what: wait.what ?? null, sure: wait.sure },
    lock: lock?.address ?? null,
    kind: lock?.kind ?? wait?.kind ?? null,
    name: lock === undefined ? null : name(lock),
    lockState: lock?.state ?? null,
    words: (lock?.words ?? []).map(({ member, address, value, meaning }) => ({ member, address, value, meaning })),
    owners: owners.map(ownerCells),
    waiters: (lock?.waiters ?? []).map(waiterCells),
    evidence: evidenceCells(wait?.evidence ?? []),
    holds: holds.map((each) => ({
      lock: each.address,
      kind: each.kind,
      name: name(each),
      waiters: each.waiters.map(waiterCells),
    })),
    closes: closes ?? null,
    frames: shown === undefined ? [] : frameCells(shown, { words: false }),
    byHand: commands.map(({ line, shows }) => ({ line, shows })),
    ...(chain === undefined ? {} : walkChainCells(chain)),
  };
  return row(data, () => {
    const spansOf = (of: Lock) => lockSpans(of, places.get(of));
    const ways = [...section('ways on'), ...wayLines(steps, view)];
    return [
      ...(chain === undefined ? [] : [...walkChainLines(scope, chain), ...ways, '']),
      heading(steps, view, spansOf),
      ...(closes === undefined ? [] : [closedLine(closes)]),
      ...waitLines(view, spansOf),
      ...lockLines(view),
      ...queueLines(view),
      ...holdLines(view, spansOf),
      ...stackSection(scope, shown),
      ...section('by hand'),
      ...commands.map(
        ({ line, shows }): Line => [
          span(`  ${shows.padEnd(6)} `, undefined, 'dim'),
          span(line, { kind: 'command', line }),
        ],
      ),
      ...(chain === undefined ? ways : []),
    ];
  });
}

/** The step (from 1) at which the walk was here before, when it came up to where it has been: the circle is closed. */
function closedAt(steps: readonly WalkStep[]): number | undefined {
  const last = steps.at(-1);
  if (last === undefined || !last.by.startsWith('up ')) return undefined;
  for (let i = steps.length - 2; i >= 0; i--) {
    const step = steps[i] as WalkStep;
    if (isSamePlace(step.place, last.place)) return i + 1;
    // Only a way that went up all along is a circle.
    if (!step.by.startsWith('up ')) break;
  }
  return undefined;
}

function closedLine(step: number): Line {
  return [
    span(`You were here in step ${step}, and went up ever since: this is a circle, a deadlock.`, undefined, 'error'),
  ];
}

function section(title: string): readonly Line[] {
  return [[span(title, undefined, 'header')]];
}

function heading(steps: readonly WalkStep[], { task, lock, wait }: WalkView, spansOf: (lock: Lock) => Line): Line {
  const step = span(`  (step ${steps.length}: ${steps.at(-1)?.by ?? ''})`, undefined, 'dim');
  if (task === undefined) return [...(lock === undefined ? [] : spansOf(lock)), step];
  const since = wait?.waitedMs === undefined ? '' : `, off the CPU for ${waitedText(wait.waitedMs)}`;
  return [taskName(task), `  ${task.state}${since}`, step];
}

function waitLines({ task, wait, lock }: WalkView, spansOf: (lock: Lock) => Line): readonly Line[] {
  if (task === undefined) return [];
  if (wait === undefined) return [...section('waits for'), '  nothing that is known'];
  const target = lock === undefined ? [wait.what ?? (wait.kind === 'io' ? 'I/O' : `a ${wait.kind}`)] : spansOf(lock);
  const mode = wait.mode === 'read' || wait.mode === 'write' ? [`, to ${wait.mode}`] : [];
  const what = lock !== undefined && wait.what !== undefined ? [`: ${wait.what}`] : [];
  return [
    ...section('waits for'),
    ['  ', ...target, ...what, ...mode, ...sureSpans(wait.sure)],
    ...wait.evidence.flatMap((each) => evidenceLines(each, '    ')),
    ...(wait.moved ? [[span('    (it ran while it was looked at)', undefined, 'warn')] satisfies Line] : []),
  ];
}

function lockLines({ lock, owners }: WalkView): readonly Line[] {
  if (lock === undefined) return [];
  return [
    ...section('the lock'),
    ['  ', ...stateSpans({ state: lock.state, owners })],
    ...owners.flatMap((owner) => owner.evidence.filter(saysMore).flatMap((each) => evidenceLines(each, '    '))),
    ...lock.words.map(
      ({ member, address, value, meaning }): Line => [
        `    ${member.padEnd(9)} `,
        span(value.toString(16).padStart(16, '0'), { kind: 'address', address }, 'address'),
        `  ${meaning}`,
      ],
    ),
    ...lock.notes.map((note): Line => ['    ', span(`(${note})`, undefined, 'warn')]),
  ];
}

/** The owner word itself is shown with the others. */
function saysMore({ text }: Evidence): boolean {
  return !/^\w+\.[\w.]+$/.test(text);
}

function queueLines(view: WalkView): readonly Line[] {
  const { lock } = view;
  if (lock === undefined || lock.waiters.length === 0) return [];
  const at = Math.max(placeInQueue(view), 0);
  const from = Math.max(at - AROUND, 0);
  const shown = lock.waiters.slice(from, at + AROUND + 1);
  const after = lock.waiters.length - from - shown.length;
  return [
    ...section(`its queue of ${lock.waiters.length}`),
    ...(from === 0 ? [] : [`        ${from} before`]),
    ...shown.map((waiter, i): Line => {
      const isHere = view.place.kind === 'task' && waiter.task === view.place.task;
      return [...waiterLine(waiter, from + i), ...(isHere ? ['  ', span('<- here', undefined, 'match')] : [])];
    }),
    ...(after === 0 ? [] : [`        ${after} after`]),
  ];
}

function holdLines({ holds, place }: WalkView, spansOf: (lock: Lock) => Line): readonly Line[] {
  if (holds.length === 0) return [];
  return [
    ...section('owns'),
    ...holds.map((lock): Line => {
      const owner = lock.owners.find(({ task }) => place.kind === 'task' && task === place.task);
      const sure = owner === undefined ? [] : sureSpans(owner.sure);
      return ['  ', ...spansOf(lock), ...sure, `, ${counted(lock.waiters.length, 'waiter')}`];
    }),
  ];
}

function stackSection(scope: Scope, shown: ShownStack | undefined): readonly Line[] {
  if (shown === undefined) return [];
  return [...section('stack'), ...stackLines(shown, { ...STACK_VIEW, radix: offsetRadix(scope.settings) })];
}

/** What an owner has to do with the lock. */
function roleText({ role }: Owner): string {
  return role === 'worker' ? ', who has to act' : ', who has the lock';
}

/** The words that move on, each with where it leads. */
function wayLines(steps: readonly WalkStep[], view: WalkView): readonly Line[] {
  const way = (word: string, to: readonly Span[]): Line => [
    '  ',
    span(word, { kind: 'command', line: `walk ${word}` }, 'header'),
    ' '.repeat(6 - word.length),
    ...to,
  ];
  const { owners, holds, lock } = view;
  const [owner] = owners;
  const next = neighbour(view, 1);
  const prev = neighbour(view, -1);
  const more = (count: number, word: string) => (count > 1 ? [`, or one of ${count}: ${word} N`] : []);
  const lines: Line[] = [];
  if (owner !== undefined)
    lines.push(
      way('up', [lockTaskSpan(owner), roleText(owner), ...sureSpans(owner.sure), ...more(owners.length, 'up')]),
    );
  if (next !== undefined) lines.push(way('next', [lockTaskSpan(next), ', behind it in the queue']));
  if (prev !== undefined) lines.push(way('prev', [lockTaskSpan(prev), ', before it in the queue']));
  const down = holds[0]?.waiters[0];
  if (down !== undefined)
    lines.push(way('down', [lockTaskSpan(down), ', who waits for it', ...more(holds.length, 'down')]));
  if (view.place.kind === 'lock' && lock?.waiters[0] !== undefined) {
    lines.push(way('down', [lockTaskSpan(lock.waiters[0]), ', the first in the queue']));
  }
  if (steps.length > 1) lines.push(way('back', ['to step ', String(steps.length - 1)]));
  return lines.length === 0 ? ['  none: nobody is known to wait for it, or to hold what it waits for'] : lines;
}
