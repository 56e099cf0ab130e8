/**
 * Finding in lines: texts, and objects.
 */
import type { Line, Ref } from '../../core/output/line.ts';

/** A text that lines are looked for with: in any case, as long as it has no capitals. */
export function matcher(text: string): (line: string) => boolean {
  const inverse = text.startsWith('!');
  const wanted = inverse ? text.slice(1) : text;
  const exact = wanted !== wanted.toLowerCase();
  return (line) => (exact ? line : line.toLowerCase()).includes(wanted) !== inverse;
}

/** The first reference of a kind in a line. */
export function refIn<K extends Ref['kind']>(line: Line, kind: K): Extract<Ref, { kind: K }> | undefined {
  if (typeof line === 'string') return undefined;
  for (const part of line) {
    if (typeof part !== 'string' && part.ref?.kind === kind) return part.ref as Extract<Ref, { kind: K }>;
  }
  return undefined;
}
