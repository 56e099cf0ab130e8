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
import { textWords } from './stack-text.ts';
import { hasOrc, type OrcTables, orcTables } from './unwind-tables.ts';

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
    if (error instanceof KdbgError && error.status === 1 && !error.endsCommand) return undefined;
    throw error;
  }
}

/** Every word that points into text, as the address that is looked up for it: in the call before it. */
function addTextWords(kernel: Kernel, image: StackImage, pcs: Set<bigint>): void {
  const forks = forkEntries(kernel);
  for (const pc of textWords(kernel, image)) pcs.add(forks.includes(pc) ? pc : pc - 1n);
}
