/**
 * ORC: the kernel's own unwind tables on x86-64. objtool writes, for every place in the text where the shape of the
 * stack changes, how to find the caller's stack pointer (the CFA), its frame pointer and its return address:
 *
 *     .orc_unwind_ip   s32[n]   address of the place, relative to the entry's own address; ascending
 *     .orc_unwind      6 bytes[n]   s16 sp_offset, s16 bp_offset, u16 flags
 *
 * The flags changed meaning three times and say nowhere which meaning they have, before a header came that holds a
 * hash of the C declaration:
 *
 *     1   v4.14   sp_reg:4 bp_reg:4 type:2 end:1                    ee9f8fce9964
 *     2   v6.3    sp_reg:4 bp_reg:4 type:2 signal:1 end:1           ffb1b4a41016
 *     3   v6.4    sp_reg:4 bp_reg:4 type:3 signal:1                 fb799447ae29
 *     4   v7.1    as 3, registers numbered anew                     1735858caa4b
 *
 * The version numbers are kdbg's. The header is there since b9f174c811e3 (v6.4, and v6.3.10); Red Hat's 5.14 kernels
 * of 9.6 and later are version 3 without one, which is why a kernel without header is probed and not asked its
 * version. What decodes here is normalised: the same bytes of meaning in every version.
 */

export type OrcVersion = 1 | 2 | 3 | 4;

/** What a stack pointer or frame pointer is relative to. `unknown` is a number that no version defines. */
export type OrcRegister =
  | 'undefined'
  | 'prev-sp'
  | 'ax'
  | 'dx'
  | 'di'
  | 'bp'
  | 'sp'
  | 'r10'
  | 'r13'
  | 'bp-indirect'
  | 'sp-indirect'
  | 'unknown';

/**
 * What is found at the CFA: `call` a return address right below it, `regs` a whole struct pt_regs, `regs-partial` the
 * five words that the CPU pushes on an interrupt. `undefined` says that the code was not analysed.
 */
export type OrcType = 'undefined' | 'end-of-stack' | 'call' | 'regs' | 'regs-partial' | 'unknown';

/** One entry, normalised. Offsets are in bytes and signed. */
export interface OrcEntry {
  readonly spRegister: OrcRegister;
  readonly spOffset: number;
  readonly bpRegister: OrcRegister;
  readonly bpOffset: number;
  readonly type: OrcType;
  /** The next frame's pc is where it was interrupted, not a return address. */
  readonly signal: boolean;
}

/** sizeof(struct orc_entry). */
export const ORC_ENTRY_SIZE = 6;
/** Bytes of the hash in .orc_header. */
export const ORC_HEADER_SIZE = 20;
/** Text bytes that one word of `orc_lookup` stands for (LOOKUP_BLOCK_SIZE). */
export const ORC_LOOKUP_BLOCK = 256;

const REGISTERS: readonly OrcRegister[] = [
  'undefined',
  'prev-sp',
  'dx',
  'di',
  'bp',
  'sp',
  'r10',
  'r13',
  'bp-indirect',
  'sp-indirect',
];
const REGISTERS_V4: readonly OrcRegister[] = [
  'undefined',
  'ax',
  'dx',
  'sp',
  'bp',
  'di',
  'r10',
  'r13',
  'prev-sp',
  'sp-indirect',
  'bp-indirect',
];
const CALL_TYPES: readonly OrcType[] = ['call', 'regs', 'regs-partial', 'unknown'];
const TYPES_V3: readonly OrcType[] = ['undefined', 'end-of-stack', 'call', 'regs', 'regs-partial'];

/** SHA-1 of the lines that scripts/orc_hash.sh picks from orc_types.h, as .orc_header holds it. */
const HEADERS: Readonly<Record<string, OrcVersion>> = {
  db84aed4103b31dd51e017f8f79783ca985c2c51: 2,
  fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24: 3,
  '137c36ad7627c4dd55932176bb0ecdbd5041fc82': 4,
};

/** The version that a kernel's .orc_header names; undefined for a hash of a later kernel than this one knows. */
export function orcVersionOfHeader(header: Uint8Array): OrcVersion | undefined {
  let hash = '';
  for (const byte of header.subarray(0, ORC_HEADER_SIZE)) hash += byte.toString(16).padStart(2, '0');
  return HEADERS[hash];
}

