/**
 * CPUs as crash's commands name them: `all` or `a`, `1,3-5`, and in a per-CPU suffix nothing at all for the current
 * one. Which of them exist is known when the list is resolved.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import type { CpuSelection } from './expression.ts';

/** A list at a position of a text: `1,3-5`, `all`, `a`; a single range where a comma means something else. */
const LIST = /(?:all|a)(?![A-Za-z0-9_])|\d{1,5}(?:-\d{1,5})?(?:,\d{1,5}(?:-\d{1,5})?)*(?![A-Za-z0-9_])/y;
const ONE = /(?:all|a)(?![A-Za-z0-9_])|\d{1,5}(?:-\d{1,5})?(?![A-Za-z0-9_])/y;

/** The list that begins at a position, as text; '' when there is none. */
export function cpuListAt(source: string, position: number, commas = true): string {
  const pattern = commas ? LIST : ONE;
  pattern.lastIndex = position;
  return pattern.exec(source)?.[0] ?? '';
}

/** What `all`, `a`, `1,3-5` or '' (the current CPU) selects. Throws UsageError. */
export function parseCpuList(text: string): CpuSelection {
  if (text === '') return 'current';
  if (cpuListAt(text, 0) !== text) {
    throw new UsageError(`"${text}" is not a list of CPUs`, { source: text, column: 0, hint: 'as 0, 1,3-5 or all' });
  }
  if (text === 'a' || text === 'all') return 'all';
  return text.split(',').map((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return { first, last };
  });
}

/** The CPUs that are selected, each once, in order. Throws NotFoundError for a CPU that does not exist. */
export function selectCpus(selection: CpuSelection, existing: readonly number[], current: number): readonly number[] {
  if (selection === 'all') return existing;
  if (selection === 'current') return [current];
  const chosen = new Set<number>();
  for (const { first, last } of selection) {
    const within = existing.filter((cpu) => cpu >= first && cpu <= last);
    const missing = last < first ? first : ([first, last].find((cpu) => !existing.includes(cpu)) ?? undefined);
    if (within.length === 0 || missing !== undefined) {
      throw new NotFoundError('cpu', String(missing ?? first), [], `(there are ${formatRanges(existing)})`);
    }
    for (const cpu of within) chosen.add(cpu);
  }
  return [...chosen].sort((a, b) => a - b);
}

/** `0-3,6`: ascending numbers as the kernel lists CPUs. */
export function formatRanges(numbers: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last !== undefined && number === last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(',');
}
