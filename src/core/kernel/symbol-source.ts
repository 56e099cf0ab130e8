/**
 * Where the target's symbols come from, best source first: /proc/kallsyms of a live kernel or of a recording, else
 * the kallsyms tables in kernel memory, found through VMCOREINFO.
 */
import { UnsupportedError } from '../errors.ts';
import type { SymbolTable } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';

/** Throws UnsupportedError when this target gives no symbols. */
export function loadSymbols(_kernel: Kernel): SymbolTable {
  throw new UnsupportedError('this target has no symbols');
}
