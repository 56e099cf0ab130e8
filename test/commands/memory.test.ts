import { describe, expect, it } from 'vitest';
import { FakeKernel } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';

const PAGE = 0xffff_8880_0200_0000n;
const hex = (address: bigint) => address.toString(16);

/** One page of the bytes 0, 1, ... 255, 0, ...; text at 0x800; nothing behind it. */
function planted() {
  const fake = new FakeKernel();
  fake.memory.write(
    PAGE,
    Uint8Array.from({ length: 4096 }, (_, i) => i),
  );
  fake.memory.write(PAGE + 0x800n, new TextEncoder().encode(`${'kernel '.repeat(10)}\0`));
  fake.memory.write(PAGE + 0xf00n, new Uint8Array(256).fill(0x41));
  fake.memory.write(0xffff_ffff_8100_0000n, new Uint8Array(64));
  fake.symbols.add('some_function', 0xffff_ffff_8100_0000n, 'T');
  fake.symbols.add('a_place', PAGE);
  fake.memory.u64(PAGE + 0x100n, 0xffff_ffff_8100_0010n);
  return fakeSession(fake);
}

describe('rd', () => {
  const session = planted();
  const at = (offset: number) => hex(PAGE + BigInt(offset));

  it.each([
    [`rd ${at(0)}`, [`${at(0)}:  0706050403020100                    ........`]],
    ['rd a_place', [`${at(0)}:  0706050403020100                    ........`]],
    [`rd ${at(0x40)} 2`, [`${at(0x40)}:  4746454443424140 4f4e4d4c4b4a4948   @ABCDEFGHIJKLMNO`]],
    [`rd -32 ${at(0x40)} 2`, [`${at(0x40)}:  43424140 47464544                     @ABCDEFG`]],
    [`rd -16 ${at(0x40)} 2`, [`${at(0x40)}:  4140 4342                                 @ABC`]],
    [`rd -8 ${at(0x40)} 3`, [`${at(0x40)}:  40 41 42                                          @AB`]],
    [`rd -N -32 ${at(0x40)}`, [`${at(0x40)}:  40414243                              @ABC`]],
    [`rd -x ${at(0x40)} 2`, [`${at(0x40)}:  4746454443424140 4f4e4d4c4b4a4948`]],
    [`rd -D -8 ${at(0xfe)}`, [`${at(0xfe)}:   254`]],
    [`rd -d -8 ${at(0xfe)}`, [`${at(0xfe)}:    -2`]],
    [`rd -o 40 ${at(0)} 1`, [`${at(0x28)}:  2f2e2d2c2b2a2928                    ()*+,-./`]],
    [`rd -R ${at(0x48)} 2`, [`${at(0x40)}:  4746454443424140 4f4e4d4c4b4a4948   @ABCDEFGHIJKLMNO`]],
    [`rd -e ${at(0x50)} ${at(0x40)}`, [`${at(0x40)}:  4746454443424140 4f4e4d4c4b4a4948   @ABCDEFGHIJKLMNO`]],
    [`rd -s ${at(0x100)} 1`, [`${at(0x100)}:  some_function+0x10`]],
    [`rd -SS ${at(0x100)} 1`, [`${at(0x100)}:  some_function+0x10`]],
    [
      `rd -a ${at(0x800)}`,
      [
        `${at(0x800)}:  ${'kernel '.repeat(10).slice(0, 60)}`,
        `${at(0x83c)}:  ${'kernel '.repeat(10).slice(60).trimEnd()}`,
      ],
    ],
    [`rd -a ${at(0x800)} 6`, [`${at(0x800)}:  kernel`]],
  ])('%s', (line, expected) => {
    expect(session.lines(line)).toEqual(expected);
  });

  it('gives words and text as JSON', () => {
    expect(session.json(`rd -32 ${at(0x40)} 2`).rows).toEqual([
      { address: `0x${at(0x40)}`, words: ['0x43424140', '0x47464544'], ascii: '@ABCDEFG' },
    ]);
  });

  it('shows what can be read before a fault, in whole words wherever it starts', () => {
    const answer = session.json(`rd ${at(0xff5)} 4`);
    expect(answer.rows).toMatchObject([{ address: `0x${at(0xff5)}`, words: ['0x4141414141414141'] }]);
    expect(answer).toMatchObject({ status: 1, error: expect.stringContaining('cannot read') });
    const text = session.json(`rd -a ${at(0xf80)}`);
    expect(text.rows).toMatchObject([{ text: 'A'.repeat(128) }]);
    expect(text.error).toMatch(/cannot read/);
    expect(session.json('rd 8').error).toMatch(/cannot read/);
  });

  it('says what is wrong with its arguments', () => {
    expect(session.json('rd').error).toMatch(/wants an ADDRESS/);
    expect(session.json(`rd -e ${at(0)} ${at(8)}`).error).toMatch(/not above/);
    expect(session.json(`rd ${at(0)} 0`).error).toMatch(/0 bytes/);
    expect(session.json(`rd ${at(0)} 99999999999`).error).toMatch(/are not to be shown/);
    expect(session.json('rd no_such').error).toMatch(/no_such/);
  });
});

describe('eval', () => {
  const session = planted();

  it.each([
    ['10', '0xa'],
    ['0x10', '0x10'],
    ['ff', '0xff'],
    ['128m', '0x8000000'],
    ['1 << 12', '0x1000'],
    ['(1 << 12) - 1', '0xfff'],
    ['-1', '0xffffffffffffffff'],
    ['~0 & 0xff', '0xff'],
    ['some_function', '0xffffffff81000000'],
    ['some_function + 0x10', '0xffffffff81000010'],
  ])('%s', (expression, value) => {
    expect(session.json(`eval ${expression}`).rows).toMatchObject([{ value }]);
  });

  it('shows all bases and bits', () => {
    expect(session.lines('eval -b 4096')).toEqual([
      'hexadecimal: 1000  (4KB)',
      '    decimal: 4096',
      '      octal: 10000',
      `     binary: ${'1'.padEnd(13, '0').padStart(64, '0')}`,
      '   bits set: 12',
    ]);
    expect(session.json('eval').error).toMatch(/wants an expression/);
    expect(session.json('eval 1 / 0').error).toMatch(/division by zero/);
  });
});
