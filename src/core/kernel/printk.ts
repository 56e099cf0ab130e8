/**
 * The printk ring buffer in memory (5.10 and later; kernel/printk/printk_ringbuffer.c). Two rings: descriptors, each
 * with an info beside it, and text. `prb` points at
 *
 *     desc_ring       2^count_bits descriptors and infos; ids tail_id..head_id are in use, an id's place is id mod count
 *     text_data_ring  2^size_bits bytes; positions only grow, a position's place is position mod size
 *
 * A descriptor's state_var is its id with the state in the top two bits: 1 committed, 2 finalized. Its text block spans
 * the positions [begin, next) and starts with the id again; a block that does not fit before the end of the ring lies
 * whole at its start. begin == next == 3 is an empty line, another odd begin means that the text was lost.
 */
import { DataError } from '../errors.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import { decodeCString, decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import { formatCaller, type LogRecord } from './log-record.ts';
import { type PrintkLayout, printkLayout } from './printk-layout.ts';
import { vmcoreinfo } from './vmcoreinfo.ts';

const ID_MASK = (1n << 62n) - 1n;
const EMPTY_LINE = 3n;
/** Bytes of the id that a text block starts with. */
const ID_LENGTH = 8n;
/** log_buf_len= takes at most 2 GiB; a descriptor is made for every 32 bytes of it. */
const COUNT_BITS_MAX = 26;
const SIZE_BITS_MAX = 31;
/** Read together: 2,048 infos are 180 KiB. */
const BATCH = 2048;

/** The ring as it is when it is read. */
interface Ring {
  readonly layout: PrintkLayout;
  readonly count: bigint;
  readonly descs: bigint;
  readonly infos: bigint;
  readonly head: bigint;
  readonly tail: bigint;
  readonly size: bigint;
  readonly data: bigint;
}

/**
 * The records, oldest first; undefined where the kernel has no such ring. Records that are being written or were
 * overwritten while they were read are left out. Throws FaultError, DataError.
 */
export function readPrintkRing(kernel: Kernel): readonly LogRecord[] | undefined {
  const at = ringAddress(kernel);
  const layout = at === undefined ? undefined : printkLayout(kernel);
  if (at === undefined || layout === undefined) return undefined;
  const ring = readRing(kernel, at, layout);
  const ids: bigint[] = [];
  const length = Math.min(Number((ring.head - ring.tail) & ID_MASK) + 1, Number(ring.count));
  for (let i = 0; i < length; i++) ids.push((ring.tail + BigInt(i)) & ID_MASK);
  const records: LogRecord[] = [];
  for (let start = 0; start < ids.length; start += BATCH) {
    records.push(...readBatch(kernel, ring, ids.slice(start, start + BATCH)));
  }
  return records;
}

/** Sequence numbers of the oldest record that is there, and of the one that comes next. */
export interface LogSpan {
  readonly oldest: bigint;
  readonly next: bigint;
}

/** Of what is in the ring, without reading it; undefined where the kernel has no such ring. Throws FaultError, DataError. */
export function printkRingSpan(kernel: Kernel): LogSpan | undefined {
  const at = ringAddress(kernel);
  const layout = at === undefined ? undefined : printkLayout(kernel);
  if (at === undefined || layout === undefined) return undefined;
  const ring = readRing(kernel, at, layout);
  const sequenceOf = (id: bigint): bigint =>
    ring.infos + (id % ring.count) * BigInt(layout.infoSize) + BigInt(layout.sequence);
  const ends = [sequenceOf(ring.tail), sequenceOf(ring.head)] as const;
  kernel.memory.prefetch(ends.map((address) => ({ space: 'virtual', address, length: 8, what: 'printk_info.seq' })));
  const [oldest, newest] = ends.map((address) => kernel.memory.u64(address, 'printk_info.seq')) as [bigint, bigint];
  return { oldest, next: newest + 1n };
}

/** Where the texts of the records are; undefined where the kernel has no such ring. Throws FaultError, DataError. */
export function printkTextRange(kernel: Kernel): { readonly address: bigint; readonly length: number } | undefined {
  const at = ringAddress(kernel);
  const layout = at === undefined ? undefined : printkLayout(kernel);
  if (at === undefined || layout === undefined) return undefined;
  const { data, size } = readRing(kernel, at, layout);
  return { address: data, length: Number(size) };
}

/** The ring that `prb` points at: the static one, or the one that log_buf_len= made. */
function ringAddress(kernel: Kernel): bigint | undefined {
  const pointer = vmcoreinfo(kernel)?.symbol('prb') ?? kernel.addressOf('prb');
  if (pointer === undefined) return undefined;
  const ring = kernel.memory.u64(pointer, 'prb');
  if (!isKernelAddress(ring)) throw new DataError(`prb is ${formatAddress(ring)}: not a kernel address`);
  return ring;
}

