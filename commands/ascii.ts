import { defineCommand, many } from '../src/core/command/define.ts';
import { word } from '../src/core/command/kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { formatAddress, parseHex } from '../src/core/memory/address.ts';
import { row } from '../src/core/output/item.ts';

const CONTROL =
  'NUL SOH STX ETX EOT ENQ ACK BEL BS HT LF VT FF CR SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US SP'.split(
    ' ',
  );

export default defineCommand({
  name: 'ascii',
  group: 'memory',
  summary: 'hex words as characters, or the ASCII table',
  operands: { words: many(word, 'WORD', 'hex words as they lie in memory, lowest byte first') },
  examples: [
    { line: 'ascii', shows: 'the table' },
    { line: 'ascii 62636f6c5f6b636f', shows: 'a word that holds text' },
  ],
  *run(_scope, { words }) {
    if (words.length === 0) {
      yield row({}, table);
      return;
    }
    for (const given of words) {
      const value = parseHex(given);
      if (value === undefined) throw new UsageError(`"${given}" is not a hex word`);
      const text = charactersOf(value);
      yield row({ word: value, text }, () => [`${formatAddress(value)}: ${text}`]);
    }
  },
});

function charactersOf(word: bigint): string {
  let text = '';
  for (let rest = word; rest > 0n; rest >>= 8n) text += name(Number(rest & 0xffn));
  return text;
}

function name(code: number): string {
  if (code > 0x20 && code < 0x7f) return String.fromCharCode(code);
  return `<${code === 0x7f ? 'DEL' : (CONTROL[code] ?? code.toString(16))}>`;
}

function* table(): Iterable<string> {
  yield `    ${[0, 1, 2, 3, 4, 5, 6, 7].map((high) => `${high}0`.padEnd(5)).join('')}`.trimEnd();
  for (let low = 0; low < 16; low++) {
    const cells = [0, 1, 2, 3, 4, 5, 6, 7].map((high) => {
      const code = high * 16 + low;
      return (CONTROL[code] ?? (code === 0x7f ? 'DEL' : String.fromCharCode(code))).padEnd(5);
    });
    yield `${low.toString(16)}   ${cells.join('')}`.trimEnd();
  }
}
