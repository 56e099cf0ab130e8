/**
 * x86-64 machine code to text, decoded by the iced-x86 package and written as objdump and crash write it: AT&T with
 * addresses as `0x...`, and the symbols of targets beside them. The package is a parameter, because it is wasm that
 * loads when a command first disassembles; this file has only its types.
 *
 *     ffffffff81c0a0b5:  call   0xffffffff81c0b2a0 <__mutex_lock_slowpath>
 *     ffffffff81c0a0ba:  mov    0x1bf9cfe(%rip),%rax        # 0xffffffff82bf9d18 <init_task>
 *
 * What is annotated beyond objdump: constants and displacements that are kernel addresses (`mov $0xffffffff82e51c40,
 * %rdi` is how an address of a global is passed) and per-CPU variables by `%gs:`; only where a symbol is there.
 */
import type * as Iced from 'iced-x86';
import { formatHex } from '../../memory/address.ts';
import { createFormatter, objdumpText } from './disassemble-text.ts';

/** The iced-x86 module: what `require('iced-x86')` gives. */
export type IcedModule = Omit<typeof Iced, 'default'>;

/** Where an operand leads. */
export interface InstructionTarget {
  readonly address: bigint;
  /** `value` is a constant that is a kernel address. */
  readonly kind: 'call' | 'jump' | 'memory' | 'value';
}

export interface Instruction {
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
  readonly bytes: Uint8Array;
  /** Mnemonic and operands, annotated: `call   0xffffffff81c0b2a0 <__mutex_lock_slowpath>`. */
  readonly text: string;
  readonly target: InstructionTarget | undefined;
  /** A near call, direct or not. */
  readonly isCall: boolean;
  /** A jump, conditional or not. */
  readonly isBranch: boolean;
  /** ret, iret, sysret. */
  readonly isReturn: boolean;
  /** nop in any form, or int3: what fills the space between functions when it is at their end. */
  readonly isPadding: boolean;
  /** One byte that begins no instruction, written `(bad)`. */
  readonly isBad: boolean;
}

/** `symbol+0x1c` for an address, or undefined: what stands between the angle brackets. */
export type Symbolise = (address: bigint, kind: InstructionTarget['kind']) => string | undefined;

export interface DecodeOptions {
  /** AT&T unless asked otherwise. */
  readonly syntax?: 'att' | 'intel';
  readonly symbolise?: Symbolise;
  /** Instructions at most. */
  readonly limit?: number;
  /** Stops before the first instruction that begins here or later. */
  readonly end?: bigint;
  /** Bytes of data to pass over after each ud2: what `dis -b` sets, for kernels that put BUG()'s file and line there. */
  readonly bytesAfterUd2?: number;
}

export interface Disassembler {
  /** The instructions in `bytes`, whose first one is at `address`. One that is cut at the end of the bytes is `(bad)`. */
  decode(bytes: Uint8Array, address: bigint, options?: DecodeOptions): readonly Instruction[];
  /** Frees the wasm objects; nothing can be decoded afterwards. */
  close(): void;
}

/** More than the longest function; a longer request is cut. */
export const DECODE_LENGTH_MAX = 4 * 1024 * 1024;
/** Kernel image, modules and fixed mappings: the top 2 GiB, where 32-bit constants reach, less the last 16 MiB (errors). */
const KERNEL_CONSTANTS_START = 0xffff_ffff_8000_0000n;
const KERNEL_CONSTANTS_END = 0xffff_ffff_ff00_0000n;
const PER_CPU_OFFSETS_MAX = 0x100_0000n;

/** Makes a disassembler of the iced-x86 module. */
export function createDisassembler(iced: IcedModule): Disassembler {
  const formatters: Partial<Record<'att' | 'intel', Iced.Formatter>> = {};
  return {
    decode(bytes, address, options = {}) {
      const syntax = options.syntax ?? 'att';
      formatters[syntax] ??= createFormatter(iced, syntax);
      const writer = { syntax, formatter: formatters[syntax], symbolise: options.symbolise };
      return decodeAll(iced, writer, bytes.subarray(0, DECODE_LENGTH_MAX), address, options);
    },
    close() {
      for (const formatter of Object.values(formatters)) formatter.free();
      delete formatters.att;
      delete formatters.intel;
    },
  };
}

interface Writer {
  readonly syntax: 'att' | 'intel';
  readonly formatter: Iced.Formatter;
  readonly symbolise: Symbolise | undefined;
}

