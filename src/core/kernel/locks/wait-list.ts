/**
 * The queue of a mutex, rwsem or semaphore: waiter structures on the stacks of those who wait, {list, task, ...}, linked
 * in the order in which they queued. Until 7.0 the lock has the list's head (`wait_list`). Since 25500ba7e77c
 * "locking/mutex: Remove the list_head from struct mutex" and its sisters 1ea4b473504b (rwsem) and b9bdd4b68404
 * (semaphore, all v7.1) it has a pointer to the first waiter (`first_waiter`), and the waiters are a ring without a head.
 */
import type { KdbgError } from '../../errors.ts';
import { formatAddress, isKernelAddress } from '../../memory/address.ts';
import { walkChain } from '../chain.ts';
import type { Kernel } from '../kernel.ts';
import { walkList } from '../list.ts';
import { findStructMember } from '../member.ts';
import type { LockMode } from './lock.ts';
import type { LockScene, Queued } from './lock-reading.ts';
import { attempt } from './lock-reading.ts';
import type { TaskEntry } from './task-table.ts';

/** Kinds whose queue is of this form: the structures of the lock and of its waiter. */
const STRUCTURES = {
  mutex: ['mutex', 'mutex_waiter'],
  rwsem: ['rw_semaphore', 'rwsem_waiter'],
  semaphore: ['semaphore', 'semaphore_waiter'],
} as const;

export type QueuedKind = keyof typeof STRUCTURES;
export const QUEUED_KINDS = Object.keys(STRUCTURES) as readonly QueuedKind[];

/** Where things are in a lock and in its waiters. Offsets in bytes. */
export interface WaitListLayout {
  readonly kind: QueuedKind;
  /** Of the list's head, or of the pointer to the first waiter. */
  readonly offset: number;
  readonly headless: boolean;
  readonly waiter: string;
  /** Bytes of the waiter that are read. */
  readonly waiterSize: number;
  /** Of `list` and `task` in the waiter. */
  readonly list: number;
  readonly task: number;
  /** rwsem_waiter.type: RWSEM_WAITING_FOR_WRITE is 0, _READ is 1. */
  readonly type: number | undefined;
}

/** More waiters than a kernel has tasks is damage. */
export const WAITERS_MAX = 1 << 20;

/** The layout for a kind; undefined on a kernel where it has none (PREEMPT_RT builds mutexes and rwsems of rt_mutexes). */
export function waitListLayout(kernel: Kernel, kind: QueuedKind): WaitListLayout | undefined {
  return kernel.memo(`wait list of ${kind}`, 'session', () => {
    const [lock, waiter] = STRUCTURES[kind];
    const first = findStructMember(kernel, lock, 'first_waiter');
    const head = findStructMember(kernel, lock, 'wait_list');
    const list = findStructMember(kernel, waiter, 'list');
    const task = findStructMember(kernel, waiter, 'task');
    const offset = first?.offset ?? head?.offset;
    if (offset === undefined || list === undefined || task === undefined) return undefined;
    const type = findStructMember(kernel, waiter, 'type')?.offset;
    return {
      kind,
      offset,
      headless: first !== undefined,
      waiter,
      waiterSize: Math.max(list.offset + 16, task.offset + 8, (type ?? 0) + 8),
      list: list.offset,
      task: task.offset,
      type,
    };
  });
}

/** The waiters of a lock in order. What is wrong with the list is told in `notes`; it ends there. Throws FaultError. */
export function readWaitList(
  scene: LockScene,
  layout: WaitListLayout,
  lock: bigint,
  notes: string[],
): readonly Queued[] {
  const queue: Queued[] = [];
  for (const list of listNodes(scene.kernel, layout, lock, notes)) {
    const node = list - BigInt(layout.list);
    const task = attempt(() => waiterTask(scene, layout, node));
    if (task === undefined) notes.push(`the ${layout.waiter} at ${formatAddress(node)} is of no task that exists`);
    const evidence = { by: 'list', text: `${layout.waiter} at ${formatAddress(node)} on its wait list` } as const;
    queue.push({ node, task, mode: waiterMode(scene.kernel, layout, node), evidence });
  }
  return queue;
}

