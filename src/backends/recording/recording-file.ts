/**
 * Reads the container of a recording (chunk.ts): its header line, then every chunk in order, each checked against the
 * hash chain. The first chunk that is cut off or wrong ends what is usable: nothing after it is looked at. Contents
 * are located on the way and decompressed when they are used.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { BackendError, DataError, OpenError } from '../../core/errors.ts';
import { joinBytes } from '../../core/memory/bytes.ts';
import {
  CHUNK_HEADER_LENGTH,
  type ChunkHeader,
  chainOf,
  decodeChunkHeader,
  decompressChunk,
  firstChain,
} from './chunk.ts';
import { contentOffsets, ZERO_PAGE } from './contents.ts';
import { decodeHeader, HEADER_LENGTH_MAX, isRecording, type RecordingHeader } from './header.ts';
import type { Contents } from './journal.ts';

const WINDOW = 1024 * 1024;
const CHUNKS_MAX = 1_000_000;
/** A file of the target, at most. */
const ANSWER_MAX = 256 * 1024 * 1024;
/** Decompressed chunks that are kept. */
const CACHED_MAX = 32 * 1024 * 1024;

/** A chunk that passed its check. `index` counts from 0, `offset` is where its header starts. */
export interface Chunk {
  readonly index: number;
  readonly offset: number;
  readonly header: ChunkHeader;
}

/** Why a recording ends before its file does. */
export interface Damage {
  /** 'cut': the file ends within this chunk; 'bad': its bytes are wrong. */
  readonly kind: 'cut' | 'bad';
  readonly chunk: number;
  readonly offset: number;
  readonly reason: string;
}

interface Located extends Chunk {
  /** Number of its first content. */
  readonly first: number;
}

