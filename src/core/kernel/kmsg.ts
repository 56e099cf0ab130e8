/**
 * The text of /dev/kmsg: `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS[,caller=T812];TEXT`, then a line ` NAME=VALUE` for each
 * property (Documentation/ABI/testing/dev-kmsg). The priority is facility * 8 + level. Fields that are not known are
 * passed over, as the ABI asks. Bytes of a text that are not printable are escaped as \xNN.
 */
import { decodeText } from '../memory/text.ts';
import type { LogRecord } from './log-record.ts';

const PREFIX = /^(\d{1,10}),(\d{1,20}),(\d{1,20}),([^;]{0,256});/;

/** The records in order. Lines that are neither a record nor a property of one are passed over. */
export function parseKmsg(bytes: Uint8Array): readonly LogRecord[] {
  const records: (LogRecord & { properties: { name: string; value: string }[] })[] = [];
  for (const line of decodeText(bytes).split('\n')) {
    if (line.startsWith(' ')) {
      const equals = line.indexOf('=');
      if (equals < 2) continue;
      records.at(-1)?.properties.push({ name: line.slice(1, equals), value: unescapeKmsg(line.slice(equals + 1)) });
      continue;
    }
    const match = PREFIX.exec(line);
    if (match === null) continue;
    const [prefix, priority = '0', sequence = '0', time = '0', rest = ''] = match;
    const caller = /(?:^|,)caller=([TC]\d{1,10})(?:,|$)/.exec(rest)?.[1];
    records.push({
      sequence: BigInt(sequence),
      time: BigInt(time) * 1000n,
      level: Number(priority) % 8,
      facility: Math.floor(Number(priority) / 8),
      caller,
      comm: undefined,
      text: unescapeKmsg(line.slice(prefix.length)),
      lost: false,
      properties: [],
    });
  }
  return records;
}

/** Undoes \xNN, byte by byte: several of them can be one character in UTF-8. */
function unescapeKmsg(text: string): string {
  return text.replace(/(?:\\x[0-9a-f]{2})+/g, (escapes) => {
    const bytes = escapes.match(/[0-9a-f]{2}/g) ?? [];
    return decodeText(Uint8Array.from(bytes, (byte) => Number.parseInt(byte, 16)));
  });
}
