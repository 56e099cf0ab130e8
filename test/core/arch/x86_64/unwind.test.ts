import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { UnwindStart } from '../../../../src/core/arch/x86_64/inactive-frame.ts';
import { stackMemory } from '../../../../src/core/arch/x86_64/stacks.ts';
import {
  FRAMES_MAX,
  type FrameRule,
  type RecoveredReturn,
  type UnwindText,
  unwind,
} from '../../../../src/core/arch/x86_64/unwind.ts';
import type { OrcEntry, OrcRegister, OrcType } from '../../../../src/core/formats/orc.ts';
import { entry } from '../../../support/fake-orc.ts';
import { FakeStack, kernelRegisters, memoryOf, userModeRegisters } from '../../../support/fake-stack.ts';

const TEXT = 0xffff_ffff_8100_0000n;
const BASE = 0xffff_c900_0000_0000n;

/** Functions of 0x100 bytes, each with one rule; every address in them is text, every odd offset follows a call. */
class Functions implements UnwindText {
  readonly #rules = new Map<bigint, FrameRule>();
  readonly asked: bigint[] = [];
  trampoline: ((pc: bigint, slot: bigint) => RecoveredReturn | undefined) | undefined;

  at(index: number): bigint {
    return TEXT + BigInt(index * 0x100);
  }

  /** Gives function `index` a rule and says where in it a return address is. */
  add(index: number, rule: FrameRule | OrcEntry): bigint {
    this.#rules.set(this.at(index), 'method' in rule ? rule : { method: 'orc', entry: rule });
    return this.at(index) + 0x41n;
  }

  ruleAt(pc: bigint): FrameRule {
    this.asked.push(pc);
    return this.#rules.get(pc & ~0xffn) ?? { method: 'none', why: 'no rule here' };
  }

  isText(pc: bigint): boolean {
    return this.#rules.has(pc & ~0xffn);
  }

  isReturnAddress(pc: bigint): boolean {
    return this.isText(pc) && (pc & 1n) === 1n;
  }

  recoverReturn(pc: bigint, slot: bigint): RecoveredReturn | undefined {
    return this.trampoline?.(pc, slot);
  }
}

const startAt = (pc: bigint, sp: bigint, registers: UnwindStart['registers'] = {}): UnwindStart => ({
  pc,
  sp,
  slot: sp - 8n,
  interrupted: false,
  registers,
});

describe('a sleeping task', () => {
  test('is unwound by sp and bp to where user mode entered', () => {
    const functions = new Functions();
    const sleeping = functions.add(1, entry({ spOffset: 0x20, bpRegister: 'prev-sp', bpOffset: -16 }));
    const withFrame = functions.add(2, entry({ spRegister: 'bp', spOffset: 16, bpRegister: 'prev-sp', bpOffset: -16 }));
    const syscall = functions.add(3, entry({ type: 'regs', spOffset: 0 }));
    const stack = new FakeStack(BASE);
    const sp = BASE + 0x3000n;
    stack.word(sp + 0x18n, withFrame).word(sp + 0x10n, BASE + 0x3100n);
    stack.word(BASE + 0x3100n, 0x1234n).word(BASE + 0x3108n, syscall);
    stack.registers(BASE + 0x3110n, userModeRegisters({ orig_ax: 35n }));

    const { frames, user, ended, stopped } = unwind(startAt(sleeping, sp), memoryOf(stack), functions);
    expect(frames.map(({ pc, sp, start, end }) => [pc, sp, start, end])).toEqual([
      [sleeping, sp - 8n, sp, sp + 0x20n],
      [withFrame, sp + 0x18n, sp + 0x20n, BASE + 0x3110n],
      [syscall, BASE + 0x3108n, BASE + 0x3110n, BASE + 0x3110n],
    ]);
    expect(frames.map((frame) => frame.registers.bp)).toEqual([undefined, BASE + 0x3100n, 0x1234n]);
    expect(frames.map((frame) => [frame.method, frame.reliable])).toEqual([
      ['regs', true],
      ['orc', true],
      ['orc', true],
    ]);
    expect([ended, stopped]).toEqual(['user', undefined]);
    expect(user).toMatchObject({ address: BASE + 0x3110n, mode: 'user' });
    expect(user?.registers.orig_ax).toBe(35n);
  });

  test('return addresses are looked up at the call, one byte before', () => {
    const functions = new Functions();
    functions.add(1, entry());
    functions.add(2, entry({ type: 'end-of-stack' }));
    // The call is the last instruction of function 1: its return address is the first of function 2.
    const { frames, ended } = unwind(
      startAt(functions.at(2), BASE + 0x100n),
      memoryOf(new FakeStack(BASE).word(BASE + 0x100n, functions.at(2) + 0x41n)),
      functions,
    );
    expect(functions.asked).toEqual([functions.at(2) - 1n, functions.at(2) + 0x40n]);
    expect([frames.length, ended]).toEqual([2, 'end-of-stack']);
  });

  test('that never ran starts at ret_from_fork itself', () => {
    const functions = new Functions();
    functions.add(1, entry());
    functions.add(2, entry({ type: 'end-of-stack' }));
    const start = { ...startAt(functions.at(2), BASE + 0x100n), interrupted: true };
    expect(unwind(start, memoryOf(new FakeStack(BASE)), functions)).toMatchObject({ ended: 'end-of-stack' });
    expect(functions.asked).toEqual([functions.at(2)]);
  });
});

