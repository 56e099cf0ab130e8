/**
 * Memory as hex words with the same bytes as text beside them, in crash's layout: the address, a colon, the words,
 * and a column of ASCII. 64-bit words stand two in a line, and 16 bytes make a line in every unit.
 */
import { formatAddress } from '../memory/address.ts';
import { type Line, type Ref, type Span, span } from './line.ts';

export type WordSize = 1 | 2 | 4 | 8;

export interface Hexdump {
  readonly bytes: Uint8Array;
  /** Where the first byte is; user and physical addresses are written without padding. */
  readonly address: bigint;
  readonly unit: WordSize;
  readonly ascii?: boolean;
  readonly base?: 'hex' | 'signed' | 'unsigned';
  /** What stands in a 64-bit word's place: a symbol, a slab cache; undefined leaves the number. */
  readonly name?: (word: bigint) => { readonly text: string; readonly ref?: Ref } | undefined;
  /** Bytes swapped within each word (network byte order). */
  readonly swap?: boolean;
}

const LINE_BYTES = 16;

/** Width of one word with the blank after it. */
function cellWidth(dump: Hexdump): number {
  if (dump.name !== undefined) return 17;
  if (dump.base === 'signed' || dump.base === 'unsigned') return { 1: 5, 2: 7, 4: 12, 8: 21 }[dump.unit];
  return dump.unit * 2 + 1;
}

export function hexdumpLines(dump: Hexdump): readonly Line[] {
  const lines: Line[] = [];
  const width = cellWidth(dump);
  const perLine = LINE_BYTES / dump.unit;
  for (let at = 0; at < dump.bytes.length; at += LINE_BYTES) {
    const bytes = dump.bytes.subarray(at, at + LINE_BYTES);
    const address = dump.address + BigInt(at);
    const spans: Span[] = [span(formatAddress(address), { kind: 'address', address }, 'address'), ':  '];
    for (let i = 0; i < Math.ceil(bytes.length / dump.unit); i++) {
      const word = wordAt(bytes, i * dump.unit, dump);
      spans.push(cell(word, dump, width));
    }
    if (dump.ascii !== false && dump.base === undefined) {
      const missing = perLine - Math.ceil(bytes.length / dump.unit);
      spans.push(`${' '.repeat(missing * width + 2)}${asciiOf(bytes)}`);
    }
    lines.push(spans);
  }
  return lines;
}

function wordAt(bytes: Uint8Array, at: number, dump: Hexdump): bigint {
  let word = 0n;
  for (let i = 0; i < dump.unit; i++) {
    const byte = bytes[at + (dump.swap === true ? i : dump.unit - 1 - i)];
    word = (word << 8n) | BigInt(byte ?? 0);
  }
  return word;
}

function cell(word: bigint, dump: Hexdump, width: number): Span {
  const named = dump.unit === 8 ? dump.name?.(word) : undefined;
  if (named !== undefined) return span(`${named.text.padEnd(width - 1)} `, named.ref, 'symbol');
  if (dump.base === 'signed')
    return `${BigInt.asIntN(dump.unit * 8, word)
      .toString()
      .padStart(width - 1)} `;
  if (dump.base === 'unsigned') return `${word.toString().padStart(width - 1)} `;
  const text = `${word
    .toString(16)
    .padStart(dump.unit * 2, '0')
    .padEnd(width - 1)} `;
  return dump.unit === 8 && word >= 0xff00_0000_0000_0000n ? span(text, { kind: 'address', address: word }) : text;
}

/** Printable ASCII as it is, anything else as a dot. */
export function asciiOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  return text;
}
