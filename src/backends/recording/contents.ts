/**
 * What a recording stores once however often it was read: pages and files by their content. Contents are numbered
 * from 1 in the order in which they are stored; small ones share a chunk, large ones (BTF, kallsyms) have their own.
 *
 * Body of a 'D' chunk: a u32 length for each of its items, then the items' bytes one after the other.
 */
import { createHash } from 'node:crypto';
import { DataError } from '../../core/errors.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';

/** Number of the page of zeros. */
export const ZERO_PAGE = 0;
/** A longer file is stored as several contents. */
export const CONTENT_MAX = 16 * 1024 * 1024;
const SHARED_MAX = 256 * 1024;
const CHUNK_TARGET = 1024 * 1024;
const ITEMS_MAX = 65_536;
/** Contents whose digests are remembered: about 25 MB. Older ones are stored again when they come back. */
const REMEMBERED_MAX = 262_144;
const ZEROS = Buffer.alloc(PAGE_SIZE);

/** Numbers contents, and hands over a chunk body whenever one is full. */
export class ContentPacker {
  readonly #emit: (body: Uint8Array, items: number) => void;
  readonly #numbers = new Map<string, number>();
  #pending: Uint8Array[] = [];
  #pendingLength = 0;
  #next = 1;

  constructor(emit: (body: Uint8Array, items: number) => void) {
    this.#emit = emit;
  }

  /** The number of a page's content: PAGE_SIZE bytes. */
  page(bytes: Uint8Array): number {
    return ZEROS.equals(bytes) ? ZERO_PAGE : this.#number(bytes);
  }

  /** The numbers of the pieces that make up these bytes: one, unless they are very long. */
  add(bytes: Uint8Array): number[] {
    const numbers: number[] = [];
    for (let at = 0; at === 0 || at < bytes.length; at += CONTENT_MAX) {
      numbers.push(this.#number(bytes.subarray(at, at + CONTENT_MAX)));
    }
    return numbers;
  }

  /** Hands over what waits for its chunk to fill. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const body = packContents(this.#pending);
    const items = this.#pending.length;
    this.#pending = [];
    this.#pendingLength = 0;
    this.#emit(body, items);
  }

  #number(bytes: Uint8Array): number {
    // Half a sha256: 2^64 pages before two of them are likely to meet.
    const digest = createHash('sha256').update(bytes).digest().toString('latin1', 0, 16);
    const known = this.#numbers.get(digest);
    if (known !== undefined) return known;
    if (this.#numbers.size >= REMEMBERED_MAX) this.#numbers.clear();
    const number = this.#next++;
    this.#numbers.set(digest, number);
    if (bytes.length > SHARED_MAX) this.flush();
    this.#pending.push(bytes);
    this.#pendingLength += bytes.length;
    if (this.#pendingLength >= CHUNK_TARGET || bytes.length > SHARED_MAX || this.#pending.length >= ITEMS_MAX) {
      this.flush();
    }
    return number;
  }
}

export function packContents(contents: readonly Uint8Array[]): Uint8Array {
  const length = contents.reduce((sum, bytes) => sum + bytes.length, 4 * contents.length);
  const body = Buffer.allocUnsafe(length);
  let at = 4 * contents.length;
  for (const [i, bytes] of contents.entries()) {
    body.writeUInt32LE(bytes.length, 4 * i);
    body.set(bytes, at);
    at += bytes.length;
  }
  return body;
}

/** Where each item of a chunk body starts, and at the end where the last one ends. Throws DataError. */
export function contentOffsets(body: Uint8Array, items: number): Uint32Array {
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  if (4 * items > body.length) throw new DataError(`its ${items} items do not fit in ${body.length} bytes`);
  const offsets = new Uint32Array(items + 1);
  let at = 4 * items;
  for (let i = 0; i < items; i++) {
    offsets[i] = at;
    at += view.getUint32(4 * i, true);
    if (at > body.length) throw new DataError(`item ${i} ends after the chunk`);
  }
  if (at !== body.length) throw new DataError(`its items end ${body.length - at} bytes before the chunk`);
  offsets[items] = at;
  return offsets;
}
