import { describe, expect, test } from 'vitest';
import { Fault } from '../../../src/core/memory/fault.ts';
import { Memory } from '../../../src/core/memory/memory.ts';
import { textOf } from '../../../src/core/output/line.ts';
import { formatInline, formatMember, formatStruct, formatValue } from '../../../src/core/types/format-value.ts';
import type { FormatOptions } from '../../../src/core/types/printer.ts';
import { symboliser } from '../../../src/core/types/symbolise.ts';
import { type CompoundType, type CType, resolve, sizeOf, VOID } from '../../../src/core/types/type.ts';
import { Value, type ValueMemory } from '../../../src/core/types/value.ts';
import {
  BOOL,
  bytesValue,
  constant,
  DOUBLE,
  FLOAT,
  functionType,
  INT128,
  LIST_OF_TASKS,
  SCHAR,
  SHORT,
  signedEnum,
  typedef,
  withBits,
} from '../../support/c-types.ts';
import {
  arrayOf,
  CHAR,
  enumeration,
  FakeKernel,
  INT,
  LONG,
  pointerTo,
  struct,
  U8,
  U32,
  U64,
  union,
} from '../../support/fake-kernel.ts';

const fake = new FakeKernel();
/** Without a cache, so that a test may place things at any time. */
const memory: ValueMemory = {
  tryRead: (address, length, what) => new Memory(fake.memory, { liveness: 'frozen' }).tryRead(address, length, what),
};

function lines(value: Value, options?: FormatOptions): readonly string[] {
  return formatValue(value, options).map(textOf);
}

/** A value of some bytes, the rest zero, without an address. */
function of(type: CType, ...bytes: readonly number[]): Value {
  const all = new Uint8Array(sizeOf(type));
  all.set(bytes);
  return bytesValue(type, all);
}

function text(type: CType, bytes: string | readonly number[], options?: FormatOptions): string {
  const list = typeof bytes === 'string' ? [...bytes].map((character) => character.charCodeAt(0)) : bytes;
  return lines(of(type, ...list), options).join('\n');
}

const PLAIN = enumeration('plain', { PA: 0, PB: 5, PC: 6 });
const FLAGS = enumeration('flags', { FA: 1, FB: 2, FC: 4 });
const ZERO_FLAGS = enumeration('zero_flags', { Z0: 0, Z1: 1, Z2: 2 });
const PAIR = struct('pair', { x: INT, y: INT });

