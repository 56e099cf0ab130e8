import iced from 'iced-x86';
import { afterAll, describe, expect, it } from 'vitest';
import { createDisassembler, type DecodeOptions } from '../../../../src/core/arch/x86_64/disassemble.ts';
import { mutate, seededRandom } from '../../../support/mutations.ts';
import { OBJDUMP_LISTING } from './objdump-listing.ts';

const START = 0xffffffff81000000n;
const disassembler = createDisassembler(iced);
afterAll(() => disassembler.close());

const LISTING = OBJDUMP_LISTING.trim()
  .split('\n')
  .map((line) => {
    const [, address, hex, text] = /^(\S+) {2}(\S+) +(\S.*)$/.exec(line) as unknown as [string, string, string, string];
    return { address: BigInt(`0x${address}`), bytes: bytesOf(hex), text };
  });

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function texts(hex: string, options?: DecodeOptions): string[] {
  return disassembler.decode(bytesOf(hex), START, options).map((instruction) => instruction.text);
}

describe('AT&T text', () => {
  it.each(LISTING)('$text', ({ address, bytes, text }) => {
    expect(disassembler.decode(bytes, address).map((instruction) => instruction.text)).toEqual([text]);
  });

  it('is the same when all instructions follow each other', () => {
    const linked = LISTING.slice(0, -1);
    const bytes = Uint8Array.from(linked.flatMap((line) => [...line.bytes]));
    const decoded = disassembler.decode(bytes, START);
    expect(decoded.map(({ address, text }) => ({ address, text }))).toEqual(
      linked.map(({ address, text }) => ({ address, text })),
    );
  });
});

describe('Intel text', () => {
  it.each([
    ['4889e5', 'mov    rbp,rsp'],
    ['488b0dd4120000', 'mov    rcx,[rip+0x12d4]        # 0xffffffff810012db'],
    ['e8fb0f0000', 'call   0xffffffff81001000'],
    ['65488b3c25c0fb0100', 'mov    rdi,gs:[0x1fbc0]'],
  ])('%s', (hex, text) => {
    expect(texts(hex, { syntax: 'intel' })).toEqual([text]);
  });
});

describe('targets', () => {
  const symbolise: DecodeOptions['symbolise'] = (address, kind) =>
    kind === 'memory' && address < 0x1000n ? undefined : `sym_${kind}`;

  it.each([
    ['a call', 'e8fb0f0000', 0xffffffff81001000n, 'call', 'call   0xffffffff81001000 <sym_call>'],
    ['a jump', 'eb0e', 0xffffffff81000010n, 'jump', 'jmp    0xffffffff81000010 <sym_jump>'],
    ['a condition', '740e', 0xffffffff81000010n, 'jump', 'je     0xffffffff81000010 <sym_jump>'],
    [
      'memory by rip',
      '488b0dd4120000',
      0xffffffff810012dbn,
      'memory',
      'mov    0x12d4(%rip),%rcx        # 0xffffffff810012db <sym_memory>',
    ],
    [
      'an array',
      '488b14c500563c82',
      0xffffffff823c5600n,
      'memory',
      'mov    -0x7dc3aa00(,%rax,8),%rdx        # 0xffffffff823c5600 <sym_memory>',
    ],
    [
      'a per-CPU variable',
      '65488b3c25c0fb0100',
      0x1fbc0n,
      'memory',
      'mov    %gs:0x1fbc0,%rdi        # 0x1fbc0 <sym_memory>',
    ],
    [
      'a constant',
      '48c7c7401ce582',
      0xffffffff82e51c40n,
      'value',
      'mov    $0xffffffff82e51c40,%rdi        # 0xffffffff82e51c40 <sym_value>',
    ],
    [
      'a call through memory',
      'ff15af28c301',
      0xffffffff82c328b5n,
      'memory',
      'call   *0x1c328af(%rip)        # 0xffffffff82c328b5 <sym_memory>',
    ],
  ])('of %s are given and named', (_, hex, address, kind, text) => {
    const [instruction] = disassembler.decode(bytesOf(hex), START, { symbolise });
    expect(instruction).toMatchObject({ target: { address, kind }, text });
  });

  it.each([
    ['a small displacement', '488b4718'],
    ['a negative displacement', '488b45f8'],
    ['a small constant', '48c7c710000000'],
    ['a negative constant', '4883e4f0'],
    ['an error number', '48c7c0eaffffff'],
    ['a register', 'ffd0'],
  ])('are not seen in %s', (_, hex) => {
    expect(disassembler.decode(bytesOf(hex), START)[0]?.target).toBeUndefined();
  });

  it('are shown without a name where no symbol is', () => {
    expect(texts('65488b042528000000', { symbolise })).toEqual(['mov    %gs:0x28,%rax']);
    expect(texts('488b0dd4120000', { symbolise: () => undefined })).toEqual([
      'mov    0x12d4(%rip),%rcx        # 0xffffffff810012db',
    ]);
  });
});

