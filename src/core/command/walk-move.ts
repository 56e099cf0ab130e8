/** One step of a walk: from what is seen to the next place, or why there is no way. */
import { UnsupportedError, UsageError } from '../errors.ts';
import type { LockKind } from '../kernel/locks/lock.ts';
import { formatAddress } from '../memory/address.ts';
import { counted } from './lock-view.ts';
import type { WalkPlace, WalkStep } from './walk-cursor.ts';
import { neighbour, placeInQueue, type WalkView } from './walk-view.ts';

/** The words that move a walk, with what each does. */
export const WALK_MOVES = {
  next: 'the next waiter in the queue',
  prev: 'the one before it',
  up: 'the owner of the lock',
  down: 'the first waiter of a lock that this task owns',
  back: 'where the walk was before',
} as const;

export type WalkMove = keyof typeof WALK_MOVES;

/** Where a move other than `back` leads; `which` chooses among several owners or owned locks, from 1. */
export function moved(view: WalkView, move: Exclude<WalkMove, 'back'>, which: number): WalkStep {
  const by = `${move} from ${nameOfPlace(view)}`;
  const at = (place: WalkPlace): WalkStep => ({ place, by });
  switch (move) {
    case 'next':
    case 'prev':
      return at(alongQueue(view, move === 'next' ? which : -which, move));
    case 'up':
      return at(toOwner(view, which));
    case 'down':
      return at(toWaiter(view, which));
  }
}

/** `132 (lab_ab)`, `the mutex at ffffffffc055c280`. */
export function nameOfPlace({ place, task }: WalkView): string {
  if (place.kind === 'lock') return `the ${place.lock.kind} at ${formatAddress(place.lock.address)}`;
  return task === undefined ? formatAddress(place.task) : `${task.pid} (${task.comm})`;
}

function alongQueue(view: WalkView, distance: number, move: string): WalkPlace {
  const found = neighbour(view, distance);
  if (found !== undefined) return { kind: 'task', task: found.task };
  const { lock } = view;
  const name = nameOfPlace(view);
  if (lock === undefined) {
    throw new UnsupportedError(`${name} is in no queue`, view.holds.length > 0 ? DOWN : BACK);
  }
  const at = placeInQueue(view);
  if (at < 0 && view.place.kind === 'task') {
    throw new UnsupportedError(`${name} is not on the queue of what it waits for`, '"walk" looks again');
  }
  const end = move === 'next' ? 'last' : 'first';
  throw new UnsupportedError(
    lock.waiters.length === 0
      ? `nobody waits for ${nameOfPlace(view)}`
      : `${name} is the ${end} of ${counted(lock.waiters.length, 'waiter')}`,
    '"up" goes to the owner, "back" where you were',
  );
}

const DOWN = '"down" goes to those who wait for a lock that it owns';
const BACK = '"back" goes where you were';

function toOwner(view: WalkView, which: number): WalkPlace {
  const { owners, wait, lock } = view;
  const owner = owners[which - 1];
  if (owner !== undefined) return { kind: 'task', task: owner.task };
  if (owners.length > 0)
    throw new UsageError(`there is no owner ${which}: ${counted(owners.length, 'owner is', 'owners are')} known`);
  const name = nameOfPlace(view);
  if (lock === undefined && wait === undefined) {
    throw new UnsupportedError(
      `${name} waits for nothing that is known: the walk up ends here`,
      view.holds.length > 0 ? DOWN : BACK,
    );
  }
  const kind = lock?.kind ?? wait?.kind;
  throw new UnsupportedError(
    `who holds the ${kind} is not known${kind === undefined ? '' : `: ${OWNERLESS[kind] ?? 'its owner word names nobody'}`}`,
    BACK,
  );
}

/** Why a lock of a kind names nobody. */
const OWNERLESS: Partial<Readonly<Record<LockKind, string>>> = {
  completion: 'a completion has no owner, somebody has to call complete()',
  semaphore: 'a semaphore does not keep its holders',
  percpu_rwsem: 'readers are counted and not named',
  rwsem: 'the readers that have it are counted and not named',
  wait_queue: 'a wait queue has no owner, somebody has to wake it',
  bit: 'a bit has no owner, somebody has to clear it',
  folio: 'who locked a folio is not kept',
  epoll: 'an eventpoll waits for events',
  futex: 'the owner of a futex is known to user space only',
  spinlock: 'a spinlock keeps its owner with CONFIG_DEBUG_SPINLOCK only',
  io: 'it waits for a device',
};

function toWaiter(view: WalkView, which: number): WalkPlace {
  if (view.place.kind === 'lock') return alongQueue(view, which, 'next');
  const { holds } = view;
  const lock = holds[which - 1];
  const first = lock?.waiters[0];
  if (first !== undefined) return { kind: 'task', task: first.task };
  if (lock === undefined && holds.length > 0) {
    throw new UsageError(`it owns ${counted(holds.length, 'lock')} that others wait for: there is no lock ${which}`);
  }
  const pid = view.task?.pid ?? 0;
  throw new UnsupportedError(`nobody is known to wait for ${nameOfPlace(view)}`, `"held ${pid}" looks for other locks`);
}

/** The error for a move before a walk has begun. */
export function notWalking(): UnsupportedError {
  return new UnsupportedError('no walk has begun', '"walk TASK" or "walk LOCK" begins one');
}
