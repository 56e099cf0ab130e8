/**
 * Where the target's symbols come from, best source first: /proc/kallsyms of a live kernel or of a recording, else
 * the kallsyms tables in kernel memory, found through VMCOREINFO (which names them since 5fd8fea935a1 "vmcoreinfo:
 * include kallsyms symbols", v6.0), with the symbol tables of the modules. kptr_restrict=2 hides the addresses in the
 * file from root too; the tables in memory still have them.
 */
import { type KdbgError, NotFoundError, UnsupportedError } from '../errors.ts';
import { concatColumns, type SymbolColumns } from '../formats/kallsyms-columns.ts';
import { kallsymsLocations, readKallsyms } from '../formats/kallsyms-memory.ts';
import { parseKallsyms } from '../formats/kallsyms-text.ts';
import { createSymbolTable } from '../symbols/kallsyms-table.ts';
import type { SymbolTable } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';
import { moduleSymbols } from './module-symbols.ts';
import { vmcoreinfo } from './vmcoreinfo.ts';

const PATH = '/proc/kallsyms';
/** 200,000 symbols take some 11 MiB. */
const TEXT_LENGTH_MAX = 128 * 1024 * 1024;

/** Throws UnsupportedError when this target gives no symbols. */
export function loadSymbols(kernel: Kernel): SymbolTable {
  const base = baseSymbols(kernel);
  return base.columns === undefined ? base.table : withModules(kernel, base.table, base.columns);
}

/**
 * The symbols that are had without types: what types are found by. On a target with /proc/kallsyms they are all there
 * are, else vmlinux's only: to read those of the modules the layout of struct module must be known.
 */
export function symbolsBeforeTypes(kernel: Kernel): SymbolTable {
  return baseSymbols(kernel).table;
}

interface BaseSymbols {
  readonly table: SymbolTable;
  /** vmlinux's symbols where they were read from memory. */
  readonly columns: SymbolColumns | undefined;
}

function baseSymbols(kernel: Kernel): BaseSymbols {
  return kernel.memo('symbols before types', 'session', () => {
    const text = fromFile(kernel);
    if (text !== undefined && !text.addressesHidden) return { table: text, columns: undefined };
    const columns = fromMemory(kernel);
    if (columns !== undefined) {
      return { table: createSymbolTable(columns, { source: 'kallsyms in kernel memory' }), columns };
    }
    if (text !== undefined) return { table: text, columns: undefined };
    throw new UnsupportedError(
      `${kernel.backend.name} gives no symbols`,
      'they come from /proc/kallsyms, or from kernel memory where VMCOREINFO names the tables (Linux 6.0 and later)',
    );
  });
}

function fromFile(kernel: Kernel): SymbolTable | undefined {
  if (!kernel.hasFiles) return undefined;
  const result = kernel.files.read(PATH, TEXT_LENGTH_MAX);
  if (!result.ok || result.bytes.length === 0) return undefined;
  const { columns, hidden } = parseKallsyms(result.bytes);
  return columns.count === 0 ? undefined : createSymbolTable(columns, { source: PATH, hidden });
}

function fromMemory(kernel: Kernel): SymbolColumns | undefined {
  if (!kernel.hasMemory) return undefined;
  const note = vmcoreinfo(kernel);
  const locations = note === undefined ? undefined : kallsymsLocations(note);
  if (locations === undefined) return undefined;
  return readKallsyms((address, length, what) => kernel.memory.read(address, length, what), locations).columns;
}

function withModules(kernel: Kernel, vmlinux: SymbolTable, columns: SymbolColumns): SymbolTable {
  const head = vmlinux.find('modules')?.address;
  if (head === undefined) return vmlinux;
  let modules: readonly SymbolColumns[];
  try {
    modules = moduleSymbols(kernel, head);
  } catch (error) {
    if (!isMissing(error)) throw error;
    kernel.notice(`symbols of modules are missing: ${error.message}`);
    return vmlinux;
  }
  if (modules.length === 0) return vmlinux;
  return createSymbolTable(concatColumns([columns, ...modules]), {
    source: `kallsyms in kernel memory, ${modules.length} module${modules.length === 1 ? '' : 's'}`,
  });
}

/** The kernel has no BTF, or none of the structures: a target without module symbols is better than none. */
function isMissing(error: unknown): error is KdbgError {
  return error instanceof UnsupportedError || error instanceof NotFoundError;
}
