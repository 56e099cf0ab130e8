import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readSwitch } from '../../../../src/core/arch/x86_64/syscall-switch.ts';
import { SWITCH_START, switchCode } from '../../../support/syscall-switch.ts';

const at = (offset: bigint) => SWITCH_START + offset;
const TARGETS = { none: at(0x9000n), first: at(-0x100n), third: at(0x8200n), last: at(0x1_9300n) };
const called = (code: Uint8Array, numbers: readonly number[]) => numbers.map(readSwitch(code, SWITCH_START));

describe('a switch over the number of a system call', () => {
  test('is followed to what it calls', () => {
    const { none, first, third, last } = TARGETS;
    expect(called(switchCode(TARGETS), [0, 1, 2, 3, 4, 0x100, 0x101, 0xffff_ffff])).toEqual([
      ...[first, none, none, third, none],
      ...[last, none, none],
    ]);
  });

  test.each([
    ['a call of ftrace where a nop was', 4, 'e8 11 22 33 44'],
    ['the nop of a patched endbr64', 0, '66 0f 1f 00'],
    ['nops of one byte and with a displacement', 0, '90 66 90 0f 1f 40 00 66 90'],
  ])('begins with %s', (_what, at, bytes) => {
    const code = switchCode(TARGETS);
    code.set(
      bytes.split(' ').map((pair) => Number.parseInt(pair, 16)),
      at,
    );
    expect(called(code, [0, 3])).toEqual([TARGETS.first, TARGETS.third]);
  });

  test('tells nothing of code of another form', () => {
    const code = switchCode(TARGETS);
    expect(called(code.subarray(0, 22), [0])).toEqual([undefined]);
    expect(called(Uint8Array.of(0xff, 0x24, 0xf5), [0])).toEqual([undefined]);
    expect(called(Uint8Array.of(0x74, 0x00), [0]), 'a jump on flags that nothing set').toEqual([undefined]);
    expect(called(Uint8Array.of(0xeb, 0xfe), [0]), 'a loop').toEqual([undefined]);
    expect(called(new Uint8Array(), [0])).toEqual([undefined]);
  });

  test('may be anything', () => {
    const code = fc.array(fc.constantFrom(0x74, 0x0f, 0x87, 0x83, 0x81, 0xfe, 0xe9, 0xeb, 0x66, 0x90, 0x1f, 0xff), {
      maxLength: 80,
    });
    fc.assert(
      fc.property(code, fc.nat(500), (bytes, number) => {
        const [address] = called(Uint8Array.from(bytes), [number]);
        expect(['bigint', 'undefined']).toContain(typeof address);
      }),
      { numRuns: 2000 },
    );
  });
});
