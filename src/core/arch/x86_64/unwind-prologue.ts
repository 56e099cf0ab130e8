/**
 * Where a function saved its caller's registers. A function that uses a callee-saved register pushes it first thing;
 * ORC follows only bp through that. The pushes stand in the straight code at the function's start, between moves of
 * arguments that the compiler mixes in, so a few opcodes are enough to read them. Reading ends at the first
 * instruction that is not one of those: what was read up to there was executed, whatever follows.
 *
 * The first push lands right below the return address, the next below it, and so on.
 */
import type { CalleeSaved } from './registers.ts';

/** Bytes of a function that its prologue can take. */
export const PROLOGUE_LENGTH = 64;

export interface Prologue {
  /** Callee-saved registers in order of their pushes, with where each lies below the CFA (16, 24, ...). */
  readonly saved: readonly { readonly register: CalleeSaved; readonly below: number }[];
  /** Bytes from the CFA to the stack pointer after the prologue, return address included. */
  readonly depth: number;
}

interface Instruction {
  readonly length: number;
  /** What it pushes: 'scratch' for a register that nobody keeps. */
  readonly push?: CalleeSaved | 'scratch';
  /** What it takes from the stack pointer. */
  readonly lowers?: number;
}

/** The registers by number, as instructions encode them. */
const PUSHED: Readonly<Partial<Record<number, CalleeSaved>>> = {
  3: 'bx',
  5: 'bp',
  12: 'r12',
  13: 'r13',
  14: 'r14',
  15: 'r15',
};
const SP = 4;

/**
 * Reads the prologue in the function's first bytes; only instructions that end at or before `executed` bytes count,
 * which is where in the function a frame is.
 */
export function readPrologue(bytes: Uint8Array, executed: number): Prologue {
  const saved: { register: CalleeSaved; below: number }[] = [];
  const end = Math.min(bytes.length, executed, PROLOGUE_LENGTH);
  let depth = 8;
  let at = 0;
  while (at < end) {
    const instruction = decode(bytes, at);
    if (instruction === undefined || at + instruction.length > end) break;
    if (instruction.push !== undefined) {
      depth += 8;
      if (instruction.push !== 'scratch') saved.push({ register: instruction.push, below: depth });
    }
    depth += instruction.lowers ?? 0;
    at += instruction.length;
  }
  return { saved, depth };
}

function decode(bytes: Uint8Array, start: number): Instruction | undefined {
  if (matches(bytes, start, [0xf3, 0x0f, 0x1e, 0xfa])) return { length: 4 };
  if (matches(bytes, start, [0x0f, 0x1f, 0x44, 0x00, 0x00])) return { length: 5 };
  // The call of __fentry__ while the function is traced: first of all, and all registers come back from it.
  if (bytes[start] === 0xe8 && (start === 0 || (start === 4 && bytes[3] === 0xfa))) return { length: 5 };
  let at = start;
  // A segment prefix: the stack canary is loaded relative to gs.
  if (bytes[at] === 0x65 || bytes[at] === 0x66) at++;
  const rex = ((bytes[at] as number) & 0xf0) === 0x40 ? (bytes[at++] as number) : 0;
  const opcode = bytes[at++];
  if (opcode === undefined) return undefined;
  if (opcode >= 0x50 && opcode <= 0x57) {
    return { length: at - start, push: PUSHED[(opcode & 7) | ((rex & 1) << 3)] ?? 'scratch' };
  }
  if (opcode === 0x90) return { length: at - start };
  if (opcode >= 0xb8 && opcode <= 0xbf) {
    const immediate = (rex & 8) === 0 ? 4 : 8;
    return (opcode & 7) === SP && (rex & 1) === 0 ? undefined : { length: at + immediate - start };
  }
  if (opcode === 0x83 || opcode === 0x81) return subtractFromSp(bytes, at, opcode, rex, start);
  return move(bytes, at, opcode, rex, start);
}

/** `sub $n,%rsp`. */
function subtractFromSp(
  bytes: Uint8Array,
  at: number,
  opcode: number,
  rex: number,
  start: number,
): Instruction | undefined {
  if (bytes[at] !== 0xec || rex !== 0x48) return undefined;
  if (opcode === 0x83) {
    const lowers = ((bytes[at + 1] ?? 0) << 24) >> 24;
    return { length: at + 2 - start, lowers };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (at + 5 > bytes.length) return undefined;
  return { length: at + 5 - start, lowers: view.getInt32(at + 1, true) };
}

/** mov, lea, movsxd, movzx, xor, test, cmp: whatever they do, not to the stack pointer. */
function move(bytes: Uint8Array, from: number, first: number, rex: number, start: number): Instruction | undefined {
  let at = from;
  let opcode = first;
  if (opcode === 0x0f) {
    opcode = 0x0f00 | (bytes[at++] ?? 0);
    if (opcode !== 0x0fb6 && opcode !== 0x0fb7) return undefined;
  }
  const modrm = bytes[at];
  if (modrm === undefined) return undefined;
  const register = ((modrm >> 3) & 7) | ((rex & 4) << 1);
  const operand = (modrm & 7) | ((rex & 1) << 3);
  const length = at + operandLength(bytes, at) - start;
  switch (opcode) {
    case 0x89:
    case 0x31:
      return modrm >> 6 === 3 && operand === SP ? undefined : { length };
    case 0x8b:
    case 0x8d:
    case 0x33:
    case 0x63:
    case 0x0fb6:
    case 0x0fb7:
      return register === SP ? undefined : { length };
    case 0xc7: {
      const toRegister = modrm >> 6 === 3 && register === (rex & 4) << 1 && operand !== SP;
      return toRegister ? { length: length + 4 } : undefined;
    }
    case 0x85:
    case 0x39:
    case 0x3b:
      return { length };
    default:
      return undefined;
  }
}

/** Bytes of a ModRM byte with its SIB byte and displacement. */
function operandLength(bytes: Uint8Array, at: number): number {
  const modrm = bytes[at] as number;
  const mode = modrm >> 6;
  if (mode === 3) return 1;
  const hasSib = (modrm & 7) === 4;
  const noBase = (modrm & 7) === 5 || (hasSib && ((bytes[at + 1] ?? 0) & 7) === 5);
  return 1 + (hasSib ? 1 : 0) + (mode === 1 ? 1 : mode === 2 || noBase ? 4 : 0);
}

function matches(bytes: Uint8Array, at: number, pattern: readonly number[]): boolean {
  return pattern.every((byte, i) => bytes[at + i] === byte);
}
