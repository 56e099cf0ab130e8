/**
 * A symbol table of a program, looked into by name. Tables of a million symbols stay the bytes that they are: only what
 * is found is made into objects.
 *
 *     .gnu.version    a u16 for each symbol: the index of its version, 0x8000 set where it is not the default
 *     .gnu.version_d  Verdef: version u16 · flags u16 · index u16 · count u16 · hash u32 · aux u32 · next u32
 *                     Verdaux at aux: name u32 · next u32
 */
import { DataError } from '../errors.ts';
import { decodeCString, encodeText } from '../memory/text.ts';
import { ELF_SYMBOL_LENGTH, elfSymbolColumns } from './elf-symbols.ts';
import type { SymbolColumns } from './kallsyms-columns.ts';

export interface NamedSymbol {
  readonly name: string;
  /** As `GLIBC_2.14`; undefined where it has none. */
  readonly version: string | undefined;
  /** False for a version that only programs linked long ago still use. */
  readonly isDefault: boolean;
  /** st_value: an address before the program is moved to where it is loaded. */
  readonly address: bigint;
  /** Bytes; 0 where it does not say. */
  readonly size: number;
  readonly kind: SymbolKind;
}

/** `indirect`: its code chooses, when the program is loaded, which function it stands for (STT_GNU_IFUNC). */
export type SymbolKind = 'code' | 'indirect' | 'data' | 'thread-local' | 'imported';

const KINDS: Readonly<Record<number, SymbolKind>> = {
  0: 'code',
  1: 'data',
  2: 'code',
  5: 'data',
  6: 'thread-local',
  10: 'indirect',
};
const SHN_UNDEF = 0;
const HIDDEN = 0x8000;
/** Indices of versions that are none: local, global. */
const VERSION_FIRST = 2;
const VERSIONS_MAX = 4096;
const NAME_MAX = 4096;

export interface ElfNameTables {
  readonly symbols: Uint8Array;
  readonly strings: Uint8Array;
  readonly versions?: Uint8Array;
  readonly definitions?: Uint8Array;
}

export class ElfNames {
  readonly #tables: ElfNameTables;
  readonly #view: DataView;
  readonly #versions: ReadonlyMap<number, string>;

  constructor(tables: ElfNameTables) {
    this.#tables = tables;
    this.#view = viewOf(tables.symbols);
    this.#versions = versionNames(tables);
  }

  /** All of this name. */
  named(name: string): readonly NamedSymbol[] {
    return [...this.#matching(encodeText(`${name}\0`))];
  }

  /** So many at most whose names begin so. */
  *startingWith(start: string): Iterable<NamedSymbol> {
    yield* this.#matching(encodeText(start));
  }

  /** Those that are defined here, for searches among names. */
  columns(): SymbolColumns {
    return elfSymbolColumns(this.#tables);
  }

  *#matching(start: Uint8Array): Iterable<NamedSymbol> {
    const { strings, symbols } = this.#tables;
    for (let at = 0; at + ELF_SYMBOL_LENGTH <= symbols.length; at += ELF_SYMBOL_LENGTH) {
      const name = this.#view.getUint32(at, true);
      if ((strings[name] ?? 0) === 0 || !beginsWith(strings, name, start)) continue;
      const symbol = this.#symbol(at, name);
      if (symbol !== undefined) yield symbol;
    }
  }

  /** Undefined for a section's or a file's. */
  #symbol(at: number, name: number): NamedSymbol | undefined {
    const { strings, versions } = this.#tables;
    const kind = KINDS[this.#view.getUint8(at + 4) & 15];
    if (kind === undefined) return undefined;
    const place = (at / ELF_SYMBOL_LENGTH) * 2;
    const word = versions !== undefined && place + 2 <= versions.length ? viewOf(versions).getUint16(place, true) : 0;
    return {
      name: decodeCString(strings, name, Math.min(strings.length, name + NAME_MAX)),
      version: this.#versions.get(word & ~HIDDEN),
      isDefault: (word & HIDDEN) === 0,
      address: this.#view.getBigUint64(at + 8, true),
      size: Number(this.#view.getBigUint64(at + 16, true)),
      kind: this.#view.getUint16(at + 6, true) === SHN_UNDEF ? 'imported' : kind,
    };
  }
}

/** Names of versions by their index. Throws DataError where they go on without end. */
function versionNames({ definitions, strings }: ElfNameTables): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  if (definitions === undefined || definitions.length === 0) return names;
  const view = viewOf(definitions);
  for (let at = 0, count = 0; at + 20 <= definitions.length; count++) {
    if (count >= VERSIONS_MAX) throw new DataError(`a program with more than ${VERSIONS_MAX} versions of symbols`);
    const index = view.getUint16(at + 4, true);
    const aux = at + view.getUint32(at + 12, true);
    const next = view.getUint32(at + 16, true);
    if (index >= VERSION_FIRST && aux + 4 <= definitions.length) {
      const name = view.getUint32(aux, true);
      names.set(
        index,
        name < strings.length ? decodeCString(strings, name, Math.min(strings.length, name + NAME_MAX)) : '',
      );
    }
    if (next === 0) break;
    at += next;
  }
  return names;
}

function beginsWith(bytes: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) if (bytes[at + i] !== start[i]) return false;
  return true;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
