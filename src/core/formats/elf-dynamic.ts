/**
 * The dynamic symbols of an ELF image: what a shared object offers. 64- and 32-bit, little-endian (System V ABI, chapter
 * 5). The program header PT_DYNAMIC leads to tags with the addresses of the symbols and of their strings; how many there
 * are only the hash tables tell: DT_HASH has it as the number of its chains, in DT_GNU_HASH the chain that starts last
 * must be walked to its end. All addresses are the image's own, and become places in the file by PT_LOAD.
 */
import { DataError } from '../errors.ts';
import { decodeCString } from '../memory/text.ts';
import { PT_LOAD } from './elf.ts';

const PT_DYNAMIC = 2;
const DT_HASH = 4;
const DT_STRTAB = 5;
const DT_SYMTAB = 6;
const DT_STRSZ = 10;
const DT_SONAME = 14;
const DT_GNU_HASH = 0x6fff_fef5;
const SEGMENTS_MAX = 256;
const TAGS_MAX = 1024;
const SYMBOLS_MAX = 1 << 16;
const NAME_MAX = 512;

export interface DynamicSymbol {
  readonly name: string;
  /** From the start of the image. */
  readonly offset: number;
  /** Bytes. */
  readonly size: number;
  readonly type: 'function' | 'object' | 'other';
  readonly weak: boolean;
}

export interface DynamicImage {
  readonly bits: 32 | 64;
  /** `linux-vdso.so.1`; undefined where it does not say. */
  readonly soname: string | undefined;
  /** Those that are defined, by address, a strong one before its weak aliases. */
  readonly symbols: readonly DynamicSymbol[];
}

/** How the two classes are laid out. */
interface Layout {
  readonly bits: 32 | 64;
  readonly segments: { readonly at: number; readonly size: number; readonly count: number };
  readonly segment: { readonly offset: number; readonly address: number; readonly length: number };
  readonly tagSize: number;
  readonly symbol: { readonly size: number; readonly value: number; readonly length: number; readonly info: number };
  word(at: number): number;
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly length: number;
}

/** Throws DataError for what is no such image, or points outside of itself. */
export function parseDynamicImage(bytes: Uint8Array): DynamicImage {
  const image = new Image(bytes);
  const tags = image.tags();
  const strings = image.strings(tags);
  const nameAt = (at: number): string =>
    at < strings.length ? decodeCString(strings, at, Math.min(strings.length, at + NAME_MAX)) : '';
  const soname = tags.get(DT_SONAME);
  const symbols = image.symbols(tags, nameAt);
  return {
    bits: image.layout.bits,
    soname: soname === undefined ? undefined : nameAt(soname),
    symbols: symbols.sort((a, b) => a.offset - b.offset || Number(a.weak) - Number(b.weak)),
  };
}

/** The tables themselves, of a 64-bit image: Elf64_Sym after Elf64_Sym, and their strings. Throws DataError. */
export function dynamicSymbolTable(bytes: Uint8Array): { readonly symbols: Uint8Array; readonly strings: Uint8Array } {
  const image = new Image(bytes);
  const tags = image.tags();
  return { symbols: image.symbolTable(tags), strings: image.strings(tags) };
}

