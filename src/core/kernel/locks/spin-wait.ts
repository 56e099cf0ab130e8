/**
 * CPUs that spin for a qspinlock when a target stopped. Each spins on a node of its own, which does not name the lock; but
 * the lock's word names the last of the queue, so that a pointer on the CPU's stacks is the lock's if the word there does.
 * A CPU that is next in turn spins on the lock itself, without a node, and is not found.
 */
import { isKernelAddress } from '../../memory/address.ts';
import { Fault } from '../../memory/fault.ts';
import type { Kernel } from '../kernel.ts';
import { currentTasks } from '../runqueue.ts';
import { cpuStacks } from '../stack-cpu.ts';
import { readStacks } from '../stack-read.ts';
import type { Wait } from './lock.ts';
import { attempt } from './lock-reading.ts';
import { activeNodes, decodeSpinWord, maskBits, type SpinNode } from './spinlock.ts';
import { taskTable } from './task-table.ts';

/** Pointers of one CPU's stacks that are looked at. */
const CANDIDATES_MAX = 4096;

/** What spinning CPUs wait for, by the tasks on them; none on a live target, where they move on. Kept for the command. */
export function spinWaits(kernel: Kernel): readonly Wait[] {
  if (kernel.liveness === 'live') return [];
  return kernel.memo('spin waits', 'command', () => {
    const nodes = attempt(() => activeNodes(kernel)) ?? new Map<bigint, SpinNode>();
    return [...nodes.values()].flatMap((node) => waitOfNode(kernel, nodes, node));
  });
}

function waitOfNode(kernel: Kernel, nodes: ReadonlyMap<bigint, SpinNode>, node: SpinNode): readonly Wait[] {
  const task = taskTable(kernel).find(currentTasks(kernel).get(node.cpu) ?? 0n);
  if (task === undefined) return [];
  const tail = tailOf(nodes, node);
  const found = candidatesOf(kernel, task.task, node.cpu);
  kernel.memory.prefetch(found.map((address) => ({ space: 'virtual', address, length: 4, what: 'spinlock' })));
  const bits = maskBits(kernel);
  const lock = found.find((address) => {
    const value = attempt(() => kernel.memory.u32(address, 'spinlock'));
    const word = value === undefined ? undefined : decodeSpinWord(value, bits);
    return word?.tail?.cpu === tail.cpu && word.tail.index === tail.index && (word.locked !== 0 || word.pending);
  });
  const { pid, comm } = task;
  const spins = `CPU ${node.cpu} spins on its node ${node.index}`;
  return [
    {
      task: task.task,
      pid,
      comm,
      kind: 'spinlock',
      address: lock,
      mode: 'exclusive',
      within: undefined,
      what: undefined,
      owners: [],
      node: node.address,
      waitedMs: undefined,
      sure: lock === undefined ? 'likely' : 'certain',
      evidence: [
        { by: 'state', text: spins },
        ...(lock === undefined
          ? []
          : [
              {
                by: 'stack',
                text: `a word on its stacks points to it, and its queue ends at CPU ${tail.cpu}`,
              } as const,
            ]),
      ],
      moved: false,
    },
  ];
}

/** The last node of the queue that a node is in. */
function tailOf(nodes: ReadonlyMap<bigint, SpinNode>, from: SpinNode): SpinNode {
  let last = from;
  for (let i = 0; i < nodes.size; i++) {
    const next = nodes.get(last.next);
    if (next === undefined) break;
    last = next;
  }
  return last;
}

/** Kernel pointers on the stack of the task and on those of the CPU. */
function candidatesOf(kernel: Kernel, task: bigint, cpu: number): readonly bigint[] {
  const [read] = readStacks(kernel, [task], { whole: true });
  const own = read?.image === undefined ? [] : [read.image.bytes];
  const others = cpuStacks(kernel, cpu).flatMap(({ start, end }) => {
    const bytes = kernel.memory.tryRead(start, Number(end - start), 'stack');
    return bytes instanceof Fault ? [] : [bytes];
  });
  const found = new Set<bigint>();
  for (const bytes of [...own, ...others]) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let offset = 0; offset + 8 <= view.byteLength && found.size < CANDIDATES_MAX; offset += 8) {
      const value = view.getBigUint64(offset, true);
      if (isKernelAddress(value) && (value & 3n) === 0n) found.add(value);
    }
  }
  return [...found];
}
