/**
 * The header of a BTF blob (include/uapi/linux/btf.h, Documentation/bpf/btf.rst): where its types, its strings and,
 * in kernels that have it, the layout of its records are. All offsets count from the end of the header.
 *
 *     u16 magic 0xeb9f | u8 version | u8 flags | u32 hdr_len | u32 type_off, type_len | u32 str_off, str_len
 *     and when hdr_len says so: u32 layout_off, layout_len
 */
import { DataError, UnsupportedError } from '../errors.ts';

/** A part of the blob: bytes [start, end). */
export interface BtfSection {
  readonly start: number;
  readonly end: number;
}

export interface BtfHeader {
  readonly types: BtfSection;
  readonly strings: BtfSection;
  /** Record sizes by kind, for kinds that this decoder does not know; absent in most kernels. */
  readonly layout: BtfSection | undefined;
}

const MAGIC = 0xeb9f;
const MAGIC_SWAPPED = 0x9feb;
const HEADER_LENGTH = 24;
const HEADER_WITH_LAYOUT_LENGTH = 32;

/**
 * Reads and checks the header. `what` names the blob in messages: "BTF of vmlinux". Throws DataError for anything
 * that is not a whole BTF blob, UnsupportedError for a big-endian one.
 */
export function parseBtfHeader(view: DataView, what: string): BtfHeader {
  const length = view.byteLength;
  if (length < HEADER_LENGTH) throw new DataError(`${what} is ${length} bytes: too short for a BTF header`);
  const magic = view.getUint16(0, true);
  if (magic === MAGIC_SWAPPED) {
    throw new UnsupportedError(`${what} is big-endian: only little-endian kernels can be read`);
  }
  if (magic !== MAGIC) throw new DataError(`${what} is not BTF: magic 0x${magic.toString(16)}, not 0xeb9f`);
  const version = view.getUint8(2);
  if (version !== 1) throw new DataError(`${what} has BTF version ${version}: only version 1 is known`);
  const headerLength = view.getUint32(4, true);
  if (headerLength < HEADER_LENGTH || headerLength > length) {
    throw new DataError(`${what} has an impossible header length, ${headerLength} of ${length} bytes`);
  }
  const section = (at: number, name: string): BtfSection => {
    const start = headerLength + view.getUint32(at, true);
    const end = start + view.getUint32(at + 4, true);
    if (end > length) throw new DataError(`${what} is cut off: its ${name} end at byte ${end} of ${length}`);
    return { start, end };
  };
  return {
    types: section(8, 'types'),
    strings: section(16, 'strings'),
    layout: headerLength >= HEADER_WITH_LAYOUT_LENGTH ? section(24, 'record layout') : undefined,
  };
}