function readRing(kernel: Kernel, at: bigint, layout: PrintkLayout): Ring {
  const { memory } = kernel;
  const pointer = (offset: number, what: string) => memory.u64(at + BigInt(offset), `printk_ringbuffer.${what}`);
  const bits = (offset: number, max: number, what: string) => {
    const value = memory.u32(at + BigInt(offset), `printk_ringbuffer.${what}`);
    if (value < 1 || value > max) throw new DataError(`printk_ringbuffer.${what} is ${value}: impossible`);
    return 1n << BigInt(value);
  };
  return {
    layout,
    count: bits(layout.countBits, COUNT_BITS_MAX, 'desc_ring.count_bits'),
    descs: pointer(layout.descs, 'desc_ring.descs'),
    infos: pointer(layout.infos, 'desc_ring.infos'),
    head: pointer(layout.headId, 'desc_ring.head_id') & ID_MASK,
    tail: pointer(layout.tailId, 'desc_ring.tail_id') & ID_MASK,
    size: bits(layout.dataSizeBits, SIZE_BITS_MAX, 'text_data_ring.size_bits'),
    data: pointer(layout.data, 'text_data_ring.data'),
  };
}

/** A descriptor with its info, before its text is read. */
interface Described {
  readonly id: bigint;
  readonly text: { readonly address: bigint; readonly length: number } | 'empty' | 'lost';
  readonly info: DataView;
}

/** Three requests: descriptors with infos, the texts' pages. */
function readBatch(kernel: Kernel, ring: Ring, ids: readonly bigint[]): readonly LogRecord[] {
  const { layout, count } = ring;
  const place = (id: bigint, base: bigint, size: number) => base + (id % count) * BigInt(size);
  const answers = kernel.memory.readMany(
    ids.flatMap((id) => [
      { space: 'virtual', address: place(id, ring.descs, layout.descSize), length: layout.descSize, what: 'prb_desc' },
      {
        space: 'virtual',
        address: place(id, ring.infos, layout.infoSize),
        length: layout.infoSize,
        what: 'printk_info',
      },
    ]),
  );
  const described: Described[] = [];
  for (const [i, id] of ids.entries()) {
    const desc = answers[2 * i];
    const info = answers[2 * i + 1];
    if (!(desc instanceof Uint8Array) || !(info instanceof Uint8Array)) continue;
    const view = viewOf(desc);
    const state = view.getBigUint64(layout.state, true);
    const kind = state >> 62n;
    if ((state & ID_MASK) !== id || (kind !== 1n && kind !== 2n)) continue;
    const begin = view.getBigUint64(layout.begin, true);
    const next = view.getBigUint64(layout.next, true);
    described.push({ id, text: locateText(ring, begin, next), info: viewOf(info) });
  }
  kernel.memory.prefetch(
    described.flatMap(({ text }) =>
      typeof text === 'string'
        ? []
        : [{ space: 'virtual', address: text.address, length: text.length, what: 'log text' }],
    ),
  );
  return described.map((record) => readRecord(kernel, ring, record));
}

/** Where the block of text is, with its id. The block's last byte, not `next`, tells whether it wrapped. */
function locateText(ring: Ring, begin: bigint, next: bigint): Described['text'] {
  if (begin === EMPTY_LINE && next === EMPTY_LINE) return 'empty';
  const { size, data } = ring;
  if (((begin | next) & (ID_LENGTH - 1n)) !== 0n || next <= begin || next - begin > size) return 'lost';
  const wrapped = begin / size !== (next - 1n) / size;
  const address = data + (wrapped ? 0n : begin % size);
  const length = wrapped ? ((next - 1n) % size) + 1n : next - begin;
  return length < ID_LENGTH ? 'lost' : { address, length: Number(length) };
}

function readRecord(kernel: Kernel, { layout }: Ring, { id, text, info }: Described): LogRecord {
  const flags = info.getUint8(layout.textLength + 3);
  const caller = layout.caller === undefined ? undefined : info.getUint32(layout.caller, true);
  const block = typeof text === 'string' ? undefined : kernel.memory.tryRead(text.address, text.length, 'log text');
  const sound = block instanceof Uint8Array && (viewOf(block).getBigUint64(0, true) & ID_MASK) === id;
  const length = info.getUint16(layout.textLength, true);
  return {
    sequence: info.getBigUint64(layout.sequence, true),
    time: info.getBigUint64(layout.time, true),
    level: flags >> 5,
    facility: info.getUint8(layout.textLength + 2),
    caller: caller === undefined ? undefined : formatCaller(caller),
    comm: layout.comm === undefined ? undefined : member(info, layout.comm, 16),
    text: sound ? decodeText(block, 8, Math.min(8 + length, block.length)) : '',
    lost: text !== 'empty' && !sound,
    properties: properties(layout, info),
  };
}

function properties(layout: PrintkLayout, info: DataView): LogRecord['properties'] {
  const found: { name: string; value: string }[] = [];
  const subsystem = layout.subsystem === undefined ? '' : member(info, layout.subsystem, layout.subsystemLength);
  const device = layout.device === undefined ? '' : member(info, layout.device, layout.deviceLength);
  if (subsystem !== '') found.push({ name: 'SUBSYSTEM', value: subsystem });
  if (device !== '') found.push({ name: 'DEVICE', value: device });
  return found;
}

function member(view: DataView, offset: number, length: number): string {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  return decodeCString(bytes, offset, Math.min(offset + length, bytes.length));
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
