/** All that a recording holds, decompressed: to search it for what must not be there. docs/recording.md has the format. */
import { brotliDecompressSync, gunzipSync } from 'node:zlib';

const HEADER_LENGTH = 52;

export function unpackedRecording(bytes: Buffer): string {
  let at = bytes.indexOf('\n') + 1;
  const parts = [bytes.subarray(0, at).toString('latin1')];
  while (at + HEADER_LENGTH <= bytes.length) {
    if (bytes.toString('latin1', at, at + 4) !== 'KCHK') throw new Error(`no chunk at ${at}`);
    const compression = bytes.readUInt8(at + 5);
    const length = bytes.readUInt32LE(at + 8);
    const stored = bytes.subarray(at + HEADER_LENGTH, at + HEADER_LENGTH + length);
    const open = [(raw: Buffer) => raw, gunzipSync, brotliDecompressSync][compression];
    if (open === undefined) throw new Error(`a chunk of compression ${compression}`);
    parts.push(open(stored).toString('latin1'));
    at += HEADER_LENGTH + length;
  }
  return parts.join('\n');
}
