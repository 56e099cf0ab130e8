/**
 * Where the target's types come from, best source first: /sys/kernel/btf of a live kernel or of a recording, else the
 * BTF section in kernel memory (`__start_BTF`..`__stop_BTF`; the modules' through `btf_modules`).
 */
import { UnsupportedError } from '../errors.ts';
import { BtfTable, VMLINUX } from '../types/btf-table.ts';
import { createGlobals, type Globals } from '../types/globals.ts';
import type { CType, TypeTable } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { addModuleBtfs } from './module-btf.ts';
import { symbolsBeforeTypes } from './symbol-source.ts';

/** The type table, and the types of globals that BTF leaves untyped. */
export interface KernelTypes {
  readonly table: TypeTable;
  readonly globals: Globals;
  /**
   * The C type of a global variable of vmlinux or of a module: as the user declared it, from BTF or from the table of
   * declarations; undefined when unknown.
   */
  typeOfGlobal(name: string, module?: string): CType | undefined;
  /** Adds a C declaration: `struct list_head my_list;`. Throws UsageError when it does not parse. */
  declare(text: string): void;
}

const BTF_DIRECTORY = '/sys/kernel/btf';
/** vmlinux's BTF is 4 to 8 MiB; a module's at most a few. */
const BTF_LENGTH_MAX = 64 * 1024 * 1024;

/** Throws UnsupportedError when the kernel has no BTF that this target can give. */
export function loadTypes(kernel: Kernel): KernelTypes {
  const table = fromFiles(kernel) ?? fromMemory(kernel);
  if (table === undefined) {
    throw new UnsupportedError(
      `${kernel.backend.name} gives no type information`,
      'types come from BTF: /sys/kernel/btf/vmlinux of a kernel built with CONFIG_DEBUG_INFO_BTF',
    );
  }
  const globals = createGlobals(table);
  return {
    table,
    globals,
    typeOfGlobal: (name, module) => globals.typeOf(name, module),
    declare: (text) => globals.declare(text),
  };
}

function fromFiles(kernel: Kernel): BtfTable | undefined {
  if (!kernel.hasFiles) return undefined;
  const { files } = kernel;
  const vmlinux = files.read(`${BTF_DIRECTORY}/vmlinux`, BTF_LENGTH_MAX);
  if (!vmlinux.ok) return undefined;
  const table = new BtfTable(vmlinux.bytes, `${BTF_DIRECTORY}/vmlinux`);
  const listing = files.list(BTF_DIRECTORY);
  const modules = listing.ok ? listing.names.filter((name) => name !== VMLINUX && !name.includes('/')) : [];
  table.addModules(modules, (names) =>
    files
      .readMany(
        names.map((name) => `${BTF_DIRECTORY}/${name}`),
        BTF_LENGTH_MAX,
      )
      .map((result) => (result.ok ? result.bytes : undefined)),
  );
  return table;
}

/** The section lies in read-only data and is named by linker symbols, so this needs symbols and no types. */
function fromMemory(kernel: Kernel): BtfTable | undefined {
  if (!kernel.hasMemory) return undefined;
  const symbols = symbolsBeforeTypes(kernel);
  const start = symbols.find('__start_BTF')?.address;
  const stop = symbols.find('__stop_BTF')?.address;
  if (start === undefined || stop === undefined || stop <= start) return undefined;
  const length = Number(stop - start);
  if (length > BTF_LENGTH_MAX) return undefined;
  const table = new BtfTable(kernel.memory.read(start, length, 'BTF of vmlinux'), 'BTF in kernel memory');
  const modules = symbols.find('btf_modules')?.address;
  if (modules !== undefined) addModuleBtfs(kernel, table, modules);
  return table;
}
