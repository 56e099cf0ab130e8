/** What the bench measures: figures with their budgets, all "less is better". */

export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: 'ms' | 'MiB' | 'requests' | 'KiB' | 'us';
  /** Undefined for a figure that has none: it is printed to be seen. */
  readonly budget: number | undefined;
}

export function figure(what: string, value: number, unit: Figure['unit'], budget?: number): Figure {
  return { what, value, unit, budget };
}

/** The value below which this part of the values lies. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? Number.NaN;
}

/** Milliseconds of each run, after one that does not count. */
export function times(runs: number, work: () => void): readonly number[] {
  work();
  return Array.from({ length: runs }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The table, a line a figure. */
export function* tableOf(figures: readonly Figure[]): Iterable<string> {
  const width = Math.max(...figures.map(({ what }) => what.length));
  yield `${'figure'.padEnd(width)}  ${'value'.padStart(14)}  ${'budget'.padStart(14)}  ratio`;
  for (const { what, value, unit, budget } of figures) {
    const digits = unit === 'requests' ? 0 : 1;
    const shown = `${value.toFixed(digits)} ${unit}`.padStart(14);
    const allowed = budget === undefined ? '-' : `${budget.toFixed(digits)} ${unit}`;
    const ratio = budget === undefined ? '' : `${(value / budget).toFixed(2)}  ${value <= budget ? 'ok' : 'over'}`;
    yield `${what.padEnd(width)}  ${shown}  ${allowed.padStart(14)}  ${ratio}`.trimEnd();
  }
}
