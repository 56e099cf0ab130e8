/** Types and symbols: indexing a kernel's tables, and searching them as a person types. */
import { existsSync, readFileSync } from 'node:fs';
import fuzzysort from 'fuzzysort';
import { parseKallsyms } from '../../src/core/formats/kallsyms-text.ts';
import { createFuzzySearch, fuzzyNames } from '../../src/core/symbols/fuzzy-search.ts';
import { createSymbolTable } from '../../src/core/symbols/kallsyms-table.ts';
import { BtfTable } from '../../src/core/types/btf-table.ts';
import { type Figure, figure, median, quantile, times } from './figure.ts';
import { kallsyms, TYPED } from './made-symbols.ts';

const BTF = '/sys/kernel/btf/vmlinux';

export function* tableFigures(): Iterable<Figure> {
  if (existsSync(BTF)) {
    const bytes = readFileSync(BTF);
    const size = (bytes.length / 1024 / 1024).toFixed(1);
    const index = times(9, () => void new BtfTable(bytes).find('struct', 'task_struct'));
    yield figure(`index this machine's BTF (${size} MiB) and find task_struct`, median(index), 'ms', 60);
  }
  const text = kallsyms(190_000);
  const load = times(
    7,
    () => void createSymbolTable(parseKallsyms(text).columns, { source: 'bench' }).find('schedule'),
  );
  yield figure('index kallsyms of 190,000 symbols and find one', median(load), 'ms', 150);

  const table = createSymbolTable(parseKallsyms(kallsyms(200_000)).columns, { source: 'bench' });
  const search = createFuzzySearch(fuzzysort, fuzzyNames(table));
  const strokes: number[] = [];
  for (const word of [...TYPED, ...TYPED]) {
    for (let length = 1; length <= word.length; length++) {
      const started = performance.now();
      search.find(word.slice(0, length), 100);
      strokes.push(performance.now() - started);
    }
  }
  // The first half warms up.
  yield figure(
    'fuzzy search of 200,000 symbols, p95 of a keystroke',
    quantile(strokes.slice(strokes.length / 2), 0.95),
    'ms',
    16,
  );
}
