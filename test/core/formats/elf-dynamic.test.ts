import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { dynamicSymbolTable, parseDynamicImage } from '../../../src/core/formats/elf-dynamic.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

interface TestSymbol {
  readonly name: string;
  readonly value: number;
  readonly size: number;
  /** st_info: binding << 4 | type. */
  readonly info: number;
  readonly section?: number;
}

const SYMBOLS: readonly TestSymbol[] = [
  { name: '', value: 0, size: 0, info: 0, section: 0 },
  { name: 'clock_gettime', value: 0x8b0, size: 756, info: 0x22 },
  { name: '__vdso_clock_gettime', value: 0x8b0, size: 756, info: 0x12 },
  { name: 'LINUX_2.6', value: 0, size: 0, info: 0x11, section: 0xfff1 },
  { name: 'elsewhere', value: 0x10, size: 4, info: 0x12, section: 0 },
  { name: '__vdso_data', value: 0x800, size: 16, info: 0x11 },
];

const SEGMENTS_AT = 0x40;
const DYNAMIC_AT = 0x100;
const HASH_AT = 0x200;
const SYMBOLS_AT = 0x300;
const STRINGS_AT = 0x500;

/** An image whose addresses are its offsets and 0x1000; of either class, with either kind of hash table. */
function image(bits: 32 | 64, hash: 'sysv' | 'gnu'): Uint8Array {
  const bytes = new Uint8Array(0x600);
  const view = new DataView(bytes.buffer);
  const base = 0x1000;
  const wide = bits === 64;
  const word = (at: number, value: number): void =>
    wide ? view.setBigUint64(at, BigInt(value), true) : view.setUint32(at, value, true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, 1]);
  word(wide ? 32 : 28, SEGMENTS_AT);
  view.setUint16(wide ? 56 : 44, 2, true);
  const segment = (at: number, type: number, offset: number, length: number): void => {
    view.setUint32(at, type, true);
    word(at + (wide ? 8 : 4), offset);
    word(at + (wide ? 16 : 8), offset + base);
    word(at + (wide ? 32 : 16), length);
  };
  segment(SEGMENTS_AT, 1, 0, 0x600);
  segment(SEGMENTS_AT + (wide ? 56 : 32), 2, DYNAMIC_AT, 0x100);
  const strings = `\0${SYMBOLS.map(({ name }) => name).join('\0')}\0linux-vdso.so.1\0`;
  bytes.set(encodeText(strings), STRINGS_AT);
  const tags = [
    [hash === 'sysv' ? 4 : 0x6ffffef5, HASH_AT + base],
    [5, STRINGS_AT + base],
    [6, SYMBOLS_AT + base],
    [10, strings.length],
    [14, strings.indexOf('linux-vdso')],
    [0, 0],
  ] as const;
  const step = wide ? 8 : 4;
  for (const [i, [tag, value]] of tags.entries()) {
    word(DYNAMIC_AT + 2 * i * step, tag);
    word(DYNAMIC_AT + (2 * i + 1) * step, value);
  }
  const table =
    hash === 'sysv'
      ? [1, SYMBOLS.length, 1]
      : // One bucket, symbols from 1 on, one filter of a word, then hashes; the last ends its chain.
        [1, 1, 1, 0, ...(wide ? [0, 0] : [0]), 1, ...SYMBOLS.slice(2).map(() => 0x1234), 0x1235];
  for (const [i, value] of table.entries()) view.setUint32(HASH_AT + 4 * i, value, true);
  for (const [i, { name, value, size, info, section = 7 }] of SYMBOLS.entries()) {
    const at = SYMBOLS_AT + i * (wide ? 24 : 16);
    view.setUint32(at, name === '' ? 0 : strings.indexOf(`\0${name}\0`) + 1, true);
    word(at + (wide ? 8 : 4), value);
    word(at + (wide ? 16 : 8), size);
    view.setUint8(at + (wide ? 4 : 12), info);
    view.setUint16(at + (wide ? 6 : 14), section, true);
  }
  return bytes;
}

describe('dynamic symbols', () => {
  it.each(['sysv', 'gnu'] as const)('are a table by %s', (hash) => {
    const { symbols, strings } = dynamicSymbolTable(image(64, hash));
    expect(symbols).toHaveLength(24 * SYMBOLS.length);
    expect(strings.subarray(1, 9)).toEqual(encodeText('\0clock_g'));
  });

  it.each([
    [64, 'sysv'],
    [64, 'gnu'],
    [32, 'sysv'],
    [32, 'gnu'],
  ] as const)('of an image of %i bits with a %s hash table', (bits, hash) => {
    expect(parseDynamicImage(image(bits, hash))).toEqual({
      bits,
      soname: 'linux-vdso.so.1',
      symbols: [
        { name: '__vdso_data', offset: 0x800, size: 16, type: 'object', weak: false },
        { name: '__vdso_clock_gettime', offset: 0x8b0, size: 756, type: 'function', weak: false },
        { name: 'clock_gettime', offset: 0x8b0, size: 756, type: 'function', weak: true },
      ],
    });
  });

  it.each([
    ['nothing', new Uint8Array(0), /not a little-endian ELF/],
    ['an image without PT_DYNAMIC', image(64, 'gnu').fill(0, SEGMENTS_AT + 56, SEGMENTS_AT + 60), /no dynamic section/],
    ['one that is cut', image(64, 'gnu').subarray(0, SYMBOLS_AT), /past the end of its 768 bytes/],
    ['one without tags', image(32, 'sysv').fill(0, DYNAMIC_AT, HASH_AT), /does not say where/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseDynamicImage(bytes)).toThrow(message);
  });

  it('is bounded whatever the bytes are', () => {
    const random = seededRandom(20_261_121);
    const whole = [image(64, 'gnu'), image(32, 'sysv')];
    for (let i = 0; i < 10_000; i++) {
      try {
        expect(parseDynamicImage(mutate(whole[i % 2]!, random)).symbols.length).toBeLessThan(1 << 16);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }
  });
});
