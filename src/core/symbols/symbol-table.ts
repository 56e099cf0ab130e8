/**
 * Kernel symbols as kallsyms gives them: every text and data symbol with its nm letter, vmlinux's and the modules'.
 * Names are not unique (a static function may exist many times); nothing here picks one silently.
 */

export interface KernelSymbol {
  readonly name: string;
  readonly address: bigint;
  /** nm's letter: upper case is global (T text, D data, B bss, R read-only, W weak, A absolute, V per-CPU weak). */
  readonly type: string;
  /** The module that defines it; undefined for vmlinux. Pseudo modules keep their name: `bpf`, `__builtin__ftrace`. */
  readonly module: string | undefined;
  /** Bytes up to the next symbol of the same module, an estimate: kallsyms has no sizes. Undefined for the last. */
  readonly size: number | undefined;
}

export interface SymbolTable {
  readonly count: number;
  /** Where the symbols come from, for `status`: "/proc/kallsyms". */
  readonly source: string;
  /**
   * The source gives names and hides every address (kptr_restrict, or a reader without privileges). `find`, `at` and
   * `nearest` then find nothing, `get` throws UnsupportedError, and `all`, `symbols` and `names` still list names.
   */
  readonly addressesHidden: boolean;
  /** Names of the modules that have symbols here, pseudo modules such as `bpf` included. */
  readonly modules: readonly string[];
  /** The symbol of this name when there is exactly one, else the global one, else the first by address. */
  find(name: string, module?: string): KernelSymbol | undefined;
  /** Every symbol of this name, by address. */
  all(name: string): readonly KernelSymbol[];
  /** As find; throws NotFoundError with near misses, UnsupportedError when addresses are hidden. */
  get(name: string): KernelSymbol;
  /**
   * The symbol that the address is in: the last one at or below it, not beyond the end of its module or section.
   * Of several at one address the one that the kernel's own stack traces name (kallsyms' order), but never a
   * `__pfx_` twin, a compiler's piece or a section's mark while a real name is there.
   */
  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly offset: number } | undefined;
  /** All symbols at exactly this address (aliases), the preferred first. */
  at(address: bigint): readonly KernelSymbol[];
  /** The neighbour in order of address, aliases one by one, as `sym -n` and `sym -p` ask; undefined at the ends. */
  next(symbol: KernelSymbol): KernelSymbol | undefined;
  previous(symbol: KernelSymbol): KernelSymbol | undefined;
  /** Names close to one that does not exist, best first; twins left out. */
  near(name: string, limit: number): readonly string[];
  /** By address, optionally of one module only. */
  symbols(module?: string): Iterable<KernelSymbol>;
  /** True for an address in vmlinux's or a module's text. */
  isText(address: bigint): boolean;
  /** Distinct names, for completion and the fuzzy index; built on first use. */
  names(): readonly string[];
  /** What is known of `names()`, one element each: of the first symbol of the name. */
  nameColumns(): NameColumns;
}

/** Symbols side by side in typed arrays, as SymbolColumns are. */
export interface NameColumns {
  /** Character codes of nm letters. */
  readonly types: Uint8Array;
  /** 0 where the source hides them. */
  readonly addresses: BigUint64Array;
  /** 0 for vmlinux, otherwise 1 + an index of the table's `modules`. */
  readonly modules: Uint16Array;
}

/** True for nm letters of code: t, T, w, W and i. */
export function isTextType(type: string): boolean {
  return type === 't' || type === 'T' || type === 'w' || type === 'W' || type === 'i';
}

/** `symbol+0x1c`, or the bare name at offset 0. */
export function formatSymbol(symbol: KernelSymbol, offset: number, radix: 10 | 16 = 16): string {
  if (offset === 0) return symbol.name;
  return `${symbol.name}+${radix === 16 ? `0x${offset.toString(16)}` : offset}`;
}
