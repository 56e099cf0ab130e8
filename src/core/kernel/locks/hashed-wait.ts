/**
 * Waits for a bit of a word (wait_on_bit, wait_var_event) and for a flag of a folio. Their queues are few and shared: the
 * hash of what is waited for says which, and each entry lies in a structure that names it.
 */
import { formatAddress } from '../../memory/address.ts';
import { VMLINUX } from '../../types/btf-table.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { attempt, type LockReading, type LockScene } from './lock-reading.ts';
import { type QueueEntry, readWaitQueue } from './wait-queue.ts';

const GOLDEN_RATIO_64 = 0x61c8_8646_80b5_83ebn;
/** PAGE_WAIT_TABLE_BITS and WAIT_TABLE_BITS. */
const TABLE_BITS = 8n;

interface HashedKind {
  /** The structure around the wait_queue_entry, and its members. */
  readonly structure: string;
  readonly entry: string;
  /** Which object: paths, newest first. */
  readonly object: readonly string[];
  readonly bit: string;
  /** The tables' symbols, newest first. */
  readonly tables: readonly string[];
}

const HASHED = {
  // Renamed with the rest of the file by "mm/filemap: Add folio_wait_bit()" (v5.16); a struct page before.
  folio: {
    structure: 'wait_page_queue',
    entry: 'wait',
    object: ['folio', 'page'],
    bit: 'bit_nr',
    tables: ['folio_wait_table', 'page_wait_table'],
  },
  bit: {
    structure: 'wait_bit_queue_entry',
    entry: 'wq_entry',
    object: ['key.flags'],
    bit: 'key.bit_nr',
    tables: ['bit_wait_table'],
  },
} as const satisfies Readonly<Record<string, HashedKind>>;

export type HashedName = keyof typeof HASHED;

/** What an entry of such a wait is for; undefined where the kernel's types do not say. */
export function hashedObject(
  kernel: Kernel,
  kind: HashedName,
  entry: bigint,
): { readonly object: bigint; readonly bit: number } | undefined {
  const of = HASHED[kind];
  const inner = findStructMember(kernel, of.structure, of.entry);
  const object = firstMember(kernel, of.structure, of.object);
  const bit = findStructMember(kernel, of.structure, of.bit);
  if (inner === undefined || object === undefined || bit === undefined) return undefined;
  const base = entry - BigInt(inner.offset);
  return attempt(() => ({
    object: kernel.memory.u64(base + BigInt(object.offset), of.structure),
    bit: kernel.memory.s32(base + BigInt(bit.offset), of.structure),
  }));
}

/** The waits for one folio, or for the bits of one word. Nobody owns them. */
export function readHashed(scene: LockScene, kind: HashedName, object: bigint): LockReading {
  const { kernel } = scene;
  const notes: string[] = [];
  const found = new Map<bigint, QueueEntry>();
  const bits = new Set<number>();
  for (const head of heads(kernel, kind, object)) {
    for (const entry of attempt(() => readWaitQueue(scene, head, notes)) ?? []) {
      if (entry.kind !== kind || entry.task === undefined) continue;
      const key = hashedObject(kernel, kind, entry.node);
      if (key?.object !== object) continue;
      bits.add(key.bit);
      found.set(entry.node, entry);
    }
  }
  const names = [...bits].map((bit) => bitName(kernel, kind, bit));
  return {
    owners: [],
    readers: undefined,
    queue: [...found.values()],
    words: [],
    state: names.length === 0 ? 'nobody waits' : `waited on for ${names.join(', ')}`,
    notes,
  };
}

/** `PG_locked`, or `bit 3`; wait_var_event() has no bit. */
function bitName(kernel: Kernel, kind: HashedName, bit: number): string {
  if (bit < 0) return 'a change';
  if (kind === 'folio') {
    const flags = kernel.types.find('enum', 'pageflags', VMLINUX);
    const name =
      flags?.kind === 'enum' ? flags.enumerators.find(({ value }) => value === BigInt(bit))?.name : undefined;
    if (name !== undefined) return name;
  }
  return `bit ${bit}`;
}

/** The queues that the object can be on: bit waits hash the word and the bit, waits for a variable its address. */
function heads(kernel: Kernel, kind: HashedName, object: bigint): readonly bigint[] {
  const size = kernel.types.find('struct', 'wait_queue_head', VMLINUX);
  const table = HASHED[kind].tables.map((name) => kernel.addressOf(name)).find((at) => at !== undefined);
  if (table === undefined || size?.kind !== 'struct') return [];
  const at = (value: bigint) => table + hash(value) * BigInt(size.size);
  if (kind === 'folio') return [at(object)];
  const words = Array.from({ length: 64 }, (_, bit) => at((object << 6n) | BigInt(bit)));
  return [...new Set([at(object), ...words])];
}

/** hash_64() of include/linux/hash.h. */
function hash(value: bigint): bigint {
  return BigInt.asUintN(64, BigInt.asUintN(64, value) * GOLDEN_RATIO_64) >> (64n - TABLE_BITS);
}

function firstMember(kernel: Kernel, structure: string, paths: readonly string[]) {
  return paths.map((path) => findStructMember(kernel, structure, path)).find((member) => member !== undefined);
}

/** `folio ffffea0000123400 PG_locked`, for people. */
export function hashedText(kernel: Kernel, kind: HashedName, object: bigint, bit: number): string {
  return `${kind === 'folio' ? 'folio' : 'word'} ${formatAddress(object)} ${bitName(kernel, kind, bit)}`;
}
