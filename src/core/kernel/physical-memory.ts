/**
 * Where RAM is in the physical address space: the resources of the tree `iomem_resource` that are "System RAM", as
 * /proc/iomem shows them.
 */
import { formatAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, long, pointer } from './struct.ts';
import { Walk } from './walk.ts';

const Resource = defineStruct('resource', {
  start: long('start'),
  end: long('end'),
  flags: long('flags'),
  sibling: pointer('sibling'),
  child: pointer('child'),
});

/** IORESOURCE_SYSTEM_RAM: IORESOURCE_MEM and IORESOURCE_SYSRAM. */
const SYSTEM_RAM = 0x0100_0200n;
const RESOURCES_MAX = 1 << 20;
/** Physical addresses have 52 bits at most. */
const PHYSICAL_END = 1n << 52n;

/** Physical addresses [start, end). */
export interface PhysicalRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** By address; empty where the kernel does not tell. Throws FaultError, DataError. */
export function systemRam(kernel: Kernel): readonly PhysicalRange[] {
  return kernel.memo('System RAM', 'command', () => {
    const root = kernel.addressOf('iomem_resource');
    if (root === undefined) return [];
    const struct = kernel.struct(Resource);
    const walk = new Walk(kernel, `resource tree at ${formatAddress(root)}`, { limit: RESOURCES_MAX });
    const found: PhysicalRange[] = [];
    const pending = [struct.at(root).child];
    while (pending.length > 0) {
      const address = pending.pop() as bigint;
      if (address === 0n) continue;
      if (!walk.visit(address)) throw walk.broken('loops');
      const { start, end, flags, sibling, child } = struct.at(address);
      pending.push(sibling);
      if ((flags & SYSTEM_RAM) !== SYSTEM_RAM) pending.push(child);
      else if (start <= end && end < PHYSICAL_END) found.push({ start, end: end + 1n });
    }
    return found.sort((a, b) => (a.start < b.start ? -1 : 1));
  });
}
