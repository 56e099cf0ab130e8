/** Where structures embed locks: all members of a lock's type, at any depth. */

import { VMLINUX } from '../../types/btf-table.ts';
import { type CType, resolve, sizeOf } from '../../types/type.ts';
import type { Kernel } from '../kernel.ts';
import type { LockKind } from './lock.ts';

export interface EmbeddedLock {
  /** C path from the structure: `i_data.i_mmap_rwsem`, `s_writers.rw_sem[1]`. */
  readonly path: string;
  readonly offset: number;
}

/** The structure of each kind that can be a member of another. */
const STRUCTURES: Partial<Readonly<Record<LockKind, readonly string[]>>> = {
  mutex: ['mutex', 'ww_mutex'],
  ww_mutex: ['ww_mutex', 'mutex'],
  rwsem: ['rw_semaphore'],
  percpu_rwsem: ['percpu_rw_semaphore'],
  semaphore: ['semaphore'],
  rt_mutex: ['rt_mutex', 'rt_mutex_base'],
  pi_futex: ['rt_mutex_base', 'rt_mutex'],
  spinlock: ['spinlock', 'raw_spinlock', 'qspinlock'],
  completion: ['completion'],
  wait_queue: ['wait_queue_head'],
};

const DEPTH_MAX = 6;
const MEMBERS_MAX = 4096;
const ELEMENTS_MAX = 8;

/**
 * A structure of vmlinux or, if that is loaded, of one module. Not of any module: a miss would read the types of all of
 * them.
 */
export function structureOf(kernel: Kernel, structure: string, module?: string): CType | undefined {
  const found = kernel.types.find('struct', structure, VMLINUX);
  if (found !== undefined || module === undefined || !kernel.symbols.modules.includes(module)) return found;
  return kernel.types.find('struct', structure, module);
}

/** The locks of a kind that a structure embeds, and the structure's size; undefined when the kernel has no such structure. */
export function embeddedLocks(
  kernel: Kernel,
  structure: string,
  kind: LockKind,
  module?: string,
): { readonly locks: readonly EmbeddedLock[]; readonly size: number } | undefined {
  return kernel.memo(`${kind} in ${structure} of ${module}`, 'session', () => {
    const type = structureOf(kernel, structure, module);
    if (type === undefined) return undefined;
    const found: EmbeddedLock[] = [];
    collect(type, STRUCTURES[kind] ?? [], '', 0, found, { left: MEMBERS_MAX }, 0);
    return { locks: found, size: sizeOf(type) };
  });
}

function collect(
  type: CType,
  wanted: readonly string[],
  path: string,
  offset: number,
  found: EmbeddedLock[],
  budget: { left: number },
  depth: number,
): void {
  const resolved = resolve(type);
  if (budget.left-- <= 0 || depth > DEPTH_MAX) return;
  if (resolved.kind === 'array') {
    const size = sizeOf(resolved.element);
    for (let i = 0; i < Math.min(resolved.count, ELEMENTS_MAX); i++) {
      collect(resolved.element, wanted, `${path}[${i}]`, offset + i * size, found, budget, depth + 1);
    }
    return;
  }
  if (resolved.kind !== 'struct' && resolved.kind !== 'union') return;
  if (path !== '' && resolved.name !== undefined && wanted.includes(resolved.name)) {
    found.push({ path, offset });
    return;
  }
  for (const member of resolved.members) {
    const inner = member.name === undefined ? path : path === '' ? member.name : `${path}.${member.name}`;
    if (member.bitSize !== undefined) continue;
    collect(member.type, wanted, inner, offset + member.bitOffset / 8, found, budget, depth + 1);
  }
}