describe('decoding', () => {
  it('tells calls, branches, returns and padding apart', () => {
    const flags = (hex: string) => {
      const [one] = disassembler.decode(bytesOf(hex), START);
      return [one?.isCall && 'call', one?.isBranch && 'branch', one?.isReturn && 'return', one?.isPadding && 'padding']
        .filter((flag) => flag)
        .join();
    };
    expect(['e800000000', 'ffd0', 'ff5018'].map(flags)).toEqual(['call', 'call', 'call']);
    expect(['eb00', '7400', 'ffe0', 'e900000000'].map(flags)).toEqual(['branch', 'branch', 'branch', 'branch']);
    expect(['c3', '48cf', 'cb', '480f07'].map(flags)).toEqual(['return', 'return', 'return', 'return']);
    expect(['90', 'cc', '6690', '0f1f00', '662e0f1f840000000000'].map(flags)).toEqual(Array(5).fill('padding'));
    expect(['4889e5', '0f05', '0f0b', '4887c3'].map(flags)).toEqual(['', '', '', '']);
  });

  it('goes on a byte after one that begins nothing', () => {
    expect(texts('06c3')).toEqual(['(bad)', 'ret']);
    expect(texts('0f')).toEqual(['(bad)']);
    expect(texts('e8fb0f')).toEqual(['(bad)', 'sti', '(bad)']);
  });

  it('stops at a count and at an address', () => {
    expect(texts('90909090', { limit: 2 })).toHaveLength(2);
    expect(texts('90909090', { end: START + 3n })).toHaveLength(3);
    expect(texts('4889e590', { end: START + 1n })).toEqual(['mov    %rsp,%rbp']);
    expect(texts('')).toEqual([]);
  });

  it('passes over the data behind ud2 when told', () => {
    expect(texts('0f0b34129090')).toEqual(['ud2', 'xor    $0x12,%al', 'nop', 'nop']);
    const passed = disassembler.decode(bytesOf('0f0b34129090'), START, { bytesAfterUd2: 2 });
    expect(passed.map(({ address, text }) => `${address - START} ${text}`)).toEqual(['0 ud2', '4 nop', '5 nop']);
  });

  it('addresses at the end of the address space', () => {
    const [jump] = disassembler.decode(bytesOf('eb10'), 0xfffffffffffffff0n);
    expect(jump?.target?.address).toBe(2n);
  });

  it('covers any bytes: 10,000 damaged pieces of code', () => {
    const code = Uint8Array.from(LISTING.flatMap((line) => [...line.bytes]));
    const random = seededRandom(8);
    for (let i = 0; i < 10_000; i++) {
      const at = Math.floor(random() * (code.length - 48));
      const bytes = mutate(code.subarray(at, at + 48), random);
      let place = START;
      for (const instruction of disassembler.decode(bytes, START, { symbolise: () => 'x' })) {
        expect(instruction.address).toBe(place);
        expect(instruction.text).not.toBe('');
        place += BigInt(instruction.length);
      }
      expect(place).toBe(START + BigInt(bytes.length));
    }
  });
});
