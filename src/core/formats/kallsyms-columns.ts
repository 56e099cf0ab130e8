/**
 * Kernel symbols as columns: typed arrays side by side, one element a symbol, no object for each. 200,000 symbols are
 * 3.5 MB of columns plus the bytes of their names, where the same as objects and strings would take 33 MB and three
 * times as long to make. Both readers of kallsyms (text and in-memory) and the modules' symbol tables give this shape;
 * symbols/kallsyms-table.ts sorts it and answers questions.
 *
 * Names are printable ASCII: a reader skips (and counts) a symbol whose name is not, so that no name of a hostile
 * kernel or file reaches a terminal as a control sequence.
 */
import { decodeAscii } from '../memory/text.ts';

export interface SymbolColumns {
  readonly count: number;
  /** Values as the source has them; unsorted. */
  readonly addresses: BigUint64Array;
  /** Character codes of nm letters. */
  readonly types: Uint8Array;
  /** Where the names lie: the source's own bytes, or a buffer made for them. Not NUL-terminated. */
  readonly nameBytes: Uint8Array;
  readonly nameStarts: Uint32Array;
  readonly nameLengths: Uint16Array;
  /** 0 for vmlinux, otherwise 1 + an index of `moduleNames`. */
  readonly modules: Uint16Array;
  readonly moduleNames: readonly string[];
  /** Entries that were malformed and left out. */
  readonly skipped: number;
}

/** One symbol to put in columns. */
export interface ColumnSymbol {
  readonly address: bigint;
  /** nm letter. */
  readonly type: string;
  readonly name: string;
  readonly module?: string | undefined;
}

/** The low and high halves of element i of a 64-bit array seen as 32-bit words are at 2i + LOW_WORD, 2i + HIGH_WORD. */
export const LOW_WORD = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 0 : 1;
export const HIGH_WORD = 1 - LOW_WORD;

/** Longer than the kernel's KSYM_NAME_LEN: 512 since b8a94bfb3395 "kallsyms: increase maximum kernel symbol length to 512" (v6.1). */
export const SYMBOL_NAME_MAX = 1024;
/** Modules that columns can tell apart. */
export const COLUMN_MODULES_MAX = 0xffff;

/** The name of symbol i. */
export function columnName(columns: SymbolColumns, i: number): string {
  const start = columns.nameStarts[i] as number;
  return decodeAscii(columns.nameBytes, start, start + (columns.nameLengths[i] as number));
}

const DECODE_CHUNK = 8192;

/** The names of many symbols. Decoded some hundreds at a time and cut: twice as fast as one by one. */
export function columnNames(columns: SymbolColumns, indexes: Uint32Array): string[] {
  const { nameBytes, nameStarts, nameLengths } = columns;
  const names: string[] = new Array(indexes.length);
  const chunk = new Uint8Array(DECODE_CHUNK);
  let done = 0;
  while (done < indexes.length) {
    let filled = 0;
    let to = done;
    for (; to < indexes.length; to++) {
      const i = indexes[to] as number;
      const start = nameStarts[i] as number;
      const length = nameLengths[i] as number;
      if (filled + length > DECODE_CHUNK) break;
      for (let k = 0; k < length; k++) chunk[filled + k] = nameBytes[start + k] as number;
      filled += length;
    }
    const text = decodeAscii(chunk, 0, filled);
    let at = 0;
    for (; done < to; done++) {
      const end = at + (nameLengths[indexes[done] as number] as number);
      names[done] = text.slice(at, end);
      at = end;
    }
  }
  return names;
}

/** True for a byte that a symbol's name may hold: printable ASCII without the space. */
export function isNameByte(byte: number): boolean {
  return byte > 0x20 && byte < 0x7f;
}

/** True for an nm letter, or the `?` that the kernel gives a module's symbol it cannot classify. */
export function isTypeByte(byte: number): boolean {
  return (byte >= 0x41 && byte <= 0x5a) || (byte >= 0x61 && byte <= 0x7a) || byte === 0x3f;
}