describe('scalars, as gdb prints them', () => {
  test.each<[CType, readonly number[], string, string]>([
    [INT, [0xf9, 0xff, 0xff, 0xff], '-7', '0xfffffff9'],
    [U32, [0xf9, 0xff, 0xff, 0xff], '4294967289', '0xfffffff9'],
    [SHORT, [0xfd, 0xff], '-3', '0xfffd'],
    [U64, Array(8).fill(0xff), '18446744073709551615', '0xffffffffffffffff'],
    [LONG, Array(8).fill(0xff), '-1', '0xffffffffffffffff'],
    [
      INT128,
      [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10],
      '1267650600228229401496703205381',
      '0x10000000000000000000000005',
    ],
    [CHAR, [0x61], "97 'a'", '0x61'],
    [SCHAR, [0xfe], "-2 '\\376'", '0xfe'],
    [U8, [200], "200 '\\310'", '0xc8'],
    [CHAR, [0x27], "39 '\\''", '0x27'],
    [CHAR, [0x22], "34 '\"'", '0x22'],
    [CHAR, [0x5c], "92 '\\\\'", '0x5c'],
    [BOOL, [1], 'true', 'true'],
    [BOOL, [0], 'false', 'false'],
    [BOOL, [7], '7', '0x7'],
    [PLAIN, [5], 'PB', 'PB'],
    [PLAIN, [3], '3', '0x3'],
    [FLAGS, [0], '0', '0x0'],
    [FLAGS, [1], 'FA', 'FA'],
    [FLAGS, [3], '(FA | FB)', '(FA | FB)'],
    [FLAGS, [9], '(FA | unknown: 0x8)', '(FA | unknown: 0x8)'],
    [FLAGS, [8], '(unknown: 0x8)', '(unknown: 0x8)'],
    [ZERO_FLAGS, [0], 'Z0', 'Z0'],
    [ZERO_FLAGS, [3], '(Z1 | Z2)', '(Z1 | Z2)'],
    [enumeration('many', { M1: 1, M3: 3, M8: 8 }), [9], '9', '0x9'],
    [signedEnum('neg', { NM: -1, N0: 0 }), [0xff, 0xff, 0xff, 0xff], 'NM', 'NM'],
    [signedEnum('neg', { NM: -1, N1: 1 }), [3], '3', '0x3'],
    [FLOAT, [0, 0, 0xc0, 0x3f], '1.5', '1.5'],
    [DOUBLE, [0, 0, 0, 0, 0, 0, 8, 0x40], '3', '3'],
    [pointerTo(VOID), [0x10], '(void *) 0x10', '(void *) 0x10'],
    [pointerTo(PAIR), [0], '(struct pair *) 0x0', '(struct pair *) 0x0'],
    [pointerTo(functionType(VOID, INT)), [0x10], '(void (*)(int)) 0x10', '(void (*)(int)) 0x10'],
    [typedef('pid_t', constant(INT)), [42], '42', '0x2a'],
  ])('%o %o', (type, bytes, decimal, hex) => {
    expect([text(type, bytes), text(type, bytes, { radix: 16 })]).toEqual([decimal, hex]);
  });
});

describe('char arrays, as gdb prints them', () => {
  test.each<[number, string, string]>([
    [16, 'swapper/0', '"swapper/0\\000\\000\\000\\000\\000\\000"'],
    [16, 'sh', `"sh", '\\000' <repeats 13 times>`],
    [4, 'abcd', '"abcd"'],
    [40, `${'a'.repeat(16)}bbbcc`, `'a' <repeats 16 times>, "bbbcc", '\\000' <repeats 18 times>`],
    [12, '\x01\xff\t"\'\\\x1b\x7f1', `"\\001\\377\\t\\"'\\\\\\033\\1771\\000\\000"`],
    [16, '', `'\\000' <repeats 15 times>`],
    [1, '', '""'],
    [16, 'ab\0cd\0\0\0ef', '"ab\\000cd\\000\\000\\000ef\\000\\000\\000\\000\\000"'],
    [12, 'x'.repeat(10), '"xxxxxxxxxx\\000"'],
    [12, 'x'.repeat(11), `'x' <repeats 11 times>`],
    [8, '\x07\b\n\v\f\r', '"\\a\\b\\n\\v\\f\\r\\000"'],
  ])('%i %o', (length, content, expected) => {
    expect(text(arrayOf(CHAR, length), content)).toBe(expected);
    // u8 arrays print the same, and hex does not change them.
    expect(text(arrayOf(U8, length), content, { radix: 16 })).toBe(expected);
  });

  test('are cut at print_max', () => {
    const long = 'abcdefghijklmnopqrstuvwxyz'.repeat(24);
    expect(text(arrayOf(CHAR, 624), long)).toBe(`"${long.slice(0, 256)}"...`);
    expect(text(arrayOf(CHAR, 624), long, { printMax: 4 })).toBe('"abcd"...');
    // A run is counted to its end and stands for ten characters.
    expect(text(arrayOf(CHAR, 600), '')).toBe(`'\\000' <repeats 599 times>`);
    expect(text(arrayOf(CHAR, 32), `${'a'.repeat(12)}bcd`, { printMax: 12 })).toBe(`'a' <repeats 12 times>, "bc"...`);
  });
});

