/**
 * Which parts of the vmalloc and module areas are in use, from /proc/vmallocinfo, a line an area:
 *
 *     0xffffc90000000000-0xffffc90000005000   20480 dup_task_struct+0x5b/0x1a0 pages=4 vmalloc N0=4
 *
 * The range ends with a guard page, so that where `pages=` is given it tells how much is mapped. /proc/kcore reads as
 * zeros outside of the areas, in guard pages, and over device memory (ioremap).
 */
import type { KcoreSegment } from '../../core/formats/kcore.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type { FileSource } from '../../core/memory/backend.ts';
import type { FaultReason } from '../../core/memory/fault.ts';
import { decodeAscii } from '../../core/memory/text.ts';

interface Area {
  readonly start: bigint;
  /** Where what is mapped ends. */
  readonly end: bigint;
  readonly isDevice: boolean;
}

/** An address may be newly mapped; a list younger than this is good enough to say that it is not. */
const FRESH_MS = 50;
/** An address may be unmapped since; a list younger than this is good enough to say that it is. */
const KEPT_MS = 1000;
const PATH = '/proc/vmallocinfo';

export class VmallocAreas {
  readonly #files: FileSource;
  readonly #now: () => number;
  #areas: readonly Area[] | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(files: FileSource, now: () => number = Date.now) {
    this.#files = files;
    this.#now = now;
  }

  /** Why zeros at this address are no data; undefined when they are, or when it cannot be told. */
  holeAt(
    address: bigint,
    segment: KcoreSegment,
  ): { readonly reason: FaultReason; readonly detail?: string } | undefined {
    let area = areaAt(this.#load(KEPT_MS), address);
    if (area === undefined) area = areaAt(this.#load(FRESH_MS), address);
    if (area?.isDevice === true) return { reason: 'denied', detail: 'device memory' };
    if (area !== undefined) return undefined;
    // The memory map (vmemmap) is a range of its own without areas: nothing can be said of it.
    const isListed = this.#areas?.some(
      ({ start }) => start >= segment.virtual && start - segment.virtual < segment.length,
    );
    return isListed === true ? { reason: 'unmapped' } : undefined;
  }

  #load(ageMax: number): readonly Area[] {
    if (this.#now() - this.#readAt <= ageMax) return this.#areas ?? [];
    const result = this.#files.read(PATH);
    this.#readAt = this.#now();
    // Cut off it would call mapped memory a hole.
    this.#areas = result.ok && !result.truncated ? parseAreas(decodeAscii(result.bytes)) : undefined;
    return this.#areas ?? [];
  }
}

/** By address. None where kernel.kptr_restrict hides the addresses. */
export function parseAreas(text: string): readonly Area[] {
  const areas: Area[] = [];
  for (const match of text.matchAll(/^0x([0-9a-f]{16})-0x([0-9a-f]{16})\s+\d+(.*)$/gm)) {
    const [, from, to, rest] = match as unknown as readonly [string, string, string, string];
    const start = BigInt(`0x${from}`);
    if (start === 0n) return [];
    const pages = / pages=(\d{1,12})(?: |$)/.exec(rest)?.[1];
    const end = pages === undefined ? BigInt(`0x${to}`) : start + BigInt(pages) * BigInt(PAGE_SIZE);
    areas.push({ start, end, isDevice: / ioremap(?: |$)/.test(rest) });
  }
  return areas.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

function areaAt(areas: readonly Area[], address: bigint): Area | undefined {
  let low = 0;
  let high = areas.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((areas[middle] as Area).start <= address) low = middle + 1;
    else high = middle;
  }
  const area = areas[low - 1];
  return area !== undefined && address < area.end ? area : undefined;
}
