/**
 * Fetching the parts of the unwind tables that a batch of stacks will need before any is unwound: every word on them
 * that points into text is looked up, in the two batches that the tables take (unwind-tables.ts). Words that are no
 * return addresses cost a page now and then, which is cheap beside a round trip for each frame.
 */
import type { StackImage } from '../arch/x86_64/stacks.ts';
import { KdbgError } from '../errors.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { forkEntries } from './stack-task.ts';
import { hasOrc, type OrcTables, orcTables } from './unwind-tables.ts';

/** Upper halves of addresses of kernel text: __START_KERNEL_map and the modules above it. */
const TEXT_UPPER = 0xffff_ffff;
const TEXT_LOWER_MIN = 0x8000_0000;

export interface UnwindPrefetch {
  /** Ranges of the first batch for these stacks, to be fetched with whatever else is due. */
  first(images: readonly StackImage[]): readonly ReadRequest[];
  /** Fetches the second batch, for all stacks so far. */
  second(): void;
}

export function prefetchUnwindTables(kernel: Kernel): UnwindPrefetch {
  const tables = tablesOf(kernel);
  const pcs = new Set<bigint>();
  return {
    first(images) {
      if (tables === undefined) return [];
      for (const image of images) addTextWords(kernel, image, pcs);
      return tables.lookupRanges(pcs);
    },
    second() {
      if (tables !== undefined && pcs.size > 0) kernel.memory.prefetch(tables.tableRanges(pcs));
    },
  };
}

/** That there are no usable tables is said for each frame, by the unwinder. */
function tablesOf(kernel: Kernel): OrcTables | undefined {
  if (!hasOrc(kernel)) return undefined;
  try {
    return orcTables(kernel);
  } catch (error) {
    if (error instanceof KdbgError && error.status === 1) return undefined;
    throw error;
  }
}

/** Every aligned word that points into text, as the address that is looked up for it: in the call before it. */
function addTextWords(kernel: Kernel, image: StackImage, pcs: Set<bigint>): void {
  const forks = forkEntries(kernel);
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  const seen = new Set<number>();
  for (let offset = 0; offset + 8 <= image.bytes.length; offset += 8) {
    if (view.getUint32(offset + 4, true) !== TEXT_UPPER) continue;
    const lower = view.getUint32(offset, true);
    if (lower < TEXT_LOWER_MIN || seen.has(lower)) continue;
    seen.add(lower);
    const pc = (BigInt(TEXT_UPPER) << 32n) | BigInt(lower);
    if (!kernel.symbols.isText(pc)) continue;
    pcs.add(forks.includes(pc) ? pc : pc - 1n);
  }
}
