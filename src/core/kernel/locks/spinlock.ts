/**
 * Spinlocks: a qspinlock is one word. Bits 0-7: locked, 8: a CPU spins for it as the next, above: the tail of a queue of
 * CPUs, which spin on nodes of their own (per-CPU `qnodes`). Who has it is written only with CONFIG_DEBUG_SPINLOCK. On
 * PREEMPT_RT a spinlock_t is an rt_mutex (rt-mutex.ts). A queue of spinning CPUs stands still only on a frozen target.
 */
import { VMLINUX } from '../../types/btf-table.ts';
import { sizeOf } from '../../types/type.ts';
import { cpus } from '../cpu.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { perCpuSymbol } from '../percpu.ts';
import { currentTasks } from '../runqueue.ts';
import type { Owner } from './lock.ts';
import { attempt, type LockReading, type LockScene, ownerOf, type Queued } from './lock-reading.ts';

const LOCKED_MASK = 0xff;
/** With 16K CPUs and more the pending byte is one bit, and the tail begins at bit 9. */
const MANY_CPUS = 1 << 14;
/** _Q_SLOW_VAL: a paravirtual guest's waiter sleeps in the hypervisor. */
const SLOW = 3;
/** A CPU spins at most in task, softirq, hardirq and NMI context. */
const NODES = 4;

/** What a qspinlock's word says. */
export interface SpinWord {
  readonly locked: number;
  readonly pending: boolean;
  /** The CPU and its node at the queue's end; undefined for no queue. */
  readonly tail: { readonly cpu: number; readonly index: number } | undefined;
}

/** Decodes the word; `cpuMax` is NR_CPUS as far as it is known. */
export function decodeSpinWord(value: number, cpuMax: number): SpinWord {
  const many = cpuMax >= MANY_CPUS;
  const index = (value >>> (many ? 9 : 16)) & 3;
  const cpu = (value >>> (many ? 11 : 18)) - 1;
  return { locked: value & LOCKED_MASK, pending: (value & 0x100) !== 0, tail: cpu < 0 ? undefined : { cpu, index } };
}

/** Throws FaultError. */
export function readSpinlock(scene: LockScene, address: bigint): LockReading {
  const { kernel } = scene;
  const value = kernel.memory.u32(address, 'spinlock');
  const word = decodeSpinWord(value, maskBits(kernel));
  const notes: string[] = [];
  const queue = word.tail === undefined ? [] : queueTo(scene, word.tail, notes);
  const owners = debugOwner(scene, address);
  if (word.locked !== 0 && owners.length === 0) notes.push('the kernel does not write down who has a spinlock');
  const { locked, pending, tail } = word;
  const parts = [
    locked === 0 ? 'free' : locked === SLOW ? 'locked, the next one sleeps' : 'locked',
    pending ? 'one CPU spins for it' : undefined,
    tail === undefined ? undefined : `queue up to CPU ${tail.cpu}`,
  ].filter((part) => part !== undefined);
  return {
    owners,
    readers: undefined,
    queue,
    words: [{ member: 'val', address, value: BigInt(value), meaning: parts.join(', ') }],
    state: locked === 0 ? 'free' : 'held',
    notes,
  };
}

/** The CPUs of the queue, first to last, found backwards from its tail along who points to whom. */
function queueTo(scene: LockScene, tail: { cpu: number; index: number }, notes: string[]): readonly Queued[] {
  const nodes = activeNodes(scene.kernel);
  const before = new Map([...nodes.values()].filter(({ next }) => next !== 0n).map((node) => [node.next, node]));
  const at = [...nodes.values()].find(({ cpu, index }) => cpu === tail.cpu && index === tail.index);
  if (at === undefined) {
    notes.push(`its queue ends at CPU ${tail.cpu}, which does not spin: the word is not a spinlock's, or it moved`);
    return [];
  }
  const order = [at];
  while (order.length <= nodes.size) {
    const previous = before.get((order[0] as SpinNode).address);
    if (previous === undefined || order.includes(previous)) break;
    order.unshift(previous);
  }
  const running = currentTasks(scene.kernel);
  return order.map(({ cpu, address }) => ({
    node: address,
    task: scene.tasks.find(running.get(cpu) ?? 0n),
    mode: 'exclusive',
    evidence: { by: 'list', text: `CPU ${cpu} spins in its queue` },
  }));
}

export interface SpinNode {
  readonly address: bigint;
  readonly cpu: number;
  readonly index: number;
  readonly next: bigint;
}

/** The nodes that CPUs spin on, by address: as many of each as its count says. */
export function activeNodes(kernel: Kernel): ReadonlyMap<bigint, SpinNode> {
  const type = kernel.types.find('struct', 'qnode', VMLINUX);
  const next = findStructMember(kernel, 'mcs_spinlock', 'next');
  const count = findStructMember(kernel, 'mcs_spinlock', 'count');
  const found = new Map<bigint, SpinNode>();
  if (type === undefined || next === undefined || count === undefined) return found;
  const size = BigInt(sizeOf(type));
  for (const cpu of cpus(kernel, 'online')) {
    const base = perCpuSymbol(kernel, 'qnodes', cpu);
    if (base === undefined) return found;
    const used = attempt(() => kernel.memory.s32(base + BigInt(count.offset), 'qnode.mcs.count')) ?? 0;
    for (let index = 0; index < Math.min(used, NODES); index++) {
      const address = base + BigInt(index) * size;
      const following = attempt(() => kernel.memory.u64(address + BigInt(next.offset), 'qnode.mcs.next'));
      if (following !== undefined) found.set(address, { address, cpu, index, next: following });
    }
  }
  return found;
}

/** With CONFIG_DEBUG_SPINLOCK the lock names its owner. */
function debugOwner(scene: LockScene, address: bigint): readonly Owner[] {
  const member = findStructMember(scene.kernel, 'raw_spinlock', 'owner');
  if (member === undefined) return [];
  const pointer = attempt(() => scene.kernel.memory.u64(address + BigInt(member.offset), 'raw_spinlock.owner'));
  const task = pointer === undefined ? undefined : scene.tasks.find(pointer);
  if (task === undefined) return [];
  const evidence = { by: 'owner', text: 'raw_spinlock.owner (CONFIG_DEBUG_SPINLOCK)' } as const;
  return [ownerOf(task, { mode: 'exclusive', role: 'owner', sure: 'certain' }, evidence)];
}

/** CONFIG_NR_CPUS: the bits of a cpumask. */
export function maskBits(kernel: Kernel): number {
  const mask = kernel.types.find('struct', 'cpumask', VMLINUX);
  return mask === undefined ? 0 : sizeOf(mask) * 8;
}
