/**
 * The symbol table over columns of kallsyms sorted by address. What costs nothing to have is built at once (the sort);
 * the index of names, the list of names and the bounds of the text come when first asked for.
 *
 * kallsyms has neither sizes nor sections, so how far a symbol reaches is an estimate: up to the next address at
 * which the same module has a symbol. The last of a module's region (text, data and read-only data lie apart since
 * ac3b43283923 "module: replace module_layout with module_memory", v6.4) is followed by another module or by a gap:
 * it is taken to reach at most LAST_EXTENT bytes.
 */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import { columnName, columnNames, type SymbolColumns } from '../formats/kallsyms-columns.ts';
import { type AddressGroup, type AddressIndex, indexAddresses } from './address-index.ts';
import { sortedByAddress } from './address-order.ts';
import { indexNames, type NameIndex } from './name-index.ts';
import { type NearNames, prepareNearNames } from './near-names.ts';
import { aliasRank, isSectionEnd } from './symbol-name.ts';
import { isTextType, type KernelSymbol, type NameColumns, type SymbolTable } from './symbol-table.ts';

/** No object of vmlinux is larger (BTF is 8 MiB, log buffers up to 32): a gap above it lies between sections. */
const VMLINUX_GAP_MAX = 64n * 1024n * 1024n;
/** Objects of a module lie within its regions, which are some MiB at most; regions lie farther apart. */
const MODULE_GAP_MAX = 1024n * 1024n;
/** How far the last symbol before a gap may reach. */
const LAST_EXTENT = 64n * 1024n;
const NEAR_SHOWN = 5;
/** Symbols at one address that are compared for a name to show: an address has four or five in practice. */
const ALIASES_MAX = 64;

export interface SymbolSource {
  /** Where the columns come from, for `status`: "/proc/kallsyms". */
  readonly source: string;
  /** The source has names and no addresses (kptr_restrict): lookups by name say so, lookups by address find nothing. */
  readonly hidden?: boolean;
}

/** Builds a symbol table; the columns may be in any order and are not kept unless they are sorted already. */
export function createSymbolTable(columns: SymbolColumns, source: SymbolSource): SymbolTable {
  return new KallsymsTable(columns, source);
}

class KallsymsTable implements SymbolTable {
  readonly count: number;
  readonly source: string;
  readonly addressesHidden: boolean;
  readonly #columns: SymbolColumns;
  readonly #byAddress: AddressIndex;
  #names: NameIndex | undefined;
  #distinct: Uint32Array | undefined;
  #near: NearNames | undefined;
  #nameList: readonly string[] | undefined;
  #textRanges: readonly { readonly start: bigint; readonly end: bigint }[] | undefined;

  constructor(columns: SymbolColumns, source: SymbolSource) {
    this.#columns = sortedByAddress(columns);
    this.#byAddress = indexAddresses(this.#columns.addresses);
    this.count = columns.count;
    this.source = source.source;
    this.addressesHidden = source.hidden ?? false;
  }

  get modules(): readonly string[] {
    return this.#columns.moduleNames;
  }

