/**
 * Locks that a task holds, as far as can be known. The kernel keeps no list of them but for lockdep's; what is found besides
 * is those that somebody waits for, and those that the task's own stack leads to: a function that took the lock of an object
 * still has the object's address somewhere, and the lock's owner word says whose it is.
 */
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { contendedLocks } from './contended.ts';
import { embeddedLocks } from './embedding.ts';
import { OBJECT_KINDS } from './known-object.ts';
import type { Lock, LockKind, LockMode, Sureness } from './lock.ts';
import { lockKey } from './lock-key.ts';
import { attempt, type LockScene } from './lock-reading.ts';
import { readLocks } from './read-lock.ts';
import { searchSlabs } from './slab-search.ts';
import { candidates, sleepersOf } from './sleeper.ts';
import { type TaskEntry, taskTable } from './task-table.ts';
import { isLinked, type QueuedKind, waitListLayout } from './wait-list.ts';

export interface HeldLock {
  readonly kind: LockKind;
  readonly address: bigint;
  readonly mode: LockMode;
  readonly sure: Sureness;
  /** `its owner word`, `task->held_locks (lockdep)`, `a word in the frame of vfs_write points to its inode`. */
  readonly how: string;
  /** Tasks that wait for it. */
  readonly waiters: number;
}

export interface HeldOptions {
  /** Also search the slab objects that embed locks, on a frozen target: reads a part of all memory. */
  readonly search?: boolean;
  /** Also look at the contended locks of every sleeping task, not only of blocked ones. */
  readonly sleeping?: boolean;
}

/** Pointers of a stack that are looked at. */
const CANDIDATES_MAX = 512;
/** As much of a lock as has its owner and its queue. */
const LOCK_LENGTH = 40;
/** MAX_LOCK_DEPTH of lockdep is 48. */
const LOCKDEP_MAX = 48;

/** Locks held by a task (the address of a task_struct), surest first. */
export function heldBy(kernel: Kernel, task: bigint, options: HeldOptions = {}): readonly HeldLock[] {
  const tasks = taskTable(kernel);
  const entry = tasks.find(task);
  if (entry === undefined) return [];
  const found = new Map<string, HeldLock>();
  const add = (lock: HeldLock) => {
    const key = lockKey(lock) ?? '';
    const known = found.get(key);
    if (known === undefined || rank(lock.sure) < rank(known.sure)) found.set(key, lock);
  };
  for (const lock of contendedLocks(kernel, { scope: options.sleeping === true ? 'sleeping' : 'blocked' })) {
    for (const owner of lock.owners) if (owner.task === task) add(ofContended(lock, owner));
  }
  const scene: LockScene = { kernel, tasks };
  for (const lock of byLockdep(scene, entry)) add(lock);
  for (const lock of byStack(scene, entry)) add(lock);
  if (options.search === true && kernel.liveness === 'frozen') for (const lock of bySearch(scene, entry)) add(lock);
  return [...found.values()].sort((a, b) => rank(a.sure) - rank(b.sure) || b.waiters - a.waiters);
}

function rank(sure: Sureness): number {
  return ['certain', 'likely', 'hint'].indexOf(sure);
}

function ofContended(lock: Lock, owner: Lock['owners'][number]): HeldLock {
  const { kind, address, waiters } = lock;
  const how = owner.evidence[0]?.text ?? 'its owner word';
  return { kind, address, mode: owner.mode, sure: owner.sure, how, waiters: waiters.length };
}

/** With CONFIG_LOCKDEP: task->held_locks[], each of which names the lock's lockdep_map, which lies in the lock. */
function byLockdep(scene: LockScene, entry: TaskEntry): readonly HeldLock[] {
  const { kernel } = scene;
  const depth = findStructMember(kernel, 'task_struct', 'lockdep_depth');
  const locks = findStructMember(kernel, 'task_struct', 'held_locks');
  const second = findStructMember(kernel, 'task_struct', 'held_locks[1]');
  const instance = findStructMember(kernel, 'held_lock', 'instance');
  if (depth === undefined || locks === undefined || second === undefined || instance === undefined) return [];
  const count = attempt(() => kernel.memory.u32(entry.task + BigInt(depth.offset), 'task_struct.lockdep_depth')) ?? 0;
  const found: HeldLock[] = [];
  for (let i = 0; i < Math.min(count, LOCKDEP_MAX); i++) {
    const at = entry.task + BigInt(locks.offset + i * (second.offset - locks.offset) + instance.offset);
    const map = attempt(() => kernel.memory.u64(at, 'held_lock.instance'));
    const lock = map === undefined ? undefined : lockOfMap(scene, map, entry);
    if (lock !== undefined)
      found.push({ ...lock, sure: 'certain', how: `task->held_locks[${i}] (lockdep)`, waiters: 0 });
  }
  return found;
}

/** Which lock a lockdep_map is in: the one of those with a `dep_map` at that distance whose owner is the task. */
function lockOfMap(
  scene: LockScene,
  map: bigint,
  entry: TaskEntry,
): Pick<HeldLock, 'kind' | 'address' | 'mode'> | undefined {
  const structures = [
    ['mutex', 'mutex'],
    ['rwsem', 'rw_semaphore'],
    ['percpu_rwsem', 'percpu_rw_semaphore'],
  ] as const;
  for (const [kind, structure] of structures) {
    const member = findStructMember(scene.kernel, structure, 'dep_map');
    if (member === undefined) continue;
    const address = map - BigInt(member.offset);
    const mode = kind === 'percpu_rwsem' ? 'any' : ownedBy(scene, kind, address, entry.task);
    if (mode !== undefined) return { kind, address, mode };
  }
  return undefined;
}

