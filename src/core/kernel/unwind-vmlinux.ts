/**
 * vmlinux's ORC tables, between the symbols `__start_orc_unwind_ip` and `__stop_orc_unwind`: some 400,000 entries,
 * 4 MB, of which an unwind needs a few hundred bytes. `orc_lookup` has an index into them for every 256 bytes of text,
 * so the entry for an address is found with two reads: two words of orc_lookup, then the few entries of that block.
 */
import { DataError, UnsupportedError } from '../errors.ts';
import {
  decodeOrcEntry,
  findOrcIndex,
  ORC_ENTRY_SIZE,
  ORC_HEADER_SIZE,
  ORC_LOOKUP_BLOCK,
  type OrcEntry,
  type OrcVersion,
  orcFlags,
  orcVersionOfFlags,
  orcVersionOfHeader,
} from '../formats/orc.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';

/** No kernel has a tenth of this many entries. */
const ENTRIES_MAX = 16 * 1024 * 1024;
/** More entries than 256 bytes of text can have; a longer block is a corrupt orc_lookup. */
const BLOCK_ENTRIES_MAX = 1024;

/** Entries of the table, among which the one for an address is. */
interface Block {
  readonly first: number;
  readonly count: number;
}

export class VmlinuxOrc {
  readonly #kernel: Kernel;
  readonly #addresses: bigint;
  readonly #entries: bigint;
  readonly #count: number;
  /** orc_lookup: its address, its words, and the text that it begins with. */
  readonly #lookup: { readonly address: bigint; readonly count: number; readonly text: bigint } | undefined;
  #version: OrcVersion | undefined;

