/**
 * The ORC tables of the target: vmlinux's (unwind-vmlinux.ts) and each module's, which struct module points to
 * (module.arch) and which are read whole.
 *
 * For many addresses, what the tables take is two batches of reads: `lookupRanges`, then `tableRanges`. That is what
 * keeps a first `bt` over a slow link short.
 */
import { DataError, KdbgError, NotFoundError } from '../errors.ts';
import { decodeOrcEntry, findOrcIndex, ORC_ENTRY_SIZE, type OrcAddresses, type OrcEntry } from '../formats/orc.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, int, pointer } from './struct.ts';
import { VmlinuxOrc } from './unwind-vmlinux.ts';

/** The largest modules (GPU drivers) have some 200,000 entries. */
const ENTRIES_MAX = 4 * 1024 * 1024;
/** Longer module tables are read once, past the page cache: fetching their pages beforehand would read them twice. */
const PREFETCH_MAX = 512 * 1024;
/** Decoded answers kept for the session: more addresses than all stacks of a machine have. */
const FOUND_MAX = 200_000;

/** Where a module keeps its tables; a kernel without ORC has no such members. */
const ModuleOrc = defineStruct('module', {
  count: int('arch.num_orcs'),
  addresses: pointer('arch.orc_unwind_ip'),
  entries: pointer('arch.orc_unwind'),
});

/** The ORC entry for an address, or a sentence on why there is none. */
export type OrcAnswer = OrcEntry | string;

export interface OrcTables {
  /** The entry in force at a text address. Throws CancelledError, BackendError. */
  find(pc: bigint): OrcAnswer;
  /** First of the two batches that `find` for these addresses would read. */
  lookupRanges(pcs: Iterable<bigint>): readonly ReadRequest[];
  /** Second batch; reads the first one, so call it when that has come. */
  tableRanges(pcs: Iterable<bigint>): readonly ReadRequest[];
}

/** Where a module's tables are. */
interface ModuleTables {
  readonly addresses: bigint;
  readonly entries: bigint;
  readonly count: number;
}

/** True when the kernel unwinds by ORC (CONFIG_UNWINDER_ORC); otherwise it keeps frame pointers. */
export function hasOrc(kernel: Kernel): boolean {
  return kernel.addressOf('__start_orc_unwind_ip') !== undefined;
}

/** Throws UnsupportedError when this kernel has no tables, or has them in a form that kdbg does not know. */
export function orcTables(kernel: Kernel): OrcTables {
  return kernel.memo('orc tables', 'session', () => new Tables(kernel));
}

