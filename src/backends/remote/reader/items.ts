/**
 * What an answer is made of: items, one after another in its frames, "KIND LENGTH" and so many bytes each.
 */
import { gunzipSync } from 'node:zlib';
import type { FileFailure } from '../../../core/memory/backend.ts';
import type { FaultReason } from '../../../core/memory/fault.ts';
import { decodeText } from '../../../core/memory/text.ts';
import { escapeControls } from '../../../core/output/escape.ts';
import { broken } from './frames.ts';

/** +: whole; ~: cut at the limit; -: an error; =: as the asker has it; .: why a walk ended. */
export interface Item {
  readonly kind: '+' | '~' | '-' | '=' | '.';
  readonly bytes: Uint8Array;
}

const ITEM = /^([-+~=.>z])(\d{1,9})$/;
const LINE_FEED = 0x0a;

/**
 * The items of an answer, which is `bytesMax` long at most when inflated. Throws BackendError when the bytes are none,
 * or are more than `count`.
 */
export function parseItems(bytes: Uint8Array, count: number, bytesMax: number): readonly Item[] {
  const items: Item[] = [];
  let parts: Part[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.subarray(at, at + 16).indexOf(LINE_FEED);
    const match = end < 0 ? null : ITEM.exec(Buffer.from(bytes.subarray(at, at + end)).toString('latin1'));
    const start = at + end + 1;
    const stop = start + Number(match?.[2]);
    if (match === null || stop > bytes.length) throw broken('an answer that is no list of items', bytes.subarray(at));
    const [, kind] = match;
    const body = bytes.subarray(start, stop);
    at = stop;
    if (kind === '>' || kind === 'z') {
      parts.push({ isSqueezed: kind === 'z', body });
      continue;
    }
    const whole = parts.length === 0 ? body : joined([...parts, { isSqueezed: false, body }], bytesMax);
    items.push({ kind: kind as Item['kind'], bytes: whole });
    parts = [];
    if (items.length > count) throw broken('more than was asked for', body);
  }
  const [open] = parts;
  if (open !== undefined) throw broken('an answer that ends within an item', open.body);
  return items;
}

/** A piece of an item; those that are squeezed are one stream of gzip together. */
interface Part {
  readonly isSqueezed: boolean;
  readonly body: Uint8Array;
}

function joined(parts: readonly Part[], bytesMax: number): Uint8Array {
  const plain: Uint8Array[] = [];
  for (let i = 0; i < parts.length; ) {
    const { isSqueezed, body } = parts[i] as Part;
    i++;
    if (!isSqueezed) {
      plain.push(body);
      continue;
    }
    const squeezed = [body];
    for (; parts[i]?.isSqueezed === true; i++) squeezed.push((parts[i] as Part).body);
    try {
      plain.push(gunzipSync(Buffer.concat(squeezed), { maxOutputLength: Math.max(1, bytesMax) }));
    } catch {
      throw broken('an item that cannot be decompressed', body);
    }
  }
  const bytes = Buffer.concat(plain);
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** An error of the far side's system: errno where it knows it, and its words. */
export interface FarError {
  readonly errno: number | undefined;
  readonly words: string;
}

const EPERM = 1;
const ENOENT = 2;
const ESRCH = 3;
const ENXIO = 6;
const EACCES = 13;
const EFAULT = 14;
const ENODEV = 19;
const ENOTDIR = 20;
const ELOOP = 40;

/** What a shell's tools say instead of a number. */
const WORDS: readonly (readonly [RegExp, number])[] = [
  [/not permitted/i, EPERM],
  [/no such file/i, ENOENT],
  [/no such process/i, ESRCH],
  [/permission denied/i, EACCES],
  [/bad address/i, EFAULT],
  [/no such device/i, ENODEV],
  [/not a directory/i, ENOTDIR],
  [/symbolic link/i, ELOOP],
];

export function farError(bytes: Uint8Array): FarError {
  const text = escapeControls(decodeText(bytes.subarray(0, 200)).trim());
  const match = /^(\d{1,4}) (.*)$/.exec(text);
  const words = match?.[2] ?? text;
  const errno = match === null ? WORDS.find(([pattern]) => pattern.test(words))?.[1] : Number(match[1]);
  return { errno, words };
}

/** The reason of a fault; errno 0 says that kcore ends within the range. */
export function faultReason({ errno }: FarError): FaultReason {
  if (errno === EFAULT) return 'unmapped';
  if (errno === EPERM || errno === EACCES) return 'denied';
  return errno === 0 ? 'truncated' : 'io';
}

/** As the local backend says it (local/paths.ts). */
export function fileFailure(path: string, { errno, words }: FarError): FileFailure {
  switch (errno) {
    case ENOENT:
      return { path, reason: 'absent', detail: 'no such file' };
    case ESRCH:
      return { path, reason: 'absent', detail: 'the process has ended' };
    case ENOTDIR:
    case ENODEV:
    case ENXIO:
      return { path, reason: 'absent', detail: words };
    case EACCES:
      return { path, reason: 'denied', detail: 'permission denied' };
    case EPERM:
      return { path, reason: 'denied', detail: /^operation not permitted$/i.test(words) ? 'not permitted' : words };
    case ELOOP:
      return { path, reason: 'denied', detail: 'it is a link' };
    default:
      return { path, reason: 'io', detail: words };
  }
}