  find(name: string, module?: string): KernelSymbol | undefined {
    if (this.addressesHidden) return undefined;
    let first = -1;
    for (let i = this.#byName().find(name); i >= 0; i = this.#byName().nextOfName(i)) {
      if (module !== undefined && this.#module(i) !== module) continue;
      if (this.#isGlobal(i)) return this.#symbol(i);
      if (first < 0) first = i;
    }
    return first < 0 ? undefined : this.#symbol(first);
  }

  all(name: string): readonly KernelSymbol[] {
    const symbols: KernelSymbol[] = [];
    for (let i = this.#byName().find(name); i >= 0; i = this.#byName().nextOfName(i)) symbols.push(this.#symbol(i));
    return symbols;
  }

  get(name: string): KernelSymbol {
    const symbol = this.find(name);
    if (symbol !== undefined) return symbol;
    if (this.addressesHidden && this.#byName().find(name) >= 0) {
      throw new UnsupportedError(
        `the address of "${name}" is hidden: ${this.source} shows no addresses`,
        'root sees it, unless kernel.kptr_restrict is 2: "status" says how to become root here',
      );
    }
    throw new NotFoundError('symbol', name, this.near(name, NEAR_SHOWN));
  }

  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly offset: number } | undefined {
    const group = this.#groupBelow(address);
    if (group === undefined || address >= this.#reach(group)) return undefined;
    const i = this.#preferred(group);
    const start = this.#columns.addresses[i] as bigint;
    if (address > start && isSectionEnd(columnName(this.#columns, i))) return undefined;
    return { symbol: this.#symbol(i, group), offset: Number(address - start) };
  }

  at(address: bigint): readonly KernelSymbol[] {
    const group = this.#groupBelow(address);
    if (group === undefined || this.#start(group) !== address) return [];
    const symbols: KernelSymbol[] = [];
    for (let i = group.first; i < group.end; i++) symbols.push(this.#symbol(i));
    return symbols.sort((a, b) => aliasRank(a.name) - aliasRank(b.name));
  }

  next(symbol: KernelSymbol): KernelSymbol | undefined {
    const i = this.#indexOf(symbol);
    return i === undefined || i + 1 >= this.count ? undefined : this.#symbol(i + 1);
  }

  previous(symbol: KernelSymbol): KernelSymbol | undefined {
    const i = this.#indexOf(symbol);
    return i === undefined || i === 0 ? undefined : this.#symbol(i - 1);
  }

  near(name: string, limit: number): readonly string[] {
    this.#near ??= prepareNearNames(this.#columns, this.#distinctSymbols());
    return this.#near(name, limit);
  }

  *symbols(module?: string): Iterable<KernelSymbol> {
    for (let i = 0; i < this.count; i++) {
      if (module === undefined || this.#module(i) === module) yield this.#symbol(i);
    }
  }

  isText(address: bigint): boolean {
    if (this.addressesHidden) return false;
    this.#textRanges ??= this.#findTextRanges();
    if (this.#textRanges.some((range) => address >= range.start && address < range.end)) return true;
    const group = this.#groupBelow(address);
    if (group === undefined || address >= this.#reach(group)) return false;
    const i = this.#preferred(group);
    const inModule = this.#columns.modules[i] !== 0 || this.#textRanges.length === 0;
    return inModule && isTextType(String.fromCharCode(this.#columns.types[i] as number));
  }

  names(): readonly string[] {
    this.#nameList ??= columnNames(this.#columns, this.#distinctSymbols());
    return this.#nameList;
  }

  nameColumns(): NameColumns {
    const distinct = this.#distinctSymbols();
    const columns = this.#columns;
    const types = new Uint8Array(distinct.length);
    const addresses = new BigUint64Array(distinct.length);
    const modules = new Uint16Array(distinct.length);
    for (let k = 0; k < distinct.length; k++) {
      const i = distinct[k] as number;
      types[k] = columns.types[i] as number;
      addresses[k] = columns.addresses[i] as bigint;
      modules[k] = columns.modules[i] as number;
    }
    return { types, addresses, modules };
  }

  #symbol(i: number, group?: AddressGroup): KernelSymbol {
    const address = this.#columns.addresses[i] as bigint;
    const name = columnName(this.#columns, i);
    return {
      name,
      address,
      type: String.fromCharCode(this.#columns.types[i] as number),
      module: this.#module(i),
      size: isSectionEnd(name) ? undefined : this.#size(group ?? this.#groupBelow(address)),
    };
  }

  #module(i: number): string | undefined {
    const module = this.#columns.modules[i] as number;
    return module === 0 ? undefined : this.#columns.moduleNames[module - 1];
  }

  /** Upper-case letters, but for the weak ones: those give way to any other definition. */
  #isGlobal(i: number): boolean {
    const type = this.#columns.types[i] as number;
    return type >= 0x41 && type <= 0x5a && type !== 0x57 && type !== 0x56;
  }

  #size(group: AddressGroup | undefined): number | undefined {
    const end = group === undefined ? undefined : this.#endWithinModule(group);
    return group === undefined || end === undefined ? undefined : Number(end - this.#start(group));
  }

  #start(group: AddressGroup): bigint {
    return this.#columns.addresses[group.first] as bigint;
  }

  /** The symbols at the last address at or below this one. */
  #groupBelow(address: bigint): AddressGroup | undefined {
    return this.addressesHidden ? undefined : this.#byAddress.groupBelow(address);
  }

  /** The next address of the same module, when it is not beyond a gap. */
  #endWithinModule(group: AddressGroup): bigint | undefined {
    const { addresses, modules } = this.#columns;
    if (group.end >= this.count) return undefined;
    const module = modules[group.first] as number;
    if (modules[group.end] !== module) return undefined;
    const end = addresses[group.end] as bigint;
    const gap = end - this.#start(group);
    return gap > (module === 0 ? VMLINUX_GAP_MAX : MODULE_GAP_MAX) ? undefined : end;
  }

  /** Past the last address that counts as in the symbols of the group. */
  #reach(group: AddressGroup): bigint {
    const end = this.#endWithinModule(group);
    if (end !== undefined) return end;
    const limit = this.#start(group) + LAST_EXTENT;
    const next = group.end < this.count ? (this.#columns.addresses[group.end] as bigint) : limit;
    return next < limit ? next : limit;
  }

  #preferred(group: AddressGroup): number {
    let best = group.first;
    if (group.end - group.first === 1) return best;
    let bestRank = Number.POSITIVE_INFINITY;
    const end = Math.min(group.end, group.first + ALIASES_MAX);
    for (let i = group.first; i < end; i++) {
      const rank = aliasRank(columnName(this.#columns, i));
      if (rank >= bestRank) continue;
      best = i;
      bestRank = rank;
    }
    return best;
  }

  #indexOf(symbol: KernelSymbol): number | undefined {
    const group = this.#groupBelow(symbol.address);
    if (group === undefined) return undefined;
    for (let i = group.first; i < group.end; i++) {
      if (this.#module(i) === symbol.module && columnName(this.#columns, i) === symbol.name) return i;
    }
    return undefined;
  }

  #byName(): NameIndex {
    this.#names ??= indexNames(this.#columns);
    return this.#names;
  }

  #distinctSymbols(): Uint32Array {
    this.#distinct ??= this.#byName().distinct();
    return this.#distinct;
  }

  #findTextRanges(): readonly { readonly start: bigint; readonly end: bigint }[] {
    const edges = [
      ['_stext', '_etext'],
      ['_sinittext', '_einittext'],
    ] as const;
    return edges.flatMap(([from, to]) => {
      const start = this.find(from)?.address;
      const end = this.find(to)?.address;
      return start === undefined || end === undefined || end <= start ? [] : [{ start, end }];
    });
  }
}