class Image {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #segments: readonly Segment[];
  readonly layout: Layout;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.layout = layoutOf(this.#view);
    const { segments, segment } = this.layout;
    if (segments.count > SEGMENTS_MAX) throw new DataError(`ELF image with ${segments.count} program headers`);
    this.#segments = Array.from({ length: segments.count }, (_, i) => {
      const at = segments.at + i * segments.size;
      this.#require(at, segments.size, 'a program header');
      return {
        type: this.#view.getUint32(at, true),
        offset: this.layout.word(at + segment.offset),
        address: this.layout.word(at + segment.address),
        length: this.layout.word(at + segment.length),
      };
    });
  }

  /** DT_* to value. */
  tags(): ReadonlyMap<number, number> {
    const dynamic = this.#segments.find(({ type }) => type === PT_DYNAMIC);
    if (dynamic === undefined) throw new DataError('the ELF image has no dynamic section: it offers no symbols');
    const { tagSize, word } = this.layout;
    const tags = new Map<number, number>();
    const count = Math.min(Math.floor(dynamic.length / tagSize), TAGS_MAX);
    for (let i = 0; i < count; i++) {
      const at = dynamic.offset + i * tagSize;
      this.#require(at, tagSize, 'the dynamic section');
      const tag = this.#view.getUint32(at, true);
      if (tag === 0) break;
      tags.set(tag, word(at + tagSize / 2));
    }
    return tags;
  }

  strings(tags: ReadonlyMap<number, number>): Uint8Array {
    const at = this.#place(tags.get(DT_STRTAB), 'strings');
    const length = tags.get(DT_STRSZ) ?? 0;
    this.#require(at, length, 'the strings');
    return this.#bytes.subarray(at, at + length);
  }

  symbolTable(tags: ReadonlyMap<number, number>): Uint8Array {
    const table = this.#place(tags.get(DT_SYMTAB), 'symbols');
    const length = this.#countSymbols(tags) * this.layout.symbol.size;
    this.#require(table, length, 'the symbols');
    return this.#bytes.subarray(table, table + length);
  }

  symbols(tags: ReadonlyMap<number, number>, nameAt: (at: number) => string): DynamicSymbol[] {
    const table = this.symbolTable(tags);
    const { symbol, word } = this.layout;
    const found: DynamicSymbol[] = [];
    for (let i = 0; i * symbol.size < table.length; i++) {
      const at = table.byteOffset - this.#bytes.byteOffset + i * symbol.size;
      const info = this.#view.getUint8(at + symbol.info);
      const name = nameAt(this.#view.getUint32(at, true));
      const isDefined = this.#view.getUint16(at + symbol.info + 2, true) !== 0;
      // Versions are absolute objects at 0.
      if (!isDefined || name === '' || word(at + symbol.value) === 0) continue;
      found.push({
        name,
        offset: word(at + symbol.value),
        size: word(at + symbol.length),
        type: (info & 15) === 2 ? 'function' : (info & 15) === 1 ? 'object' : 'other',
        weak: info >> 4 === 2,
      });
    }
    return found;
  }

  #countSymbols(tags: ReadonlyMap<number, number>): number {
    const hash = tags.get(DT_HASH);
    if (hash !== undefined) {
      const at = this.#place(hash, 'hash table');
      return bounded(this.#u32(at + 4));
    }
    const at = this.#place(tags.get(DT_GNU_HASH), 'hash table');
    const [buckets, first, filters] = [this.#u32(at), this.#u32(at + 4), this.#u32(at + 8)];
    const start = at + 16 + filters * (this.layout.bits / 8);
    let last = 0;
    for (let i = 0; i < bounded(buckets); i++) last = Math.max(last, this.#u32(start + i * 4));
    if (last < first) return bounded(first);
    const chains = start + buckets * 4;
    // The lowest bit of a hash ends its chain.
    while ((this.#u32(chains + (last - first) * 4) & 1) === 0) last = bounded(last + 1);
    return bounded(last + 1);
  }

  #u32(at: number): number {
    this.#require(at, 4, 'the hash table');
    return this.#view.getUint32(at, true);
  }

  /** Where in the file an address is. */
  #place(address: number | undefined, what: string): number {
    if (address === undefined) throw new DataError(`the ELF image does not say where its ${what} are`);
    const segment = this.#segments.find(
      (each) => each.type === PT_LOAD && address >= each.address && address < each.address + each.length,
    );
    if (segment === undefined) throw new DataError(`the ELF image has no ${what} at 0x${address.toString(16)}`);
    return address - segment.address + segment.offset;
  }

  #require(at: number, length: number, what: string): void {
    if (at + length > this.#bytes.length) {
      throw new DataError(`${what} of the ELF image: past the end of its ${this.#bytes.length} bytes`);
    }
  }
}

function layoutOf(view: DataView): Layout {
  if (view.byteLength < 64 || view.getUint32(0) !== 0x7f454c46 || view.getUint8(5) !== 1) {
    throw new DataError('not a little-endian ELF image');
  }
  if (view.getUint8(4) === 1) {
    const word = (at: number): number => view.getUint32(at, true);
    return {
      bits: 32,
      segments: { at: word(28), size: 32, count: view.getUint16(44, true) },
      segment: { offset: 4, address: 8, length: 16 },
      tagSize: 8,
      symbol: { size: 16, value: 4, length: 8, info: 12 },
      word,
    };
  }
  if (view.getUint8(4) !== 2) throw new DataError(`an ELF image of class ${view.getUint8(4)}`);
  // Whatever does not fit is past the end of any image.
  const word = (at: number): number => Math.min(Number(view.getBigUint64(at, true)), Number.MAX_SAFE_INTEGER / 4);
  return {
    bits: 64,
    segments: { at: word(32), size: 56, count: view.getUint16(56, true) },
    segment: { offset: 8, address: 16, length: 32 },
    tagSize: 16,
    symbol: { size: 24, value: 8, length: 16, info: 4 },
    word,
  };
}

function bounded(count: number): number {
  if (count > SYMBOLS_MAX) throw new DataError(`ELF image with ${count} dynamic symbols`);
  return count;
}
