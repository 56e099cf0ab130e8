/**
 * The mappings of a process: struct vm_area_struct, by address in the maple tree mm_mt since 6.1 (d4af56c5c7c6 "mm:
 * start tracking VMAs with maple tree"); before, a list from mm->mmap along vm_next.
 */
import type { KdbgError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { walkChain } from './chain.ts';
import type { Kernel } from './kernel.ts';
import { walkMapleTree } from './mapletree.ts';
import { defineStruct, embedded, long, optional, pointer } from './struct.ts';

const Mm = defineStruct('mm_struct', { tree: optional(embedded('mm_mt')), first: optional(pointer('mmap')) });
const VmArea = defineStruct('vm_area_struct', {
  start: long('vm_start'),
  end: long('vm_end'),
  flags: long('vm_flags'),
  next: optional(pointer('vm_next')),
});

/** vm.max_map_count may be raised without end; this is a hundred times its default. */
const VMAS_MAX = 1 << 23;

export interface Vma {
  /** Address of the struct vm_area_struct. */
  readonly address: bigint;
  readonly start: bigint;
  readonly end: bigint;
  readonly flags: bigint;
}

/** By address. What cannot be read is told in a notice and left out. Throws FaultError. */
export function vmas(kernel: Kernel, mm: bigint): readonly Vma[] {
  const options = { limit: VMAS_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const { tree, first } = kernel.struct(Mm).at(mm);
  const struct = kernel.struct(VmArea);
  const place = `mappings of the mm_struct at ${formatAddress(mm)}`;
  const addresses =
    tree !== undefined
      ? [...walkMapleTree(kernel, tree, options)].map(({ entry }) => entry)
      : [...walkChain(kernel, { place, from: { node: first ?? 0n }, nextOffset: struct.offset('next') ?? 0 }, options)];
  struct.prefetch(addresses);
  return addresses.map((address) => {
    const { start, end, flags } = struct.at(address);
    return { address, start, end, flags };
  });
}