function decodeAll(
  iced: IcedModule,
  writer: Writer,
  bytes: Uint8Array,
  address: bigint,
  options: DecodeOptions,
): readonly Instruction[] {
  const decoder = new iced.Decoder(64, bytes, iced.DecoderOptions.None);
  const decoded = new iced.Instruction();
  const instructions: Instruction[] = [];
  const limit = options.limit ?? Number.POSITIVE_INFINITY;
  const end = options.end ?? address + BigInt(bytes.length);
  try {
    decoder.ip = address;
    let offset = 0;
    while (offset < bytes.length && instructions.length < limit) {
      const at = address + BigInt(offset);
      if (at >= end) break;
      decoder.decodeOut(decoded);
      if (decoded.isInvalid) {
        instructions.push(badByte(at, bytes.subarray(offset, offset + 1)));
        offset++;
      } else {
        const length = decoded.length;
        instructions.push(describe(iced, writer, decoded, at, bytes.subarray(offset, offset + length)));
        offset += length;
        if (decoded.mnemonic === iced.Mnemonic.Ud2) offset += Math.max(0, options.bytesAfterUd2 ?? 0);
      }
      if (offset === decoder.position || offset >= bytes.length) continue;
      decoder.position = offset;
      decoder.ip = address + BigInt(offset);
    }
  } finally {
    decoded.free();
    decoder.free();
  }
  return instructions;
}

function badByte(address: bigint, bytes: Uint8Array): Instruction {
  return {
    address,
    length: 1,
    bytes,
    text: '(bad)',
    target: undefined,
    isCall: false,
    isBranch: false,
    isReturn: false,
    isPadding: false,
    isBad: true,
  };
}

function describe(
  iced: IcedModule,
  writer: Writer,
  decoded: Iced.Instruction,
  address: bigint,
  bytes: Uint8Array,
): Instruction {
  const { FlowControl, Mnemonic } = iced;
  const flow = decoded.flowControl;
  const mnemonic = decoded.mnemonic;
  const target = targetOf(iced, decoded, flow);
  const isBranch =
    flow === FlowControl.UnconditionalBranch ||
    flow === FlowControl.ConditionalBranch ||
    flow === FlowControl.IndirectBranch;
  const isExchange = mnemonic === Mnemonic.Xchg && bytes.length <= 3 && bytes[bytes.length - 1] === 0x90;
  return {
    address,
    length: bytes.length,
    bytes,
    text: annotate(writer, writeText(iced, writer, decoded, bytes), target, decoded.isIpRelMemoryOperand),
    target,
    isCall: mnemonic === Mnemonic.Call,
    isBranch,
    isReturn: flow === FlowControl.Return,
    isPadding: mnemonic === Mnemonic.Nop || mnemonic === Mnemonic.Int3 || isExchange,
    isBad: false,
  };
}

function targetOf(iced: IcedModule, decoded: Iced.Instruction, flow: Iced.FlowControl): InstructionTarget | undefined {
  const { FlowControl, OpKind, Register } = iced;
  const count = decoded.opCount;
  if (count > 0 && decoded.opKind(0) === OpKind.NearBranch64) {
    return { address: decoded.nearBranchTarget, kind: flow === FlowControl.Call ? 'call' : 'jump' };
  }
  for (let operand = 0; operand < count; operand++) {
    const kind = decoded.opKind(operand);
    if (kind === OpKind.Memory) {
      if (decoded.isIpRelMemoryOperand) return { address: decoded.ipRelMemoryAddress, kind: 'memory' };
      const displacement = BigInt.asUintN(64, decoded.memoryDisplacement);
      const isPerCpu = decoded.memorySegment === Register.GS && decoded.memoryBase === Register.None;
      const isAddress = isKernelConstant(displacement) || (isPerCpu && displacement < PER_CPU_OFFSETS_MAX);
      if (isAddress && decoded.memoryDisplSize > 1) return { address: displacement, kind: 'memory' };
    } else if (kind === OpKind.Immediate32to64 || kind === OpKind.Immediate64) {
      const value = BigInt.asUintN(64, decoded.immediate(operand));
      if (isKernelConstant(value)) return { address: value, kind: 'value' };
    }
  }
  return undefined;
}

function isKernelConstant(value: bigint): boolean {
  return value >= KERNEL_CONSTANTS_START && value < KERNEL_CONSTANTS_END;
}

/** Adds `<symbol>` to a branch and `# address <symbol>` to the rest, as objdump does. */
function annotate(writer: Writer, text: string, target: InstructionTarget | undefined, isIpRelative: boolean): string {
  if (target === undefined) return text;
  const symbol = writer.symbolise?.(target.address, target.kind);
  if (target.kind === 'call' || target.kind === 'jump') return symbol === undefined ? text : `${text} <${symbol}>`;
  if (symbol === undefined) return isIpRelative ? `${text}        # ${formatHex(target.address)}` : text;
  return `${text}        # ${formatHex(target.address)} <${symbol}>`;
}

function writeText(iced: IcedModule, writer: Writer, decoded: Iced.Instruction, bytes: Uint8Array): string {
  const { formatter } = writer;
  if (writer.syntax === 'intel') return formatter.format(decoded);
  formatter.showZeroDisplacements = decoded.memoryDisplSize > 0;
  formatter.alwaysShowScale = decoded.memoryIndex !== iced.Register.None;
  formatter.alwaysShowSegmentRegister = decoded.isStringInstruction;
  return objdumpText(formatter.format(decoded), bytes);
}