describe('exceptions and other stacks', () => {
  test('an exception in the middle gives the interrupted frame all its registers', () => {
    const functions = new Functions();
    const handler = functions.add(1, entry());
    const asm = functions.add(2, entry({ type: 'regs', spOffset: 0 }));
    // Interrupted: the pc itself is asked, and registers that no call preserves are known.
    functions.add(3, entry({ spRegister: 'r10', spOffset: 0, signal: false }));
    const caller = functions.add(4, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE);
    const regs = BASE + 0x208n;
    const top = BASE + 0x400n;
    stack.word(BASE + 0x200n, asm).word(top - 8n, caller);
    stack.registers(regs, kernelRegisters({ ip: functions.at(3), sp: BASE + 0x300n, r10: top, bp: 7n, bx: 9n }));

    const { frames } = unwind(startAt(handler, BASE + 0x200n), memoryOf(stack), functions);
    expect(frames.map(({ pc, method }) => [pc, method])).toEqual([
      [handler, 'regs'],
      [asm, 'orc'],
      [functions.at(3), 'regs'],
      [caller, 'orc'],
    ]);
    expect(frames[2]).toMatchObject({ interrupted: true, sp: BASE + 0x300n, end: top });
    expect(frames[2]?.exception).toMatchObject({ address: regs, mode: 'kernel', full: true });
    expect(frames[2]?.registers).toMatchObject({ bx: 9n, bp: 7n });
    expect(frames[3]?.registers).toEqual({ bp: 7n });
  });

  test('an NMI in early entry code leaves what was known before', () => {
    const functions = new Functions();
    const nmi = functions.add(1, entry({ type: 'regs', spOffset: 0 }));
    functions.add(2, entry({ type: 'regs-partial', spOffset: 0 }));
    functions.add(3, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE);
    const first = BASE + 0x200n;
    const iret = BASE + 0x380n;
    stack.registers(first, kernelRegisters({ ip: functions.at(2), sp: iret, r13: 5n, bp: 6n }));
    stack.registers(iret - 128n, { ...kernelRegisters({ ip: functions.at(3) + 1n, sp: BASE + 0x400n }), r15: 1n });

    const { frames, ended } = unwind(startAt(nmi, first), memoryOf(stack), functions);
    expect(ended).toBe('end-of-stack');
    expect(frames[2]?.exception).toMatchObject({ address: iret - 128n, full: false });
    expect(frames[2]?.exception?.registers).toMatchObject({ ip: functions.at(3) + 1n, r13: 5n, r15: 0n });
    expect(frames[2]?.registers).toMatchObject({ r13: 5n, bp: 6n });
  });

  test('the switch from the interrupt stack to the task below it', () => {
    const functions = new Functions();
    const inIrq = functions.add(1, entry());
    // call_on_stack: the old stack pointer lies on the new stack (ORC_REG_SP_INDIRECT, added after the load).
    const switcher = functions.add(2, entry({ spRegister: 'sp-indirect', spOffset: 16 }));
    const below = functions.add(3, entry({ type: 'end-of-stack' }));
    const irq = new FakeStack(BASE + 0x10_0000n, 0x4000, 'irq', 'IRQ');
    const task = new FakeStack(BASE);
    const sp = irq.stack.end - 0x40n;
    irq.word(sp, switcher).word(sp + 8n, BASE + 0x800n);
    task.word(BASE + 0x808n, below);

    const { frames, ended } = unwind(startAt(inIrq, sp), memoryOf(task, irq), functions);
    expect(frames.map((frame) => frame.stack?.name)).toEqual(['IRQ', 'IRQ', 'task']);
    expect(frames[1]?.end).toBe(BASE + 0x810n);
    expect(ended).toBe('end-of-stack');
  });

  test('before 5.12 the offset of an indirect stack pointer was added before the load', () => {
    const functions = new Functions();
    const entered = functions.add(1, entry({ type: 'regs', spRegister: 'sp-indirect', spOffset: 8 }));
    functions.add(3, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE);
    stack.word(BASE + 0x108n, BASE + 0x400n);
    stack.registers(BASE + 0x400n, kernelRegisters({ ip: functions.at(3), sp: BASE + 0x500n }));
    const { frames } = unwind(startAt(entered, BASE + 0x100n), memoryOf(stack), functions);
    expect(frames[1]?.exception?.address).toBe(BASE + 0x400n);
  });

  test('a stack that was left is not entered again', () => {
    const functions = new Functions();
    const hop = functions.add(1, entry({ spRegister: 'sp-indirect', spOffset: 8 }));
    const a = new FakeStack(BASE);
    const b = new FakeStack(BASE + 0x10_0000n, 0x4000, 'irq', 'IRQ');
    a.word(BASE + 0x100n, b.stack.start + 0x100n).word(BASE + 0x300n, hop);
    b.word(b.stack.start + 0x100n, hop).word(b.stack.start + 0x108n, BASE + 0x300n);
    const { frames, ended, stopped } = unwind(startAt(hop, BASE + 0x100n), memoryOf(a, b), functions);
    expect(ended).toBe('stopped');
    expect(frames.length).toBeLessThan(5);
    expect(stopped).toMatch(/second time|cannot be read|not kernel text/);
  });
});

