/**
 * The direct map: all physical memory, mapped in one piece at page_offset_base. Page tables, and whatever else is known
 * by its physical address, are read through it, so that no backend needs a way to physical memory of its own.
 */
import { UnsupportedError } from '../errors.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';

export interface DirectMap {
  /** Virtual address of physical address 0. */
  readonly base: bigint;
  /** Page table levels: the map lies elsewhere with five. */
  readonly levels: 4 | 5;
  /** Physical address bits of a page table entry (physical_mask): without the bit that marks encrypted memory. */
  readonly physicalMask: bigint;
}

/** Where the map is without CONFIG_RANDOMIZE_MEMORY (__PAGE_OFFSET_BASE_L4 and _L5). */
const BASE_4 = 0xffff_8880_0000_0000n;
const BASE_5 = 0xff11_0000_0000_0000n;
/** The lowest kernel address with four levels. */
const KERNEL_START_4 = 0xffff_8000_0000_0000n;
/** The direct map with five levels spans 32 PiB, with four 64 TiB. */
const SPAN = { 4: 1n << 46n, 5: 1n << 55n } as const;
const PHYSICAL_MASK = (1n << 52n) - 1n;
const START_KERNEL_MAP = 0xffff_ffff_8000_0000n;
const KERNEL_IMAGE_MAX = 1n << 30n;

/** Throws FaultError when the kernel's variables cannot be read, UnsupportedError when they make no sense. */
export function directMap(kernel: Kernel): DirectMap {
  return kernel.memo('direct map', 'session', () => {
    const baseAt = kernel.addressOf('page_offset_base');
    const maskAt = kernel.addressOf('physical_mask');
    const base = baseAt === undefined ? fixedBase(kernel) : kernel.memory.u64(baseAt, 'page_offset_base');
    if (!isKernelAddress(base)) throw new UnsupportedError(`page_offset_base is ${base.toString(16)}: no direct map`);
    return {
      base,
      levels: base < KERNEL_START_4 ? 5 : 4,
      physicalMask: maskAt === undefined ? PHYSICAL_MASK : kernel.memory.u64(maskAt, 'physical_mask'),
    };
  });
}

function fixedBase(kernel: Kernel): bigint {
  const enabled = kernel.addressOf('__pgtable_l5_enabled');
  return enabled !== undefined && kernel.memory.u32(enabled, '__pgtable_l5_enabled') !== 0 ? BASE_5 : BASE_4;
}

/** The address at which a physical address is mapped. */
export function directMapAddress(map: DirectMap, physical: bigint): bigint {
  return map.base + physical;
}

/**
 * The physical address behind an address of the direct map or of the kernel's image (phys_base says where that was
 * loaded); undefined for any other, which only the page tables can tell.
 */
export function physicalAddress(kernel: Kernel, address: bigint): bigint | undefined {
  if (address >= START_KERNEL_MAP && address < START_KERNEL_MAP + KERNEL_IMAGE_MAX) {
    const at = kernel.addressOf('phys_base');
    if (at === undefined) return undefined;
    const base = kernel.memory.u64(at, 'phys_base');
    return BigInt.asUintN(64, address - START_KERNEL_MAP + base);
  }
  const map = directMap(kernel);
  return address >= map.base && address < map.base + SPAN[map.levels] ? address - map.base : undefined;
}