describe('arrays, as gdb prints them', () => {
  const integers = (...values: readonly number[]) => values.flatMap((value) => [value & 0xff, value >> 8, 0, 0]);

  test.each<[CType, readonly number[], string]>([
    [arrayOf(INT, 5), integers(1, 2, 3, 4, 5), '{1, 2, 3, 4, 5}'],
    [arrayOf(INT, 20), [], '{0 <repeats 20 times>}'],
    [
      arrayOf(INT, 30),
      integers(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 3),
      '{1 <repeats 12 times>, 2, 2, 2, 3, 0 <repeats 14 times>}',
    ],
    [arrayOf(INT, 10), [], '{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}'],
    [arrayOf(arrayOf(INT, 3), 2), integers(1, 2, 3, 4, 5, 6), '{{1, 2, 3}, {4, 5, 6}}'],
    [arrayOf(arrayOf(INT, 2), 12), integers(1, 2), '{{1, 2}, {0, 0} <repeats 11 times>}'],
    [arrayOf(arrayOf(CHAR, 4), 12), [], '{"\\000\\000\\000" <repeats 12 times>}'],
    [arrayOf(BOOL, 3), [1], '{true, false, false}'],
    [arrayOf(pointerTo(VOID), 3), [0, 0, 0, 0, 0, 0, 0, 0, 8], '{0x0, 0x8, 0x0}'],
    [arrayOf(PAIR, 2), integers(1, 2, 3, 4), '{{\n    x = 1,\n    y = 2\n  }, {\n    x = 3,\n    y = 4\n  }}'],
    [
      arrayOf(PAIR, 12),
      integers(1, 1),
      '{{\n    x = 1,\n    y = 1\n  }, {\n    x = 0,\n    y = 0\n  } <repeats 11 times>}',
    ],
  ])('%o', (type, bytes, expected) => {
    expect(text(type, bytes)).toBe(expected);
  });

  test('are cut at print_max', () => {
    const sequence = integers(...Array.from({ length: 300 }, (_, i) => i));
    const shown = Array.from({ length: 256 }, (_, i) => i).join(', ');
    expect(text(arrayOf(INT, 300), sequence)).toBe(`{${shown}...}`);
    expect(text(arrayOf(INT, 300), sequence, { printMax: 3 })).toBe('{0, 1, 2...}');
    expect(text(arrayOf(INT, 600), [])).toBe('{0 <repeats 600 times>}');
  });

  test('without elements are where they begin', () => {
    const address = fake.allocate(16);
    fake.memory.write(address, Uint8Array.of(3, 0, 0, 0, 0x61, 0x62, 0));
    const flexible = struct('flexible', { n: INT, text: arrayOf(CHAR, 0), pairs: { type: arrayOf(PAIR, 0), at: 4 } });
    expect(lines(Value.at(memory, flexible, address))).toEqual([
      '{',
      '  n = 3,',
      `  text = 0x${(address + 4n).toString(16)} "ab",`,
      `  pairs = 0x${(address + 4n).toString(16)}`,
      '}',
    ]);
    expect(text(arrayOf(PAIR, 0), [])).toBe('{}');
  });
});

