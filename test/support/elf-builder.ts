/** Builds small ELF64 files: headers, notes, segments and sections as the decoders meet them. */
import { encodeText } from '../../src/core/memory/text.ts';

export interface TestSegment {
  readonly type: number;
  readonly virtual?: bigint;
  readonly physical?: bigint;
  readonly offset: bigint;
  readonly length: bigint;
}

export interface TestSection {
  readonly name: string;
  readonly type: number;
  readonly bytes: Uint8Array;
  readonly link?: number;
}

/** A core file's headers, notes right behind them (as /proc/kcore has them), and the segments' headers only. */
export function coreFile(options: {
  readonly notes?: Uint8Array;
  readonly segments: readonly TestSegment[];
  /** Write the number of segments into section 0 (PN_XNUM). */
  readonly extended?: boolean;
}): Uint8Array {
  const notes = options.notes ?? new Uint8Array(0);
  const count = options.segments.length + 1;
  const headersEnd = 64 + 56 * count + (options.extended ? 64 : 0);
  const bytes = new Uint8Array(headersEnd + notes.length);
  const view = new DataView(bytes.buffer);
  writeHeader(view, 4, { segmentsAt: 64, segmentCount: options.extended ? 0xffff : count });
  writeSegment(view, 64, { type: 4, offset: BigInt(headersEnd), length: BigInt(notes.length) });
  for (const [i, segment] of options.segments.entries()) writeSegment(view, 64 + 56 * (i + 1), segment);
  if (options.extended) {
    const section0 = 64 + 56 * count;
    view.setBigUint64(40, BigInt(section0), true);
    view.setUint16(60, 1, true);
    view.setUint32(section0 + 44, count, true);
  }
  bytes.set(notes, headersEnd);
  return bytes;
}

/** A file of sections, the last of them their names. */
export function sectionFile(sections: readonly TestSection[]): Uint8Array {
  const all = [{ name: '', type: 0, bytes: new Uint8Array(0) }, ...sections];
  const names = [...all.map((section) => section.name), '.shstrtab'];
  const nameTable = encodeText(`${names.join('\0')}\0`);
  const whole: readonly TestSection[] = [...all, { name: '.shstrtab', type: 3, bytes: nameTable }];
  const dataLength = whole.reduce((sum, section) => sum + Math.ceil(section.bytes.length / 8) * 8, 0);
  const bytes = new Uint8Array(64 + dataLength + 64 * whole.length);
  const view = new DataView(bytes.buffer);
  const sectionsAt = 64 + dataLength;
  writeHeader(view, 1, { sectionsAt, sectionCount: whole.length });
  let at = 64;
  let nameAt = 0;
  for (const [i, section] of whole.entries()) {
    const header = sectionsAt + 64 * i;
    bytes.set(section.bytes, at);
    view.setUint32(header, nameAt, true);
    view.setUint32(header + 4, section.type, true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(section.bytes.length), true);
    view.setUint32(header + 40, section.link ?? 0, true);
    at += Math.ceil(section.bytes.length / 8) * 8;
    nameAt += section.name.length + 1;
  }
  return bytes;
}

/** One note. */
export function note(name: string, type: number, description: Uint8Array): Uint8Array {
  const pad = (length: number) => Math.ceil(length / 4) * 4;
  const bytes = new Uint8Array(12 + pad(name.length + 1) + pad(description.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, name.length + 1, true);
  view.setUint32(4, description.length, true);
  view.setUint32(8, type, true);
  bytes.set(encodeText(name), 12);
  bytes.set(description, 12 + pad(name.length + 1));
  return bytes;
}

/** An Elf64_Sym. */
export function elfSymbol(symbol: {
  readonly name: number;
  readonly info: number;
  readonly section: number;
  readonly value: bigint;
}): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, symbol.name, true);
  view.setUint8(4, symbol.info);
  view.setUint16(6, symbol.section, true);
  view.setBigUint64(8, symbol.value, true);
  return bytes;
}

/** Bytes end to end. */
export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

function writeHeader(
  view: DataView,
  type: number,
  tables: { segmentsAt?: number; segmentCount?: number; sectionsAt?: number; sectionCount?: number },
): void {
  view.setUint32(0, 0x7f454c46);
  view.setUint8(4, 2);
  view.setUint8(5, 1);
  view.setUint8(6, 1);
  view.setUint16(16, type, true);
  view.setUint16(18, 62, true);
  view.setBigUint64(32, BigInt(tables.segmentsAt ?? 0), true);
  view.setBigUint64(40, BigInt(tables.sectionsAt ?? 0), true);
  view.setUint16(54, 56, true);
  view.setUint16(56, tables.segmentCount ?? 0, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, tables.sectionCount ?? 0, true);
  view.setUint16(62, Math.max(0, (tables.sectionCount ?? 0) - 1), true);
}

function writeSegment(view: DataView, at: number, segment: TestSegment): void {
  view.setUint32(at, segment.type, true);
  view.setUint32(at + 4, 7, true);
  view.setBigUint64(at + 8, segment.offset, true);
  view.setBigUint64(at + 16, segment.virtual ?? 0n, true);
  view.setBigUint64(at + 24, segment.physical ?? 0n, true);
  view.setBigUint64(at + 32, segment.length, true);
  view.setBigUint64(at + 40, segment.length, true);
}
