/**
 * A search of slab objects for locks that a task owns, for a target that stands still: the struct pages of all RAM say which
 * pages are slabs of caches whose objects have a known type; in each object the owner words of the locks that the type
 * embeds are compared with the task. It reads 64 bytes for each page of RAM and the slabs of those caches.
 */
import { CancelledError } from '../../errors.ts';
import { VMLINUX } from '../../types/btf-table.ts';
import { directMap } from '../direct-map.ts';
import type { Kernel } from '../kernel.ts';
import { walkListOf } from '../list.ts';
import { findStructMember } from '../member.ts';
import { systemRam } from '../physical-memory.ts';
import { embeddedLocks } from './embedding.ts';
import { OBJECT_KINDS, type ObjectKind } from './known-object.ts';
import { attempt } from './lock-reading.ts';
import { KmemCache, type PageLayout, pageLayout } from './slab-object.ts';
import type { TaskTable } from './task-table.ts';
import type { QueuedKind } from './wait-list.ts';

/** A lock in an object, whose owner word is the task's. */
export interface OwnedLock {
  readonly kind: QueuedKind;
  readonly address: bigint;
  readonly structure: string;
  readonly member: string;
}

/** Caches by name, and the type of their objects. */
const TYPED: Readonly<Record<string, string>> = {
  inode_cache: 'inode',
  shmem_inode_cache: 'shmem_inode_info',
  proc_inode_cache: 'proc_inode',
  ext4_inode_cache: 'ext4_inode_info',
  xfs_inode: 'xfs_inode',
  btrfs_inode: 'btrfs_inode',
  fuse_inode: 'fuse_inode',
  nfs_inode_cache: 'nfs_inode',
  cifs_inode_cache: 'cifsInodeInfo',
  ceph_inode_info: 'ceph_inode_info',
  ovl_inode: 'ovl_inode',
  f2fs_inode_cache: 'f2fs_inode_info',
  fat_inode_cache: 'msdos_inode_info',
  bdev_cache: 'bdev_inode',
  sock_inode_cache: 'socket_alloc',
  mm_struct: 'mm_struct',
  signal_cache: 'signal_struct',
  filp: 'file',
};
/** Types whose objects come from kmalloc(). */
const KMALLOCED = ['super_block', 'pipe_inode_info', 'tty_struct'];

const CACHES_MAX = 4096;
/** 64 GiB of RAM. */
const PAGES_MAX = 1 << 24;
/** Struct pages read with one request. */
const CHUNK = 1 << 14;
const SLABS_AT_ONCE = 64;
const OBJECTS_IN_SLAB_MAX = 32_767;

interface TypedCache {
  readonly size: number;
  readonly pad: number;
  readonly objects: number;
  readonly kinds: readonly ObjectKind[];
}

/** Locks of slab objects that a task owns. Throws CancelledError; what cannot be read is passed over. */
export function* searchSlabs(kernel: Kernel, tasks: TaskTable, task: bigint): Generator<OwnedLock, void> {
  const layout = attempt(() => pageLayout(kernel));
  const caches = attempt(() => typedCaches(kernel));
  if (layout === undefined || caches === undefined) return;
  let slabs: { readonly start: bigint; readonly cache: TypedCache }[] = [];
  for (const slab of slabsOf(kernel, layout, caches)) {
    slabs.push(slab);
    if (slabs.length < SLABS_AT_ONCE) continue;
    yield* searchBatch(kernel, tasks, task, slabs);
    slabs = [];
  }
  yield* searchBatch(kernel, tasks, task, slabs);
}

function typedCaches(kernel: Kernel): ReadonlyMap<bigint, TypedCache> {
  const head = kernel.symbol('slab_caches').address;
  const struct = kernel.struct(KmemCache);
  const found = new Map<bigint, TypedCache>();
  for (const address of walkListOf(kernel, head, 'kmem_cache', 'list', {
    limit: CACHES_MAX,
    damaged: () => undefined,
  })) {
    const cache = struct.at(address);
    const name = attempt(() => kernel.memory.cString(cache.name, 64, 'kmem_cache.name')) ?? '';
    const types = /^kmalloc-/.test(name) ? KMALLOCED : name in TYPED ? [TYPED[name] as string] : [];
    const kinds = OBJECT_KINDS.filter(({ structure }) => types.includes(structure));
    // The low half of oo is how many objects a slab has.
    const objects = Math.min(cache.objects & 0xffff, OBJECTS_IN_SLAB_MAX);
    if (kinds.length === 0 || cache.size < 8 || objects === 0) continue;
    found.set(address, { size: cache.size, pad: cache.redLeftPad ?? 0, objects, kinds });
  }
  return found;
}

