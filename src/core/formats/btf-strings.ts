/**
 * The string section of a BTF blob: NUL-terminated names, referred to by offset. A module's BTF continues vmlinux's
 * strings: offsets below the end of the base's section are in the base.
 */
import { DataError } from '../errors.ts';
import { decodeText } from '../memory/text.ts';

/** The kernel's limit (KSYM_NAME_LEN) is 512. Longer ones occur in damaged blobs only and are cut here. */
const NAME_LENGTH_MAX = 1024;

export class BtfStrings {
  readonly #bytes: Uint8Array;
  readonly #base: BtfStrings | undefined;
  /** Offset of the first string of this section, and the end of its last. */
  readonly #start: number;
  readonly end: number;

  /** `bytes` is the section alone. */
  constructor(bytes: Uint8Array, base: BtfStrings | undefined) {
    this.#bytes = bytes;
    this.#base = base;
    this.#start = base?.end ?? 0;
    this.end = this.#start + bytes.length;
  }

  has(offset: number): boolean {
    return offset < this.end;
  }

  /** The string at this offset; '' for offset 0, which stands for no name. Throws DataError outside of the section. */
  at(offset: number): string {
    if (offset === 0) return '';
    if (this.#base !== undefined && offset < this.#start) return this.#base.at(offset);
    if (offset >= this.end)
      throw new DataError(`BTF refers to a name at ${offset}, beyond its ${this.end} string bytes`);
    const start = offset - this.#start;
    return decodeText(this.#bytes, start, this.#endOf(start));
  }

  /** All of this section, without its base's. */
  *own(): Generator<string> {
    for (let at = 0; at < this.#bytes.length; ) {
      const end = this.#endOf(at);
      if (end > at) yield decodeText(this.#bytes, at, end);
      at = end + 1;
    }
  }

  /** FNV-1a of the name's bytes; 0 for no name and for one outside of the section. */
  hash(offset: number): number {
    if (this.#base !== undefined && offset < this.#start) return this.#base.hash(offset);
    if (offset === 0 || offset >= this.end) return 0;
    const bytes = this.#bytes;
    const start = offset - this.#start;
    const end = Math.min(bytes.length, start + NAME_LENGTH_MAX);
    let hash = 0x811c9dc5;
    for (let i = start; i < end; i++) {
      const byte = bytes[i] as number;
      if (byte === 0) break;
      hash = Math.imul(hash ^ byte, 0x01000193);
    }
    return nonZero(hash);
  }

  /** True when the name at this offset is these bytes. */
  equals(offset: number, name: Uint8Array): boolean {
    if (this.#base !== undefined && offset < this.#start) return this.#base.equals(offset, name);
    const bytes = this.#bytes;
    const start = offset - this.#start;
    if (start + name.length > bytes.length) return false;
    for (let i = 0; i < name.length; i++) {
      if (bytes[start + i] !== name[i]) return false;
    }
    const next = start + name.length;
    return next === bytes.length || bytes[next] === 0;
  }

  #endOf(start: number): number {
    const limit = Math.min(this.#bytes.length, start + NAME_LENGTH_MAX);
    let end = start;
    while (end < limit && this.#bytes[end] !== 0) end++;
    return end;
  }
}

/** The same hash of a name that is looked up. */
export function hashName(name: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193);
  return nonZero(hash);
}

/** 0 is kept for names that cannot be looked up. The low bits alone cluster on names with a common ending. */
function nonZero(hash: number): number {
  return ((hash ^ (hash >>> 15)) >>> 0) | 1;
}
