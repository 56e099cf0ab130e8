/**
 * Lists of names as bytes in memory that threads share: 200,000 names are sent in no time and held once.
 */
import { decodeText, encodeText } from '../memory/text.ts';

export interface PackedNames {
  /** UTF-8. */
  readonly bytes: Uint8Array<SharedArrayBuffer>;
  /** Name i is bytes[starts[i]] up to bytes[starts[i + 1]]. */
  readonly starts: Uint32Array<SharedArrayBuffer>;
}

export function packNames(names: readonly string[]): PackedNames {
  const starts = new Uint32Array(new SharedArrayBuffer(4 * (names.length + 1)));
  // Names of a kernel are ASCII; others are encoded, and counted, one by one.
  const encoded = new Map<number, Uint8Array>();
  let length = 0;
  for (const [i, name] of names.entries()) {
    if (!/^[\0-\x7f]*$/.test(name)) encoded.set(i, encodeText(name));
    length += encoded.get(i)?.length ?? name.length;
    starts[i + 1] = length;
  }
  const bytes = new Uint8Array(new SharedArrayBuffer(length));
  let at = 0;
  for (const [i, name] of names.entries()) {
    const other = encoded.get(i);
    if (other !== undefined) bytes.set(other, at);
    else for (let k = 0; k < name.length; k++) bytes[at + k] = name.charCodeAt(k);
    at = starts[i + 1] as number;
  }
  return { bytes, starts };
}

/** Name i. */
export function nameAt({ bytes, starts }: PackedNames, i: number): string {
  return decodeText(bytes, starts[i] as number, starts[i + 1] as number);
}

export function unpackNames(packed: PackedNames): readonly string[] {
  return Array.from({ length: packed.starts.length - 1 }, (_, i) => nameAt(packed, i));
}

/** The array's elements in memory that threads share. */
export function shared<T extends Uint8Array | Uint16Array | BigUint64Array>(from: T): T {
  const Type = from.constructor as new (buffer: SharedArrayBuffer) => T;
  const copy = new Type(new SharedArrayBuffer(from.byteLength));
  copy.set(from as never);
  return copy;
}
