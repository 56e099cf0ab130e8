/**
 * A page of the kernel's ring buffer (kernel/trace/ring_buffer.c, struct buffer_data_page): when its first record was
 * written, how many bytes are used, and the records. Each begins with 5 bits of length or kind and 27 bits of time that
 * passed since the one before; a longer time stands in a record of its own.
 */
import { DataError } from '../errors.ts';

/** Where the parts of a page are, as events/header_page says it. */
export interface RingPageLayout {
  readonly isLittle: boolean;
  /** Where `commit` is, and how many bytes it has: 8, or 4 of a 32-bit kernel. */
  readonly commitOffset: number;
  readonly commitSize: number;
  readonly dataOffset: number;
}

export interface RingRecord {
  readonly time: bigint;
  /** The event: its common fields and its own. */
  readonly data: DataView;
  /** Records that were overwritten before this one; -1 where nobody counted. */
  readonly lost: number;
}

const DATA_TYPE_MAX = 28;
const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
const DELTA_BITS = 27n;
/** Flags of the word of `commit`, set by ring_buffer_read_page() where records are missing before the page. */
const MISSED_EVENTS = 0x8000_0000;
const MISSED_STORED = 0x4000_0000;
const COMMIT_MASK = 0x07ff_ffff;
/** An absolute time has 59 bits; those above are the page's (v5.18, 6695da58f9d2 "ring-buffer: Have absolute ..."). */
const STAMP_MASK = (1n << 59n) - 1n;

/** Throws DataError where the text says nothing that a page can be read by. */
export function ringPageLayout(headerPage: string, isLittle: boolean): RingPageLayout {
  const field = (name: string): readonly [number, number] => {
    const match = new RegExp(`field: [^;]*\\b${name};\\s*offset:(\\d{1,4});\\s*size:(\\d{1,7});`).exec(headerPage);
    if (match === null) throw new DataError(`its header_page has no ${name}`);
    return [Number(match[1]), Number(match[2])];
  };
  const [commitOffset, commitSize] = field('commit');
  const [dataOffset] = field('data');
  if (commitSize !== 4 && commitSize !== 8) throw new DataError(`its header_page has a commit of ${commitSize} bytes`);
  return { isLittle, commitOffset, commitSize, dataOffset };
}

/** The records of one page. A page that ends early, or a record that leaves it, ends the page. */
export function* ringRecords(page: Uint8Array, layout: RingPageLayout): Generator<RingRecord, void> {
  const { isLittle, commitOffset, commitSize, dataOffset } = layout;
  if (page.length < Math.max(dataOffset, commitOffset + commitSize, 8)) return;
  const view = new DataView(page.buffer, page.byteOffset, page.byteLength);
  const commit = view.getUint32(commitOffset + (isLittle ? 0 : commitSize - 4), isLittle);
  const end = Math.min(page.length, dataOffset + (commit & COMMIT_MASK));
  let time = view.getBigUint64(0, isLittle);
  let lost = lostBefore(view, commit, end, commitSize, isLittle);
  for (let at = dataOffset; at + 4 <= end; ) {
    const head = view.getUint32(at, isLittle);
    const type = isLittle ? head & 31 : head >>> 27;
    const delta = isLittle ? head >>> 5 : head & 0x07ff_ffff;
    const next = at + 4 <= end - 4 ? view.getUint32(at + 4, isLittle) : 0;
    at += 4;
    if (type === PADDING) {
      // Without a time it fills the rest of the page; else it was a record that was thrown away.
      if (delta === 0 || next === 0) return;
      time += BigInt(delta);
      at += next;
    } else if (type === TIME_EXTEND) {
      time += (BigInt(next) << DELTA_BITS) + BigInt(delta);
      at += 4;
    } else if (type === TIME_STAMP) {
      const stamp = (BigInt(next) << DELTA_BITS) + BigInt(delta);
      time = (time & ~STAMP_MASK) | (stamp & STAMP_MASK);
      at += 4;
    } else {
      // 0: the length follows, itself included.
      const isLong = type === 0;
      const length = isLong ? next - 4 : Math.min(type, DATA_TYPE_MAX) * 4;
      const start = at + (isLong ? 4 : 0);
      if (length < 4 || start + length > end) return;
      time += BigInt(delta);
      yield { time, data: new DataView(page.buffer, page.byteOffset + start, length), lost };
      lost = 0;
      at = start + Math.ceil(length / 4) * 4;
    }
  }
}

function lostBefore(view: DataView, commit: number, end: number, size: number, isLittle: boolean): number {
  if ((commit & MISSED_EVENTS) === 0) return 0;
  if ((commit & MISSED_STORED) === 0 || end + size > view.byteLength) return -1;
  const low = view.getUint32(end + (isLittle ? 0 : size - 4), isLittle);
  return low === 0 ? -1 : low;
}
