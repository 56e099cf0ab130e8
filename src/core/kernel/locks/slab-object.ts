/**
 * Which slab object an address is in: the struct page behind an address of the direct map leads to its cache, in struct
 * slab since d122019bf061 "mm: Split slab into its own type" (v5.17), in struct page itself before. What is found is taken
 * only if it is a cache that makes sense: a printable name, a size, its place on the list of caches.
 */
import { isKernelAddress } from '../../memory/address.ts';
import { VMLINUX } from '../../types/btf-table.ts';
import { sizeOf } from '../../types/type.ts';
import { directMap, physicalAddress } from '../direct-map.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { defineStruct, embedded, int, optional, pointer } from '../struct.ts';
import { attempt } from './lock-reading.ts';
import { isLinked } from './wait-list.ts';

export interface SlabObject {
  readonly cache: string;
  /** Where the object begins. */
  readonly object: bigint;
  /** The address minus that. */
  readonly offset: number;
  /** Bytes of an object. */
  readonly size: number;
}

/** What is read of a slab cache. */
export const KmemCache = defineStruct('kmem_cache', {
  size: int('size'),
  objectSize: int('object_size'),
  /** Order and number of objects of a slab, in one word. */
  objects: int('oo.x'),
  redLeftPad: optional(int('red_left_pad')),
  name: pointer('name'),
  list: embedded('list'),
});

const PAGE_SHIFT = 12n;
/** The array of struct page without CONFIG_RANDOMIZE_MEMORY, with four levels of page tables and with five. */
const VMEMMAP_4 = 0xffff_ea00_0000_0000n;
const VMEMMAP_5 = 0xffd4_0000_0000_0000n;
/** KMALLOC_MAX_CACHE_SIZE is 8 KiB; caches of larger objects are made by hand. */
const OBJECT_SIZE_MAX = 1 << 20;
const NAME_MAX = 64;

/** The slab objects that addresses are in, with four requests for all; undefined for an address that is in none. */
export function slabObjects(kernel: Kernel, addresses: readonly bigint[]): readonly (SlabObject | undefined)[] {
  const layout = attempt(() => pageLayout(kernel));
  if (layout === undefined) return addresses.map(() => undefined);
  const pages = addresses.map((address) => attempt(() => pageOf(kernel, layout, address)));
  fetch(kernel, pages, layout.size, 'struct page');
  const heads = pages.map((page) => page && attempt(() => headOf(kernel, layout, page)));
  fetch(kernel, heads, layout.size, 'struct page');
  const caches = heads.map((head) => head && attempt(() => kernel.memory.u64(head + layout.cache, 'slab.slab_cache')));
  const struct = kernel.struct(KmemCache);
  const known = caches.map((cache) => (cache !== undefined && isKernelAddress(cache) ? cache : undefined));
  struct.prefetch(known.filter((cache) => cache !== undefined));
  fetch(
    kernel,
    known.map((cache) => cache && attempt(() => struct.at(cache).name)),
    NAME_MAX,
    'kmem_cache.name',
  );
  return addresses.map((address, i) => {
    const [head, cache] = [heads[i], known[i]];
    if (head === undefined || cache === undefined) return undefined;
    return attempt(() => objectOf(kernel, layout, head, cache, address));
  });
}

/** Where struct pages are, and what of them leads to a slab cache. */
export interface PageLayout {
  readonly vmemmap: bigint;
  readonly size: number;
  readonly cache: bigint;
  readonly compoundHead: bigint;
}

/** Undefined where the kernel's types do not say. Throws FaultError. */
export function pageLayout(kernel: Kernel): PageLayout | undefined {
  return kernel.memo('slab page layout', 'session', () => {
    const page = kernel.types.find('struct', 'page', VMLINUX);
    const cache = findStructMember(kernel, 'slab', 'slab_cache') ?? findStructMember(kernel, 'page', 'slab_cache');
    const head = findStructMember(kernel, 'page', 'compound_head');
    if (page === undefined || cache === undefined || head === undefined) return undefined;
    const at = kernel.addressOf('vmemmap_base');
    const fixed = directMap(kernel).levels === 5 ? VMEMMAP_5 : VMEMMAP_4;
    const vmemmap = at === undefined ? fixed : kernel.memory.u64(at, 'vmemmap_base');
    return { vmemmap, size: sizeOf(page), cache: BigInt(cache.offset), compoundHead: BigInt(head.offset) };
  });
}

function pageOf(kernel: Kernel, layout: PageLayout, address: bigint): bigint | undefined {
  if (address >= KERNEL_IMAGE) return undefined;
  const physical = physicalAddress(kernel, address);
  return physical === undefined ? undefined : layout.vmemmap + (physical >> PAGE_SHIFT) * BigInt(layout.size);
}

/** Objects of the kernel's image are in no slab. */
const KERNEL_IMAGE = 0xffff_ffff_8000_0000n;

/** A tail page has the address of its head, with bit 0 set. */
function headOf(kernel: Kernel, layout: PageLayout, page: bigint): bigint {
  const word = kernel.memory.u64(page + layout.compoundHead, 'page.compound_head');
  return (word & 1n) === 0n ? page : word - 1n;
}

function objectOf(
  kernel: Kernel,
  layout: PageLayout,
  head: bigint,
  cache: bigint,
  address: bigint,
): SlabObject | undefined {
  const of = kernel.struct(KmemCache).at(cache);
  const { size } = of;
  const name = kernel.memory.cString(of.name, NAME_MAX, 'kmem_cache.name');
  if (!/^[\x21-\x7e]{1,63}$/.test(name) || size < 8 || size > OBJECT_SIZE_MAX || of.objectSize > size) return undefined;
  if (!isLinked(kernel, of.list)) return undefined;
  const start = directMap(kernel).base + (((head - layout.vmemmap) / BigInt(layout.size)) << PAGE_SHIFT);
  if (address < start) return undefined;
  const pad = of.redLeftPad ?? 0;
  const within = Number(address - start) % size;
  const object = address - BigInt(within) + BigInt(pad);
  return { cache: name, object, offset: within - pad, size };
}

function fetch(kernel: Kernel, addresses: readonly (bigint | undefined)[], length: number, what: string): void {
  kernel.memory.prefetch(
    addresses.flatMap((address) =>
      address === undefined ? [] : [{ space: 'virtual', address, length, what } as const],
    ),
  );
}