describe('structures', () => {
  const inner = union(undefined, { c: INT, d: FLOAT });
  const nested = struct(undefined, { b: SHORT, _anonymous1: inner });
  const OUTER = withBits(
    struct('outer', {
      a: INT,
      _anonymous1: nested,
      list: LIST_OF_TASKS,
      none: struct('none', {}),
      either: union('either', { word: U32, bytes: arrayOf(CHAR, 4) }),
      fn: pointerTo(functionType(VOID, INT)),
    }),
    { low: [U32, 384, 3], negative: [INT, 387, 3], yes: [BOOL, 390, 1], kind: [FLAGS, 391, 4] },
  );
  const type: CompoundType = { ...OUTER, size: 56 };

  test('nest, name and punctuate as gdb and crash do', () => {
    const bytes = new Uint8Array(56);
    bytes.set([1, 0, 0, 0, 0xfe, 0xff, 0, 0, 0, 0, 0x80, 0x3f]);
    bytes.set([0x40, 0, 0, 0, 0, 0x88, 0xff, 0xff], 16);
    bytes.set([0x44, 0x43, 0x42, 0x41], 32);
    bytes.set([0b1111_0101, 0b0000_0001], 48);
    expect(formatStruct(bytesValue(type, bytes)).map(textOf)).toEqual([
      'struct outer {',
      '  a = 1,',
      '  {',
      '    b = -2,',
      '    {',
      '      c = 1065353216,',
      '      d = 1',
      '    }',
      '  },',
      '  list = {',
      '    next = 0xffff880000000040,',
      '    prev = 0x0',
      '  },',
      '  none = {<No data fields>},',
      '  either = {',
      '    word = 1094861636,',
      '    bytes = "DCBA"',
      '  },',
      '  fn = 0x0,',
      '  low = 5,',
      '  negative = -2,',
      '  yes = true,',
      '  kind = (FA | FB)',
      '}',
    ]);
  });

  test('have a heading by struct, none by p, and their members in hex', () => {
    const value = of(type, 10);
    expect(lines(value)[0]).toBe('{');
    expect(formatStruct(of(union('u', { x: INT })))).toEqual([['union u {'], ['  x = 0'], ['}']]);
    expect(formatStruct(of(struct(undefined, { x: INT })))[0]).toEqual(['struct {']);
    expect(
      formatStruct(of(type, 10, 0, 0, 0, 0xfe, 0xff), { radix: 16 })
        .map(textOf)
        .slice(1, 4),
    ).toEqual(['  a = 0xa,', '  {', '    b = 0xfffe,']);
  });

  test('one member at a time, and on one line', () => {
    const value = of(type, 10);
    expect(formatMember('list', value.member('list')).map(textOf)).toEqual([
      '  list = {',
      '    next = 0x0,',
      '    prev = 0x0',
      '  },',
    ]);
    expect(formatMember('a', value.member('a')).map(textOf)).toEqual(['  a = 10,']);
    expect(formatInline(value.member('list'))).toBe('{next = 0x0, prev = 0x0}');
    expect(formatInline(of(arrayOf(PAIR, 2), 1))).toBe('{{x = 1, y = 0}, {x = 0, y = 0}}');
  });

  test('deeper than the limit are {...}', () => {
    expect(formatInline(of(type), { depthMax: 1 })).toContain('list = {...}');
    expect(formatInline(of(type), { depthMax: 2 })).toContain('{b = 0, {...}}');
  });

  test('that contain themselves without end are bounded', () => {
    const endless: CompoundType = {
      kind: 'struct',
      name: 'endless',
      size: 8,
      module: undefined,
      get members() {
        return [1, 2, 3].map((n) => ({ name: `m${n}`, type: endless, bitOffset: 0, bitSize: undefined }));
      },
    };
    const shown = lines(of(endless));
    expect(shown.length).toBeLessThan(500_000);
    expect(shown.some((line) => line.includes('...'))).toBe(true);
    const wide = arrayOf(arrayOf(arrayOf(arrayOf(SHORT, 200), 200), 200), 200);
    const text = lines(Value.at(zeroes(true), wide, 0x1_0000n)).join('');
    expect(text.length).toBeGreaterThan(1000);
    expect(text.length).toBeLessThan(5_000_000);
  });
});

/** Memory of nothing but zeroes, or of a pattern without runs. */
function zeroes(pattern = false): ValueMemory {
  return {
    tryRead(address, length) {
      const bytes = new Uint8Array(length);
      if (pattern) for (let i = 0; i < length; i++) bytes[i] = Number((address + BigInt(i)) & 0xffn) ^ i;
      return bytes;
    },
  };
}

