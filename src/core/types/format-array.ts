/**
 * Arrays printed as gdb does: `{1, 2, 0 <repeats 14 times>}`. A run of more than ten equal elements is written once
 * and counts for ten of the `printMax` elements; what is left out is `...`.
 */
import { FaultError } from '../errors.ts';
import { Fault } from '../memory/fault.ts';
import { REPEATS_SHOWN_MAX } from './format-c-string.ts';
import type { Printer } from './printer.ts';
import { type ArrayType, sizeOf } from './type.ts';
import { type Value, WHOLE_READ_MAX } from './value.ts';

export function printArray(printer: Printer, value: Value, type: ArrayType, level: number): void {
  const { out } = printer;
  const size = sizeOf(type.element);
  // A huge array is looked at no further than it is printed; runs in it are cut there.
  const count = Math.min(type.count, Math.max(printer.printMax, Math.floor(WHOLE_READ_MAX / Math.max(size, 1))));
  const readable = value.readable();
  if (readable instanceof Fault) throw new FaultError(readable);
  let shown = 0;
  let at = 0;
  out.put('{');
  while (at < count && shown < printer.printMax && out.budget-- > 0) {
    if (at > 0) out.put(', ');
    const length = runLength(readable, at, count);
    const element = readable.index(at);
    printer.print(element, level + 1);
    if (length > REPEATS_SHOWN_MAX) {
      out.put(` <repeats ${length} times>`);
      at += length;
      shown += REPEATS_SHOWN_MAX;
    } else {
      at++;
      shown++;
    }
  }
  out.put(at < type.count ? '...}' : '}');
}

/** How many elements from `at` on have the same bytes, or the same reason why they have none. */
function runLength(array: Value, at: number, count: number): number {
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
