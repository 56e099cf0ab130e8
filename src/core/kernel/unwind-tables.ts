/**
 * The ORC tables of the target: vmlinux's, between the symbols `__start_orc_unwind_ip` and `__stop_orc_unwind`, and
 * each module's, which struct module points to (module.arch).
 *
 * vmlinux's have some 400,000 entries, 4 MB, of which an unwind needs a few hundred bytes. `orc_lookup` has an index
 * into them for every 256 bytes of text, so that the entry for an address is found with two reads: one word of
 * orc_lookup, then the few entries of that block. For many addresses that is two batches of reads (`lookupRanges`,
 * then `tableRanges`), which is what keeps a first `bt` over a slow link short. A module's tables are read whole.
 */
import { DataError, FaultError, KdbgError, NotFoundError, UnsupportedError } from '../errors.ts';
import {
  decodeOrcEntry,
  findOrcIndex,
  ORC_ENTRY_SIZE,
  ORC_HEADER_SIZE,
  ORC_LOOKUP_BLOCK,
  type OrcAddresses,
  type OrcEntry,
  type OrcVersion,
  orcFlags,
  orcVersionOfFlags,
  orcVersionOfHeader,
} from '../formats/orc.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, int, pointer } from './struct.ts';

/** No kernel has a tenth of this many entries; the largest modules (GPU drivers) have some 200,000. */
const ENTRIES_MAX = 16 * 1024 * 1024;
/** More entries than 256 bytes of text can have; a longer block is a corrupt orc_lookup. */
const BLOCK_ENTRIES_MAX = 1024;
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
  /** The entry in force at a text address. Throws CancelledError only. */
  find(pc: bigint): OrcAnswer;
  /** First of the two batches that `find` for these addresses would read. */
  lookupRanges(pcs: Iterable<bigint>): readonly ReadRequest[];
  /** Second batch; reads the first one, so call it when that has come. */
  tableRanges(pcs: Iterable<bigint>): readonly ReadRequest[];
}