describe('pointers', () => {
  const kernel = new FakeKernel();
  kernel.symbols.add('schedule', 0xffff_ffff_8100_1000n, 'T');
  kernel.symbols.add('jiffies', 0xffff_ffff_8200_0000n, 'D');
  kernel.symbols.list.push({
    name: 'init_task',
    address: 0xffff_ffff_8200_1000n,
    type: 'D',
    module: undefined,
    size: 0x100,
  });
  const symbolise = symboliser(kernel.symbols);
  const pointer = (type: CType, value: bigint) => Value.of(memory, pointerTo(type), value);

  test('name the symbol they point into', () => {
    const handler = functionType(INT, pointerTo(VOID));
    expect(lines(pointer(handler, 0xffff_ffff_8100_1010n), { symbolise })).toEqual([
      '(int (*)(void *)) 0xffffffff81001010 <schedule+0x10>',
    ]);
    expect(lines(pointer(PAIR, 0xffff_ffff_8200_1010n), { symbolise })).toEqual([
      '(struct pair *) 0xffffffff82001010 <init_task+0x10>',
    ]);
    expect(lines(pointer(PAIR, 0xffff_ffff_8200_0000n), { symbolise })).toEqual([
      '(struct pair *) 0xffffffff82000000 <jiffies>',
    ]);
    // Beyond the symbol, and in no symbol: no name.
    expect(lines(pointer(PAIR, 0xffff_ffff_8200_1100n), { symbolise })).toEqual(['(struct pair *) 0xffffffff82001100']);
    expect(lines(pointer(PAIR, 0xffff_8880_0000_0000n), { symbolise })).toEqual(['(struct pair *) 0xffff888000000000']);
    expect(lines(Value.at(memory, handler, 0xffff_ffff_8100_1000n), { symbolise })).toEqual([
      '{int (void *)} 0xffffffff81001000 <schedule>',
    ]);
  });

  test('remember what they stand for', () => {
    const [line] = formatValue(pointer(PAIR, 0xffff_ffff_8200_1010n), { symbolise });
    expect(line).toEqual([
      '(struct pair *) ',
      {
        text: '0xffffffff82001010',
        tone: 'address',
        ref: { kind: 'address', address: 0xffff_ffff_8200_1010n, type: 'struct pair' },
      },
      ' ',
      {
        text: '<init_task+0x10>',
        tone: 'symbol',
        ref: { kind: 'symbol', name: 'init_task', address: 0xffff_ffff_8200_1000n },
      },
    ]);
  });

  test('to characters show the string', () => {
    const at = fake.string('hi "there"\n');
    expect(lines(pointer(CHAR, at))).toEqual([`0x${at.toString(16)} "hi \\"there\\"\\n"`]);
    expect(lines(pointer(constant(U8), fake.string('')))).toEqual([expect.stringMatching(/^0x[0-9a-f]+ ""$/)]);
    expect(lines(pointer(CHAR, fake.string('a'.repeat(9) + 'b'.repeat(300))), { printMax: 12 })).toEqual([
      expect.stringMatching(/ "aaaaaaaaabbb"\.\.\.$/),
    ]);
    expect(lines(pointer(CHAR, 0n))).toEqual(['0x0']);
    expect(lines(pointer(CHAR, 0x10n))).toEqual([
      '0x10 <cannot read the string of char * (256 bytes at 0000000000000010): null pointer>',
    ]);
    const user: CType = { kind: 'qualified', qualifier: 'type_tag', tag: 'user', target: CHAR };
    expect(lines(pointer(user, 0x7fff_0000_1000n))).toEqual(['0x7fff00001000']);
  });
});

