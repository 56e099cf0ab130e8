/**
 * What a task waits for whose lock is a mutex, an rwsem or a semaphore: its waiter on its own stack, whose list leads to the
 * lock; where the list has no head, a pointer to the lock that the task_struct or the stack has.
 */
import { isKernelAddress } from '../../memory/address.ts';
import { findStructMember, memberOffset } from '../member.ts';
import { byFunction, type FoundWait, type WaitScene } from './found-wait.ts';
import type { Evidence, LockMode } from './lock.ts';
import { attempt } from './lock-reading.ts';
import { MUTEX_FLAG_WAITERS } from './mutex.ts';
import { RWSEM_FLAG_WAITERS } from './rwsem.ts';
import { candidates, type Sleeper } from './sleeper.ts';
import { findListWaiter, type StackWaiter } from './stack-waiter.ts';
import { blockedOnTarget, blockerIsMutex, type TaskEntry } from './task-table.ts';
import { outerFunction, type WaitFunction } from './wait-function.ts';
import { type QueuedKind, type WaitListLayout, waitListLayout } from './wait-list.ts';

/** The lock that the task_struct names, of one kind. */
export function directPointer(
  scene: WaitScene,
  entry: TaskEntry,
  kind: QueuedKind,
): { lock: bigint; text: string } | undefined {
  const { kernel } = scene;
  const { blockedOn, blocker } = entry;
  if (kind === 'mutex' && isPointer(blockedOn) && blockedOnTarget(kernel) === 'mutex') {
    return { lock: blockedOn, text: 'task->blocked_on' };
  }
  const decoded = blockerOf(scene, blocker);
  return decoded?.kind === kind ? { lock: decoded.lock, text: 'task->blocker' } : undefined;
}

/** task->blocker: the lock, with its kind in the two low bits (include/linux/hung_task.h). */
export function blockerOf(
  scene: WaitScene,
  blocker: bigint,
): { kind: QueuedKind; lock: bigint; mode: LockMode } | undefined {
  const lock = blocker & ~3n;
  if (!isPointer(lock)) return undefined;
  const kinds = [
    { kind: 'mutex', mode: 'exclusive' },
    { kind: 'semaphore', mode: 'any' },
    { kind: 'rwsem', mode: 'read' },
    { kind: 'rwsem', mode: 'write' },
  ] as const;
  const type = blockerIsMutex(scene.kernel) ? 0 : Number(blocker & 3n);
  return { ...(kinds[type] ?? kinds[0]), lock };
}

function isPointer(value: bigint): boolean {
  return isKernelAddress(value) && (value & 3n) === 0n && value < 0xffff_ffff_ffff_f000n;
}

/** A mutex, rwsem or semaphore: its waiter on the stack, whose list leads to the lock. */
export function findQueued(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const queued = waits.kind === 'ww_mutex' ? 'mutex' : (waits.kind as QueuedKind);
  const layout = waitListLayout(scene.kernel, queued);
  if (layout === undefined) return undefined;
  const found = findWithLayout(scene, sleeper, layout, waits.frame);
  if (found === undefined) return undefined;
  const mode = found.mode === 'any' ? waits.mode : found.mode;
  const evidence = [...found.evidence, byFunction(waits)];
  return ofPercpu(scene, sleeper, waits, { ...found, kind: waits.kind, mode, evidence });
}

/** Until v5.7 a percpu_rwsem's readers and writers wait for the rwsem in it. */
function ofPercpu(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction, found: FoundWait): FoundWait {
  const inner = findStructMember(scene.kernel, 'percpu_rw_semaphore', 'rw_sem');
  if (waits.kind !== 'rwsem' || inner === undefined || found.address === undefined) return found;
  const outer = outerFunction(sleeper.stack, waits.frame, (kind) => kind === 'percpu_rwsem');
  if (outer === undefined) return found;
  const address = found.address - BigInt(inner.offset);
  return { ...found, kind: 'percpu_rwsem', address, evidence: [...found.evidence, byFunction(outer)] };
}

export function findWithLayout(
  scene: WaitScene,
  sleeper: Sleeper,
  layout: WaitListLayout,
  frame: number,
): FoundWait | undefined {
  const direct = directPointer(scene, sleeper.entry, layout.kind);
  const waiter = findListWaiter(scene, sleeper, layout, scene.rings[layout.kind]);
  const mode = waiter?.mode ?? 'any';
  if (direct !== undefined) {
    const proved = waiter !== undefined && leadsTo(scene, layout, waiter, direct.lock);
    if (proved) waiter.ring.lock = direct.lock;
    return {
      kind: layout.kind,
      address: direct.lock,
      mode,
      node: waiter?.node,
      sure: proved ? 'certain' : 'likely',
      evidence: [{ by: 'task', text: direct.text }, ...(waiter === undefined ? [] : [waiter.evidence])],
    };
  }
  if (waiter === undefined) return undefined;
  const pointer = waiter.ring.lock === undefined ? findLockOfRing(scene, sleeper, layout, waiter, frame) : undefined;
  const { lock } = waiter.ring;
  return {
    kind: layout.kind,
    address: lock,
    mode,
    node: waiter.node,
    // Without its lock, what is known is that the task is queued, and not on what.
    sure: lock === undefined ? 'hint' : 'certain',
    evidence: [waiter.evidence, ...(pointer === undefined ? [] : [pointer])],
  };
}

/** True when a lock's list is the ring that the waiter is on. */
function leadsTo(scene: WaitScene, layout: WaitListLayout, waiter: StackWaiter, lock: bigint): boolean {
  const at = lock + BigInt(layout.offset);
  if (!layout.headless) return waiter.ring.nodes.includes(at);
  const first = attempt(() => scene.kernel.memory.u64(at, `${layout.kind}.first_waiter`));
  return first !== undefined && waiter.ring.nodes.includes(first + BigInt(layout.list));
}

const NEAR_WAITER = 64n;

/** A ring without a head: a pointer on the stack to a lock whose first waiter is on the ring. */
function findLockOfRing(
  scene: WaitScene,
  sleeper: Sleeper,
  layout: WaitListLayout,
  waiter: StackWaiter,
  frame: number,
): Evidence | undefined {
  const found = candidates(sleeper, frame + 2);
  scene.kernel.memory.prefetch(
    found.map(({ value }) => ({
      space: 'virtual',
      address: value + BigInt(layout.offset),
      length: 8,
      what: layout.kind,
    })),
  );
  // A pointer to another waiter leads back to the ring as well: its links do.
  const isWaiter = (value: bigint) =>
    waiter.ring.nodes.some((node) => value > node - NEAR_WAITER && value < node + NEAR_WAITER);
  const lock = found.find(({ value }) => !isWaiter(value) && leadsTo(scene, layout, waiter, value));
  if (lock === undefined) return undefined;
  waiter.ring.lock = lock.value;
  return { by: lock.by, text: `${lock.text} points to it, and its first waiter is on the same ring` };
}

/** A mutex and an rwsem have their list at the same distance of the waiter: their flags tell them apart. */
export function hasWaitersFlag(scene: WaitScene, kind: 'mutex' | 'rwsem', address: bigint): boolean {
  const [structure, member, flag] =
    kind === 'mutex'
      ? (['mutex', 'owner', MUTEX_FLAG_WAITERS] as const)
      : (['rw_semaphore', 'count', RWSEM_FLAG_WAITERS] as const);
  const { kernel } = scene;
  const at = address + BigInt(memberOffset(kernel, structure, member).offset);
  const value = attempt(() => kernel.memory.u64(at, `${structure}.${member}`));
  return value !== undefined && (value & flag) !== 0n;
}