/** Opens the file and reads its header line. Throws OpenError when it is no recording that this kdbg reads. */
export function openRecordingFile(path: string): RecordingFile {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new OpenError(`cannot open ${path}: ${code === 'ENOENT' ? 'no such file' : message}`);
  }
  try {
    return new RecordingFile(path, fd);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export class RecordingFile {
  readonly path: string;
  readonly header: RecordingHeader;
  readonly length: number;
  readonly #fd: number;
  readonly #start: number;
  readonly #firstChain: Buffer;
  readonly #located: Located[] = [];
  readonly #cache = new Map<Located, { readonly raw: Uint8Array; readonly offsets: Uint32Array }>();
  #cached = 0;
  #contents = 1;
  #window: { readonly offset: number; readonly bytes: Buffer } = { offset: 0, bytes: Buffer.alloc(0) };

  constructor(path: string, fd: number) {
    this.path = path;
    this.#fd = fd;
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new OpenError(`${path} is not a file`);
    this.length = stat.size;
    const start = this.#read(0, Math.min(HEADER_LENGTH_MAX, this.length));
    if (!isRecording(start)) throw new OpenError(`${path} is not a recording of kdbg`);
    const newline = start.indexOf(0x0a);
    if (newline < 0) throw new OpenError(`${path} starts as a recording but its first line is cut off`);
    this.header = decodeHeader(start.subarray(0, newline), path);
    this.#start = newline + 1;
    this.#firstChain = firstChain(start.subarray(0, newline + 1));
  }

  /** Contents located so far; their numbers go from 1 to one less. */
  get contents(): number {
    return this.#contents;
  }

  /**
   * The chunks of the file, each after its check; a journal comes decompressed. Ends at the end of the file, or at
   * the first chunk that is not right, and then says what is wrong with it.
   */
  *chunks(): Generator<{ readonly chunk: Chunk; readonly journal: Uint8Array | undefined }, Damage | undefined> {
    let chain = this.#firstChain;
    let offset = this.#start;
    for (let index = 0; offset < this.length; index++) {
      const left = this.length - offset;
      const damage = (kind: Damage['kind'], reason: string): Damage => ({ kind, chunk: index, offset, reason });
      if (left < CHUNK_HEADER_LENGTH) return damage('cut', `${left} bytes are left of its header`);
      if (index >= CHUNKS_MAX) return damage('bad', `no recording has more than ${CHUNKS_MAX} chunks`);
      try {
        const headerBytes = this.#read(offset, CHUNK_HEADER_LENGTH);
        const header = decodeChunkHeader(headerBytes);
        if (header.storedLength > left - CHUNK_HEADER_LENGTH) {
          return damage('cut', `${left - CHUNK_HEADER_LENGTH} of its ${header.storedLength} bytes are there`);
        }
        const stored = this.#read(offset + CHUNK_HEADER_LENGTH, header.storedLength);
        if (!chainOf(chain, headerBytes, stored).equals(header.chain)) return damage('bad', 'its hash does not match');
        const chunk = { index, offset, header };
        if (header.type === 'D') {
          this.#located.push({ ...chunk, first: this.#contents });
          this.#contents += header.items;
        }
        yield { chunk, journal: header.type === 'J' ? decompressChunk(header, stored) : undefined };
        chain = header.chain;
        offset += CHUNK_HEADER_LENGTH + header.storedLength;
      } catch (error) {
        if (error instanceof DataError) return damage('bad', error.message);
        throw error;
      }
    }
    return undefined;
  }

  /** The bytes of a content: a view that must not be written to. Throws DataError when it cannot be had. */
  content(number: number): Uint8Array {
    const located = number === ZERO_PAGE ? undefined : this.#locate(number);
    if (located === undefined) throw new DataError(`${this.path} has no content ${number}`);
    const { raw, offsets } = this.#open(located);
    const item = number - located.first;
    return raw.subarray(offsets[item] as number, offsets[item + 1] as number);
  }

  /** The bytes of contents one after the other, a copy. Throws DataError. */
  join(numbers: Contents): Uint8Array {
    const pieces = numbers.map((number) => this.content(number));
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (length > ANSWER_MAX) throw new DataError(`${this.path} has an answer of ${length} bytes`);
    return joinBytes(pieces);
  }

  /** Decompresses every content: what verifying does and opening does not. Throws DataError naming the chunk. */
  checkContents(): void {
    for (const located of this.#located) this.#open(located);
  }

  close(): void {
    this.#cache.clear();
    closeSync(this.#fd);
  }

  #locate(number: number): Located | undefined {
    let low = 0;
    let high = this.#located.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#located[middle] as Located).first <= number) low = middle + 1;
      else high = middle;
    }
    const located = this.#located[low - 1];
    return located !== undefined && number < located.first + located.header.items ? located : undefined;
  }

  #open(located: Located): { readonly raw: Uint8Array; readonly offsets: Uint32Array } {
    const cached = this.#cache.get(located);
    if (cached !== undefined) return cached;
    const { header, offset, index } = located;
    try {
      // Its own memory, not the window's: an uncompressed chunk is its stored bytes.
      const stored = this.#readApart(offset + CHUNK_HEADER_LENGTH, header.storedLength);
      const raw = decompressChunk(header, stored);
      const opened = { raw, offsets: contentOffsets(raw, header.items) };
      for (const [oldest, { raw: bytes }] of this.#cache) {
        if (this.#cached + raw.length <= CACHED_MAX) break;
        this.#cache.delete(oldest);
        this.#cached -= bytes.length;
      }
      this.#cache.set(located, opened);
      this.#cached += raw.length;
      return opened;
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      throw new DataError(`${this.path}: chunk ${index} (at byte ${offset}) is damaged: ${error.message}`);
    }
  }

  /** Bytes of the file, through a window of it: most chunks are small. */
  #read(offset: number, length: number): Buffer {
    if (length > WINDOW) return this.#readApart(offset, length);
    const at = offset - this.#window.offset;
    if (at >= 0 && at + length <= this.#window.bytes.length) return this.#window.bytes.subarray(at, at + length);
    this.#window = { offset, bytes: this.#readApart(offset, Math.min(WINDOW, this.length - offset)) };
    return this.#window.bytes.subarray(0, length);
  }

  #readApart(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      let count: number;
      try {
        count = readSync(this.#fd, bytes, done, length - done, offset + done);
      } catch (error) {
        throw new BackendError(`cannot read ${this.path}: ${(error as Error).message}`);
      }
      if (count === 0) throw new DataError('the file became shorter while it was read');
      done += count;
    }
    return bytes;
  }
}