/** The tables' places. All symbols of an interval are there or none. */
interface Vmlinux {
  readonly addresses: bigint;
  readonly entries: bigint;
  readonly count: number;
  /** orc_lookup: its address, its words, and the text that it covers. */
  readonly lookup: { readonly address: bigint; readonly count: number; readonly text: bigint } | undefined;
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
  readonly #vmlinux: Vmlinux;
  readonly #found = new Map<bigint, OrcEntry>();
  #version: OrcVersion | undefined;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#vmlinux = vmlinuxTables(kernel);
  }

  find(pc: bigint): OrcAnswer {
    const known = this.#found.get(pc);
    if (known !== undefined) return known;
    try {
      const module = this.#moduleOf(pc);
      if (module !== undefined) return this.#findInModule(module, pc);
      const entry = this.#entry(pc);
      if (typeof entry === 'string') return entry;
      if (this.#found.size >= FOUND_MAX) this.#found.clear();
      this.#found.set(pc, entry);
      return entry;
    } catch (error) {
      if (error instanceof FaultError || error instanceof DataError || error instanceof NotFoundError) {
        return error.message;
      }
      if (error instanceof UnsupportedError) return error.message;
      throw error;
    }
  }

  lookupRanges(pcs: Iterable<bigint>): readonly ReadRequest[] {
    const ranges = new Map<bigint, ReadRequest>();
    const add = (address: bigint, length: number, what: string) =>
      ranges.set(address, { space: 'virtual', address, length, what });
    if (this.#version === undefined) {
      const header = this.#kernel.addressOf('__start_orc_header');
      if (header !== undefined) add(header, ORC_HEADER_SIZE, '.orc_header');
    }
    for (const pc of this.#missing(pcs)) {
      const module = this.#moduleOf(pc);
      const word = module === undefined ? this.#lookupWord(pc) : undefined;
      if (word !== undefined) add(word, 8, 'orc_lookup');
      if (module !== undefined) for (const range of this.#moduleRanges(module)) ranges.set(range.address, range);
    }
    return [...ranges.values()];
  }

  tableRanges(pcs: Iterable<bigint>): readonly ReadRequest[] {
    const ranges = new Map<bigint, ReadRequest>();
    const add = (address: bigint, length: number, what: string) =>
      ranges.set(address, { space: 'virtual', address, length, what });
    for (const pc of this.#missing(pcs)) {
      const module = this.#moduleOf(pc);
      try {
        if (module === undefined) {
          const block = this.#block(pc);
          if (block === undefined) continue;
          add(this.#vmlinux.addresses + BigInt(block.first * 4), block.count * 4, '.orc_unwind_ip');
          const length = block.count * ORC_ENTRY_SIZE;
          add(this.#vmlinux.entries + BigInt(block.first * ORC_ENTRY_SIZE), length, '.orc_unwind');
        } else {
          const { addresses, entries, count } = this.#moduleTables(module);
          if (count * ORC_ENTRY_SIZE > PREFETCH_MAX) continue;
          add(addresses, count * 4, `.orc_unwind_ip of ${module}`);
          add(entries, count * ORC_ENTRY_SIZE, `.orc_unwind of ${module}`);
        }
      } catch (error) {
        // What cannot be found here is said when the address is looked up.
        if (!(error instanceof KdbgError) || error.status === 130) throw error;
      }
    }
    return [...ranges.values()];
  }

  /** The addresses whose answers are not known yet, and those that tell the version of a table without header. */
  *#missing(pcs: Iterable<bigint>): Generator<bigint> {
    for (const pc of pcs) if (!this.#found.has(pc)) yield pc;
    if (this.#version !== undefined || this.#kernel.addressOf('__start_orc_header') !== undefined) return;
    const { functions, ends } = probes(this.#kernel);
    yield* functions;
    yield* ends;
  }

  #moduleOf(pc: bigint): string | undefined {
    return this.#kernel.symbols.nearest(pc)?.symbol.module;
  }

  #entry(pc: bigint): OrcAnswer {
    const version = this.#knownVersion();
    const at = this.#entryAddress(pc);
    if (at === undefined) return 'the unwind tables do not reach this address';
    return decodeOrcEntry(version, this.#kernel.memory.read(at, ORC_ENTRY_SIZE, '.orc_unwind'), 0);
  }

  /** Address of vmlinux's entry for a text address. */
  #entryAddress(pc: bigint): bigint | undefined {
    const block = this.#block(pc);
    const index = block === undefined ? this.#search(pc) : this.#findInBlock(block, pc);
    return index === undefined ? undefined : this.#vmlinux.entries + BigInt(index * ORC_ENTRY_SIZE);
  }

  #findInBlock(block: { first: number; count: number }, pc: bigint): number | undefined {
    const { addresses } = this.#vmlinux;
    const at = addresses + BigInt(block.first * 4);
    const bytes = this.#kernel.memory.read(at, block.count * 4, '.orc_unwind_ip');
    return findOrcIndex({ base: addresses, first: block.first, bytes }, pc);
  }

  /** Text that orc_lookup does not cover (init text): a search of the whole table, some ten pages of it. */
  #search(pc: bigint): number | undefined {
    const { addresses, count } = this.#vmlinux;
    let low = 0;
    let high = count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = addresses + BigInt(middle * 4);
      if (at + BigInt(this.#kernel.memory.s32(at, '.orc_unwind_ip')) <= pc) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : low - 1;
  }

  /** Address of the word in orc_lookup for a text address; the word after it ends the block. */
  #lookupWord(pc: bigint): bigint | undefined {
    const { lookup } = this.#vmlinux;
    if (lookup === undefined || pc < lookup.text) return undefined;
    const index = Number((pc - lookup.text) / BigInt(ORC_LOOKUP_BLOCK));
    return index + 1 < lookup.count ? lookup.address + BigInt(index * 4) : undefined;
  }

  /** The entries among which the one for this address is. Throws DataError when orc_lookup contradicts itself. */
  #block(pc: bigint): { first: number; count: number } | undefined {
    const word = this.#lookupWord(pc);
    if (word === undefined) return undefined;
    const first = this.#kernel.memory.u32(word, 'orc_lookup');
    const last = this.#kernel.memory.u32(word + 4n, 'orc_lookup');
    if (last < first || last >= this.#vmlinux.count || last - first >= BLOCK_ENTRIES_MAX) {
      throw new DataError(`orc_lookup is corrupt for ${pc.toString(16)}: entries ${first} to ${last}`);
    }
    return { first, count: last - first + 1 };
  }

  #findInModule(module: string, pc: bigint): OrcAnswer {
    const version = this.#knownVersion();
    const tables = this.#kernel.memo(`orc tables of ${module}`, 'command', () => this.#readModule(module));
    const index = findOrcIndex(tables.addresses, pc);
    if (index === undefined) return `the unwind tables of ${module} do not reach this address`;
    return decodeOrcEntry(version, tables.entries, index * ORC_ENTRY_SIZE);
  }

  #readModule(module: string): { readonly addresses: OrcAddresses; readonly entries: Uint8Array } {
    const { memory } = this.#kernel;
    const { addresses, entries, count } = this.#moduleTables(module);
    return {
      addresses: { base: addresses, first: 0, bytes: memory.read(addresses, count * 4, `.orc_unwind_ip of ${module}`) },
      entries: memory.read(entries, count * ORC_ENTRY_SIZE, `.orc_unwind of ${module}`),
    };
  }

  /** kallsyms names each module's struct module, so that the list of modules need not be walked. */
  #moduleTables(module: string): { readonly addresses: bigint; readonly entries: bigint; readonly count: number } {
    const address = this.#kernel.symbols.find('__this_module', module)?.address;
    if (address === undefined) throw new NotFoundError('symbol', '__this_module', [], `of module ${module}`);
    const { count, addresses, entries } = this.#kernel.struct(ModuleOrc).at(address);
    if (count < 0 || count > ENTRIES_MAX) throw new DataError(`module ${module} says it has ${count} unwind entries`);
    if (count === 0) throw new DataError(`module ${module} has no unwind tables`);
    return { addresses, entries, count };
  }

  #moduleRanges(module: string): readonly ReadRequest[] {
    const address = this.#kernel.symbols.find('__this_module', module)?.address;
    if (address === undefined || !this.#kernel.hasStruct('module')) return [];
    const bound = this.#kernel.struct(ModuleOrc);
    return (['count', 'addresses', 'entries'] as const).flatMap((field) => {
      const offset = bound.offset(field);
      const what = `module.arch of ${module}`;
      return offset === undefined
        ? []
        : [{ space: 'virtual' as const, address: address + BigInt(offset), length: 8, what }];
    });
  }

  #knownVersion(): OrcVersion {
    this.#version ??= this.#findVersion();
    return this.#version;
  }

  #findVersion(): OrcVersion {
    const header = this.#kernel.addressOf('__start_orc_header');
    if (header !== undefined) {
      const version = orcVersionOfHeader(this.#kernel.memory.read(header, ORC_HEADER_SIZE, '.orc_header'));
      if (version !== undefined) return version;
      throw new UnsupportedError('the unwind tables of this kernel are of a kind that kdbg does not know');
    }
    const flags = (pcs: readonly bigint[]) =>
      pcs.flatMap((pc) => {
        const at = this.#entryAddress(pc);
        return at === undefined ? [] : [orcFlags(this.#kernel.memory.read(at, ORC_ENTRY_SIZE, '.orc_unwind'), 0)];
      });
    const { functions, ends } = probes(this.#kernel);
    const version = orcVersionOfFlags(flags(functions), flags(ends));
    if (version !== undefined) return version;
    throw new UnsupportedError('the unwind tables of this kernel fit no kind that kdbg knows');
  }
}

/** Places whose entries are known beforehand: first instructions of C functions, and where unwinding ends. */
function probes(kernel: Kernel): { readonly functions: readonly bigint[]; readonly ends: readonly bigint[] } {
  const addresses = (names: readonly string[]) =>
    names.flatMap((name) => {
      const address = kernel.addressOf(name);
      return address === undefined ? [] : [address];
    });
  return {
    functions: addresses(['schedule', 'vfs_read', 'do_exit', 'kthread_stop', 'wake_up_process']),
    ends: addresses(['entry_SYSCALL_64']),
  };
}

function vmlinuxTables(kernel: Kernel): Vmlinux {
  const symbol = (name: string): bigint => {
    const address = kernel.addressOf(name);
    if (address === undefined) {
      throw new UnsupportedError(
        `there are no unwind tables: no symbol "${name}"`,
        'kallsyms names them with CONFIG_KALLSYMS_ALL',
      );
    }
    return address;
  };
  const addresses = symbol('__start_orc_unwind_ip');
  const entries = symbol('__start_orc_unwind');
  const stop = symbol('__stop_orc_unwind');
  const count = Number(symbol('__stop_orc_unwind_ip') - addresses) / 4;
  if (
    !Number.isInteger(count) ||
    count <= 0 ||
    count > ENTRIES_MAX ||
    Number(stop - entries) !== count * ORC_ENTRY_SIZE
  ) {
    throw new UnsupportedError(`the unwind tables are of impossible size: ${count} addresses`);
  }
  kernel.memory.keepConstant(addresses, addresses + BigInt(count * 4));
  kernel.memory.keepConstant(entries, stop);
  return { addresses, entries, count, lookup: lookupTable(kernel) };
}

function lookupTable(kernel: Kernel): Vmlinux['lookup'] {
  const address = kernel.addressOf('orc_lookup');
  const end = kernel.addressOf('orc_lookup_end');
  const text = kernel.addressOf('_stext');
  if (address === undefined || end === undefined || text === undefined || end <= address) return undefined;
  kernel.memory.keepConstant(address, end);
  return { address, count: Math.min(Number(end - address) / 4, ENTRIES_MAX), text };
}
