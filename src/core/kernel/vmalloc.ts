/**
 * The vmalloc and module areas that are in use: struct vmap_area, each with the struct vm_struct that says what it is
 * for. They hang in the list `vmap_area_list`; since d093602919ad "mm: vmalloc: remove global vmap_area_root rb-tree"
 * (v6.9) in the lists of several nodes, vmap_nodes[].busy.head.
 */
import type { KdbgError } from '../errors.ts';
import { PAGE_SIZE } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { walkListOf } from './list.ts';
import { memberOffset } from './member.ts';
import { defineStruct, long, optional, pointer } from './struct.ts';

const VmapArea = defineStruct('vmap_area', {
  start: long('va_start'),
  end: long('va_end'),
  // Shares its place with members of free areas; those are in other lists.
  vm: optional(pointer('vm')),
});
const VmStruct = defineStruct('vm_struct', { base: pointer('addr'), length: long('size'), flags: long('flags') });

/** VM_IOREMAP: device memory, which reading may disturb. VM_UNINITIALIZED: not yet mapped. */
const VM_IOREMAP = 0x1n;
const VM_UNINITIALIZED = 0x20n;
/** VM_NO_GUARD: without the unmapped page that otherwise ends an area. */
const VM_NO_GUARD = 0x40n;
const NODES_MAX = 4096;
const AREAS_MAX = 1 << 22;

export interface VmallocArea {
  readonly start: bigint;
  /** Where what may be mapped ends: without the guard page. */
  readonly end: bigint;
  readonly isDevice: boolean;
}

/** By address. Empty where the kernel has no such list. Throws FaultError, DataError. */
export function vmallocAreas(kernel: Kernel): readonly VmallocArea[] {
  return kernel.memo('vmalloc areas', 'command', () => {
    const damaged = (error: KdbgError) => kernel.notice(error.message);
    const options = { limit: AREAS_MAX, damaged };
    const addresses = listHeads(kernel).flatMap((head) => [...walkListOf(kernel, head, 'vmap_area', 'list', options)]);
    const areas = addresses.map((address) => kernel.struct(VmapArea).at(address));
    const structs = kernel.struct(VmStruct);
    structs.prefetch(areas.flatMap(({ vm }) => (vm === undefined || vm === 0n ? [] : [vm])));
    const found = areas.flatMap(({ start, end, vm }) => describe(kernel, start, end, vm ?? 0n));
    return found.sort((a, b) => (a.start < b.start ? -1 : 1));
  });
}

function listHeads(kernel: Kernel): readonly bigint[] {
  const nodesAt = kernel.addressOf('vmap_nodes');
  if (nodesAt === undefined) {
    const head = kernel.addressOf('vmap_area_list');
    return head === undefined ? [] : [head];
  }
  const countAt = kernel.addressOf('nr_vmap_nodes');
  const count = countAt === undefined ? 1 : kernel.memory.u32(countAt, 'nr_vmap_nodes');
  const first = kernel.memory.u64(nodesAt, 'vmap_nodes');
  const { offset, size } = memberOffset(kernel, 'vmap_node', 'busy.head');
  return Array.from({ length: Math.min(count, NODES_MAX) }, (_, i) => first + BigInt(i * size + offset));
}

/** An area without a vm_struct is vm_map_ram's: all of it is mapped. */
function describe(kernel: Kernel, start: bigint, end: bigint, vm: bigint): readonly VmallocArea[] {
  if (end <= start) return [];
  if (vm === 0n) return [{ start, end, isDevice: false }];
  const { base, length, flags } = kernel.struct(VmStruct).at(vm);
  if (base !== start) return [{ start, end, isDevice: false }];
  if ((flags & VM_UNINITIALIZED) !== 0n) return [];
  const guard = (flags & VM_NO_GUARD) === 0n ? BigInt(PAGE_SIZE) : 0n;
  const mapped = start + length - guard;
  const stop = mapped < end ? mapped : end;
  return stop <= start ? [] : [{ start, end: stop, isDevice: (flags & VM_IOREMAP) !== 0n }];
}
