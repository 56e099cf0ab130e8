/**
 * x86-64 registers as the kernel saves them. struct pt_regs is what entry code pushes on the stack for a system call,
 * an interrupt or an exception; its layout has been the same since the beginning, because user space sees it
 * (arch/x86/include/uapi/asm/ptrace.h). Its last five words are what the CPU itself pushes:
 *
 *     r15 r14 r13 r12 bp bx | r11 r10 r9 r8 ax cx dx si di | orig_ax | ip cs flags sp ss
 *
 * With FRED (v6.9) the CPU keeps event information in the upper bits of the cs and ss words, so a selector is only
 * ever the low 16 bits.
 */

/** Register names in the order of struct pt_regs. */
export const PT_REGS_ORDER = [
  'r15',
  'r14',
  'r13',
  'r12',
  'bp',
  'bx',
  'r11',
  'r10',
  'r9',
  'r8',
  'ax',
  'cx',
  'dx',
  'si',
  'di',
  'orig_ax',
  'ip',
  'cs',
  'flags',
  'sp',
  'ss',
] as const;

export type PtRegsName = (typeof PT_REGS_ORDER)[number];

/** All of struct pt_regs. */
export type PtRegs = Readonly<Record<PtRegsName, bigint>>;

/** sizeof(struct pt_regs). */
export const PT_REGS_SIZE = PT_REGS_ORDER.length * 8;
/** Offset of the part that the CPU pushes: ip cs flags sp ss. */
export const PT_REGS_IP_OFFSET = 16 * 8;

/** Registers that a called function leaves as it found them, besides sp: what is known of a caller's. */
export const CALLEE_SAVED = ['bx', 'bp', 'r12', 'r13', 'r14', 'r15'] as const;

export type CalleeSaved = (typeof CALLEE_SAVED)[number];

/** Values of registers, of those that are known. */
export type KnownRegisters = Readonly<Partial<Record<Exclude<PtRegsName, 'orig_ax' | 'cs' | 'ss' | 'flags'>, bigint>>>;

/** Decodes a struct pt_regs; undefined when the bytes end before it does. */
export function decodePtRegs(bytes: Uint8Array, offset = 0): PtRegs | undefined {
  if (offset < 0 || offset + PT_REGS_SIZE > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset + offset, PT_REGS_SIZE);
  const registers = {} as Record<PtRegsName, bigint>;
  for (const [i, name] of PT_REGS_ORDER.entries()) registers[name] = view.getBigUint64(i * 8, true);
  return registers;
}

/** The code segment's selector, without what FRED keeps above it. */
export function selector(word: bigint): number {
  return Number(word & 0xffffn);
}

/** True when the CPU was in user mode: the two lowest bits of cs are its privilege level. */
export function isUserMode(registers: Pick<PtRegs, 'cs'>): boolean {
  return (registers.cs & 3n) === 3n;
}

/** The general registers of struct pt_regs: all that a caller of unwound code can need. */
export function generalRegisters(registers: PtRegs): KnownRegisters {
  const { orig_ax: _orig, cs: _cs, ss: _ss, flags: _flags, ...general } = registers;
  return general;
}
