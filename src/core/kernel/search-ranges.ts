/**
 * Where to look when all of the kernel's memory is searched: its image, RAM through the direct map, and the vmalloc and
 * module areas. The same page can be in two of them: what vmalloc maps is RAM too. The image is left out of the direct
 * map, but for its init sections, whose pages are RAM like any other once the kernel has booted.
 */
import { PAGE_SIZE } from '../memory/address.ts';
import { directMap, directMapAddress, physicalAddress } from './direct-map.ts';
import type { Kernel } from './kernel.ts';
import { type PhysicalRange, systemRam } from './physical-memory.ts';
import { vmallocAreas } from './vmalloc.ts';

/** Virtual addresses [start, end). */
export interface SearchRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** The sections of vmlinux that stay for good, by the linker's symbols. */
const SECTIONS = [
  ['_text', '_etext'],
  ['__start_rodata', '__end_rodata'],
  ['_sdata', '_edata'],
  ['__bss_start', '__bss_stop'],
] as const;

/** The kernel's text and static data. */
export function imageRanges(kernel: Kernel): readonly SearchRange[] {
  return SECTIONS.flatMap(([first, last]) => {
    const start = kernel.addressOf(first);
    const end = kernel.addressOf(last);
    return start === undefined || end === undefined || end <= start ? [] : [{ start, end }];
  });
}

/** RAM, as the direct map shows it. Empty where the kernel does not tell where RAM is. */
export function directMapRanges(kernel: Kernel): readonly SearchRange[] {
  const image = imageRanges(kernel).flatMap(({ start, end }) => {
    const physical = physicalAddress(kernel, start);
    return physical === undefined ? [] : wholePages({ start: physical, end: physical + (end - start) });
  });
  const map = directMap(kernel);
  return subtract(systemRam(kernel), image).map(({ start, end }) => {
    return { start: directMapAddress(map, start), end: directMapAddress(map, end) };
  });
}

/** vmalloc and module areas, without device memory: reading that may disturb the device. */
export function vmallocRanges(kernel: Kernel): readonly SearchRange[] {
  return vmallocAreas(kernel).filter(({ isDevice }) => !isDevice);
}

/** The parts of ranges that lie within [start, end). */
export function clip(ranges: readonly SearchRange[], start: bigint, end: bigint): readonly SearchRange[] {
  return ranges
    .map((range) => ({
      start: range.start > start ? range.start : start,
      end: range.end < end ? range.end : end,
    }))
    .filter((range) => range.start < range.end);
}

/** Bytes of all ranges. */
export function totalLength(ranges: readonly SearchRange[]): bigint {
  return ranges.reduce((sum, { start, end }) => sum + (end - start), 0n);
}

/** What is left of ranges without the holes. */
export function subtract(ranges: readonly PhysicalRange[], holes: readonly PhysicalRange[]): readonly PhysicalRange[] {
  return holes.reduce<readonly PhysicalRange[]>(
    (left, hole) => left.flatMap((range) => [...clip([range], 0n, hole.start), ...clip([range], hole.end, range.end)]),
    ranges,
  );
}

function wholePages({ start, end }: PhysicalRange): readonly PhysicalRange[] {
  const page = BigInt(PAGE_SIZE);
  const inner = { start: ((start + page - 1n) / page) * page, end: (end / page) * page };
  return inner.end <= inner.start ? [] : [inner];
}
