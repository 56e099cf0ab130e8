/**
 * Walks that the far side does by itself: along a list, or from pointer to pointer. It is told the ranges of kcore first.
 */
import type { ChaseRequest, ChaseResult, FollowRequest, FollowResult } from '../../../core/memory/backend.ts';
import { Fault } from '../../../core/memory/fault.ts';
import { decodeText } from '../../../core/memory/text.ts';
import { type Exchange, faultOf, itemOf } from './exchange.ts';
import { broken } from './frames.ts';
import { farError, faultReason, type Item } from './items.ts';
import type { KcoreMap } from './kcore-map.ts';
import { wireRequest } from './wire-request.ts';

/** All that one walk may bring. */
const WALK_BYTES_MAX = 64 * 1024 * 1024;

/** The ranges of kcore for the far side's own walks. */
export function mapExchange(map: KcoreMap): Exchange<void> {
  const words = map.segments.map(({ virtual, length, offset }) => `${virtual} ${virtual + length} ${offset}`);
  return { requests: [wireRequest(`m ${words.join(' ')}`)], answer: () => undefined };
}

export function followExchange(walk: FollowRequest): Exchange<FollowResult> {
  const { start, nextOffset, end, limit, ranges } = walk;
  const wanted = ranges.map(({ offset, length }) => ` ${offset} ${length}`).join('');
  const each = 40 + ranges.reduce((sum, { length }) => sum + length + 20, 0);
  // A walk of more than this is cut here, and says so as any limit does.
  const most = Math.max(0, Math.min(limit, Math.floor(WALK_BYTES_MAX / each)));
  const request = `w ${start} ${nextOffset} ${end ?? '-'} ${most}${wanted}`;
  return {
    requests: [wireRequest(request, most * (1 + ranges.length) + 1, most * each)],
    answer: (items) => followResult(walk, items),
  };
}

function followResult(walk: FollowRequest, items: readonly Item[]): FollowResult {
  const nodes: { address: bigint; bytes: (Uint8Array | Fault)[] }[] = [];
  const step = 1 + walk.ranges.length;
  for (let at = 0; at + step < items.length; at += step) {
    const address = BigInt(`0x${hexOf(itemOf(items[at]))}`);
    const bytes = walk.ranges.map(({ offset, length }, i) => {
      const item = itemOf(items[at + 1 + i]);
      if (item.kind === '+' && item.bytes.length === length) return item.bytes;
      const range = { space: 'virtual', address: address + BigInt(offset), length, what: walk.what } as const;
      if (item.kind !== '-') throw broken('memory of another length', item.bytes);
      return faultOf(range, item);
    });
    nodes.push({ address, bytes });
  }
  const last = itemOf(items.at(-1));
  if ((items.length - 1) % step !== 0 || last.kind !== '.') throw broken('a walk without an end', last.bytes);
  const text = decodeText(last.bytes);
  if (text === 'end' || text === 'null' || text === 'loop' || text === 'limit') return { nodes, stopped: text };
  return { nodes, stopped: 'fault', fault: endFault(last, walk.what) };
}

export function chaseExchange({ start, offsets, flags, what }: ChaseRequest): Exchange<ChaseResult> {
  const request = `a ${start} ${flags} ${offsets.join(' ')}`;
  return {
    requests: [wireRequest(request, 2, 8 * offsets.length)],
    answer([pointers, end]) {
      const { kind, bytes } = itemOf(pointers);
      const isWhole = kind === '+' && bytes.length % 8 === 0 && bytes.length <= 8 * offsets.length;
      if (!isWhole) throw broken('pointers of another length', bytes);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const found = Array.from({ length: bytes.length / 8 }, (_, i) => view.getBigUint64(8 * i, true));
      const last = itemOf(end);
      return { pointers: found, ...(decodeText(last.bytes) === 'end' ? {} : { fault: endFault(last, what) }) };
    },
  };
}

/** "fault ADDRESS ERRNO WORDS": where the next pointer could not be read. */
function endFault({ bytes }: Item, what: string): Fault {
  const [, address, words] = /^fault ([0-9a-f]{1,16}) (.*)$/s.exec(decodeText(bytes)) ?? [];
  if (address === undefined || words === undefined) throw broken('a walk that ends in no known way', bytes);
  const error = farError(Buffer.from(words));
  return new Fault({ space: 'virtual', address: BigInt(`0x${address}`), length: 8, what }, faultReason(error));
}

function hexOf({ kind, bytes }: Item): string {
  const text = decodeText(bytes);
  if (kind !== '+' || !/^[0-9a-f]{1,16}$/.test(text)) throw broken('a node without an address', bytes);
  return text;
}
