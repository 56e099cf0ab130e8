/**
 * Where the far side's /proc/kcore has which address. The reader reads places of the file: it is this side that knows
 * what is there, from the program headers, which come with the start and again when an address is not among them.
 */
import { DataError } from '../../../core/errors.ts';
import { parseElfHeader } from '../../../core/formats/elf.ts';
import { type KcoreSegment, kcoreSegmentAt, kcoreSegmentAtPhysical, parseKcore } from '../../../core/formats/kcore.ts';
import type { FileResult } from '../../../core/memory/backend.ts';
import { Fault, type FaultReason, type ReadRange } from '../../../core/memory/fault.ts';

/** Memory comes and goes (hotplug) no faster than this makes a difference. */
const REFRESH_MS = 1000;
/** One read of the file at most. */
const PIECE_MAX = 1024 * 1024;
const SEGMENT_LENGTH = 56;
/** The headers of a machine with 70 ranges. */
export const FIRST_HEADERS = 4096;
const HEADERS_MAX = 4 * 1024 * 1024;

/** Part of a range that is in one piece in the file. */
export interface Piece {
  readonly offset: bigint;
  readonly length: number;
}

export class KcoreMap {
  readonly #read: (length: number) => Promise<FileResult>;
  #segments: readonly KcoreSegment[] = [];
  /** Why there is no memory. */
  #missing: { readonly reason: FaultReason; readonly detail: string } | undefined;
  #loadedAt = Number.NEGATIVE_INFINITY;
  #loading: Promise<void> | undefined;
  /** Changes with the segments. */
  version = 0;

  /** `read` reads the first bytes of the far side's kcore. */
  constructor(read: (length: number) => Promise<FileResult>) {
    this.#read = read;
  }

  get segments(): readonly KcoreSegment[] {
    return this.#segments;
  }

  /** Reads the headers again where one of these ranges is in none of the segments; once a second at most. */
  async cover(ranges: readonly ReadRange[]): Promise<void> {
    if (ranges.every(({ space, address }) => this.#segmentAt(space, address) !== undefined)) return;
    if (performance.now() - this.#loadedAt < REFRESH_MS) return this.#loading;
    await this.load();
  }

  load(): Promise<void> {
    this.#loadedAt = performance.now();
    this.#loading = this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  async #load(): Promise<void> {
    try {
      for (let length = FIRST_HEADERS; length <= HEADERS_MAX; ) {
        const result = await this.#read(length);
        if (!result.ok) {
          const { reason, detail } = result.failure;
          this.#missing = { reason: reason === 'denied' ? 'denied' : 'io', detail };
          return;
        }
        const { segmentsAt, segmentCount } = parseElfHeader(result.bytes);
        const needed = segmentsAt + segmentCount * SEGMENT_LENGTH;
        if (needed <= result.bytes.length) {
          this.#segments = parseKcore(result.bytes).segments;
          this.version++;
          return;
        }
        if (needed <= length) break;
        length = needed;
      }
      this.#missing = { reason: 'io', detail: '/proc/kcore has no whole headers' };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      // The segments that were there before serve on: a read through them tells for itself.
      this.#missing = { reason: 'io', detail: error.message };
    }
  }

  /** Where a range is in the file, in order; a fault where part of it is nowhere. */
  locate(range: ReadRange & { readonly what: string }): readonly Piece[] | Fault {
    const { reason, detail } = this.#missing ?? {};
    if (this.#segments.length === 0) return new Fault(range, reason ?? 'unmapped', detail);
    const pieces: Piece[] = [];
    for (let at = 0; at < range.length; ) {
      const address = range.address + BigInt(at);
      const segment = this.#segmentAt(range.space, address);
      if (segment === undefined) return new Fault(range, 'unmapped');
      const start = address - (range.space === 'physical' ? (segment.physical as bigint) : segment.virtual);
      const left = segment.length - start;
      const wanted = Math.min(range.length - at, PIECE_MAX);
      const length = left < BigInt(wanted) ? Number(left) : wanted;
      pieces.push({ offset: segment.offset + start, length });
      at += length;
    }
    return pieces;
  }

  #segmentAt(space: ReadRange['space'], address: bigint): KcoreSegment | undefined {
    const find = space === 'physical' ? kcoreSegmentAtPhysical : kcoreSegmentAt;
    return find(this.#segments, address);
  }
}
