/** Small files of /proc and /sys as text. */
import { decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';

/** The file's text without the newline at its end; undefined where this target does not give it. */
export function fileText(kernel: Kernel, path: string, limit = 64 * 1024): string | undefined {
  if (!kernel.hasFiles) return undefined;
  const result = kernel.files.read(path, limit);
  return result.ok ? decodeText(result.bytes).replace(/\n+$/, '') : undefined;
}