/** Columns from single symbols; one with an impossible name or type is skipped and counted. */
export function symbolColumns(symbols: Iterable<ColumnSymbol>): SymbolColumns {
  const kept: ColumnSymbol[] = [];
  let skipped = 0;
  let nameLength = 0;
  for (const symbol of symbols) {
    if (!/^[!-~]{1,1024}$/.test(symbol.name) || !/^[A-Za-z?]$/.test(symbol.type)) {
      skipped++;
      continue;
    }
    kept.push(symbol);
    nameLength += symbol.name.length;
  }
  const moduleNames = [...new Set(kept.flatMap((symbol) => symbol.module ?? []))].slice(0, COLUMN_MODULES_MAX);
  const moduleIndex = new Map(moduleNames.map((name, i) => [name, i + 1]));
  const columns = allocateColumns(kept.length, new Uint8Array(nameLength));
  let end = 0;
  for (const [i, symbol] of kept.entries()) {
    columns.addresses[i] = BigInt.asUintN(64, symbol.address);
    columns.types[i] = symbol.type.charCodeAt(0);
    columns.modules[i] = symbol.module === undefined ? 0 : (moduleIndex.get(symbol.module) ?? 0);
    columns.nameStarts[i] = end;
    columns.nameLengths[i] = symbol.name.length;
    for (let k = 0; k < symbol.name.length; k++) columns.nameBytes[end++] = symbol.name.charCodeAt(k);
  }
  return { ...columns, count: kept.length, moduleNames, skipped };
}

/** One after the other: vmlinux's symbols and those of each module, read apart. */
export function concatColumns(parts: readonly SymbolColumns[]): SymbolColumns {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined) return first;
  const nameLength = parts.reduce((sum, part) => sum + part.nameBytes.length, 0);
  const count = parts.reduce((sum, part) => sum + part.count, 0);
  const whole = allocateColumns(count, new Uint8Array(nameLength));
  const moduleIndex = new Map<string, number>();
  let at = 0;
  let nameAt = 0;
  for (const part of parts) {
    whole.addresses.set(part.addresses.subarray(0, part.count), at);
    whole.types.set(part.types.subarray(0, part.count), at);
    whole.nameLengths.set(part.nameLengths.subarray(0, part.count), at);
    whole.nameBytes.set(part.nameBytes, nameAt);
    const indexes = part.moduleNames.map((name) => internModule(moduleIndex, name));
    for (let i = 0; i < part.count; i++) {
      whole.nameStarts[at + i] = (part.nameStarts[i] as number) + nameAt;
      const module = part.modules[i] as number;
      whole.modules[at + i] = module === 0 ? 0 : (indexes[module - 1] as number);
    }
    at += part.count;
    nameAt += part.nameBytes.length;
  }
  const skipped = parts.reduce((sum, part) => sum + part.skipped, 0);
  return { ...whole, count, moduleNames: [...moduleIndex.keys()], skipped };
}

/** The 1-based index of a module's name, entered when new; 0, vmlinux's, once there are more than can be told apart. */
export function internModule(indexes: Map<string, number>, name: string): number {
  const known = indexes.get(name);
  if (known !== undefined) return known;
  if (indexes.size >= COLUMN_MODULES_MAX) return 0;
  indexes.set(name, indexes.size + 1);
  return indexes.size;
}

/** Empty columns with room for `capacity` symbols. */
export function allocateColumns(
  capacity: number,
  nameBytes: Uint8Array,
): Omit<SymbolColumns, 'count' | 'moduleNames' | 'skipped'> {
  return {
    addresses: new BigUint64Array(capacity),
    types: new Uint8Array(capacity),
    nameBytes,
    nameStarts: new Uint32Array(capacity),
    nameLengths: new Uint16Array(capacity),
    modules: new Uint16Array(capacity),
  };
}
