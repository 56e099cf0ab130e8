/** How far a command is with many things. */
import type { Kernel } from '../kernel/kernel.ts';

/**
 * To be called for each of some things: tells how many of them there were. Nothing is told of things that are not counted
 * beforehand, or of a single one, which may be a part of a larger whole.
 */
export function progressOver(kernel: Pick<Kernel, 'progress'>, things: Iterable<unknown>): () => void {
  const total = Array.isArray(things) ? things.length : 0;
  if (total < 2) return () => undefined;
  let done = 0;
  return () => kernel.progress(++done, total);
}