describe('memory that cannot be read', () => {
  const BIG = struct('big', {
    first: INT,
    pad: arrayOf(U64, 511),
    across: arrayOf(CHAR, 16),
    last: INT,
    numbers: arrayOf(INT, 3),
  });

  test('spoils only the members on its page', () => {
    const kernel = new FakeKernel();
    const address = kernel.allocate(8192, { page: true });
    kernel.set(BIG, address, 'first', 7);
    kernel.memory.fault(address + 4096n, 'not-recorded');
    const value = Value.at(new Memory(kernel.memory, { liveness: 'frozen' }), BIG, address);
    const at = (address + 4112n).toString(16);
    const across = (address + 4096n).toString(16);
    expect(formatStruct(value).map(textOf)).toEqual([
      'struct big {',
      '  first = 7,',
      '  pad = {0 <repeats 511 times>},',
      `  across = <cannot read big.across (16 bytes at ${across}): not recorded>,`,
      `  last = <cannot read big.last (4 bytes at ${at}): not recorded>,`,
      `  numbers = <cannot read big.numbers (12 bytes at ${(address + 4116n).toString(16)}): not recorded>`,
      '}',
    ]);
  });

  test('is one message for a structure on one page', () => {
    const value = Value.at(memory, PAIR, 0xffff_8880_7777_0000n);
    expect(formatStruct(value).map(textOf)).toEqual([
      'struct pair <cannot read pair (8 bytes at ffff888077770000): not mapped>',
    ]);
  });

  test('within an array counts as a run', () => {
    const kernel = new FakeKernel();
    const address = kernel.allocate(8192, { page: true });
    kernel.memory.fault(address + 4096n);
    const value = Value.at(new Memory(kernel.memory, { liveness: 'frozen' }), arrayOf(INT, 2048), address);
    const at = (address + 4096n).toString(16);
    expect(lines(value)).toEqual([
      `{0 <repeats 1024 times>, <cannot read int [2048][1024] (4 bytes at ${at}): not mapped> <repeats 1024 times>}`,
    ]);
  });

  test('a huge array is read no further than it is shown', () => {
    let read = 0;
    const counting: ValueMemory = {
      tryRead(_address, length) {
        read += length;
        return length > 1 << 20
          ? new Fault({ space: 'virtual', address: 0n, length, what: '' }, 'io')
          : new Uint8Array(length);
      },
    };
    const text = lines(Value.at(counting, arrayOf(CHAR, 1 << 30), 0x1000n))[0] as string;
    expect(text).toMatch(/^'\\000' <repeats \d+ times>\.\.\.$/);
    expect(read).toBeLessThan(10_000);
  });
});

describe('round trips', () => {
  test('a structure and the strings in it are two requests', () => {
    const kernel = new FakeKernel();
    const NAMED = struct('named', { a: pointerTo(CHAR), b: pointerTo(constant(CHAR)), c: arrayOf(pointerTo(CHAR), 2) });
    const strings = ['one', 'two', 'three', 'four'].map((each) => {
      kernel.allocate(4096, { page: true });
      return kernel.string(each);
    });
    kernel.allocate(4096, { page: true });
    const values = { a: strings[0], b: strings[1], 'c[0]': strings[2], 'c[1]': strings[3] } as Record<string, bigint>;
    const address = kernel.place(NAMED, values);
    const cold = new Memory(kernel.memory, { liveness: 'frozen' });
    const shown = formatStruct(Value.at(cold, NAMED, address))
      .map(textOf)
      .join('\n');
    expect(shown).toMatch(
      /a = 0x[0-9a-f]+ "one",\n {2}b = 0x[0-9a-f]+ "two",\n {2}c = {0x[0-9a-f]+ "three", 0x[0-9a-f]+ "four"}/,
    );
    expect(cold.requests).toBe(2);
  });

  test('printing a scalar reads it once', () => {
    const cold = new Memory(fake.memory, { liveness: 'frozen' });
    formatValue(Value.at(cold, INT, fake.place(PAIR, { x: 1 })));
    expect(cold.requests).toBe(1);
    expect(resolve(INT).kind).toBe('int');
  });
});
