/**
 * Bytes to text without a platform's decoder. Kernel strings (comm, log text, paths) are bytes that any process may
 * choose, so they are decoded here and escaped once more where they meet a terminal (output/escape.ts).
 */

/** Decodes UTF-8; a byte that is not part of a valid sequence becomes `\xNN`. Control characters pass unchanged. */
export function decodeText(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let ascii = true;
  for (let i = start; i < end; i++) {
    if ((bytes[i] as number) >= 0x80) {
      ascii = false;
      break;
    }
  }
  if (ascii) return decodeAscii(bytes, start, end);
  let text = '';
  let i = start;
  while (i < end) {
    const [point, length] = decodePoint(bytes, i, end);
    text += point < 0 ? `\\x${(bytes[i] as number).toString(16).padStart(2, '0')}` : String.fromCodePoint(point);
    i += length;
  }
  return text;
}

/** Decodes bytes known to be below 0x80 (others keep their low 8 bits as Latin-1). */
export function decodeAscii(bytes: Uint8Array, start = 0, end = bytes.length): string {
  let text = '';
  for (let i = start; i < end; i += 8192) {
    // V8 applies a typed array eight times as fast as it spreads one; its type knows of arrays only.
    const codes = bytes.subarray(i, Math.min(i + 8192, end)) as unknown as number[];
    text += String.fromCharCode.apply(null, codes);
  }
  return text;
}

/** A NUL-terminated string within the bytes; all of them when there is no NUL. */
export function decodeCString(bytes: Uint8Array, start = 0, end = bytes.length): string {
  const nul = bytes.subarray(start, end).indexOf(0);
  return decodeText(bytes, start, nul < 0 ? end : start + nul);
}

/** Encodes as UTF-8. */
export function encodeText(text: string): Uint8Array {
  const bytes: number[] = [];
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    if (point < 0x80) bytes.push(point);
    else if (point < 0x800) bytes.push(0xc0 | (point >> 6), 0x80 | (point & 63));
    else if (point < 0x10000) bytes.push(0xe0 | (point >> 12), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
    else bytes.push(0xf0 | (point >> 18), 0x80 | ((point >> 12) & 63), 0x80 | ((point >> 6) & 63), 0x80 | (point & 63));
  }
  return Uint8Array.from(bytes);
}

/** The code point at `i` and its length; -1 and 1 when the bytes there are not valid UTF-8 (RFC 3629). */
function decodePoint(bytes: Uint8Array, i: number, end: number): [number, number] {
  const first = bytes[i] as number;
  if (first < 0x80) return [first, 1];
  const length = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (length === 0 || first >= 0xf5 || i + length > end) return [-1, 1];
  let point = first & (0xff >> (length + 1));
  for (let k = 1; k < length; k++) {
    const byte = bytes[i + k] as number;
    if ((byte & 0xc0) !== 0x80) return [-1, 1];
    point = (point << 6) | (byte & 63);
  }
  const tooShort = point < (length === 2 ? 0x80 : length === 3 ? 0x800 : 0x10000);
  const surrogate = point >= 0xd800 && point <= 0xdfff;
  return tooShort || surrogate || point > 0x10ffff ? [-1, 1] : [point, length];
}
