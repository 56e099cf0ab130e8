/**
 * Puts symbol columns in order of address. The order is stable: symbols at one address stay as the source gave them,
 * which for kallsyms is the kernel's own preference among aliases (scripts/kallsyms.c, compare_symbols(): weak ones
 * and linker script markers last, fewer leading underscores first), and so the names that the kernel prints in its
 * own stack traces.
 *
 * vmlinux's symbols arrive sorted and the modules' do not. A radix sort of the index by 16-bit digits takes 2 ms for
 * 200,000 symbols whatever their order, and skips the digits that are equal in all of them.
 */
import { allocateColumns, HIGH_WORD, LOW_WORD, type SymbolColumns } from '../formats/kallsyms-columns.ts';

const DIGIT_BITS = 16;
const DIGITS = 1 << DIGIT_BITS;

/** The same symbols sorted by address, stably, in columns of exactly their number. */
export function sortedByAddress(columns: SymbolColumns): SymbolColumns {
  const { count } = columns;
  const words = new Uint32Array(columns.addresses.buffer, columns.addresses.byteOffset, 2 * count);
  const order = isSorted(words, count) ? undefined : addressOrder(words, count);
  if (order === undefined) return trimmed(columns);
  const sorted = allocateColumns(count, columns.nameBytes);
  const sortedWords = new Uint32Array(sorted.addresses.buffer);
  for (let rank = 0; rank < count; rank++) {
    const i = order[rank] as number;
    sortedWords[2 * rank] = words[2 * i] as number;
    sortedWords[2 * rank + 1] = words[2 * i + 1] as number;
    sorted.types[rank] = columns.types[i] as number;
    sorted.nameStarts[rank] = columns.nameStarts[i] as number;
    sorted.nameLengths[rank] = columns.nameLengths[i] as number;
    sorted.modules[rank] = columns.modules[i] as number;
  }
  return { ...columns, ...sorted };
}

/** Copies of exactly `count` elements: a reader allocates for the most there could be. */
function trimmed(columns: SymbolColumns): SymbolColumns {
  const { count } = columns;
  if (columns.addresses.length === count) return columns;
  return {
    ...columns,
    addresses: columns.addresses.slice(0, count),
    types: columns.types.slice(0, count),
    nameStarts: columns.nameStarts.slice(0, count),
    nameLengths: columns.nameLengths.slice(0, count),
    modules: columns.modules.slice(0, count),
  };
}

function isSorted(words: Uint32Array, count: number): boolean {
  for (let i = 1; i < count; i++) {
    const high = words[2 * i + HIGH_WORD] as number;
    const before = words[2 * i - 2 + HIGH_WORD] as number;
    if (high < before) return false;
    if (high === before && (words[2 * i + LOW_WORD] as number) < (words[2 * i - 2 + LOW_WORD] as number)) return false;
  }
  return true;
}

/** Indexes in ascending order of address: a radix sort, least significant digit first. */
function addressOrder(words: Uint32Array, count: number): Uint32Array {
  let order = new Uint32Array(count);
  for (let i = 0; i < count; i++) order[i] = i;
  let spare = new Uint32Array(count);
  for (const half of [LOW_WORD, HIGH_WORD]) {
    for (const shift of [0, DIGIT_BITS]) {
      if (!sortByDigit(words, half, shift, order, spare)) continue;
      [order, spare] = [spare, order];
    }
  }
  return order;
}

/** One pass of the sort from `from` into `to`; false, and nothing done, when the digit is the same in all. */
function sortByDigit(words: Uint32Array, half: number, shift: number, from: Uint32Array, to: Uint32Array): boolean {
  const count = from.length;
  const starts = new Uint32Array(DIGITS);
  for (let i = 0; i < count; i++) {
    const digit = ((words[2 * i + half] as number) >>> shift) & (DIGITS - 1);
    starts[digit] = (starts[digit] as number) + 1;
  }
  if ((starts[((words[half] as number) >>> shift) & (DIGITS - 1)] as number) === count) return false;
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const length = starts[digit] as number;
    starts[digit] = start;
    start += length;
  }
  for (let k = 0; k < count; k++) {
    const i = from[k] as number;
    const digit = ((words[2 * i + half] as number) >>> shift) & (DIGITS - 1);
    const place = starts[digit] as number;
    to[place] = i;
    starts[digit] = place + 1;
  }
  return true;
}
