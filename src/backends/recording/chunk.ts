/**
 * The container of a recording: a header line and then chunks, each of them whole or absent.
 *
 *      0  4  "KCHK"
 *      4  1  type: 'D' contents, 'J' journal; a reader skips types that it does not know
 *      5  1  compression: 0 none, 1 gzip, 2 brotli
 *      6  2  zero
 *      8  4  stored length: bytes of the body in the file
 *     12  4  raw length: bytes of the body decompressed
 *     16  4  items: contents in a 'D' chunk, lines in a 'J' chunk
 *     20 32  chain: sha256(chain of the chunk before, bytes 0..19, stored body)
 *     52     stored body
 *
 * Integers are little-endian. The chain before the first chunk is the sha256 of the header line with its newline, so
 * that every byte of the file is covered by the chains after it. docs/recording.md is the whole description.
 */
import { createHash } from 'node:crypto';
import { brotliCompressSync, brotliDecompressSync, constants, gunzipSync, gzipSync } from 'node:zlib';
import { DataError } from '../../core/errors.ts';

export const CHUNK_HEADER_LENGTH = 52;
/** Bytes of the chunk header that the chain covers: all before the chain itself. */
const CHAINED_LENGTH = 20;
const MAGIC = 0x4b48434b; // "KCHK", little-endian.
/** No chunk is larger decompressed: what bounds the memory that a hostile file can take. */
export const CHUNK_RAW_MAX = 32 * 1024 * 1024;

export type ChunkType = 'D' | 'J';
export type Compression = 'none' | 'gzip' | 'brotli';
const COMPRESSIONS: readonly Compression[] = ['none', 'gzip', 'brotli'];
/**
 * Brotli's quality for one large content: 5.5 MB of BTF and 5.4 MB of kallsyms become 1.54 and 0.83 MB in 0.16 and
 * 0.08 s; quality 9 saves 2 % more in four times the time, gzip takes as long and leaves 1.77 and 0.86 MB.
 */
const LARGE_QUALITY = 5;
const LARGE_LENGTH = 256 * 1024;
/** For pages, which a command waits for: 26 us a page and not 65, for 14 % more bytes of the smallest part. */
const SMALL_QUALITY = 3;

/** A chunk header as it stands in the file; `type` is kept as it was found. */
export interface ChunkHeader {
  readonly type: string;
  readonly compression: Compression;
  readonly storedLength: number;
  readonly rawLength: number;
  readonly items: number;
  readonly chain: Buffer;
}

/** The chain before the first chunk. */
export function firstChain(headerLine: Uint8Array): Buffer {
  return createHash('sha256').update(headerLine).digest();
}

/** A chunk ready to be appended: its bytes, and the chain that the next chunk continues. */
export interface EncodedChunk {
  readonly bytes: readonly Uint8Array[];
  readonly length: number;
  readonly chain: Buffer;
}

export function encodeChunk(
  type: ChunkType,
  items: number,
  raw: Uint8Array,
  previous: Uint8Array,
  compression: Compression = 'brotli',
): EncodedChunk {
  const packed = compress(raw, compression, items === 1 && raw.length > LARGE_LENGTH ? LARGE_QUALITY : SMALL_QUALITY);
  const stored = packed.length < raw.length ? packed : raw;
  const header = Buffer.alloc(CHUNK_HEADER_LENGTH);
  header.writeUInt32LE(MAGIC, 0);
  header.write(type, 4, 'latin1');
  header.writeUInt8(stored === raw ? 0 : COMPRESSIONS.indexOf(compression), 5);
  header.writeUInt32LE(stored.length, 8);
  header.writeUInt32LE(raw.length, 12);
  header.writeUInt32LE(items, 16);
  const chain = chainOf(previous, header, stored);
  chain.copy(header, CHAINED_LENGTH);
  return { bytes: [header, stored], length: header.length + stored.length, chain };
}

/** Throws DataError when the bytes are not the header of a chunk that this reader can take. */
export function decodeChunkHeader(bytes: Buffer): ChunkHeader {
  if (bytes.readUInt32LE(0) !== MAGIC) throw new DataError('it does not start as a chunk');
  const compression = COMPRESSIONS[bytes.readUInt8(5)];
  if (compression === undefined) throw new DataError(`its compression ${bytes.readUInt8(5)} is not known`);
  const header: ChunkHeader = {
    type: bytes.toString('latin1', 4, 5),
    compression,
    storedLength: bytes.readUInt32LE(8),
    rawLength: bytes.readUInt32LE(12),
    items: bytes.readUInt32LE(16),
    chain: Buffer.from(bytes.subarray(CHAINED_LENGTH, CHUNK_HEADER_LENGTH)),
  };
  if (header.rawLength > CHUNK_RAW_MAX || header.storedLength > header.rawLength) {
    throw new DataError(`its lengths are impossible (${header.storedLength} bytes for ${header.rawLength})`);
  }
  if (header.items > header.rawLength) throw new DataError(`its ${header.items} items do not fit its length`);
  return header;
}

export function chainOf(previous: Uint8Array, headerBytes: Uint8Array, stored: Uint8Array): Buffer {
  const hash = createHash('sha256').update(previous);
  return hash.update(headerBytes.subarray(0, CHAINED_LENGTH)).update(stored).digest();
}

/** The raw body of a chunk; never more than the header says. Throws DataError when it does not decompress to that. */
export function decompressChunk(header: ChunkHeader, stored: Uint8Array): Uint8Array {
  const options = { maxOutputLength: Math.max(1, header.rawLength), chunkSize: chunkSize(header.rawLength) };
  let raw: Uint8Array;
  try {
    if (header.compression === 'none') raw = stored;
    else if (header.compression === 'gzip') raw = gunzipSync(stored, options);
    else raw = brotliDecompressSync(stored, options);
  } catch (error) {
    throw new DataError(`it does not decompress: ${(error as Error).message}`);
  }
  if (raw.length !== header.rawLength) {
    throw new DataError(`it holds ${raw.length} bytes where its header says ${header.rawLength}`);
  }
  return raw;
}

function compress(raw: Uint8Array, compression: Compression, quality: number): Uint8Array {
  if (compression === 'none' || raw.length < 64) return raw;
  if (compression === 'gzip') return gzipSync(raw);
  return brotliCompressSync(raw, {
    params: { [constants.BROTLI_PARAM_QUALITY]: quality, [constants.BROTLI_PARAM_SIZE_HINT]: raw.length },
    chunkSize: chunkSize(raw.length),
  });
}

/** Node's output buffer: one that fits most chunks saves it from joining 16 KiB pieces. */
function chunkSize(length: number): number {
  return Math.min(Math.max(length, 1024), 1024 * 1024);
}