/**
 * The version of a table without header, from the flags of entries whose meaning is known beforehand:
 * `functions` are those in force at the first instruction of C functions, where only the return address has been
 * pushed: a call entry based on sp. `endOfStack` are those at places where unwinding ends (entry_SYSCALL_64).
 *
 * A call is type 0 up to version 2 and type 2 from 3 on; the end is bit 10 in version 1, bit 11 in 2, type 1 in 3. The
 * answers must agree with each other, or there is none: undefined.
 */
export function orcVersionOfFlags(functions: readonly number[], endOfStack: readonly number[]): OrcVersion | undefined {
  const sp = 5;
  const calls = functions.filter((flags) => (flags & 15) === sp);
  if (calls.length === 0 || calls.length * 2 < functions.length) return undefined;
  const types = new Set(calls.map((flags) => (flags >> 8) & 7));
  if (types.size !== 1) return undefined;
  const ends = new Set(endOfStack.filter((flags) => (flags & 15) === 0).map((flags) => (flags >> 8) & 15));
  if (ends.size !== 1) return undefined;
  const [type] = types;
  const [end] = ends;
  if (type === 0 && end === 4) return 1;
  if (type === 0 && (end === 8 || end === 12)) return 2;
  return type === 2 && (end === 1 || end === 9) ? 3 : undefined;
}

/** Decodes the entry at `offset` of a table's bytes, which must hold all of it. Never throws: see `unknown`. */
export function decodeOrcEntry(version: OrcVersion, bytes: Uint8Array, offset: number): OrcEntry {
  const flags = u16(bytes, offset + 4);
  const registers = version === 4 ? REGISTERS_V4 : REGISTERS;
  return {
    spRegister: registers[flags & 15] ?? 'unknown',
    spOffset: s16(bytes, offset),
    bpRegister: registers[(flags >> 4) & 15] ?? 'unknown',
    bpOffset: s16(bytes, offset + 2),
    ...decodeType(version, flags),
  };
}

/** The flags word of the entry at `offset`, for orcVersionOfFlags. */
export function orcFlags(bytes: Uint8Array, offset: number): number {
  return u16(bytes, offset + 4);
}

function decodeType(version: OrcVersion, flags: number): Pick<OrcEntry, 'type' | 'signal'> {
  if (version >= 3) return { type: TYPES_V3[(flags >> 8) & 7] ?? 'unknown', signal: (flags & 0x800) !== 0 };
  const end = (flags & (version === 2 ? 0x800 : 0x400)) !== 0;
  const type = CALL_TYPES[(flags >> 8) & 3] as OrcType;
  // Where there was no signal bit, whatever was found below saved registers had been interrupted.
  const signal = version === 2 ? (flags & 0x400) !== 0 : type === 'regs' || type === 'regs-partial';
  return { type: (flags & 15) === 0 ? (end ? 'end-of-stack' : 'undefined') : type, signal };
}

/** Part of an ip table: entries `first`.. of the table that starts at `base`. */
export interface OrcAddresses {
  /** Address of entry 0's word. */
  readonly base: bigint;
  /** Index of the first entry in `bytes`. */
  readonly first: number;
  readonly bytes: Uint8Array;
}

/**
 * Index in the whole table of the last entry at or below the address; undefined when all of this part lie above it.
 * Of several at one address it is the last: the kernel sorts the terminators of object files, which only fill gaps,
 * before real entries (orc_sort_cmp).
 */
export function findOrcIndex(table: OrcAddresses, address: bigint): number | undefined {
  const view = new DataView(table.bytes.buffer, table.bytes.byteOffset, table.bytes.byteLength);
  // The table's offsets are 32-bit: as distances from the table, addresses fit a double exactly.
  const wanted = Number(address - table.base);
  let low = 0;
  let high = Math.floor(table.bytes.length / 4);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((table.first + middle) * 4 + view.getInt32(middle * 4, true) <= wanted) low = middle + 1;
    else high = middle;
  }
  return low === 0 ? undefined : table.first + low - 1;
}

function u16(bytes: Uint8Array, offset: number): number {
  return (bytes[offset] as number) | ((bytes[offset + 1] as number) << 8);
}

function s16(bytes: Uint8Array, offset: number): number {
  return (u16(bytes, offset) << 16) >> 16;
}