function* listNodes(kernel: Kernel, layout: WaitListLayout, lock: bigint, notes: string[]): Generator<bigint, void> {
  const at = lock + BigInt(layout.offset);
  const options = { limit: WAITERS_MAX, damaged: (error: KdbgError) => void notes.push(error.message) };
  if (!layout.headless) {
    yield* walkList(kernel, at, options);
    return;
  }
  const first = kernel.memory.u64(at, `${layout.kind}.first_waiter`);
  if (first === 0n) return;
  const chain = {
    place: `wait list of the ${layout.kind} at ${formatAddress(lock)}`,
    from: { node: first + BigInt(layout.list) },
    nextOffset: 0,
    backOffset: 8,
    around: { offset: -layout.list, length: layout.waiterSize },
  };
  const ended = yield* walkChain(kernel, chain, options);
  if (ended === 'null') notes.push(`the ${chain.place} ends with NULL: it is damaged`);
}

/** The task that a waiter is of: one that exists, and on whose stack the waiter lies. */
function waiterTask(scene: LockScene, layout: WaitListLayout, node: bigint): TaskEntry | undefined {
  const task = scene.tasks.find(scene.kernel.memory.u64(node + BigInt(layout.task), `${layout.waiter}.task`));
  return task !== undefined && scene.tasks.onStackOf(task, node) ? task : undefined;
}

/** How a waiter wants the lock. */
export function waiterMode(kernel: Kernel, layout: WaitListLayout, node: bigint): LockMode {
  if (layout.kind === 'mutex') return 'exclusive';
  if (layout.type === undefined) return 'any';
  const type = attempt(() => kernel.memory.u32(node + BigInt(layout.type ?? 0), `${layout.waiter}.type`));
  return type === undefined ? 'any' : type === 0 ? 'write' : 'read';
}

/**
 * The nodes of the list that a waiter is on, from itself on, and the lock's head among them where it has one. Undefined
 * for links that do not close: what is at `node` is no waiter, or not one any more.
 */
export interface Ring {
  readonly nodes: readonly bigint[];
  /** Address of the lock; undefined for a ring without a head, or where several could be it. */
  lock: bigint | undefined;
}

export type RingMap = Map<bigint, Ring>;

/** The ring of the waiter whose list is at `list`; `known` spares walking it once for each of its waiters. */
export function ringOf(scene: LockScene, layout: WaitListLayout, list: bigint, known: RingMap): Ring | undefined {
  const already = known.get(list);
  if (already !== undefined) return already;
  const { kernel } = scene;
  if (!isLinked(kernel, list)) return undefined;
  const problems: string[] = [];
  const chain = {
    place: `list through ${formatAddress(list)}`,
    from: { node: list },
    nextOffset: 0,
    backOffset: 8,
    around: { offset: -layout.list, length: layout.waiterSize },
  };
  const nodes = [
    ...walkChain(kernel, chain, { limit: WAITERS_MAX, damaged: ({ message }) => void problems.push(message) }),
  ];
  if (problems.length > 0) return undefined;
  const heads = layout.headless
    ? []
    : nodes.filter((node) => attempt(() => waiterTask(scene, layout, node - BigInt(layout.list))) === undefined);
  const [head] = heads;
  const ring = { nodes, lock: heads.length === 1 && head !== undefined ? head - BigInt(layout.offset) : undefined };
  for (const node of nodes) known.set(node, ring);
  return ring;
}

/** True when both neighbours of a list_head point back at it. */
export function isLinked(kernel: Kernel, list: bigint): boolean {
  return (
    attempt(() => {
      const { memory } = kernel;
      const next = memory.u64(list, 'list_head.next');
      const prev = memory.u64(list + 8n, 'list_head.prev');
      if (!isKernelAddress(next) || !isKernelAddress(prev) || (next & 7n) !== 0n || (prev & 7n) !== 0n) return false;
      return memory.u64(next + 8n, 'list_head.prev') === list && memory.u64(prev, 'list_head.next') === list;
    }) ?? false
  );
}
