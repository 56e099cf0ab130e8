/**
 * Where the target's symbols come from, best source first: /proc/kallsyms of a live kernel or of a recording, else
 * the kallsyms tables in kernel memory, found through VMCOREINFO (which names them since 5fd8fea935a1 "kallsyms: move
 * declarations to internal header" and f09bddbd8661 "vmcoreinfo: include kallsyms symbols", v6.0). kptr_restrict=2
 * hides the addresses in the file from root too; the tables in memory still have them.
 */
import { UnsupportedError } from '../errors.ts';
import { kallsymsLocations, readKallsyms } from '../formats/kallsyms-memory.ts';
import { parseKallsyms } from '../formats/kallsyms-text.ts';
import { parseVmcoreinfo } from '../formats/vmcoreinfo.ts';
import { encodeText } from '../memory/text.ts';
import { createSymbolTable } from '../symbols/kallsyms-table.ts';
import type { SymbolTable } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';

const PATH = '/proc/kallsyms';
/** 200,000 symbols take some 11 MiB. */
const TEXT_LENGTH_MAX = 128 * 1024 * 1024;

/** Throws UnsupportedError when this target gives no symbols. */
export function loadSymbols(kernel: Kernel): SymbolTable {
  const text = fromFile(kernel);
  if (text !== undefined && !text.addressesHidden) return text;
  const tables = fromMemory(kernel);
  if (tables !== undefined) return tables;
  if (text !== undefined) return text;
  throw new UnsupportedError(
    `${kernel.backend.name} gives no symbols`,
    'they come from /proc/kallsyms, or from kernel memory where VMCOREINFO names the tables (Linux 6.0 and later)',
  );
}

function fromFile(kernel: Kernel): SymbolTable | undefined {
  if (!kernel.hasFiles) return undefined;
  const result = kernel.files.read(PATH, TEXT_LENGTH_MAX);
  if (!result.ok || result.bytes.length === 0) return undefined;
  const { columns, hidden } = parseKallsyms(result.bytes);
  return columns.count === 0 ? undefined : createSymbolTable(columns, { source: PATH, hidden });
}

function fromMemory(kernel: Kernel): SymbolTable | undefined {
  const note = kernel.backend.vmcoreinfo?.();
  if (note === undefined || !kernel.hasMemory) return undefined;
  const locations = kallsymsLocations(parseVmcoreinfo(encodeText(note)));
  if (locations === undefined) return undefined;
  const { columns } = readKallsyms((address, length, what) => kernel.memory.read(address, length, what), locations);
  return createSymbolTable(columns, { source: 'kallsyms in kernel memory' });
}