class Tables implements OrcTables {
  readonly #kernel: Kernel;
  readonly #vmlinux: VmlinuxOrc;
  /** Of vmlinux only: a module's text can be another module's later. */
  readonly #found = new Map<bigint, OrcEntry>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#vmlinux = new VmlinuxOrc(kernel);
  }

  find(pc: bigint): OrcAnswer {
    const known = this.#found.get(pc);
    if (known !== undefined) return known;
    try {
      const module = this.#moduleOf(pc);
      if (module !== undefined) return this.#findInModule(module, pc);
      const entry = this.#vmlinux.find(pc);
      if (entry === undefined) return 'the unwind tables do not reach this address';
      if (this.#found.size >= FOUND_MAX) this.#found.clear();
      this.#found.set(pc, entry);
      return entry;
    } catch (error) {
      return reasonOf(error);
    }
  }

  lookupRanges(pcs: Iterable<bigint>): readonly ReadRequest[] {
    const { vmlinux, modules } = this.#sorted(pcs);
    return [...this.#vmlinux.lookupRanges(vmlinux), ...modules.flatMap((module) => this.#memberRanges(module))];
  }

  tableRanges(pcs: Iterable<bigint>): readonly ReadRequest[] {
    const { vmlinux, modules } = this.#sorted(pcs);
    return [...this.#vmlinux.tableRanges(vmlinux), ...modules.flatMap((module) => this.#moduleRanges(module))];
  }

  /** The addresses in vmlinux whose answers are not known yet, and the modules that the others are in. */
  #sorted(pcs: Iterable<bigint>): { readonly vmlinux: readonly bigint[]; readonly modules: readonly string[] } {
    const vmlinux: bigint[] = [];
    const modules = new Set<string>();
    for (const pc of pcs) {
      if (this.#found.has(pc)) continue;
      const module = this.#moduleOf(pc);
      if (module === undefined) vmlinux.push(pc);
      else modules.add(module);
    }
    return { vmlinux, modules: [...modules] };
  }

  #moduleOf(pc: bigint): string | undefined {
    return this.#kernel.symbols.nearest(pc)?.symbol.module;
  }

  #findInModule(module: string, pc: bigint): OrcAnswer {
    const tables = this.#kernel.memo(`orc tables of ${module}`, 'command', () => this.#readModule(module));
    const index = findOrcIndex(tables.addresses, pc);
    if (index === undefined) return `the unwind tables of ${module} do not reach this address`;
    return decodeOrcEntry(this.#vmlinux.version, tables.entries, index * ORC_ENTRY_SIZE);
  }

  #readModule(module: string): { readonly addresses: OrcAddresses; readonly entries: Uint8Array } {
    const { memory } = this.#kernel;
    const { addresses, entries, count } = this.#tablesOf(module);
    const bytes = memory.read(addresses, count * 4, `.orc_unwind_ip of ${module}`);
    return {
      addresses: { base: addresses, first: 0, bytes },
      entries: memory.read(entries, count * ORC_ENTRY_SIZE, `.orc_unwind of ${module}`),
    };
  }

  #tablesOf(module: string): ModuleTables {
    const address = this.#structModule(module);
    if (address === undefined) throw new NotFoundError('symbol', '__this_module', [], `of module ${module}`);
    const { count, addresses, entries } = this.#kernel.struct(ModuleOrc).at(address);
    if (count < 0 || count > ENTRIES_MAX) throw new DataError(`module ${module} says it has ${count} unwind entries`);
    if (count === 0) throw new DataError(`module ${module} has no unwind tables`);
    return { addresses, entries, count };
  }

  /** kallsyms names each module's struct module, so that the list of modules need not be walked. */
  #structModule(module: string): bigint | undefined {
    return this.#kernel.symbols.find('__this_module', module)?.address;
  }

  #memberRanges(module: string): readonly ReadRequest[] {
    const address = this.#structModule(module);
    if (address === undefined) return [];
    const bound = attempt(() => this.#kernel.struct(ModuleOrc));
    return (['count', 'addresses', 'entries'] as const).flatMap((field): readonly ReadRequest[] => {
      const offset = bound?.offset(field);
      const what = `module.arch of ${module}`;
      return offset === undefined ? [] : [{ space: 'virtual', address: address + BigInt(offset), length: 4, what }];
    });
  }

  #moduleRanges(module: string): readonly ReadRequest[] {
    const tables = attempt(() => this.#tablesOf(module));
    if (tables === undefined || tables.count * ORC_ENTRY_SIZE > PREFETCH_MAX) return [];
    const { addresses, entries, count } = tables;
    return [
      { space: 'virtual', address: addresses, length: count * 4, what: `.orc_unwind_ip of ${module}` },
      { space: 'virtual', address: entries, length: count * ORC_ENTRY_SIZE, what: `.orc_unwind of ${module}` },
    ];
  }
}

/** Undefined for what cannot be had: that is said when the address is looked up. */
function attempt<T>(find: () => T): T | undefined {
  try {
    return find();
  } catch (error) {
    reasonOf(error);
    return undefined;
  }
}

/** What an error about the target says; any other is thrown on, as is one that ends the command. */
function reasonOf(error: unknown): string {
  if (error instanceof KdbgError && error.status === 1 && !error.endsCommand) return error.message;
  throw error;
}
