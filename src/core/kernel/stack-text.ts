/**
 * The words on a stack that point into text: return addresses, old ones, function pointers.
 */
import type { StackImage } from '../arch/x86_64/stacks.ts';
import type { Kernel } from './kernel.ts';

/** Upper half of every address of kernel text, and the lowest lower half: __START_KERNEL_map. */
const TEXT_UPPER = 0xffff_ffff;
const TEXT_LOWER_MIN = 0x8000_0000;

/** Every aligned word that points into text, each once. */
export function textWords(kernel: Kernel, image: StackImage): ReadonlySet<bigint> {
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  const found = new Set<bigint>();
  const seen = new Set<number>();
  for (let offset = 0; offset + 8 <= image.bytes.length; offset += 8) {
    if (view.getUint32(offset + 4, true) !== TEXT_UPPER) continue;
    const lower = view.getUint32(offset, true);
    if (lower < TEXT_LOWER_MIN || seen.has(lower)) continue;
    seen.add(lower);
    const pc = (BigInt(TEXT_UPPER) << 32n) | BigInt(lower);
    if (kernel.symbols.isText(pc)) found.add(pc);
  }
  return found;
}
