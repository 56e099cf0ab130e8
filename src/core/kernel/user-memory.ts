/**
 * Memory of user processes, read through the page tables of their mm_struct. Pages that are not in memory are faults
 * that say so; pages that are only in the page cache, and not mapped yet, count among them.
 */
import { type PageTableFormat, type PageWalk, walkPageTables } from '../arch/x86_64/page-table.ts';
import { DataError } from '../errors.ts';
import { isUserAddress, PAGE_SIZE } from '../memory/address.ts';
import type { ReadRequest } from '../memory/backend.ts';
import { Fault, type ReadRange } from '../memory/fault.ts';
import { directMap, directMapAddress, physicalAddress } from './direct-map.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, pointer } from './struct.ts';

const Mm = defineStruct('mm_struct', { pgd: pointer('pgd') });

/** More than any command reads of a process at once. */
const LENGTH_MAX = 64 * 1024 * 1024;

/** A range of one process's memory. */
export interface UserRange {
  /** Address of its mm_struct. */
  readonly mm: bigint;
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  /** What it is, for faults: "arguments". */
  readonly what: string;
}

/** Physical address of the page table of an mm_struct. Throws FaultError, DataError. */
export function pageTableRoot(kernel: Kernel, mm: bigint): bigint {
  const { pgd } = kernel.struct(Mm).at(mm);
  const physical = physicalAddress(kernel, pgd);
  if (physical === undefined) {
    throw new DataError(`mm_struct.pgd at ${mm.toString(16)} is ${pgd.toString(16)}: not in the direct map`);
  }
  return physical;
}

/** How this kernel's page tables are read. */
export function pageTableFormat(kernel: Kernel): PageTableFormat {
  const map = directMap(kernel);
  return {
    levels: map.levels,
    physicalMask: map.physicalMask,
    read(addresses) {
      const requests = addresses.map((physical): ReadRequest => {
        return { space: 'virtual', address: directMapAddress(map, physical), length: 8, what: 'page table' };
      });
      return kernel.memory
        .readMany(requests)
        .map((bytes) =>
          bytes instanceof Fault ? bytes : new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true),
        );
    },
  };
}

/** Translates an address by an mm_struct's page tables, with every entry on the way: `vtop`. */
export function translate(kernel: Kernel, mm: bigint, address: bigint): PageWalk {
  const [walk] = walkPageTables(pageTableFormat(kernel), [{ root: pageTableRoot(kernel, mm), address }]);
  if (walk === undefined) throw new Error('walkPageTables answers every request');
  return walk;
}

/** One range of a process's memory, or why it cannot be read. Throws CancelledError, BackendError. */
export function readUser(kernel: Kernel, range: UserRange): Uint8Array | Fault {
  return readUserMany(kernel, [range])[0] ?? faultOf(range, 'io');
}

/** Many ranges, of many processes, in as many requests as one takes: a level of all page tables at a time. */
export function readUserMany(kernel: Kernel, ranges: readonly UserRange[]): readonly (Uint8Array | Fault)[] {
  const roots = rootsOf(kernel, ranges);
  const parts = ranges.flatMap((range, index) => partsOf(range, index, roots.get(range.mm)));
  const walks = walkPageTables(pageTableFormat(kernel), parts);
  const located = parts.map((part, i) => ({
    part,
    walk: walks[i] as PageWalk,
    range: ranges[part.index] as UserRange,
  }));
  const map = directMap(kernel);
  const requests = located.flatMap(({ part, walk, range }): readonly ReadRequest[] => {
    if (walk.result.kind !== 'mapped') return [];
    const address = directMapAddress(map, walk.result.physical);
    return [{ space: 'virtual', address, length: part.length, what: range.what }];
  });
  kernel.memory.prefetch(requests);
  const answers = ranges.map((range): Uint8Array | Fault => refuse(range, roots) ?? new Uint8Array(range.length));
  for (const { part, walk, range } of located) {
    const answer = answers[part.index];
    if (!(answer instanceof Uint8Array)) continue;
    const at = { ...range, address: part.address, length: part.length };
    const bytes = readPart(kernel, walk, at);
    if (bytes instanceof Fault) answers[part.index] = bytes;
    else answer.set(bytes, Number(part.address - range.address));
  }
  return answers;
}

interface Part {
  readonly index: number;
  readonly root: bigint;
  readonly address: bigint;
  readonly length: number;
}

/** A range cut at page boundaries; none for one that is refused. */
function partsOf(range: UserRange, index: number, root: bigint | Fault | undefined): readonly Part[] {
  if (typeof root !== 'bigint' || refuse(range) !== undefined) return [];
  const parts: Part[] = [];
  for (let done = 0; done < range.length; ) {
    const address = range.address + BigInt(done);
    const length = Math.min(PAGE_SIZE - Number(address % BigInt(PAGE_SIZE)), range.length - done);
    parts.push({ index, root, address, length });
    done += length;
  }
  return parts;
}

function readPart(kernel: Kernel, { result }: PageWalk, range: UserRange): Uint8Array | Fault {
  switch (result.kind) {
    case 'mapped': {
      const address = directMapAddress(directMap(kernel), result.physical);
      const bytes = kernel.memory.tryRead(address, range.length, range.what);
      return bytes instanceof Fault ? faultOf(range, bytes.reason, bytes.detail) : bytes;
    }
    case 'absent':
      return faultOf(range, 'swapped');
    case 'swapped':
      return faultOf(range, 'swapped', `swap entry type ${result.type} offset ${result.offset}`);
    case 'unreadable':
      return faultOf(range, result.fault.reason, `its ${result.level}`);
  }
}

function rootsOf(kernel: Kernel, ranges: readonly UserRange[]): ReadonlyMap<bigint, bigint | Fault> {
  const bound = kernel.struct(Mm);
  const mms = [...new Set(ranges.map((range) => range.mm))];
  bound.prefetch(mms);
  const roots = new Map<bigint, bigint | Fault>();
  for (const mm of mms) {
    const offset = bound.offset('pgd') ?? 0;
    const pgd = kernel.memory.tryRead(mm + BigInt(offset), 8, 'mm_struct.pgd');
    if (pgd instanceof Fault) {
      roots.set(mm, pgd);
      continue;
    }
    const address = new DataView(pgd.buffer, pgd.byteOffset, 8).getBigUint64(0, true);
    const where: ReadRange & { what: string } = { space: 'virtual', address, length: 8, what: 'mm_struct.pgd' };
    roots.set(mm, physicalAddress(kernel, address) ?? new Fault(where, 'unmapped', 'not in the direct map'));
  }
  return roots;
}

function refuse(range: UserRange, roots?: ReadonlyMap<bigint, bigint | Fault>): Fault | undefined {
  if (range.length < 0 || range.length > LENGTH_MAX) return faultOf(range, 'truncated', 'an impossible length');
  const last = range.address + BigInt(Math.max(range.length, 1)) - 1n;
  if (!isUserAddress(range.address) || !isUserAddress(last)) return faultOf(range, 'unmapped', 'not a user address');
  const root = roots?.get(range.mm);
  return root instanceof Fault ? root : undefined;
}

function faultOf(range: UserRange, reason: Fault['reason'], detail?: string): Fault {
  return new Fault(
    { space: 'virtual', address: range.address, length: range.length, what: range.what },
    reason,
    detail,
  );
}
