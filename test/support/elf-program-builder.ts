/** Builds a small shared object: code that is loaded elsewhere than it is in the file, with tables of symbols. */
import { encodeText } from '../../src/core/memory/text.ts';
import { elfSymbol, joined } from './elf-builder.ts';

export interface TestProgramSymbol {
  readonly name: string;
  readonly value?: number;
  readonly size?: number;
  /** STT_*: 2, a function, unless given. */
  readonly type?: number;
  /** SHN_UNDEF with 0; 7 unless given. */
  readonly section?: number;
  readonly version?: string;
  /** Only who was linked long ago uses it. */
  readonly hidden?: true;
}

export interface TestProgram {
  readonly dynamic?: readonly TestProgramSymbol[];
  readonly all?: readonly TestProgramSymbol[];
  readonly needed?: readonly string[];
  /** e_type: 3, a shared object, unless given. */
  readonly type?: number;
  readonly sections?: false;
}

/** Where code is in the file, where it is loaded, and how much of it there is. */
export const CODE = { offset: 0x2000, address: 0x5000, length: 0x800 } as const;
const DATA = { offset: 0, address: 0, length: 0x2000 } as const;
const NUL = '\0';

/** A table of strings that gives each its place. */
class Strings {
  #text = NUL;

  place(text: string): number {
    const found = this.#text.indexOf(`${NUL}${text}${NUL}`);
    if (found >= 0) return found + 1;
    this.#text += `${text}${NUL}`;
    return this.#text.length - text.length - 1;
  }

  get bytes(): Uint8Array {
    return encodeText(this.#text);
  }
}

function words(size: 2 | 4 | 8, ...values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(size * values.length);
  for (const [i, value] of values.entries()) {
    for (let k = 0, rest = value; k < size; k++, rest = Math.floor(rest / 256)) bytes[i * size + k] = rest % 256;
  }
  return bytes;
}

function symbolTable(symbols: readonly TestProgramSymbol[], strings: Strings): Uint8Array {
  const all = symbols.map(({ name, value = 0, size = 0, type = 2, section = 7 }) => {
    const bytes = elfSymbol({ name: strings.place(name), info: 0x10 | type, section, value: BigInt(value) });
    bytes.set(words(8, size), 16);
    return bytes;
  });
  return joined(new Uint8Array(24), ...all);
}

export function programFile({ dynamic, all, needed = [], type = 3, sections: hasSections }: TestProgram): Uint8Array {
  const strings = new Strings();
  const own = new Strings();
  const versions = [...new Set((dynamic ?? []).flatMap(({ version }) => version ?? []))];
  const definitions = versions.map((name, i) => {
    const next = i === versions.length - 1 ? 0 : 28;
    return joined(words(2, 1, 0, i + 2, 1), words(4, 0, 20, next), words(4, strings.place(name), 0));
  });
  const versym = (dynamic ?? []).map(({ version, hidden }) =>
    words(2, (version === undefined ? 1 : versions.indexOf(version) + 2) | (hidden ? 0x8000 : 0)),
  );
  const tags = joined(...needed.map((name) => words(8, 1, strings.place(name))), words(8, 0, 0));
  const dynamicTable = symbolTable(dynamic ?? [], strings);
  const ownTable = symbolTable(all ?? [], own);
  // Each with the section that it is linked with: of the strings, the one before them.
  const parts: readonly { readonly type: number; readonly bytes: Uint8Array; readonly link?: number }[] = [
    { type: 0, bytes: new Uint8Array(0) },
    ...(dynamic === undefined
      ? []
      : [
          { type: 11, bytes: dynamicTable, link: 2 },
          { type: 3, bytes: strings.bytes },
          { type: 0x6fff_ffff, bytes: joined(words(2, 0), ...versym) },
          { type: 0x6fff_fffd, bytes: joined(...definitions) },
          { type: 6, bytes: tags },
        ]),
    ...(all === undefined
      ? []
      : [
          { type: 2, bytes: ownTable, link: dynamic === undefined ? 2 : 7 },
          { type: 3, bytes: own.bytes },
        ]),
  ];
  const bytes = new Uint8Array(CODE.offset + CODE.length + 64 * parts.length);
  const put = (at: number, ...all: readonly Uint8Array[]): void => bytes.set(joined(...all), at);
  put(0, Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1));
  put(16, words(2, type, 62));
  const sectionsAt = CODE.offset + CODE.length;
  put(32, words(8, 64, hasSections === false ? 0 : sectionsAt));
  put(54, words(2, 56, 2, 64, hasSections === false ? 0 : parts.length, 0));
  for (const [i, { offset, address, length }] of [DATA, CODE].entries()) {
    put(64 + 56 * i, words(4, 1, i === 0 ? 4 : 5), words(8, offset, address, address, length, length, 0x1000));
  }
  let at = 0x100;
  for (const [i, part] of parts.entries()) {
    put(at, part.bytes);
    put(sectionsAt + 64 * i, words(4, 0, part.type), words(8, 0, 0, at, part.bytes.length), words(4, part.link ?? 0));
    at += Math.ceil(part.bytes.length / 8) * 8;
  }
  if (at > CODE.offset) throw new Error('too many symbols for a test program');
  return bytes;
}
