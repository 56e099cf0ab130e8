/** A stack made by hand: words at addresses, on one stack or several. */
import { PT_REGS_ORDER, type PtRegs, type PtRegsName } from '../../src/core/arch/x86_64/registers.ts';
import { type Stack, type StackImage, type StackMemory, stackMemory } from '../../src/core/arch/x86_64/stacks.ts';

export class FakeStack {
  readonly stack: Stack;
  readonly bytes: Uint8Array;

  constructor(start: bigint, size = 0x4000, kind: Stack['kind'] = 'task', name: string = kind) {
    this.stack = { kind, name, start, end: start + BigInt(size) };
    this.bytes = new Uint8Array(size);
  }

  word(address: bigint, value: bigint): this {
    const view = new DataView(this.bytes.buffer);
    view.setBigUint64(Number(address - this.stack.start), BigInt.asUintN(64, value), true);
    return this;
  }

  /** Writes a struct pt_regs. */
  registers(address: bigint, values: Partial<Record<PtRegsName, bigint>>): this {
    for (const [i, name] of PT_REGS_ORDER.entries()) this.word(address + BigInt(i * 8), values[name] ?? 0n);
    return this;
  }

  get image(): StackImage {
    return { stack: this.stack, address: this.stack.start, bytes: this.bytes };
  }
}

export function memoryOf(...stacks: readonly FakeStack[]): StackMemory {
  return stackMemory(stacks.map((stack) => stack.image));
}

/** Registers as an interrupt in kernel mode saves them. */
export function kernelRegisters(values: Partial<PtRegs>): PtRegs {
  return allRegisters({ cs: 0x10n, ss: 0x18n, flags: 0x246n, ...values });
}

/** Registers as a system call saves them. */
export function userModeRegisters(values: Partial<PtRegs> = {}): PtRegs {
  return allRegisters({ cs: 0x33n, ss: 0x2bn, flags: 0x202n, ip: 0x40_1234n, sp: 0x7ffc_0000_1000n, ...values });
}

function allRegisters(values: Partial<PtRegs>): PtRegs {
  const registers = {} as Record<PtRegsName, bigint>;
  for (const name of PT_REGS_ORDER) registers[name] = values[name] ?? 0n;
  return registers;
}