describe('where ORC has no answer', () => {
  test('frame pointers of BPF programs are as good as ORC', () => {
    const functions = new Functions();
    const program = functions.add(1, { method: 'fp' });
    const caller = functions.add(2, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE).word(BASE + 0x200n, 0x77n).word(BASE + 0x208n, caller);
    const { frames } = unwind(startAt(program, BASE + 0x100n, { bp: BASE + 0x200n }), memoryOf(stack), functions);
    expect(frames[1]).toMatchObject({ pc: caller, method: 'fp', reliable: true, registers: { bp: 0x77n } });
  });

  test('a frame pointer elsewhere is a guess, and so is all above it', () => {
    const functions = new Functions();
    const unknown = functions.add(1, { method: 'none', why: 'not analysed' });
    const middle = functions.add(2, entry());
    const last = functions.add(3, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE).word(BASE + 0x208n, middle).word(BASE + 0x210n, last);
    const { frames } = unwind(startAt(unknown, BASE + 0x100n, { bp: BASE + 0x200n }), memoryOf(stack), functions);
    expect(frames.map(({ method, reliable }) => [method, reliable])).toEqual([
      ['regs', true],
      ['fp', false],
      ['orc', false],
    ]);
  });

  test('else the stack is searched for an address that follows a call', () => {
    const functions = new Functions();
    const unknown = functions.add(1, { method: 'none', why: 'not analysed' });
    const caller = functions.add(2, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE).word(BASE + 0x180n, caller - 1n).word(BASE + 0x188n, caller);
    const { frames } = unwind(startAt(unknown, BASE + 0x100n), memoryOf(stack), functions);
    expect(frames[1]).toMatchObject({ pc: caller, sp: BASE + 0x188n, method: 'scan', reliable: false });
  });

  test('and where nothing is found the reason is the table', () => {
    const functions = new Functions();
    const unknown = functions.add(1, { method: 'none', why: 'not recorded' });
    expect(unwind(startAt(unknown, BASE + 0x100n), memoryOf(new FakeStack(BASE)), functions)).toMatchObject({
      ended: 'stopped',
      stopped: 'not recorded',
    });
  });

  test('a return address that is no text is not shown as a frame', () => {
    const functions = new Functions();
    const broken = functions.add(1, entry());
    const stack = new FakeStack(BASE).word(BASE + 0x100n, 0xdead_beefn);
    const { frames, stopped } = unwind(startAt(broken, BASE + 0x100n), memoryOf(stack), functions);
    expect(frames).toHaveLength(1);
    expect(stopped).toBe('the return address deadbeef is not kernel text');
  });

  test('a call of NULL is unwound by its return address', () => {
    const functions = new Functions();
    const caller = functions.add(2, entry({ type: 'end-of-stack' }));
    const stack = new FakeStack(BASE).word(BASE + 0x100n, caller);
    const start = { ...startAt(0n, BASE + 0x100n), slot: undefined, interrupted: true };
    const { frames } = unwind(start, memoryOf(stack), functions);
    expect(frames.map(({ pc, reliable }) => [pc, reliable])).toEqual([
      [0n, true],
      [caller, false],
    ]);
  });

  test('in a kernel with frame pointers an odd bp leads to saved registers, and 0 is the end', () => {
    const functions = new Functions();
    const handler = functions.add(1, { method: 'fp' });
    const interrupted = functions.add(2, { method: 'fp' });
    const outermost = functions.add(3, { method: 'fp' });
    const stack = new FakeStack(BASE);
    stack.registers(BASE + 0x200n, kernelRegisters({ ip: interrupted, sp: BASE + 0x300n, bp: BASE + 0x310n }));
    stack.word(BASE + 0x310n, 0n).word(BASE + 0x318n, outermost);
    const { frames, ended } = unwind(
      startAt(handler, BASE + 0x100n, { bp: BASE + 0x201n }),
      memoryOf(stack),
      functions,
    );
    expect(frames.map(({ pc, method, reliable }) => [pc, method, reliable])).toEqual([
      [handler, 'regs', true],
      [interrupted, 'regs', true],
      [outermost, 'fp', true],
    ]);
    expect(ended).toBe('end-of-stack');
  });
});

