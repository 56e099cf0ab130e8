/** A lock with its owner and its queue, as `locks` shows it and as JSON has it. */
import type { LockPlace } from '../kernel/locks/describe.ts';
import type { Lock } from '../kernel/locks/lock.ts';
import { formatAddress } from '../memory/address.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import {
  counted,
  evidenceLines,
  lockName,
  lockSpans,
  ownerCells,
  stateSpans,
  taskReferenceCells,
  waitedText,
  waiterCells,
  waiterLine,
} from './lock-view.ts';

export interface LockReportOptions {
  /** Every waiter, and not the first few. */
  readonly all: boolean;
  /** By what owners and waiters are known. */
  readonly evidence: boolean;
}

/** Waiters shown of each lock, unless all are asked for. */
const WAITERS_SHOWN = 5;

/** The fixed columns of `locks`, and what else is known of the lock. */
export function lockCells(lock: Lock, place: LockPlace | undefined) {
  const [owner] = lock.owners;
  return {
    lock: lock.address,
    kind: lock.kind,
    name: lockName(place) ?? null,
    owner: owner === undefined ? null : taskReferenceCells(owner),
    ownerSure: owner?.sure ?? null,
    waiters: lock.waiters.map(waiterCells),
    state: lock.state,
    ...(lock.readers === undefined ? {} : { readers: lock.readers }),
    owners: lock.owners.map(ownerCells),
    ...(lock.notes.length === 0 ? {} : { notes: lock.notes }),
    ...(lock.moved ? { moved: true } : {}),
  };
}

/** One row; a blank line stands before all but the first. */
export function lockItem(lock: Lock, place: LockPlace | undefined, index: number, options: LockReportOptions): Item {
  return row(lockCells(lock, place), () => [
    ...(index === 0 ? [] : ['']),
    ...lockHead(lock, place, options.evidence),
    ...waitersLines(lock, options),
  ]);
}

/** The lock, its name, who has it, and what is odd about it. */
export function lockHead(lock: Lock, place: LockPlace | undefined, evidence: boolean): readonly Line[] {
  return [
    lockSpans(lock, place),
    ['  ', ...stateSpans(lock)],
    ...(evidence ? lock.owners.flatMap((owner) => owner.evidence.flatMap((each) => evidenceLines(each, '    '))) : []),
    ...lock.notes.map((note): Line => ['  ', span(`(${note})`, undefined, 'warn')]),
  ];
}

function waitersLines(lock: Lock, options: LockReportOptions): readonly Line[] {
  const { waiters } = lock;
  if (waiters.length === 0) return ['  nobody waits for it'];
  const longest = Math.max(...waiters.map(({ waitedMs }) => waitedMs ?? -1));
  const since = longest < 0 ? '' : `, the longest for ${waitedText(longest)}`;
  const shown = options.all ? waiters : waiters.slice(0, WAITERS_SHOWN);
  const left = waiters.length - shown.length;
  return [
    `  ${counted(waiters.length, 'waiter')}${waiters.length === 1 ? '' : since}`,
    ...shown.flatMap((waiter, i): readonly Line[] => [
      waiterLine(waiter, i),
      ...(options.evidence ? waiter.evidence.flatMap((each) => evidenceLines(each, '          ')) : []),
    ]),
    ...(left === 0
      ? []
      : [
          [
            `        and ${left} more: `,
            span(`waiters ${formatAddress(lock.address)}`, {
              kind: 'command',
              line: `waiters ${formatAddress(lock.address)}`,
            }),
          ] satisfies Line,
        ]),
  ];
}