  /** Throws UnsupportedError when the tables are not there or of a size that they cannot have. */
  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#addresses = symbolOf(kernel, '__start_orc_unwind_ip');
    this.#entries = symbolOf(kernel, '__start_orc_unwind');
    const stop = symbolOf(kernel, '__stop_orc_unwind');
    const count = Number(symbolOf(kernel, '__stop_orc_unwind_ip') - this.#addresses) / 4;
    const fits = Number(stop - this.#entries) === count * ORC_ENTRY_SIZE;
    if (!Number.isInteger(count) || count <= 0 || count > ENTRIES_MAX || !fits) {
      throw new UnsupportedError(`the unwind tables are of impossible size: ${count} addresses`);
    }
    this.#count = count;
    kernel.memory.keepTable(this.#addresses, this.#addresses + BigInt(count * 4), 'orc_unwind_ip');
    kernel.memory.keepTable(this.#entries, stop, 'orc_unwind');
    this.#lookup = lookupTable(kernel);
  }

  /** The kind of this kernel's tables, the modules' too. Throws UnsupportedError for an unknown one, FaultError. */
  get version(): OrcVersion {
    this.#version ??= this.#findVersion();
    return this.#version;
  }

  /** The entry in force at an address. Throws FaultError, DataError. */
  find(pc: bigint): OrcEntry | undefined {
    const at = this.#entryAddress(pc);
    if (at === undefined) return undefined;
    return decodeOrcEntry(this.version, this.#kernel.memory.read(at, ORC_ENTRY_SIZE, '.orc_unwind'), 0);
  }

  /** What `find` reads first, for many addresses; what it reads to learn the version among it. */
  lookupRanges(pcs: Iterable<bigint>): readonly ReadRequest[] {
    const ranges = new Map<bigint, ReadRequest>();
    const header = this.#version === undefined ? this.#kernel.addressOf('__start_orc_header') : undefined;
    if (header !== undefined) ranges.set(header, rangeOf(header, ORC_HEADER_SIZE, '.orc_header'));
    for (const pc of this.#withProbes(pcs)) {
      const word = this.#lookupWord(pc);
      if (word !== undefined) ranges.set(word, rangeOf(word, 8, 'orc_lookup'));
    }
    return [...ranges.values()];
  }

  /** What `find` reads next. Reads orc_lookup, so what it says is to be there. */
  tableRanges(pcs: Iterable<bigint>): readonly ReadRequest[] {
    const blocks = new Map<number, Block>();
    for (const pc of this.#withProbes(pcs)) {
      const block = this.#tryBlock(pc);
      if (block !== undefined) blocks.set(block.first, block);
    }
    return [...blocks.values()].flatMap(({ first, count }) => [
      rangeOf(this.#addresses + BigInt(first * 4), count * 4, '.orc_unwind_ip'),
      rangeOf(this.#entries + BigInt(first * ORC_ENTRY_SIZE), count * ORC_ENTRY_SIZE, '.orc_unwind'),
    ]);
  }

  /** A table without header is known by what it says of a few addresses, which are looked up with the first others. */
  *#withProbes(pcs: Iterable<bigint>): Generator<bigint> {
    yield* pcs;
    if (this.#version !== undefined || this.#kernel.addressOf('__start_orc_header') !== undefined) return;
    const { functions, ends } = this.#probes();
    yield* functions;
    yield* ends;
  }

  /** First instructions of C functions, and a place where unwinding ends. */
  #probes(): { readonly functions: readonly bigint[]; readonly ends: readonly bigint[] } {
    const addresses = (...names: readonly string[]) =>
      names.flatMap((name) => {
        const address = this.#kernel.addressOf(name);
        return address === undefined ? [] : [address];
      });
    return {
      functions: addresses('schedule', 'vfs_read', 'do_exit', 'kthread_stop', 'wake_up_process'),
      ends: addresses('entry_SYSCALL_64'),
    };
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
    const { functions, ends } = this.#probes();
    const version = orcVersionOfFlags(flags(functions), flags(ends));
    if (version !== undefined) return version;
    throw new UnsupportedError('the unwind tables of this kernel fit no kind that kdbg knows');
  }

  #entryAddress(pc: bigint): bigint | undefined {
    const block = this.#block(pc);
    const index = block === undefined ? this.#search(pc) : this.#findInBlock(block, pc);
    return index === undefined ? undefined : this.#entries + BigInt(index * ORC_ENTRY_SIZE);
  }

  #findInBlock(block: Block, pc: bigint): number | undefined {
    const at = this.#addresses + BigInt(block.first * 4);
    const bytes = this.#kernel.memory.read(at, block.count * 4, '.orc_unwind_ip');
    return findOrcIndex({ base: this.#addresses, first: block.first, bytes }, pc);
  }

  /** Text that orc_lookup does not cover (init text): a search of the whole table, some ten pages of it. */
  #search(pc: bigint): number | undefined {
    let low = 0;
    let high = this.#count;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = this.#addresses + BigInt(middle * 4);
      if (at + BigInt(this.#kernel.memory.s32(at, '.orc_unwind_ip')) <= pc) low = middle + 1;
      else high = middle;
    }
    return low === 0 ? undefined : low - 1;
  }

  /** Address of the word in orc_lookup for a text address; the word after it ends the block. */
  #lookupWord(pc: bigint): bigint | undefined {
    const lookup = this.#lookup;
    if (lookup === undefined || pc < lookup.text) return undefined;
    const index = Number((pc - lookup.text) / BigInt(ORC_LOOKUP_BLOCK));
    return index + 1 < lookup.count ? lookup.address + BigInt(index * 4) : undefined;
  }

  /** Throws FaultError, and DataError when orc_lookup contradicts itself. */
  #block(pc: bigint): Block | undefined {
    const word = this.#lookupWord(pc);
    if (word === undefined) return undefined;
    const words = this.#kernel.memory.read(word, 8, 'orc_lookup');
    const block = this.#blockOf(words);
    if (block === undefined) throw new DataError(`orc_lookup is corrupt for ${pc.toString(16)}`);
    return block;
  }

  /** The block where it can be told; where it cannot, that is said when the address is looked up. */
  #tryBlock(pc: bigint): Block | undefined {
    const word = this.#lookupWord(pc);
    const words = word === undefined ? undefined : this.#kernel.memory.tryRead(word, 8, 'orc_lookup');
    return words instanceof Uint8Array ? this.#blockOf(words) : undefined;
  }

  /** From two neighbouring words: the entries in force where the block begins, and where the next one does. */
  #blockOf(words: Uint8Array): Block | undefined {
    const view = new DataView(words.buffer, words.byteOffset, 8);
    const first = view.getUint32(0, true);
    const last = view.getUint32(4, true);
    const isPossible = first <= last && last < this.#count && last - first < BLOCK_ENTRIES_MAX;
    return isPossible ? { first, count: last - first + 1 } : undefined;
  }
}

function lookupTable(kernel: Kernel): { address: bigint; count: number; text: bigint } | undefined {
  const address = kernel.addressOf('orc_lookup');
  const end = kernel.addressOf('orc_lookup_end');
  const text = kernel.addressOf('_stext');
  if (address === undefined || end === undefined || text === undefined || end <= address) return undefined;
  kernel.memory.keepTable(address, end, 'orc_lookup');
  return { address, count: Math.min(Math.floor(Number(end - address) / 4), ENTRIES_MAX), text };
}

function symbolOf(kernel: Kernel, name: string): bigint {
  const address = kernel.addressOf(name);
  if (address !== undefined) return address;
  throw new UnsupportedError(
    `there are no unwind tables: no symbol "${name}"`,
    'kallsyms names them with CONFIG_KALLSYMS_ALL',
  );
}

function rangeOf(address: bigint, length: number, what: string): ReadRequest {
  return { space: 'virtual', address, length, what };
}