test('a return address that a tracer replaced is put back', () => {
  const functions = new Functions();
  const traced = functions.add(1, entry());
  const caller = functions.add(2, entry({ type: 'end-of-stack' }));
  const handler = functions.add(9, { method: 'none', why: 'a trampoline' });
  functions.trampoline = (pc, slot) =>
    pc === handler ? { trampoline: 'return_to_handler', pc: slot === BASE + 0x100n ? caller : undefined } : undefined;
  const stack = new FakeStack(BASE).word(BASE + 0x100n, handler);
  const { frames } = unwind(startAt(traced, BASE + 0x100n), memoryOf(stack), functions);
  expect(frames[1]).toMatchObject({ pc: caller, trampoline: 'return_to_handler', reliable: true });
});

test('an unwind is bounded', () => {
  const functions = new Functions();
  const one = functions.add(1, entry());
  const stack = new FakeStack(BASE, 0x4000);
  for (let at = BASE; at < stack.stack.end; at += 8n) stack.word(at, one);
  const { frames, stopped } = unwind(startAt(one, BASE + 8n), memoryOf(stack), functions);
  expect(frames).toHaveLength(FRAMES_MAX);
  expect(stopped).toBe(`more than ${FRAMES_MAX} frames`);
});

test('10,000 random tables over random stacks: bounded, and never an error', () => {
  const registers: OrcRegister[] = ['undefined', 'sp', 'bp', 'sp-indirect', 'bp-indirect', 'r10', 'prev-sp', 'unknown'];
  const types: OrcType[] = ['call', 'call', 'regs', 'regs-partial', 'undefined', 'end-of-stack', 'unknown'];
  const anyRule = fc.record({
    spRegister: fc.constantFrom(...registers),
    spOffset: fc.integer({ min: -64, max: 256 }),
    bpRegister: fc.constantFrom(...registers),
    bpOffset: fc.integer({ min: -64, max: 64 }),
    type: fc.constantFrom(...types),
    signal: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(anyRule, { minLength: 1, maxLength: 6 }),
      fc.array(fc.nat(0xffff), { minLength: 64, maxLength: 64 }),
      (rules, seeds) => {
        const functions = new Functions();
        const pcs = rules.map((rule, i) => functions.add(i + 1, rule));
        const stack = new FakeStack(BASE, 512);
        const irq = new FakeStack(BASE + 0x10_0000n, 512, 'irq', 'IRQ');
        for (const [i, seed] of seeds.entries()) {
          const kinds = [
            pcs[seed % pcs.length] as bigint,
            BASE + BigInt(seed % 512),
            irq.stack.start + BigInt(seed % 512),
            BigInt(seed),
          ];
          const value = kinds[(seed >> 8) % kinds.length] as bigint;
          (i % 2 === 0 ? stack : irq).word((i % 2 === 0 ? stack : irq).stack.start + BigInt((i >> 1) * 16), value);
        }
        const result = unwind(
          startAt(pcs[0] as bigint, BASE + 64n, { bp: BASE + 128n }),
          stackMemory([stack.image, irq.image]),
          functions,
        );
        expect(result.frames.length).toBeLessThanOrEqual(130);
        expect(result.ended === 'stopped').toBe(result.stopped !== undefined);
      },
    ),
    { numRuns: 10_000 },
  );
});
