/**
 * All lines that were printed, by number, from the first one of the session on. The latest stand in memory as they are;
 * older ones are packed in chunks, about a tenth of their size, and unpacked when they are looked at. They are never
 * written to a disk: what was read from a kernel may be secret. What does not fit the bound is let go from the oldest
 * on, and `first` tells so.
 */
import { deserialize, serialize } from 'node:v8';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type Line, textOf } from '../../../core/output/line.ts';
import { snapToCluster } from '../../prompt/graphemes.ts';

export interface StoreLimits {
  /** Lines of a chunk. */
  readonly chunkLines: number;
  /** Characters of a chunk: packing one must not be felt. */
  readonly chunkCharacters: number;
  /** Chunks that are not packed. */
  readonly hotChunks: number;
  /** Bytes of all packed chunks. */
  readonly packedBytes: number;
}

const LIMITS: StoreLimits = {
  chunkLines: 1024,
  chunkCharacters: 256 * 1024,
  hotChunks: 8,
  packedBytes: 64 * 1024 * 1024,
};
/** Unpacked chunks that are kept while they are looked at. */
const UNPACKED_MAX = 3;
/** A longer line is continued in the next: no screen can lay out a line of megabytes for one row of it. */
export const LINE_CHARACTERS_MAX = 64 * 1024;
const PACK_LEVEL = 1;

interface Chunk {
  /** The number of its first line. */
  readonly start: number;
  count: number;
  characters: number;
  /** The lines, or the lines packed. */
  lines: Line[] | undefined;
  packed: Uint8Array | undefined;
}

export class LineStore {
  readonly #limits: StoreLimits;
  #chunks: Chunk[] = [];
  /** Chunks before this place are packed. */
  #hotFrom = 0;
  #packedBytes = 0;
  readonly #unpacked = new Map<number, readonly Line[]>();

  constructor(limits: Partial<StoreLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** The number of the oldest line that is kept: so many were let go. */
  get first(): number {
    return this.#chunks[0]?.start ?? 0;
  }

  /** The number that the next line gets. */
  get end(): number {
    const last = this.#chunks.at(-1);
    return last === undefined ? 0 : last.start + last.count;
  }

  /** The line of this number; undefined where there is none or none any more. */
  at(number: number): Line | undefined {
    const place = this.#placeOf(number);
    const chunk = this.#chunks[place];
    if (chunk === undefined) return undefined;
    return (chunk.lines ?? this.#unpack(chunk))[number - chunk.start];
  }

  append(lines: readonly Line[]): void {
    for (const line of lines) for (const part of parts(line)) this.#put(part);
  }

  #put(line: Line): void {
    const { chunkLines, chunkCharacters } = this.#limits;
    let last = this.#chunks.at(-1);
    if (last?.lines === undefined || last.count >= chunkLines || last.characters >= chunkCharacters) {
      last = { start: this.end, count: 0, characters: 0, lines: [], packed: undefined };
      this.#chunks.push(last);
      this.#pack();
    }
    last.lines?.push(line);
    last.count++;
    last.characters += lengthOf(line);
  }

  #pack(): void {
    const { hotChunks, packedBytes } = this.#limits;
    for (; this.#chunks.length - this.#hotFrom > hotChunks; this.#hotFrom++) {
      const chunk = this.#chunks[this.#hotFrom];
      if (chunk?.lines === undefined) continue;
      chunk.packed = deflateRawSync(serialize(chunk.lines), { level: PACK_LEVEL });
      chunk.lines = undefined;
      this.#packedBytes += chunk.packed.length;
    }
    let gone = 0;
    for (; this.#packedBytes > packedBytes && gone < this.#hotFrom; gone++) {
      this.#packedBytes -= this.#chunks[gone]?.packed?.length ?? 0;
    }
    if (gone === 0) return;
    this.#chunks = this.#chunks.slice(gone);
    this.#hotFrom -= gone;
  }

  #unpack(chunk: Chunk): readonly Line[] {
    const known = this.#unpacked.get(chunk.start);
    if (known !== undefined) return known;
    const lines = deserialize(inflateRawSync(chunk.packed ?? new Uint8Array(0))) as readonly Line[];
    this.#unpacked.set(chunk.start, lines);
    const [oldest] = this.#unpacked.keys();
    if (this.#unpacked.size > UNPACKED_MAX && oldest !== undefined) this.#unpacked.delete(oldest);
    return lines;
  }

  /** The place of the chunk with this line, or -1. */
  #placeOf(number: number): number {
    if (!(number >= this.first && number < this.end)) return -1;
    let [low, high] = [0, this.#chunks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#chunks[middle] as Chunk).start <= number) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lengthOf(line: Line): number {
  if (typeof line === 'string') return line.length;
  return line.reduce((sum, part) => sum + (typeof part === 'string' ? part.length : part.text.length), 0);
}

/** The line, or the pieces of one that is too long. */
function parts(line: Line): readonly Line[] {
  if (lengthOf(line) <= LINE_CHARACTERS_MAX) return [line];
  const pieces: Line[] = [];
  // What its parts refer to is lost: nothing that is meant to be followed is this long.
  const text = textOf(line);
  for (let from = 0; from < text.length; ) {
    const to = snapToCluster(text, from + LINE_CHARACTERS_MAX);
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
