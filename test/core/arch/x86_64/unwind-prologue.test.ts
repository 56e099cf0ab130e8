import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endsWithIndirectCall } from '../../../../src/core/arch/x86_64/scan.ts';
import { readPrologue } from '../../../../src/core/arch/x86_64/unwind-prologue.ts';

const hex = (text: string) => Uint8Array.from(text.split(/\s+/), (pair) => Number.parseInt(pair, 16));

describe('prologues', () => {
  test.each([
    [
      'kthreadd of 6.12: moves between pushes, a call of __fentry__',
      'f3 0f 1e fa e8 87 88 f9 ff 41 57 31 d2 48 c7 c6 06 f0 46 82 41 56 41 55 41 54 55 53 48 83 ec 58 c3',
      ['r15', 'r14', 'r13', 'r12', 'bp', 'bx'],
      8 + 6 * 8 + 0x58,
    ],
    ['a nop where __fentry__ was', '0f 1f 44 00 00 41 54 53 c3', ['r12', 'bx'], 24],
    [
      'watchdog of 6.12: movabs',
      '41 54 49 bc ff ff ff ff ff ff ff 7f 55 53 48 83 ec 30 65 48 8b 04 25 28 00 00 00 cc',
      ['r12', 'bp', 'bx'],
      8 + 24 + 0x30,
    ],
    ['a frame pointer', '55 48 89 e5 41 57 53 48 81 ec 00 01 00 00 c3', ['bp', 'r15', 'bx'], 8 + 24 + 0x100],
    ['a scratch push keeps its place', '50 53 c3', ['bx'], 24],
    ['loads and zero extensions', '53 48 8b 5f 18 0f b6 c0 66 90 55 c3', ['bx', 'bp'], 24],
    ['a realigned stack ends it', '4c 8d 54 24 08 48 83 e4 f0 41 ff 72 f8 55', [], 8],
    ['a call after the start ends it', '53 e8 00 00 00 00 55', ['bx'], 16],
    ['a move to the stack pointer ends it', '53 48 89 c4 55', ['bx'], 16],
    ['a load of the stack pointer ends it', '53 48 8b 23 55', ['bx'], 16],
  ])('%s', (_what, bytes, registers, depth) => {
    const prologue = readPrologue(hex(bytes), 1000);
    expect(prologue.saved.map(({ register }) => register)).toEqual(registers);
    expect(prologue.depth).toBe(depth);
  });

  test('registers lie below the CFA in order of their pushes', () => {
    expect(readPrologue(hex('50 41 57 53'), 100).saved).toEqual([
      { register: 'r15', below: 24 },
      { register: 'bx', below: 32 },
    ]);
  });

  test('what lies behind the frame has not been executed', () => {
    const bytes = hex('41 57 41 56 53');
    expect(readPrologue(bytes, 4).saved).toHaveLength(2);
    expect(readPrologue(bytes, 3).saved).toHaveLength(1);
    expect(readPrologue(bytes, 0)).toEqual({ saved: [], depth: 8 });
  });

  test('any bytes are read to an end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(200), (bytes, executed) => {
        expect(readPrologue(bytes, executed).saved.length).toBeLessThanOrEqual(64);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('an address follows an indirect call', () => {
  test.each([
    ['e8 01 02 03 04', false],
    ['ff d0', true],
    ['41 ff d3', true],
    ['ff 50 08', true],
    ['ff 54 24 08', true],
    ['ff 14 25 00 00 00 81', true],
    ['ff 15 00 00 00 00', true],
    ['ff 90 00 01 00 00', true],
    ['ff 94 24 00 01 00 00', true],
    ['ff e0', false],
    ['ff 10 90', false],
    ['e9 01 02 03 04', false],
    ['90 90 90 90 90 90 90', false],
    ['', false],
  ])('%s: %s', (bytes, expected) => {
    expect(endsWithIndirectCall(bytes === '' ? new Uint8Array(0) : hex(bytes))).toBe(expected);
  });
});
