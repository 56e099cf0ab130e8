/**
 * The kernel's own page table, found through VMCOREINFO: what tells a page of zeros from a place where nothing is
 * mapped, for /proc/kcore gives zeros for both.
 */
import { type PageTableFormat, type Translation, walkPageTables } from '../../core/arch/x86_64/page-table.ts';
import { type Kcore, kcoreSegmentAt } from '../../core/formats/kcore.ts';
import type { Fault } from '../../core/memory/fault.ts';

/** Translates kernel addresses, all of them together: as many batches of reads as there are levels. */
export type TranslateKernel = (addresses: readonly bigint[]) => readonly Translation[];

/**
 * Undefined where VMCOREINFO does not say where the table is: before 4.19, and on other machines than x86-64. From there
 * on it names init_top_pgt, and says whether the table has five levels and which bit marks encrypted memory.
 */
export function kernelPageTable(
  kcore: Kcore,
  readWords: (physical: readonly bigint[]) => readonly (bigint | Fault)[],
): TranslateKernel | undefined {
  const info = kcore.vmcoreinfo;
  const top = info?.symbol('init_top_pgt');
  if (info === undefined || top === undefined) return undefined;
  const segment = kcoreSegmentAt(kcore.segments, top);
  if (segment?.physical === undefined) return undefined;
  const root = segment.physical + (top - segment.virtual);
  const format: PageTableFormat = {
    levels: info.number('pgtable_l5_enabled') === 1n ? 5 : 4,
    physicalMask: ~(info.number('sme_mask') ?? 0n),
    read: readWords,
  };
  return (addresses) =>
    walkPageTables(
      format,
      addresses.map((address) => ({ root, address })),
    ).map(({ result }) => result);
}
