/**
 * ORC tables made by hand, in any of the four versions, and a kernel with them: text from TEXT on, vmlinux's tables
 * under their symbols, orc_lookup filled as unwind_init() does.
 */
import {
  ORC_ENTRY_SIZE,
  ORC_LOOKUP_BLOCK,
  type OrcEntry,
  type OrcRegister,
  type OrcType,
  type OrcVersion,
} from '../../src/core/formats/orc.ts';
import type { FakeKernel } from './fake-kernel.ts';

export const TEXT = 0xffff_ffff_8100_0000n;
const ADDRESSES = 0xffff_ffff_8200_0000n;
const ENTRIES = 0xffff_ffff_8210_0000n;
const LOOKUP = 0xffff_ffff_8220_0000n;
const HEADER = 0xffff_ffff_8230_0000n;

/** The hashes in .orc_header, by version. */
export const HEADERS: Readonly<Partial<Record<OrcVersion, string>>> = {
  2: 'db84aed4103b31dd51e017f8f79783ca985c2c51',
  3: 'fe5d32bf581bd63b2ca9a5c65ba5a625eab3fe24',
  4: '137c36ad7627c4dd55932176bb0ecdbd5041fc82',
};

const NUMBERS: Readonly<Partial<Record<OrcRegister, number>>> = {
  undefined: 0,
  'prev-sp': 1,
  dx: 2,
  di: 3,
  bp: 4,
  sp: 5,
  r10: 6,
  r13: 7,
  'bp-indirect': 8,
  'sp-indirect': 9,
};
const NUMBERS_V4: Readonly<Partial<Record<OrcRegister, number>>> = {
  undefined: 0,
  ax: 1,
  dx: 2,
  sp: 3,
  bp: 4,
  di: 5,
  r10: 6,
  r13: 7,
  'prev-sp': 8,
  'sp-indirect': 9,
  'bp-indirect': 10,
};
const TYPES_V3: readonly OrcType[] = ['undefined', 'end-of-stack', 'call', 'regs', 'regs-partial'];
const TYPES_V1: readonly OrcType[] = ['call', 'regs', 'regs-partial'];

/** A call entry based on sp, the commonest kind, with what differs. */
export function entry(fields: Partial<OrcEntry> = {}): OrcEntry {
  const type = fields.type ?? 'call';
  return {
    spRegister: type === 'undefined' || type === 'end-of-stack' ? 'undefined' : 'sp',
    spOffset: 8,
    bpRegister: 'undefined',
    bpOffset: 0,
    type,
    signal: type === 'regs' || type === 'regs-partial',
    ...fields,
  };
}

/** The six bytes of an entry. */
export function encodeEntry(version: OrcVersion, of: OrcEntry): Uint8Array {
  const numbers = version === 4 ? NUMBERS_V4 : NUMBERS;
  const flags = (numbers[of.spRegister] ?? 15) | ((numbers[of.bpRegister] ?? 15) << 4) | typeBits(version, of);
  const bytes = new Uint8Array(ORC_ENTRY_SIZE);
  const view = new DataView(bytes.buffer);
  view.setInt16(0, of.spOffset, true);
  view.setInt16(2, of.bpOffset, true);
  view.setUint16(4, flags, true);
  return bytes;
}

function typeBits(version: OrcVersion, { type, signal }: OrcEntry): number {
  if (version >= 3) return (TYPES_V3.indexOf(type) << 8) | (signal ? 0x800 : 0);
  const end = type === 'end-of-stack' ? (version === 1 ? 0x400 : 0x800) : 0;
  const call = TYPES_V1.indexOf(type);
  return end | (call < 0 ? 0 : call << 8) | (version === 2 && signal ? 0x400 : 0);
}

export type OrcPlaces = readonly (readonly [address: bigint, entry: OrcEntry])[];

/** The two tables of these entries, the first of which will be at `base`. */
export function encodeTables(
  version: OrcVersion,
  places: OrcPlaces,
  base: bigint,
): { readonly addresses: Uint8Array; readonly entries: Uint8Array } {
  const sorted = [...places].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const addresses = new Uint8Array(sorted.length * 4);
  const entries = new Uint8Array(sorted.length * ORC_ENTRY_SIZE);
  for (const [i, [address, of]] of sorted.entries()) {
    new DataView(addresses.buffer).setInt32(i * 4, Number(address - base) - i * 4, true);
    entries.set(encodeEntry(version, of), i * ORC_ENTRY_SIZE);
  }
  return { addresses, entries };
}

/** Puts vmlinux's tables into a kernel. Without `header` the kernel has no .orc_header; without `lookup` no orc_lookup. */
export function placeOrc(
  fake: FakeKernel,
  version: OrcVersion,
  places: OrcPlaces,
  options: { readonly header?: boolean; readonly lookup?: boolean; readonly textLength?: number } = {},
): void {
  const sorted = [...places].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const { addresses, entries } = encodeTables(version, sorted, ADDRESSES);
  fake.memory.write(ADDRESSES, addresses);
  fake.memory.write(ENTRIES, entries);
  fake.symbols.add('__start_orc_unwind_ip', ADDRESSES, 'R');
  fake.symbols.add('__stop_orc_unwind_ip', ADDRESSES + BigInt(addresses.length), 'R');
  fake.symbols.add('__start_orc_unwind', ENTRIES, 'R');
  fake.symbols.add('__stop_orc_unwind', ENTRIES + BigInt(entries.length), 'R');
  const hash = HEADERS[version];
  if (options.header !== false && hash !== undefined) {
    fake.memory.write(
      HEADER,
      Uint8Array.from(hash.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16)),
    );
    fake.symbols.add('__start_orc_header', HEADER, 'R');
  }
  fake.symbols.add('_stext', TEXT, 'T');
  if (options.lookup === false) return;
  const blocks = Math.ceil((options.textLength ?? 0x4000) / ORC_LOOKUP_BLOCK) + 1;
  for (let block = 0; block < blocks; block++) {
    const start = TEXT + BigInt(block * ORC_LOOKUP_BLOCK);
    const index = sorted.filter(([address]) => address <= start).length - 1;
    fake.memory.writeInteger(LOOKUP + BigInt(block * 4), 4, BigInt(Math.max(index, 0)));
  }
  fake.symbols.add('orc_lookup', LOOKUP, 'B');
  fake.symbols.add('orc_lookup_end', LOOKUP + BigInt(blocks * 4), 'B');
}
