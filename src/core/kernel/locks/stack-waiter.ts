/**
 * The waiter's structure on a task's own stack: where a word is the task's own address, its neighbours may be the links of
 * a waiter. They are one when both neighbours point back; the list then leads to the lock.
 */
import { formatAddress, isKernelAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import type { Evidence, LockMode } from './lock.ts';
import { attempt, type LockScene } from './lock-reading.ts';
import { type Sleeper, wordsEqual } from './sleeper.ts';
import { isLinked, type Ring, type RingMap, ringOf, type WaitListLayout, waiterMode } from './wait-list.ts';
import { type EntryKind, entryKind, WaitQueueEntry } from './wait-queue.ts';

export interface StackWaiter {
  /** Address of the structure. */
  readonly node: bigint;
  readonly mode: LockMode;
  readonly ring: Ring;
  readonly evidence: Evidence;
}

/** The waiter of a mutex, rwsem or semaphore. */
export function findListWaiter(
  scene: LockScene,
  sleeper: Sleeper,
  layout: WaitListLayout,
  rings: RingMap,
): StackWaiter | undefined {
  for (const at of wordsEqual(sleeper, sleeper.entry.task)) {
    const node = at - BigInt(layout.task);
    if (node < sleeper.from) continue;
    const ring = ringOf(scene, layout, node + BigInt(layout.list), rings);
    if (ring === undefined) continue;
    const evidence = waiterEvidence(sleeper, layout.waiter, node);
    return { node, mode: waiterMode(scene.kernel, layout, node), ring, evidence };
  }
  return undefined;
}

/** A wait_queue_entry of a task, on its stack. */
export interface StackEntry {
  readonly node: bigint;
  readonly flags: number;
  readonly kind: EntryKind;
  /** struct list_head entry. */
  readonly list: bigint;
  readonly evidence: Evidence;
}

/** Entries whose private pointer is the task, which have a wake-up function, and which are queued; lowest first. */
export function findQueueEntries(kernel: Kernel, sleeper: Sleeper): readonly StackEntry[] {
  if (!kernel.hasStruct('wait_queue_entry')) return [];
  const struct = kernel.struct(WaitQueueEntry);
  const privateAt = BigInt(struct.offset('private') ?? 0);
  const found: StackEntry[] = [];
  for (const at of wordsEqual(sleeper, sleeper.entry.task)) {
    const node = at - privateAt;
    if (node < sleeper.from) continue;
    const entry = attempt(() => {
      const { flags, func, entry: list } = struct.at(node);
      return { flags, list, is: entryKind(kernel, func) };
    });
    if (entry?.is === undefined || !isLinked(kernel, entry.list)) continue;
    const evidence = waiterEvidence(sleeper, 'wait_queue_entry', node, `, woken by ${entry.is.name}`);
    found.push({ node, flags: entry.flags, kind: entry.is.kind, list: entry.list, evidence });
  }
  return found;
}

/**
 * The head of the wait queue that an entry is on: the one on the ring without a wake-up function in front of it. Looked for
 * both ways, since entries are added at either end. Undefined where it is too far away.
 */
export function queueHead(kernel: Kernel, list: bigint): bigint | undefined {
  const struct = kernel.struct(WaitQueueEntry);
  const headAt = findStructMember(kernel, 'wait_queue_head', 'head');
  const funcBefore = BigInt((struct.offset('entry') ?? 0) - (struct.offset('func') ?? 0));
  if (headAt === undefined) return undefined;
  const isEntry = (at: bigint) => entryKind(kernel, kernel.memory.u64(at - funcBefore, 'wait_queue_entry.func'));
  return findHead(kernel, list, (at) => attempt(() => isEntry(at)) === undefined, BigInt(headAt.offset));
}

const HEAD_STEPS = 512;

function findHead(
  kernel: Kernel,
  list: bigint,
  isHead: (at: bigint) => boolean,
  headOffset: bigint,
): bigint | undefined {
  const ends = [list, list];
  for (let step = 0; step < HEAD_STEPS; step++) {
    const side = step % 2;
    const at = attempt(() => kernel.memory.u64((ends[side] as bigint) + BigInt(8 * side), 'wait_queue_entry.entry'));
    if (at === undefined || !isKernelAddress(at) || at === list) return undefined;
    if (isHead(at)) return isLinked(kernel, at) ? at - headOffset : undefined;
    ends[side] = at;
  }
  return undefined;
}

/** The swait_queue of a completion on the task's stack, and the struct swait_queue_head that it is queued on. */
export function findSimpleWaiter(
  scene: LockScene,
  sleeper: Sleeper,
): { readonly node: bigint; readonly head: bigint; readonly evidence: Evidence } | undefined {
  const { kernel, tasks } = scene;
  const taskMember = findStructMember(kernel, 'swait_queue', 'task');
  const listMember = findStructMember(kernel, 'swait_queue', 'task_list');
  const headMember = findStructMember(kernel, 'swait_queue_head', 'task_list');
  if (taskMember === undefined || listMember === undefined || headMember === undefined) return undefined;
  const toTask = BigInt(taskMember.offset - listMember.offset);
  const isWaiter = (list: bigint) => {
    const task = attempt(() => tasks.find(kernel.memory.u64(list + toTask, 'swait_queue.task')));
    return task !== undefined && tasks.onStackOf(task, list);
  };
  for (const at of wordsEqual(sleeper, sleeper.entry.task)) {
    const node = at - BigInt(taskMember.offset);
    const list = node + BigInt(listMember.offset);
    if (node < sleeper.from || !isLinked(kernel, list)) continue;
    const head = findHead(kernel, list, (other) => !isWaiter(other), BigInt(headMember.offset));
    if (head === undefined) continue;
    return { node, head, evidence: waiterEvidence(sleeper, 'swait_queue', node) };
  }
  return undefined;
}

export function waiterEvidence(sleeper: Sleeper, structure: string, node: bigint, more = ''): Evidence {
  const frame = sleeper.stack.frames.find(({ end }) => end !== undefined && node < end);
  const where = frame?.symbol === undefined ? 'on its stack' : `on its stack, in the frame of ${frame.symbol.name}`;
  return { by: 'waiter', text: `${structure} at ${formatAddress(node)} ${where}${more}` };
}