/** Locks that pointers on the stack lead to: the lock itself, or an object that is recognised and embeds it. */
function byStack(scene: LockScene, entry: TaskEntry): readonly HeldLock[] {
  const { kernel } = scene;
  if (entry.onCpu && kernel.liveness === 'live') return [];
  const [sleeper] = [...sleepersOf(kernel, [entry])];
  if (sleeper === undefined) return [];
  const pointers = candidates(sleeper, sleeper.stack.frames.length - 1).slice(0, CANDIDATES_MAX);
  prefetchOwners(
    kernel,
    pointers.map(({ value }) => value),
  );
  const found = new Map<string, HeldLock>();
  // Its address space is not on its stack, as a rule.
  const own = entry.mm === 0n ? [] : [{ value: entry.mm, text: 'task->mm' }];
  for (const { value, text } of [...pointers, ...own]) {
    for (const guess of guessesAt(scene, value, entry)) {
      const mode = ownedBy(scene, guess.kind, guess.address, entry.task);
      if (mode === undefined) continue;
      const how = `${text} points to ${guess.of}, and its owner word is the task's`;
      found.set(`${guess.kind} ${guess.address}`, { ...guess, mode, sure: guess.sure, how, waiters: 0 });
    }
  }
  return [...withWaiters(kernel, [...found.values()])];
}

/** Locks of slab objects whose owner word is the task's, with a queue that is well-formed. */
function bySearch(scene: LockScene, entry: TaskEntry): readonly HeldLock[] {
  const found: HeldLock[] = [];
  for (const { kind, address, structure, member } of searchSlabs(scene.kernel, scene.tasks, entry.task)) {
    const mode = ownedBy(scene, kind, address, entry.task);
    const how = `${member} of a ${structure}, found by a search of slab objects`;
    if (mode !== undefined) found.push({ kind, address, mode, sure: 'certain', how, waiters: 0 });
  }
  return withWaiters(scene.kernel, found);
}

/** Objects whose locks a stack may lead to. */
const OBJECTS = OBJECT_KINDS.filter(({ module }) => module === undefined);

/** One request for the owner words of all locks that the pointers may lead to. */
function prefetchOwners(kernel: Kernel, pointers: readonly bigint[]): void {
  const offsets = new Set([0]);
  for (const kind of ['mutex', 'rwsem'] as const) {
    for (const { structure } of OBJECTS) {
      for (const { offset } of embeddedLocks(kernel, structure, kind)?.locks ?? []) offsets.add(offset);
    }
  }
  kernel.memory.prefetch(
    pointers.flatMap((pointer) =>
      [...offsets].map((offset) => ({
        space: 'virtual' as const,
        address: pointer + BigInt(offset),
        length: LOCK_LENGTH,
        what: 'lock',
      })),
    ),
  );
}

interface HeldGuess {
  readonly kind: QueuedKind;
  readonly address: bigint;
  readonly of: string;
  readonly sure: Sureness;
}

function* guessesAt(scene: LockScene, value: bigint, entry: TaskEntry): Generator<HeldGuess, void> {
  const { kernel, tasks } = scene;
  for (const kind of ['mutex', 'rwsem'] as const) {
    yield { kind, address: value, of: 'it', sure: 'likely' };
    for (const { structure, check } of OBJECTS) {
      const locks = embeddedLocks(kernel, structure, kind)?.locks ?? [];
      const owned = locks.filter(
        ({ offset }) => ownedBy(scene, kind, value + BigInt(offset), entry.task) !== undefined,
      );
      if (owned.length === 0 || attempt(() => check(kernel, value, tasks)) === undefined) continue;
      for (const { path, offset } of owned) {
        yield { kind, address: value + BigInt(offset), of: `the ${structure} with its ${path}`, sure: 'certain' };
      }
    }
  }
}

/** How the task has the lock by its owner word, if there is such a lock: its queue is well-formed as well. */
function ownedBy(scene: LockScene, kind: QueuedKind, address: bigint, task: bigint): LockMode | undefined {
  const { kernel } = scene;
  const layout = waitListLayout(kernel, kind);
  const owner = findStructMember(kernel, kind === 'mutex' ? 'mutex' : 'rw_semaphore', 'owner');
  if (layout === undefined || owner === undefined || (address & 7n) !== 0n) return undefined;
  return attempt(() => {
    const word = kernel.memory.u64(address + BigInt(owner.offset), 'owner');
    if ((word & ~7n) !== task) return undefined;
    const list = address + BigInt(layout.offset);
    const queue = layout.headless
      ? kernel.memory.u64(list, 'first_waiter') === 0n || isQueue(kernel, list)
      : isLinked(kernel, list);
    if (!queue) return undefined;
    if (kind === 'mutex') return 'exclusive';
    const count = findStructMember(kernel, 'rw_semaphore', 'count');
    const value = kernel.memory.u64(address + BigInt(count?.offset ?? 0), 'rw_semaphore.count');
    // A reader that is named need not be one any more.
    return (value & 1n) !== 0n && (word & 1n) === 0n ? 'write' : undefined;
  });
}

function isQueue(kernel: Kernel, pointer: bigint): boolean {
  return isLinked(kernel, kernel.memory.u64(pointer, 'first_waiter'));
}

function withWaiters(kernel: Kernel, held: readonly HeldLock[]): readonly HeldLock[] {
  const locks = readLocks(kernel, held);
  return held.map((lock, i) => {
    const read = locks[i];
    return read === undefined || read instanceof Error ? lock : { ...lock, waiters: read.waiters.length };
  });
}
