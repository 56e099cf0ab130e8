import iced from 'iced-x86';
import { afterAll, describe, expect, it } from 'vitest';
import { createDisassembler } from '../../../../src/core/arch/x86_64/disassemble.ts';
import { callTargetBefore } from '../../../../src/core/arch/x86_64/disassemble-call.ts';
import {
  type CodeSource,
  disassembleCount,
  disassembleFrom,
  disassembleFunction,
  disassembleUntil,
  functionAt,
} from '../../../../src/core/arch/x86_64/disassemble-function.ts';
import { FaultError, NotFoundError } from '../../../../src/core/errors.ts';
import { Fault } from '../../../../src/core/memory/fault.ts';
import { symbolTableOf } from '../../../support/kallsyms-builder.ts';

const START = 0xffffffff81000000n;
/**
 * first: push, mov, call second, pop, ret, three int3; second: xor, ret, then padding up to the third; third: jmp to
 * the middle of first, and after it nothing is known.
 */
const CODE = bytesOf('554889e5e8070000005dc3ccccccccc3' + '31c0c30f1f8400000000006690909090' + 'ebe29090');
const symbols = symbolTableOf([
  { name: 'first', type: 'T', address: START },
  { name: 'second', type: 'T', address: START + 0x10n },
  { name: 'third', type: 't', address: START + 0x20n, module: 'lab' },
]);
const disassembler = createDisassembler(iced);
afterAll(() => disassembler.close());

/** Memory that has the code and nothing past it. */
const source: CodeSource = {
  disassembler,
  symbols,
  memory: {
    tryRead(address, length, what) {
      const from = Number(address - START);
      const mapped = from >= 0 && from + length <= 0x1000;
      if (!mapped) return new Fault({ space: 'virtual', address, length, what }, 'unmapped');
      const page = new Uint8Array(0x1000).fill(0x90);
      page.set(CODE);
      return page.subarray(from, from + length);
    },
  },
};

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

function lines(instructions: readonly { readonly address: bigint; readonly text: string }[]): string[] {
  return instructions.map(({ address, text }) => `${(address - START).toString(16)} ${text}`);
}

describe('a function', () => {
  it('reaches to the next address with a symbol', () => {
    expect(functionAt(symbols, START + 3n)).toMatchObject({ start: START, end: START + 0x10n });
    expect(functionAt(symbols, START - 1n)).toBeUndefined();
  });

  it('is listed whole, without the padding behind it', () => {
    expect(lines(disassembleFunction(source, symbols.get('second')))).toEqual(['10 xor    %eax,%eax', '12 ret']);
    expect(disassembleFunction(source, symbols.get('second'), { padding: true }).length).toBeGreaterThan(2);
    expect(lines(disassembleFunction(source, symbols.get('first')))).toEqual([
      '0 push   %rbp',
      '1 mov    %rsp,%rbp',
      '4 call   0xffffffff81000010 <second>',
      '9 pop    %rbp',
      'a ret',
      'b int3',
      'c int3',
      'd int3',
      'e int3',
      'f ret',
    ]);
  });

  it('is listed up to an address, which may be within an instruction', () => {
    const expected = ['0 push   %rbp', '1 mov    %rsp,%rbp', '4 call   0xffffffff81000010 <second>'];
    expect(lines(disassembleUntil(source, START + 4n))).toEqual(expected);
    expect(lines(disassembleUntil(source, START + 6n))).toEqual(expected);
    expect(lines(disassembleUntil(source, START + 4n, { count: 2 }))).toEqual(expected.slice(1));
    expect(lines(disassembleUntil(source, START))).toEqual(expected.slice(0, 1));
  });

  it('is listed from an address', () => {
    expect(lines(disassembleFrom(source, START + 9n)).slice(0, 2)).toEqual(['9 pop    %rbp', 'a ret']);
    expect(lines(disassembleFrom(source, START + 9n, { count: 1 }))).toEqual(['9 pop    %rbp']);
  });

  it('is listed as far as it can be read, when its end is not known', () => {
    const third = disassembleFunction(source, symbols.get('third'));
    expect(lines(third)).toEqual(['20 jmp    0xffffffff81000004 <first+0x4>']);
    expect(lines(disassembleFunction(source, symbols.get('third'), { radix: 10, padding: true })).at(-1)).toBe(
      'fff nop',
    );
  });

  it('is not found where no symbol is, and a fault where nothing is mapped', () => {
    expect(() => disassembleUntil(source, START - 0x100n)).toThrow(NotFoundError);
    expect(() => disassembleCount(source, START - 0x100n, 1)).toThrow(FaultError);
  });
});

describe('a number of instructions', () => {
  it('goes on over the end of a function', () => {
    expect(lines(disassembleCount(source, START + 0xan, 7))).toEqual([
      'a ret',
      'b int3',
      'c int3',
      'd int3',
      'e int3',
      'f ret',
      '10 xor    %eax,%eax',
    ]);
    expect(disassembleCount(source, START, 0)).toHaveLength(1);
  });

  it('ends where memory does', () => {
    expect(disassembleCount(source, START + 0xff0n, 1000)).toHaveLength(16);
  });

  it('is bounded', () => {
    expect(disassembleCount(source, START, Number.MAX_SAFE_INTEGER).length).toBeLessThanOrEqual(0x1000);
  });
});

describe('the call before a return address', () => {
  const pc = START + 0x100n;

  it.each([
    ['direct', '9090e8fbffffff', pc - 5n],
    ['behind a prefix', '902ee8fbffffff', pc - 5n],
    ['through a register', '4889e59090ffd0', undefined],
    ['through a high register', '4889e59041ffd3', undefined],
    ['through memory', '9090909090ff5018'.slice(-14), undefined],
    ['through memory by rip', '90ff15af28c301', undefined],
    ['through an array', 'ff14c500563c82', undefined],
    ['through an array whose bytes look direct', 'ff94e800010000', undefined],
  ])('%s', (_, hex, target) => {
    const isText = (address: bigint) => address === pc - 5n;
    expect(callTargetBefore(bytesOf(hex), pc, isText)).toEqual({ target });
  });

  it.each([
    ['a jump', '9090e9fbffffff'],
    ['a move', '4889e54889e590'],
    ['a direct call out of the text', '9090e8fbffff7f'],
    ['too few bytes', 'e8fbff'],
    ['none', ''],
  ])('is not %s', (_, hex) => {
    expect(callTargetBefore(bytesOf(hex), pc, (address) => address === pc - 5n)).toBeUndefined();
  });
});
