/** One entry of an xarray by its index, as xa_load() finds it: a node a level, where a walk reads them all. */
import { formatAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { Walk } from './walk.ts';
import { isXarrayNode, siblingSlot, xarrayHead, xarrayLayout, xarrayNodeAddress } from './xarray.ts';

/** The slot's content at an index: 0n where there is nothing. Throws FaultError, DataError for a tree that is broken. */
export function loadXarray(kernel: Kernel, array: bigint, index: bigint): bigint {
  const walk = new Walk(kernel, `xarray at ${formatAddress(array)}`);
  const layout = xarrayLayout(kernel);
  const head = xarrayHead(kernel, array);
  if (!isXarrayNode(head)) return index === 0n && !isInternal(head) ? head : 0n;
  let node = xarrayNodeAddress(head);
  let above: number | undefined;
  for (;;) {
    const shift = kernel.memory.u8(node + BigInt(layout.shiftOffset), 'xa_node.shift');
    if (shift % layout.bits !== 0 || shift >= 64 || (above !== undefined && shift !== above - layout.bits)) {
      throw walk.broken(`is inconsistent at ${formatAddress(node)}: its shift is ${shift}`);
    }
    const slot = index >> BigInt(shift);
    if (above === undefined && slot >= BigInt(layout.slots)) return 0n;
    const entry = loadSlot(kernel, node, Number(slot % BigInt(layout.slots)));
    if (!isXarrayNode(entry)) return isInternal(entry) ? 0n : entry;
    if (shift === 0) throw walk.broken(`has a node at the lowest level, in ${formatAddress(node)}`);
    node = xarrayNodeAddress(entry);
    above = shift;
  }
}

/** The entry that covers a slot: a sibling's is that of the slot it names. */
function loadSlot(kernel: Kernel, node: bigint, slot: number): bigint {
  const layout = xarrayLayout(kernel);
  const at = (i: number) => kernel.memory.u64(node + BigInt(layout.slotsOffset + 8 * i), 'xa_node.slots');
  const entry = at(slot);
  const covering = siblingSlot(entry, layout);
  return covering === undefined ? entry : at(covering);
}

/** Siblings of siblings, retry and reserved entries. */
function isInternal(entry: bigint): boolean {
  return (entry & 3n) === 2n;
}
