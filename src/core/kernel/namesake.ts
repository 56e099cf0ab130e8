/**
 * Globals that are called as their type: `struct boot_params boot_params`. BTF does not type globals, but a variable
 * whose name is a structure's, and which takes just the room of one, is one.
 *
 * The name alone is not enough: `kmem_cache_node` and `cpufreq_driver` are pointers, `console_cmdline` is an array.
 */
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import { isTextType } from '../symbols/symbol-table.ts';
import { VMLINUX } from '../types/btf-table.ts';
import type { CType } from '../types/type.ts';
import type { Kernel } from './kernel.ts';

/** The linker aligns variables by up to a cache line: the next symbol may be so far behind the end of this one. */
const ALIGNMENT = 64;

/** The structure or union that a variable is by its name and its size; undefined when nothing fits. */
export function namesakeType(kernel: Kernel, symbol: KernelSymbol): CType | undefined {
  const { name, size: room, module = VMLINUX } = symbol;
  if (isTextType(symbol.type) || room === undefined) return undefined;
  const type = kernel.types.find('struct', name, module) ?? kernel.types.find('union', name, module);
  if (type?.kind !== 'struct' && type?.kind !== 'union') return undefined;
  // Of less than a cache line the room says nothing: a pointer may have as much around it.
  if (type.size < ALIGNMENT) return undefined;
  return room >= type.size && room < type.size + ALIGNMENT ? type : undefined;
}
