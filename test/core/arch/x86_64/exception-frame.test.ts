import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlausible, searchExceptionFrames, userRegisters } from '../../../../src/core/arch/x86_64/exception-frame.ts';
import { INACTIVE_FRAME, inactiveStart } from '../../../../src/core/arch/x86_64/inactive-frame.ts';
import { decodePtRegs, isUserMode, PT_REGS_ORDER, PT_REGS_SIZE } from '../../../../src/core/arch/x86_64/registers.ts';
import { FakeStack, kernelRegisters, userModeRegisters } from '../../../support/fake-stack.ts';

const BASE = 0xffff_c900_0000_0000n;
const PC = 0xffff_ffff_8100_0010n;
const isText = (pc: bigint) => pc >= 0xffff_ffff_8100_0000n && pc < 0xffff_ffff_8200_0000n;

test('struct pt_regs is 21 words, those of the CPU last', () => {
  const bytes = new Uint8Array(PT_REGS_SIZE);
  for (let i = 0; i < 21; i++) bytes[i * 8] = i;
  const registers = decodePtRegs(bytes);
  expect(Object.keys(registers ?? {})).toEqual([...PT_REGS_ORDER]);
  expect(registers).toMatchObject({ r15: 0n, bp: 4n, di: 14n, orig_ax: 15n, ip: 16n, cs: 17n, sp: 19n, ss: 20n });
  expect(decodePtRegs(bytes, 1)).toBeUndefined();
  expect(decodePtRegs(bytes, -8)).toBeUndefined();
});

describe('saved registers are believed when all of it fits', () => {
  const kernel = kernelRegisters({ ip: PC, sp: BASE + 0x100n });
  const user = userModeRegisters();
  test.each([
    ['kernel mode', kernel, true],
    ['kernel mode, null stack segment', { ...kernel, ss: 0n }, true],
    ['kernel mode after a jump to NULL', { ...kernel, ip: 0n }, true],
    ['64-bit user mode', user, true],
    ['32-bit user mode', { ...user, cs: 0x23n }, true],
    ['event data of FRED above the selectors', { ...user, cs: 0x3_0033n, ss: 0x80a0_0000_0002_002bn }, true],
    ['pc outside text', { ...kernel, ip: BASE }, false],
    ['user sp in kernel mode', { ...kernel, sp: 0x7fff_0000n }, false],
    ['kernel pc in user mode', { ...user, ip: PC }, false],
    ['flag bit 1 clear', { ...kernel, flags: 0x244n }, false],
    ['reserved flag set', { ...kernel, flags: 0x8246n }, false],
    ['upper flags set', { ...kernel, flags: 0x1_0000_0246n }, false],
    ['wrong stack segment', { ...user, ss: 0x18n }, false],
    ['wrong code segment', { ...kernel, cs: 0x11n }, false],
  ])('%s: %o is %s', (_what, registers, expected) => {
    expect(isPlausible(registers, isText)).toBe(expected);
  });
});

test('a search finds each frame on a stack, and nothing in noise', () => {
  const stack = new FakeStack(BASE);
  stack.registers(BASE + 0x1000n, kernelRegisters({ ip: PC, sp: BASE + 0x1100n }));
  stack.registers(BASE + 0x3f58n, userModeRegisters());
  const found = searchExceptionFrames(stack.image, isText);
  expect(found.map(({ address, mode }) => [address, mode])).toEqual([
    [BASE + 0x1000n, 'kernel'],
    [BASE + 0x3f58n, 'user'],
  ]);
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 0, maxLength: 600 }), (bytes) => {
      const image = { stack: stack.stack, address: BASE + 4n, bytes };
      for (const frame of searchExceptionFrames(image, isText)) expect(frame.address & 7n).toBe(0n);
    }),
    { numRuns: 2000 },
  );
});

test('user registers are at the top of the stack, or 16 bytes below it with FRED', () => {
  const plain = new FakeStack(BASE).registers(BASE + 0x4000n - 168n, userModeRegisters());
  const fred = new FakeStack(BASE).registers(BASE + 0x4000n - 184n, userModeRegisters());
  expect(userRegisters(plain.image, isText)?.address).toBe(BASE + 0x3f58n);
  expect(userRegisters(fred.image, isText)?.address).toBe(BASE + 0x3f48n);
  expect(userRegisters(new FakeStack(BASE).image, isText)).toBeUndefined();
  expect(isUserMode(kernelRegisters({}))).toBe(false);
});

describe('the frame of a task that is not running', () => {
  const stack = new FakeStack(BASE);
  for (const [i, value] of [15n, 14n, 13n, 12n, 3n, 5n, PC].entries()) stack.word(BASE + BigInt(i * 8), value);

  test('gives pc, sp and the callee-saved registers', () => {
    expect(inactiveStart(BASE, stack.bytes, INACTIVE_FRAME, [])).toEqual({
      pc: PC,
      sp: BASE + 56n,
      slot: BASE + 48n,
      interrupted: false,
      registers: { r15: 15n, r14: 14n, r13: 13n, r12: 12n, bx: 3n, bp: 5n },
    });
  });

  test('says when the task never ran', () => {
    expect(inactiveStart(BASE, stack.bytes, INACTIVE_FRAME, [PC])?.interrupted).toBe(true);
  });

  test('is nothing when cut', () => {
    expect(inactiveStart(BASE, stack.bytes.subarray(0, 48), INACTIVE_FRAME, [])).toBeUndefined();
  });
});
