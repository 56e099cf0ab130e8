/**
 * x86-64 page tables: four or five levels of 512 entries of 8 bytes, each level indexed by nine bits of the address.
 *
 *     PGD [P4D] PUD PMD PTE, then 12 bits of offset; bit 7 in a PUD or PMD entry ends the walk at 1 GiB or 2 MiB
 *
 * An entry without the present bit can still mean something. With bit 8 it is PROT_NONE memory, mapped but
 * inaccessible (mprotect, NUMA hinting). Otherwise, when it is not zero, it says where the page went: swap, or a
 * migration under way. In both the page frame bits are stored inverted, against L1TF (6b28baca9b1f, v4.19).
 */
import type { Fault } from '../../memory/fault.ts';

export type PageTableLevel = 'PGD' | 'P4D' | 'PUD' | 'PMD' | 'PTE';

/** One entry that a walk read. */
export interface PageTableStep {
  readonly level: PageTableLevel;
  /** Physical address of the entry. */
  readonly address: bigint;
  readonly value: bigint;
}

/** What an address translates to. */
export type Translation =
  | {
      readonly kind: 'mapped';
      readonly physical: bigint;
      /** 4 KiB, 2 MiB or 1 GiB, in bytes. */
      readonly pageSize: number;
      /** The entry that maps the page. */
      readonly entry: bigint;
      /** PROT_NONE: the page is there and nobody may touch it. */
      readonly inaccessible: boolean;
    }
  | { readonly kind: 'absent'; readonly level: PageTableLevel }
  /** `type` and `offset` as in swp_entry_t: a swap area and slot, or for high types a migration and the like. */
  | { readonly kind: 'swapped'; readonly type: number; readonly offset: bigint; readonly entry: bigint }
  | { readonly kind: 'unreadable'; readonly level: PageTableLevel; readonly fault: Fault };

export interface PageWalk {
  readonly steps: readonly PageTableStep[];
  readonly result: Translation;
}

export interface PageTableFormat {
  readonly levels: 4 | 5;
  /** Which bits of an entry are the physical address: without the bit that marks encrypted memory. */
  readonly physicalMask: bigint;
  /** Reads entries, 8 bytes each, at physical addresses: all those of one level at once. */
  read(addresses: readonly bigint[]): readonly (bigint | Fault)[];
}

/** One address to translate, by the table whose top is at the physical address `root`. */
export interface PageWalkRequest {
  readonly root: bigint;
  readonly address: bigint;
}

const LEVELS: readonly PageTableLevel[] = ['PTE', 'PMD', 'PUD', 'P4D', 'PGD'];
const PRESENT = 1n;
const LARGE = 0x80n;
const PROT_NONE = 0x100n;
/** Page frame bits of an entry, and the widest physical address. */
const FRAME = 0x000f_ffff_ffff_f000n;

/** Flags of an entry as `vtop` names them. */
const FLAGS: readonly (readonly [bit: number, name: string])[] = [
  [0, 'PRESENT'],
  [1, 'RW'],
  [2, 'USER'],
  [3, 'PWT'],
  [4, 'PCD'],
  [5, 'ACCESSED'],
  [6, 'DIRTY'],
  [7, 'PSE'],
  [8, 'GLOBAL'],
  [63, 'NX'],
];

interface Walking {
  readonly request: PageWalkRequest;
  readonly steps: PageTableStep[];
  /** Physical address of the table at the level that comes next. */
  table: bigint;
  result: Translation | undefined;
}

/** Translates addresses, level by level for all of them together: as many reads as there are levels. */
export function walkPageTables(format: PageTableFormat, requests: readonly PageWalkRequest[]): readonly PageWalk[] {
  const walks = requests.map(
    (request): Walking => ({ request, steps: [], table: request.root & FRAME, result: undefined }),
  );
  for (let level = format.levels - 1; level >= 0; level--) {
    const open = walks.filter((walk) => walk.result === undefined);
    if (open.length === 0) break;
    const shift = BigInt(12 + 9 * level);
    const addresses = open.map((walk) => walk.table + ((walk.request.address >> shift) & 511n) * 8n);
    const values = format.read(addresses);
    for (const [i, walk] of open.entries()) step(format, walk, level, addresses[i] as bigint, values[i]);
  }
  return walks.map(({ steps, result }) => ({ steps, result: result ?? { kind: 'absent', level: 'PGD' } }));
}

function step(
  format: PageTableFormat,
  walk: Walking,
  level: number,
  address: bigint,
  value: bigint | Fault | undefined,
): void {
  const name = levelName(format, level);
  if (value === undefined) {
    walk.result = { kind: 'absent', level: name };
    return;
  }
  if (typeof value !== 'bigint') {
    walk.result = { kind: 'unreadable', level: name, fault: value };
    return;
  }
  walk.steps.push({ level: name, address, value });
  const isLeaf = level === 0 || (level <= 2 && (value & LARGE) !== 0n);
  if ((value & PRESENT) === 0n) walk.result = notPresent(format, walk.request.address, value, level, name);
  else if (isLeaf) walk.result = mapped(format, walk.request.address, value, level, false);
  else walk.table = value & FRAME & format.physicalMask;
}

function notPresent(
  format: PageTableFormat,
  address: bigint,
  value: bigint,
  level: number,
  name: PageTableLevel,
): Translation {
  const inverted = value ^ FRAME;
  const isLeaf = level === 0 || (level <= 2 && (value & LARGE) !== 0n);
  if ((value & PROT_NONE) !== 0n && isLeaf) return mapped(format, address, inverted, level, true);
  if (value === 0n || level > 1) return { kind: 'absent', level: name };
  // __swp_type and __swp_offset: 5 bits of type at the top, the offset inverted from bit 9 on.
  const offset = BigInt.asUintN(64, ~value << 5n) >> 14n;
  return { kind: 'swapped', type: Number(value >> 59n), offset, entry: value };
}

function mapped(
  format: PageTableFormat,
  address: bigint,
  entry: bigint,
  level: number,
  inaccessible: boolean,
): Translation {
  const pageSize = 2 ** (12 + 9 * level);
  const inPage = BigInt(pageSize - 1);
  // In an entry of a large page the lowest frame bits are flags (PAT) and reserved.
  const frame = entry & FRAME & format.physicalMask & ~inPage;
  return { kind: 'mapped', physical: frame | (address & inPage), pageSize, entry, inaccessible };
}

/** With four levels the PGD is what the PUD tables hang from. */
function levelName(format: PageTableFormat, level: number): PageTableLevel {
  return level === format.levels - 1 ? 'PGD' : (LEVELS[level] as PageTableLevel);
}

/**
 * The physical address of the kernel's table from CR3: without the process context (bits 0 to 11), and with page table
 * isolation without bit 12, which selects the half that user mode runs on.
 */
export function rootOfCr3(cr3: bigint, isolated: boolean): bigint {
  return cr3 & FRAME & (isolated ? ~0x1000n : ~0n);
}

/** Names of the flags that are set in an entry of a page. */
export function pageFlags(entry: bigint): readonly string[] {
  return FLAGS.flatMap(([bit, name]) => (((entry >> BigInt(bit)) & 1n) === 1n ? [name] : []));
}
