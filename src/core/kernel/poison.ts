/**
 * Values that the kernel writes where a pointer was, so that its use faults (include/linux/poison.h). A pointer with
 * one of them tells what happened to the object better than "not mapped" does.
 */

/** x86-64's and arm64's CONFIG_ILLEGAL_POINTER_VALUE. */
const DELTA = 0xdead_0000_0000_0000n;

const POISONS: ReadonlyMap<bigint, string> = new Map([
  [DELTA + 0x100n, 'LIST_POISON1, a list entry that was deleted'],
  [DELTA + 0x122n, 'LIST_POISON2, a list entry that was deleted'],
  [DELTA + 0x300n, 'TIMER_ENTRY_STATIC, a timer that is not pending'],
  [DELTA + 0x400n, 'TAIL_MAPPING, the mapping of a tail page'],
  [0x6b6b_6b6b_6b6b_6b6bn, 'POISON_FREE, a slab object that was freed'],
  [0x5a5a_5a5a_5a5a_5a5an, 'POISON_INUSE, a slab object that was never initialised'],
  [0xcccc_cccc_cccc_ccccn, 'POISON_FREE_INITMEM, init memory that was freed'],
  [0xaaaa_aaaa_aaaa_aaaan, 'PAGE_POISON, a page that was freed'],
]);

/** What a poisoned pointer says; undefined for any other value. */
export function describePoison(value: bigint): string | undefined {
  return POISONS.get(value);
}
