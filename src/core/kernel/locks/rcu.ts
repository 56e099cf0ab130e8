/**
 * Who holds up an RCU grace period: readers that were preempted or sleep within a read-side section (rcu_node.gp_tasks, with
 * CONFIG_PREEMPT_RCU), and the CPUs that have not passed through a quiescent state (rcu_node.qsmask), by what runs on them.
 * A waiter may need the grace period after the current one, so that none of it is certain.
 */
import { formatAddress, isKernelAddress } from '../../memory/address.ts';
import { findStructMember } from '../member.ts';
import { currentTasks } from '../runqueue.ts';
import { defineStruct, embedded, int, long, pointer } from '../struct.ts';
import type { Owner } from './lock.ts';
import { attempt, type LockScene, ownerOf } from './lock-reading.ts';

const RcuNode = defineStruct('rcu_node', {
  waiting: long('qsmask'),
  first: int('grplo'),
  last: int('grphi'),
  level: int('level'),
  blocked: embedded('blkd_tasks'),
  holding: pointer('gp_tasks'),
});

/** MAX_RCU_LVLS levels over 8192 CPUs, 16 to a leaf. */
const NODES_MAX = 1024;
const READERS_MAX = 1024;

/** Readers and CPUs that the current grace period waits for. Kept for the command. */
export function gracePeriodHolders(scene: LockScene): readonly Owner[] {
  return scene.kernel.memo('RCU grace period holders', 'command', () => attempt(() => holders(scene)) ?? []);
}

function holders(scene: LockScene): readonly Owner[] {
  const { kernel } = scene;
  const state = kernel.addressOf('rcu_state');
  const nodes = findStructMember(kernel, 'rcu_state', 'node');
  const count = kernel.addressOf('rcu_num_nodes');
  if (state === undefined || nodes === undefined || count === undefined) return [];
  const struct = kernel.struct(RcuNode);
  const number = Math.min(Math.max(kernel.memory.u32(count, 'rcu_num_nodes'), 0), NODES_MAX);
  const at = Array.from({ length: number }, (_, i) => state + BigInt(nodes.offset + i * struct.size));
  struct.prefetch(at);
  const all = at.map((address) => struct.at(address));
  const deepest = Math.max(...all.map(({ level }) => level));
  const leaves = all.filter(({ level }) => level === deepest);
  return leaves.flatMap((node) => [...preempted(scene, node.blocked, node.holding), ...running(scene, node)]);
}

/** From gp_tasks to the end of the list: readers that were there when the grace period began. */
function preempted(scene: LockScene, head: bigint, from: bigint): readonly Owner[] {
  const { kernel, tasks } = scene;
  const entry = findStructMember(kernel, 'task_struct', 'rcu_node_entry');
  const found: Owner[] = [];
  let at = from;
  for (let i = 0; entry !== undefined && i < READERS_MAX && isKernelAddress(at) && at !== head; i++) {
    const task = tasks.find(at - BigInt(entry.offset));
    const text = `on rcu_node.gp_tasks, by its rcu_node_entry at ${formatAddress(at)}`;
    if (task !== undefined) {
      found.push(ownerOf(task, { mode: 'read', role: 'owner', sure: 'likely' }, { by: 'list', text }));
    }
    at = kernel.memory.u64(at, 'task_struct.rcu_node_entry');
  }
  return found;
}

function running(
  scene: LockScene,
  node: { readonly waiting: bigint; readonly first: number; readonly last: number },
): readonly Owner[] {
  const current = currentTasks(scene.kernel);
  const found: Owner[] = [];
  for (let cpu = node.first; cpu <= Math.min(node.last, node.first + 63); cpu++) {
    if ((node.waiting & (1n << BigInt(cpu - node.first))) === 0n) continue;
    const task = scene.tasks.find(current.get(cpu) ?? 0n);
    // An idle CPU is asked by the grace period's thread before long.
    if (task === undefined || task.pid === 0) continue;
    const text = `runs on CPU ${cpu}, which has not passed through a quiescent state`;
    found.push(ownerOf(task, { mode: 'read', role: 'last', sure: 'hint' }, { by: 'state', text }));
  }
  return found;
}
