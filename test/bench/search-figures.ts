/** The search of symbols as the screen has it: in the search thread, there and back, a key at a time. */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseKallsyms } from '../../src/core/formats/kallsyms-text.ts';
import { fuzzyNames } from '../../src/core/symbols/fuzzy-search.ts';
import { createSymbolTable } from '../../src/core/symbols/kallsyms-table.ts';
import { packNames, shared } from '../../src/core/symbols/packed-names.ts';
import { Search } from '../../src/engine/search.ts';
import { type Figure, figure, quantile } from './figure.ts';
import { kallsyms, TYPED } from './made-symbols.ts';

const SYMBOLS = 200_000;
const LIMIT = 200;

/** `program` is the built one: its search thread lies beside it. */
export async function searchFigures(program: string): Promise<readonly Figure[]> {
  const table = createSymbolTable(parseKallsyms(kallsyms(SYMBOLS)).columns, { source: 'bench' });
  const { names, types, addresses, modules } = fuzzyNames(table);
  const symbols = {
    names: packNames(names),
    types: shared(types),
    addresses: shared(addresses),
    modules: shared(modules),
    moduleNames: table.modules,
  };
  const entry = pathToFileURL(join(dirname(program), 'search.js'));
  const search = new Search(entry, async () => ({ generation: 2, symbols, types: undefined }));
  try {
    const started = performance.now();
    await search.prepare();
    await search.find('s', LIMIT);
    const ready = performance.now() - started;
    const waits: number[] = [];
    for (const word of [...TYPED, ...TYPED]) {
      for (let length = 1; length <= word.length; length++) {
        const pressed = performance.now();
        await search.find(word.slice(0, length), LIMIT);
        waits.push(performance.now() - pressed);
      }
    }
    // The first half warms up.
    const warm = waits.slice(waits.length / 2);
    return [
      figure('screen: first search of 200,000 symbols, the thread started for it', ready, 'ms'),
      figure('screen: a key to what it finds in 200,000 symbols, p95', quantile(warm, 0.95), 'ms', 16),
    ];
  } finally {
    search.close();
  }
}
