/** The plain commands that show what a step of a walk shows: how to find it without `walk`. */
import type { Kernel } from '../kernel/kernel.ts';
import type { Lock, LockKind } from '../kernel/locks/lock.ts';
import { findStructMember } from '../kernel/member.ts';
import type { WalkView } from './walk-view.ts';

/** A command line, and in one word what it shows. */
export interface ByHand {
  readonly line: string;
  readonly shows: string;
}

interface KindByHand {
  readonly structure: string;
  /** Members of its queue, newest first, each with how its entries are shown. */
  readonly queues: readonly { readonly member: string; readonly list: string }[];
  readonly owner?: string;
}

const MUTEX: KindByHand = {
  structure: 'mutex',
  queues: [{ member: 'wait_list', list: 'mutex_waiter.list -s mutex_waiter.task' }],
  owner: 'owner.counter',
};

const KINDS: Partial<Readonly<Record<LockKind, KindByHand>>> = {
  mutex: MUTEX,
  ww_mutex: MUTEX,
  rwsem: {
    structure: 'rw_semaphore',
    queues: [{ member: 'wait_list', list: 'rwsem_waiter.list -s rwsem_waiter.task,type' }],
    owner: 'owner.counter',
  },
  percpu_rwsem: {
    structure: 'percpu_rw_semaphore',
    queues: [{ member: 'waiters.head', list: 'wait_queue_entry.entry -s wait_queue_entry.private,flags' }],
  },
  semaphore: {
    structure: 'semaphore',
    queues: [{ member: 'wait_list', list: 'semaphore_waiter.list -s semaphore_waiter.task' }],
  },
  rt_mutex: { structure: 'rt_mutex', queues: [] },
  completion: {
    structure: 'completion',
    queues: [
      { member: 'wait.task_list', list: 'swait_queue.task_list -s swait_queue.task' },
      { member: 'wait.head', list: 'wait_queue_entry.entry -s wait_queue_entry.private,func' },
    ],
  },
  wait_queue: {
    structure: 'wait_queue_head',
    queues: [{ member: 'head', list: 'wait_queue_entry.entry -s wait_queue_entry.private,func' }],
  },
};

/** Commands for where a walk stands. */
export function byHand(kernel: Kernel, view: WalkView): readonly ByHand[] {
  const { task, lock, owners } = view;
  const found: ByHand[] = [];
  if (task !== undefined) found.push({ line: `bt -f ${task.pid}`, shows: 'stack' });
  if (lock === undefined) return found;
  const at = lock.address.toString(16);
  const kind = KINDS[lock.kind];
  if (kind === undefined || !kernel.hasStruct(kind.structure)) return found;
  found.push({ line: `struct ${kind.structure} -x ${at}`, shows: 'lock' });
  const queue = queueLine(kernel, kind, lock);
  if (queue !== undefined) found.push({ line: queue, shows: 'queue' });
  const [owner] = owners;
  if (kind.owner !== undefined && findStructMember(kernel, kind.structure, kind.owner) !== undefined) {
    const line = `px ((struct ${kind.structure} *)0x${at})->${kind.owner} & ~7`;
    found.push({ line, shows: 'owner' });
  }
  if (owner !== undefined) found.push({ line: `ps ${owner.task.toString(16)}`, shows: 'who' });
  return found;
}

function queueLine(kernel: Kernel, kind: KindByHand, lock: Lock): string | undefined {
  for (const { member, list } of kind.queues) {
    const found = findStructMember(kernel, kind.structure, member);
    if (found !== undefined) return `list -o ${list} -H ${(lock.address + BigInt(found.offset)).toString(16)}`;
  }
  return undefined;
}
