/**
 * The log before 5.10: records one after the other in `log_buf`, from log_first_idx to log_next_idx. A record is a
 * struct printk_log, then the text, then the dictionary ("SUBSYSTEM=pci\0DEVICE=+pci:..."), padded to its `len`; one
 * with len 0 says that the next is at the start of the buffer.
 */
import { DataError } from '../errors.ts';
import { decodeText } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import { formatCaller, type LogRecord } from './log-record.ts';
import { findStructMember, memberOffset } from './member.ts';
import type { LogSpan } from './printk.ts';

const LENGTH_MAX = 1 << 30;

/** The records, oldest first; undefined where the kernel has no such log. Throws FaultError, DataError. */
export function readPrintkLog(kernel: Kernel): readonly LogRecord[] | undefined {
  const layout = printkLogLayout(kernel);
  const [buffer, length, first, next] = ['log_buf', 'log_buf_len', 'log_first_idx', 'log_next_idx'].map((name) =>
    kernel.addressOf(name),
  );
  if (layout === undefined || buffer === undefined || length === undefined) return undefined;
  if (first === undefined || next === undefined) return undefined;
  const { memory } = kernel;
  const size = memory.u32(length, 'log_buf_len');
  if (size === 0 || size > LENGTH_MAX) throw new DataError(`log_buf_len is ${size}: impossible`);
  const bytes = memory.read(memory.u64(buffer, 'log_buf'), size, 'log_buf');
  const firstSequence = kernel.addressOf('log_first_seq');
  return parsePrintkLog(bytes, layout, {
    first: memory.u32(first, 'log_first_idx'),
    next: memory.u32(next, 'log_next_idx'),
    sequence: firstSequence === undefined ? 0n : memory.u64(firstSequence, 'log_first_seq'),
  });
}

/** What is in it, without reading it; undefined where the kernel has no such log. Throws FaultError. */
export function printkLogSpan(kernel: Kernel): LogSpan | undefined {
  const [first, next] = ['log_first_seq', 'log_next_seq'].map((name) => kernel.addressOf(name));
  if (first === undefined || next === undefined) return undefined;
  const { memory } = kernel;
  return { oldest: memory.u64(first, 'log_first_seq'), next: memory.u64(next, 'log_next_seq') };
}

/** Offsets in struct printk_log; the level and flags share the byte after `facility`. */
export interface PrintkLogLayout {
  readonly size: number;
  readonly time: number;
  readonly length: number;
  readonly textLength: number;
  readonly dictLength: number;
  readonly facility: number;
  readonly caller: number | undefined;
}

function printkLogLayout(kernel: Kernel): PrintkLogLayout | undefined {
  if (!kernel.hasStruct('printk_log')) return undefined;
  const offset = (member: string) => memberOffset(kernel, 'printk_log', member).offset;
  return {
    size: memberOffset(kernel, 'printk_log', 'len').size,
    time: offset('ts_nsec'),
    length: offset('len'),
    textLength: offset('text_len'),
    dictLength: offset('dict_len'),
    facility: offset('facility'),
    caller: findStructMember(kernel, 'printk_log', 'caller_id')?.offset,
  };
}

/** Decodes the buffer between two indices. Ends where a record does not fit: what came before it is kept. */
export function parsePrintkLog(
  bytes: Uint8Array,
  layout: PrintkLogLayout,
  range: { readonly first: number; readonly next: number; readonly sequence: bigint },
): readonly LogRecord[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const records: LogRecord[] = [];
  let at = range.first;
  let sequence = range.sequence;
  let wrapped = range.next > range.first;
  while (at !== range.next || !wrapped) {
    if (at + layout.size > bytes.length) break;
    const length = view.getUint16(at + layout.length, true);
    if (length === 0) {
      if (wrapped) break;
      wrapped = true;
      at = 0;
      continue;
    }
    if (length < layout.size || at + length > bytes.length) break;
    records.push(decode(bytes, view, layout, at, length, sequence));
    sequence++;
    at += length;
  }
  return records;
}

function decode(
  bytes: Uint8Array,
  view: DataView,
  layout: PrintkLogLayout,
  at: number,
  length: number,
  sequence: bigint,
): LogRecord {
  const textStart = at + layout.size;
  const textEnd = Math.min(textStart + view.getUint16(at + layout.textLength, true), at + length);
  const dictEnd = Math.min(textEnd + view.getUint16(at + layout.dictLength, true), at + length);
  const caller = layout.caller === undefined ? undefined : view.getUint32(at + layout.caller, true);
  return {
    sequence,
    time: view.getBigUint64(at + layout.time, true),
    level: view.getUint8(at + layout.facility + 1) >> 5,
    facility: view.getUint8(at + layout.facility),
    caller: caller === undefined ? undefined : formatCaller(caller),
    comm: undefined,
    text: decodeText(bytes, textStart, textEnd),
    lost: false,
    properties: decodeText(bytes, textEnd, dictEnd)
      .split('\0')
      .filter((line) => line.includes('='))
      .map((line) => ({ name: line.slice(0, line.indexOf('=')), value: line.slice(line.indexOf('=') + 1) })),
  };
}
