/**
 * Loaded modules.
 */
import { defineCommand, flag, many, option } from '../src/core/command/define.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { moduleName } from '../src/core/command/target-kinds.ts';
import { findModule, type Module, modules } from '../src/core/kernel/module.ts';
import { moduleSections } from '../src/core/kernel/module-sections.ts';
import { taintOfLetter } from '../src/core/kernel/taint.ts';
import { formatAddress } from '../src/core/memory/address.ts';
import { addressColumn, type Columns, decimalColumn, textColumn } from '../src/core/output/columns.ts';
import { type Item, notice, row, text } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';

const NAME_WIDTH = 16;

export default defineCommand({
  name: 'mod',
  group: 'system',
  summary: 'loaded modules',
  description: [
    "A module's symbols come from the kernel itself and its types from BTF, so there is nothing to load: the options of crash that load and unload a module's debuginfo (-s, -S, -d, -D, -r, -o) are accepted and say so.",
    'SIZE counts what stays in memory once the module is loaded, as lsmod shows it.',
  ],
  options: {
    t: flag('what has tainted the kernel, module by module'),
    g: flag('the memory of each module and where its sections lie'),
    R: flag('read the modules and their symbols again'),
    s: option(moduleName, 'MODULE', 'the symbols of a module: they are there'),
    S: flag('the symbols of all modules: they are there'),
    d: option(moduleName, 'MODULE', 'unload the symbols of a module: they stay'),
    D: flag('unload all symbols: they stay'),
    r: flag('as -S'),
    o: flag('as -S'),
  },
  operands: { names: many(moduleName, 'MODULE', 'these modules only') },
  columns: columnsFor(NAME_WIDTH),
  examples: [
    { line: 'mod', shows: 'all modules' },
    { line: 'mod -t', shows: 'modules that taint the kernel, and why' },
    { line: 'mod -g', shows: 'regions and sections' },
  ],
  *run(scope, args) {
    const { kernel } = scope;
    if (args.R) reload(scope);
    const named = args.s ?? args.d;
    // After -s and -S crash takes a file or a directory: there is nothing to take from it.
    const names = named !== undefined ? [named] : args.S ? [] : args.names;
    const chosen = names.length === 0 ? byBase(modules(kernel)) : names.map((name) => findModule(kernel, name));
    if (named !== undefined || args.S || args.D || args.r || args.o) yield notice(symbolsAreHere(scope, chosen));
    if (args.t) {
      yield* tainting(chosen);
      return;
    }
    if (args.g) {
      for (const [i, module] of chosen.entries()) {
        if (i > 0) yield text('');
        yield layoutOf(scope, module);
      }
      return;
    }
    const columns = columnsFor(Math.max(NAME_WIDTH, ...chosen.map(({ name }) => name.length)));
    for (const module of chosen) yield row(rowOf(module), columns);
    if (chosen.length === 0) yield notice('no modules are loaded');
  },
});

function columnsFor(width: number): Columns {
  return {
    module: addressColumn('MODULE', 'address of the struct module'),
    name: textColumn('NAME', 'its name', {
      width,
      ref: (name) => ({ kind: 'module', name: String(name) }),
    }),
    base: addressColumn('TEXT_BASE', 'where its text begins'),
    size: decimalColumn('SIZE', 'bytes in memory, without what is only needed to load it', { width: 9 }),
    references: decimalColumn('REFS', 'how often it is in use', { width: 4 }),
    usedBy: {
      ...textColumn('USED BY', 'the modules that use it'),
      text: (_names, { usedBy, permanent, state, taints }) =>
        remarks(usedBy as readonly string[], [
          permanent === true ? 'permanent' : '',
          state === 'live' ? '' : String(state),
          String(taints),
        ]),
    },
  };
}

/** `a,b` and, in brackets, what is out of the ordinary. */
function remarks(usedBy: readonly string[], notes: readonly string[]): string {
  const brackets = notes.filter(Boolean).map((note) => `[${note}]`);
  return [usedBy.join(','), ...brackets].filter(Boolean).join(' ') || '-';
}

function rowOf(module: Module) {
  const { address, name, base, size, usedBy, references, permanent, state, taints } = module;
  return {
    module: address ?? null,
    name,
    base: base ?? null,
    size,
    usedBy,
    references: references ?? null,
    permanent,
    state,
    taints,
  };
}

/** By where their text is, as crash lists them; in the kernel's order where that is hidden. */
function byBase(all: readonly Module[]): readonly Module[] {
  if (all.some(({ base }) => base === undefined)) return all;
  return [...all].sort((a, b) => ((a.base as bigint) < (b.base as bigint) ? -1 : 1));
}

/** What was kept of modules and symbols is forgotten: on a live kernel modules come and go. */
function reload({ kernel }: Scope): void {
  for (const key of ['modules', 'symbols', 'symbols before types', 'orc tables', 'fuzzy symbols']) kernel.forget(key);
}

function symbolsAreHere({ kernel }: Scope, chosen: readonly Module[]): string {
  let symbols = 0;
  for (const { name } of chosen) for (const _ of kernel.symbols.symbols(name)) symbols++;
  const whose = chosen.length === 1 ? (chosen[0] as Module).name : `${chosen.length} modules`;
  return `${symbols} symbols of ${whose} are there already, from ${kernel.symbols.source}: nothing is loaded or unloaded`;
}

function* tainting(chosen: readonly Module[]): Iterable<Item> {
  const tainted = chosen.filter(({ taints }) => taints !== '');
  if (tainted.length === 0) yield notice('no module taints the kernel');
  const columns: Columns = {
    name: textColumn('NAME', 'the module', { width: Math.max(4, ...tainted.map(({ name }) => name.length)) }),
    taints: textColumn('TAINTS', 'letters of its taint flags'),
    meaning: textColumn('MEANING', 'what they stand for'),
  };
  for (const { name, taints } of tainted) {
    const meaning = [...taints].map((letter) => taintOfLetter(letter)?.meaning ?? 'unknown').join(', ');
    yield row({ name, taints, meaning }, columns);
  }
}

function layoutOf({ kernel }: Scope, module: Module): Item {
  const sections = moduleSections(kernel, module);
  const data = {
    ...rowOf(module),
    regions: module.regions.map((region) => ({ ...region })),
    sections: sections.map((section) => ({ ...section })),
  };
  return row(data, () => [
    [
      span(`MODULE: ${module.address === undefined ? '-' : formatAddress(module.address)}`, undefined, 'header'),
      '  NAME: ',
      span(module.name, { kind: 'module', name: module.name }),
    ],
    ...module.regions.map(({ kind, base, size }): Line => {
      const address = span(formatAddress(base), { kind: 'address', address: base }, 'address');
      return ['  ', address, `  ${kind.padEnd(20)}  ${size}`];
    }),
    ...sections.map(({ name, start }): Line => {
      const address = span(formatAddress(start), { kind: 'address', address: start }, 'address');
      return isFreed(module, start) ? ['    ', address, `  ${name} (freed)`] : ['    ', address, `  ${name}`];
    }),
  ]);
}

/** What a module needs only to be loaded lay in regions that it has no more; its addresses may be another's by now. */
function isFreed({ regions }: Module, address: bigint): boolean {
  return regions.length > 0 && !regions.some(({ base, size }) => address >= base && address < base + BigInt(size));
}
