/**
 * Arrays printed as gdb does: `{1, 2, 0 <repeats 14 times>}`. A run of more than ten equal elements is written once
 * and counts for ten of the `printMax` elements; what is left out is `...`.
 */
import { PAGE_SIZE } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { REPEATS_SHOWN_MAX } from './format-c-string.ts';
import { type Printer, readableFor } from './printer.ts';
import { type ArrayType, sizeOf } from './type.ts';
import { type Value, WHOLE_READ_MAX } from './value.ts';

export function printArray(printer: Printer, value: Value, type: ArrayType, level: number): void {
  const { out } = printer;
  const size = sizeOf(type.element);
  // A huge array is looked at no further than it is printed; runs in it are cut there.
  const count = Math.min(type.count, Math.max(printer.printMax, Math.floor(WHOLE_READ_MAX / Math.max(size, 1))));
  const readable = readableFor(printer, value);
  let shown = 0;
  let at = 0;
  const next = () => {
    if (at > 0) out.put(', ');
    printer.print(readable.index(at), level + 1);
  };
  const isFull = () => shown >= printer.printMax || out.budget-- <= 0;
  out.put('{');
  while (at < count && !isFull()) {
    const length = runLength(readable, size, at, count);
    if (length > REPEATS_SHOWN_MAX) {
      next();
      out.put(` <repeats ${length} times>`);
      at += length;
      shown += REPEATS_SHOWN_MAX;
      continue;
    }
    for (const end = at + length; at < end && !isFull(); at++, shown++) next();
  }
  out.put(at < type.count ? '...}' : '}');
}

/** How many elements from `at` on have the same bytes, or the same reason why they have none. */
function runLength(array: Value, size: number, at: number, count: number): number {
  // Elements of many pages each are not read only to be compared.
  if (array.location.kind === 'memory' && size > PAGE_SIZE) return 1;
  const first = array.index(at).tryBytes();
  let end = at + 1;
  while (end < count && isSame(first, array.index(end).tryBytes())) end++;
  return end - at;
}

function isSame(a: Uint8Array | Fault, b: Uint8Array | Fault): boolean {
  if (a instanceof Fault || b instanceof Fault)
    return a instanceof Fault && b instanceof Fault && a.reason === b.reason;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