function* slabsOf(
  kernel: Kernel,
  layout: PageLayout,
  caches: ReadonlyMap<bigint, TypedCache>,
): Generator<{ readonly start: bigint; readonly cache: TypedCache }, void> {
  const isSlab = slabTest(kernel);
  const { base } = directMap(kernel);
  let left = PAGES_MAX;
  for (const range of attempt(() => systemRam(kernel)) ?? []) {
    let page = range.start >> 12n;
    const end = range.end >> 12n;
    while (page < end && left > 0) {
      if (kernel.cancelled()) throw new CancelledError();
      const count = Math.min(Number(end - page), CHUNK, left);
      const at = layout.vmemmap + page * BigInt(layout.size);
      const bytes = attempt(() => kernel.memory.read(at, count * layout.size, 'struct page'));
      const view = bytes && new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let i = 0; view !== undefined && i < count; i++) {
        const offset = i * layout.size;
        const cache = caches.get(view.getBigUint64(offset + Number(layout.cache), true));
        const isTail = (view.getBigUint64(offset + Number(layout.compoundHead), true) & 1n) !== 0n;
        if (cache === undefined || isTail || !isSlab(view, offset)) continue;
        yield { start: base + ((page + BigInt(i)) << 12n), cache };
      }
      page += BigInt(count);
      left -= count;
    }
  }
}

/**
 * Tells a slab's struct page. PG_slab was a page flag until 46df8e73a4a3 "mm: free up PG_slab" (v6.10) made it a page type,
 * whose top byte is PGTY_slab since 4ffca5a96678 "mm: support only one page_type per page" (v6.12).
 */
function slabTest(kernel: Kernel): (view: DataView, offset: number) => boolean {
  const type = enumerator(kernel, 'pagetype', 'PGTY_slab');
  const typeAt = findStructMember(kernel, 'page', 'page_type');
  if (type !== undefined && typeAt !== undefined) {
    return (view, offset) => view.getUint32(offset + typeAt.offset, true) >>> 24 === Number(type);
  }
  const bit = enumerator(kernel, 'pageflags', 'PG_slab');
  const flagsAt = findStructMember(kernel, 'page', 'flags');
  if (bit === undefined || flagsAt === undefined) return () => true;
  return (view, offset) => (view.getBigUint64(offset + flagsAt.offset, true) & (1n << bit)) !== 0n;
}

function enumerator(kernel: Kernel, name: string, value: string): bigint | undefined {
  const type = kernel.types.find('enum', name, VMLINUX);
  return type?.kind === 'enum' ? type.enumerators.find((one) => one.name === value)?.value : undefined;
}

function* searchBatch(
  kernel: Kernel,
  tasks: TaskTable,
  task: bigint,
  slabs: readonly { readonly start: bigint; readonly cache: TypedCache }[],
): Generator<OwnedLock, void> {
  kernel.memory.prefetch(
    slabs.map(({ start, cache }) => ({
      space: 'virtual',
      address: start,
      length: cache.size * cache.objects,
      what: 'slab',
    })),
  );
  for (const { start, cache } of slabs) {
    for (let i = 0; i < cache.objects; i++) {
      const object = start + BigInt(i * cache.size + cache.pad);
      for (const kind of cache.kinds) yield* ownedIn(kernel, tasks, task, kind, object, cache.size);
    }
  }
}

function* ownedIn(
  kernel: Kernel,
  tasks: TaskTable,
  task: bigint,
  of: ObjectKind,
  object: bigint,
  size: number,
): Generator<OwnedLock, void> {
  for (const kind of ['mutex', 'rwsem'] as const) {
    const owner = findStructMember(kernel, kind === 'mutex' ? 'mutex' : 'rw_semaphore', 'owner');
    const embedding = embeddedLocks(kernel, of.structure, kind, of.module);
    if (owner === undefined || embedding === undefined || embedding.size > size) continue;
    for (const { path, offset } of embedding.locks) {
      const address = object + BigInt(offset);
      const word = attempt(() => kernel.memory.u64(address + BigInt(owner.offset), 'owner'));
      if (word === undefined || (word & ~7n) !== task) continue;
      if (attempt(() => of.check(kernel, object, tasks)) === undefined) continue;
      yield { kind, address, structure: of.structure, member: path };
    }
  }
}
