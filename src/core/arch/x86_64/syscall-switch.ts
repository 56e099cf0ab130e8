/**
 * A switch over the number of a system call, as compiled: `ia32_sys_call(regs, nr)` and its like, since 1e3ad78334a6
 * "x86/syscall: Don't force use of indirect calls for system calls" (v6.9, and the stable branches that took it). It has no
 * jump table, for the same reason for which there is no table of functions: it is a tree of comparisons of `%esi` with
 * constants, and at its leaves jumps to the functions. So a number that is followed through the code, as the processor
 * would, ends at the function that it calls. Code with anything else in it tells nothing.
 */

/** Instructions on the way to one number: some twenty in practice. */
const STEPS_MAX = 500;
/** No instruction that is read here is longer; so many zeros behind the code spare a check at each. */
const INSTRUCTION_LENGTH_MAX = 16;

/** What the flags hold after `%esi` was compared with a constant, both unsigned. */
interface Compared {
  readonly equal: boolean;
  readonly below: boolean;
}

/** By the low four bits of a conditional jump's opcode: b, ae, e, ne, be, a. */
const CONDITIONS: Readonly<Partial<Record<number, (compared: Compared) => boolean>>> = {
  2: ({ below }) => below,
  3: ({ below }) => !below,
  4: ({ equal }) => equal,
  5: ({ equal }) => !equal,
  6: ({ equal, below }) => equal || below,
  7: ({ equal, below }) => !equal && !below,
};

interface Jump {
  /** From the start of the code. */
  readonly to: number;
  readonly if: ((compared: Compared) => boolean) | 'always' | 'call';
}

interface Instruction {
  readonly length: number;
  readonly compares?: number;
  readonly jump?: Jump;
}

/**
 * What the switch does whose code is at `start`: a function that gives for a number the address of what it calls, or
 * undefined where the code on the way is of another form.
 */
export function readSwitch(code: Uint8Array, start: bigint): (number: number) => bigint | undefined {
  const padded = new Uint8Array(code.length + INSTRUCTION_LENGTH_MAX);
  padded.set(code);
  const view = new DataView(padded.buffer);
  return (number) => {
    let compared: Compared | undefined;
    let at = 0;
    for (let steps = 0; steps < STEPS_MAX && at < code.length; steps++) {
      const instruction = decode(view, at);
      if (instruction === undefined) return undefined;
      const { length, compares, jump } = instruction;
      at += length;
      if (compares !== undefined) compared = { equal: number === compares, below: number < compares };
      if (jump === undefined) continue;
      // What is called before anything was compared is ftrace's; later it is a function, where returns are no plain ones.
      if (compared === undefined && jump.if === 'call') continue;
      if (typeof jump.if === 'function') {
        if (compared === undefined) return undefined;
        if (!jump.if(compared)) continue;
      }
      if (jump.if === 'call' || jump.to < 0 || jump.to >= code.length) return start + BigInt(jump.to);
      at = jump.to;
    }
    return undefined;
  };
}

function decode(view: DataView, at: number): Instruction | undefined {
  const opcode = view.getUint8(at);
  const second = view.getUint8(at + 1);
  const near = (length: number): number => at + length + view.getInt32(at + length - 4, true);
  const short = (): number => at + 2 + view.getInt8(at + 1);
  if (opcode === 0xe8) return { length: 5, jump: { to: near(5), if: 'call' } };
  if (opcode === 0xe9) return { length: 5, jump: { to: near(5), if: 'always' } };
  if (opcode === 0xeb) return { length: 2, jump: { to: short(), if: 'always' } };
  // cmp $imm8,%esi; cmp $imm32,%esi; test %esi,%esi
  if (opcode === 0x83 && second === 0xfe) return { length: 3, compares: view.getInt8(at + 2) >>> 0 };
  if (opcode === 0x81 && second === 0xfe) return { length: 6, compares: view.getUint32(at + 2, true) };
  if (opcode === 0x85 && second === 0xf6) return { length: 2, compares: 0 };
  const shortIf = opcode >> 4 === 7 ? CONDITIONS[opcode & 15] : undefined;
  if (shortIf !== undefined) return { length: 2, jump: { to: short(), if: shortIf } };
  const nearIf = opcode === 0x0f && second >> 4 === 8 ? CONDITIONS[second & 15] : undefined;
  if (nearIf !== undefined) return { length: 6, jump: { to: near(6), if: nearIf } };
  const length = nopLength(view, at);
  return length === undefined ? undefined : { length };
}

/** endbr64, and the nops that stand for it and for calls that are patched in: `nop`, `nopw`, `nopl` with any operand. */
function nopLength(view: DataView, at: number): number | undefined {
  if (view.getUint32(at) === 0xf30f1efa) return 4;
  let prefixes = 0;
  while (prefixes < 4 && view.getUint8(at + prefixes) === 0x66) prefixes++;
  const opcode = view.getUint16(at + prefixes);
  if (opcode >> 8 === 0x90) return prefixes + 1;
  if (opcode !== 0x0f1f) return undefined;
  const operand = view.getUint8(at + prefixes + 2);
  const [mode, base] = [operand >> 6, operand & 7];
  if (mode === 3) return prefixes + 3;
  const displacement = mode === 1 ? 1 : mode === 2 || base === 5 ? 4 : 0;
  return prefixes + 3 + (base === 4 ? 1 : 0) + displacement;
}
