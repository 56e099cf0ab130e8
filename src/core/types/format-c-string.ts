/**
 * Characters and strings as C source and gdb write them. Control and non-ASCII bytes are octal escapes, so that the
 * text shows exactly which bytes are there and a terminal is never told what to do; a character that repeats more
 * than ten times is written once with its count: `"sh", '\000' <repeats 13 times>`.
 */

/** A run of equal elements longer than this is written once, with its count. */
export const REPEATS_SHOWN_MAX = 10;

const ESCAPES: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  92: '\\\\',
};

/** `'a'`, `'\n'`, `'\000'`, `'\''`. */
export function formatCharacter(byte: number): string {
  return `'${byte === 0x27 ? "\\'" : escapeByte(byte)}'`;
}

/**
 * The bytes as C string literals, runs apart, at most `max` characters; `...` when some are left out (a run counts
 * for ten). `more` says that the string goes on beyond these bytes.
 */
export function formatString(bytes: Uint8Array, max: number, more = false): string {
  const parts: string[] = [];
  let literal = '';
  let shown = 0;
  let at = 0;
  const flush = () => {
    if (literal !== '') parts.push(`"${literal}"`);
    literal = '';
  };
  while (at < bytes.length && shown < max) {
    const byte = bytes[at] as number;
    let end = at + 1;
    while (end < bytes.length && bytes[end] === byte) end++;
    if (end - at > REPEATS_SHOWN_MAX) {
      flush();
      parts.push(`${formatCharacter(byte)} <repeats ${end - at} times>`);
      shown += REPEATS_SHOWN_MAX;
      at = end;
      continue;
    }
    for (; at < end && shown < max; at++, shown++) literal += byte === 0x22 ? '\\"' : escapeByte(byte);
  }
  flush();
  return `${parts.length === 0 ? '""' : parts.join(', ')}${at < bytes.length || more ? '...' : ''}`;
}

/** A char array's bytes as a string: the last NUL is the string's end and not written. */
export function formatCharArray(bytes: Uint8Array, max: number): string {
  const ends = bytes.length > 0 && bytes[bytes.length - 1] === 0;
  return formatString(ends ? bytes.subarray(0, -1) : bytes, max);
}

function escapeByte(byte: number): string {
  const sequence = ESCAPES[byte];
  if (sequence !== undefined) return sequence;
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
