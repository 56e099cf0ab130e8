/**
 * How much memory the machine has. `_totalram_pages` (an atomic since ca79b0c211af "mm: convert totalram_pages and
 * totalhigh_pages variables to atomic", v5.0) counts what the page allocator was given; the nodes' node_present_pages
 * also what the kernel's own image and tables take.
 */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import { isKernelAddress, PAGE_SIZE } from '../memory/address.ts';
import { readGlobalInteger } from './global.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, long } from './struct.ts';
import { fileText } from './text-file.ts';

const Node = defineStruct('pglist_data', { present: long('node_present_pages') });
/** CONFIG_NODES_SHIFT is 10 at most. */
const NODES_MAX = 1024;

export interface MemorySize {
  /** Bytes that the page allocator manages: MemTotal of /proc/meminfo. */
  readonly managed: bigint;
  /** Bytes of RAM that are there; undefined where only /proc tells. */
  readonly present: bigint | undefined;
}

/** Undefined where the target does not tell. Throws FaultError. */
export function memorySize(kernel: Kernel): MemorySize | undefined {
  return kernel.memo('memory size', 'command', () => fromMemory(kernel) ?? fromFile(kernel));
}

function fromMemory(kernel: Kernel): MemorySize | undefined {
  if (!kernel.hasMemory) return undefined;
  try {
    const pages = readGlobalInteger(kernel, '_totalram_pages');
    if (pages === undefined) return undefined;
    return { managed: pages * BigInt(PAGE_SIZE), present: presentBytes(kernel) };
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** node_data[] points at each node's pglist_data; a kernel without NUMA has contig_page_data. */
function presentBytes(kernel: Kernel): bigint | undefined {
  const node = kernel.struct(Node);
  const single = kernel.addressOf('contig_page_data');
  if (single !== undefined) return node.at(single).present * BigInt(PAGE_SIZE);
  const table = kernel.addressOf('node_data');
  if (table === undefined) return undefined;
  const count = Math.min(Number(readGlobalInteger(kernel, 'nr_node_ids') ?? 1n), NODES_MAX);
  let pages = 0n;
  for (let i = 0; i < count; i++) {
    const at = kernel.memory.u64(table + BigInt(8 * i), 'node_data');
    if (isKernelAddress(at)) pages += node.at(at).present;
  }
  return pages * BigInt(PAGE_SIZE);
}

function fromFile(kernel: Kernel): MemorySize | undefined {
  const total = /^MemTotal:\s+(\d{1,15}) kB$/m.exec(fileText(kernel, '/proc/meminfo') ?? '');
  return total === null ? undefined : { managed: BigInt(total[1] as string) * 1024n, present: undefined };
}
