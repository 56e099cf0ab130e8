/**
 * Symbols of modules from memory. Each module keeps its ELF symbol table (struct mod_kallsyms): symtab, then strtab,
 * then typetab with the nm letters (since 1c7651f43777 "kallsyms: store type information in its own array", v5.2).
 */
import { FaultError } from '../errors.ts';
import { ELF_SYMBOL_LENGTH, elfSymbolColumns } from '../formats/elf-symbols.ts';
import type { SymbolColumns } from '../formats/kallsyms-columns.ts';
import type { Kernel } from './kernel.ts';
import { ModuleStruct, moduleAddresses } from './module.ts';
import { defineStruct, int, optional, pointer } from './struct.ts';

const ModKallsyms = defineStruct('mod_kallsyms', {
  symtab: pointer('symtab'),
  count: int('num_symtab'),
  strtab: pointer('strtab'),
  typetab: optional(pointer('typetab')),
});

const SYMBOLS_MAX = 1 << 20;
const STRINGS_MAX = 32 * 1024 * 1024;
const NAME_MAX = 512;
/** Larger tables are read one by one: together they might not fit the page cache. */
const AHEAD_MAX = 512 * 1024;

/** The symbols of every module on the list at `head`. A module whose tables cannot be read is told of and left out. */
export function moduleSymbols(kernel: Kernel, head: bigint): readonly SymbolColumns[] {
  const found: SymbolColumns[] = [];
  const tables = kernel.struct(ModKallsyms);
  const module = kernel.struct(ModuleStruct);
  const addresses = moduleAddresses(kernel, head);
  const kept = addresses.map((address) => module.at(address).kallsyms ?? 0n).filter((place) => place !== 0n);
  tables.prefetch(kept);
  prefetchTables(kernel, kept);
  for (const address of addresses) {
    const { name, kallsyms } = module.at(address);
    if (kallsyms === undefined || kallsyms === 0n) continue;
    try {
      const columns = read(kernel, kallsyms, name);
      if (columns !== undefined) found.push(columns);
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      kernel.notice(`the symbols of module ${name} are left out: ${error.message}`);
    }
  }
  return found;
}

/** The symbol tables of all modules with one request; names and types lie behind them. */
function prefetchTables(kernel: Kernel, places: readonly bigint[]): void {
  const ranges: { space: 'virtual'; address: bigint; length: number; what: string }[] = [];
  for (const place of places) {
    try {
      const { symtab, count, strtab, typetab } = kernel.struct(ModKallsyms).at(place);
      const length = count * ELF_SYMBOL_LENGTH;
      const names = typetab === undefined ? 0n : typetab + BigInt(count) - strtab;
      if (count <= 0 || length > AHEAD_MAX) continue;
      ranges.push({ space: 'virtual', address: symtab, length, what: 'symbols of modules' });
      if (names <= 0n || names > BigInt(AHEAD_MAX)) continue;
      ranges.push({ space: 'virtual', address: strtab, length: Number(names), what: 'symbols of modules' });
    } catch (error) {
      // Told of when the module's turn comes.
      if (!(error instanceof FaultError)) throw error;
    }
  }
  kernel.memory.prefetch(ranges);
}

function read(kernel: Kernel, kallsyms: bigint, name: string): SymbolColumns | undefined {
  const { symtab, count, strtab, typetab } = kernel.struct(ModKallsyms).at(kallsyms);
  if (count <= 0 || count > SYMBOLS_MAX) return undefined;
  const symbols = kernel.memory.read(symtab, count * ELF_SYMBOL_LENGTH, `symbols of module ${name}`);
  const strings = kernel.memory.read(strtab, stringsLength(symbols, strtab, typetab), `symbol names of module ${name}`);
  if (typetab === undefined) return elfSymbolColumns({ symbols, strings, module: name });
  const types = kernel.memory.read(typetab, count, `symbol types of module ${name}`);
  return elfSymbolColumns({ symbols, strings, types, module: name });
}

/** No length is kept: the types follow the names, and no name starts beyond the largest st_name. */
function stringsLength(symbols: Uint8Array, strtab: bigint, typetab: bigint | undefined): number {
  if (typetab !== undefined && typetab > strtab && typetab - strtab <= BigInt(STRINGS_MAX)) {
    return Number(typetab - strtab);
  }
  const view = new DataView(symbols.buffer, symbols.byteOffset, symbols.byteLength);
  let last = 0;
  for (let at = 0; at + ELF_SYMBOL_LENGTH <= symbols.length; at += ELF_SYMBOL_LENGTH) {
    last = Math.max(last, view.getUint32(at, true));
  }
  return Math.min(last, STRINGS_MAX) + NAME_MAX;
}
