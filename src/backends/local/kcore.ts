/**
 * Kernel memory through /proc/kcore. Requests that are neighbours in the file become one read; where such a read
 * fails, each request is read by itself, so that one bad page costs only the request that wants it.
 */
import { closeSync, openSync } from 'node:fs';
import { type Kcore, type KcoreSegment, kcoreSegmentAt, kcoreSegmentAtPhysical } from '../../core/formats/kcore.ts';
import type { MemorySource, ReadRequest } from '../../core/memory/backend.ts';
import { Fault } from '../../core/memory/fault.ts';
import { checkBlankPages } from './blank-pages.ts';
import { readFully, readHeaders } from './kcore-file.ts';
import { kernelPageTable, type TranslateKernel } from './kernel-page-table.ts';

/** One read of the file at most. */
const MERGED_MAX = 1024 * 1024;
/** Memory comes and goes (hotplug) no faster than this makes a difference. */
const REFRESH_MS = 1000;

/** A piece of a request within one segment: where it is in the file, and where its bytes go. */
interface Piece {
  readonly request: number;
  readonly segment: KcoreSegment;
  readonly offset: bigint;
  readonly into: Uint8Array;
  readonly at: number;
  readonly length: number;
}

export interface KcoreOptions {
  /** Told of every batch: how many bytes came. */
  readonly count?: (bytes: number) => void;
  readonly now?: () => number;
}

/** Opens the file and reads its headers. Throws the system's error, or DataError when it is no kcore or has nothing. */
export function openKcore(path: string, options: KcoreOptions = {}): KcoreMemory {
  const fd = openSync(path, 'r');
  try {
    return new KcoreMemory(fd, options);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export class KcoreMemory implements MemorySource {
  readonly #fd: number;
  readonly #options: KcoreOptions;
  readonly #now: () => number;
  readonly #translate: TranslateKernel | undefined;
  #kcore: Kcore;
  #readAt: number;

  constructor(fd: number, options: KcoreOptions) {
    this.#fd = fd;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#kcore = readHeaders(fd);
    this.#readAt = this.#now();
    this.#translate = kernelPageTable(this.#kcore, (physical) => this.#readWords(physical));
  }

  get segments(): readonly KcoreSegment[] {
    return this.#kcore.segments;
  }

  /** VMCOREINFO as its text; undefined before 4.19. */
  get vmcoreinfo(): string | undefined {
    const info = this.#kcore.vmcoreinfo;
    return info?.keys.map((key) => `${key}=${info.get(key)}`).join('\n');
  }

  read(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    const answers = this.#readPlain(requests);
    if (this.#translate !== undefined) {
      const read = (again: readonly ReadRequest[]) => this.#readPlain(again);
      checkBlankPages({ segments: this.#kcore.segments, translate: this.#translate, read }, requests, answers);
    }
    this.#options.count?.(answers.reduce((sum, answer) => sum + (answer instanceof Fault ? 0 : answer.length), 0));
    return answers;
  }

  close(): void {
    closeSync(this.#fd);
  }

  /** As the file has it. */
  #readPlain(requests: readonly ReadRequest[]): (Uint8Array | Fault)[] {
    const answers: (Uint8Array | Fault)[] = [];
    const pieces: Piece[] = [];
    for (const [i, request] of requests.entries()) {
      const found = this.#locate(request, i);
      if (found instanceof Fault) answers.push(found);
      else {
        answers.push(found.bytes);
        for (const piece of found.pieces) pieces.push(piece);
      }
    }
    for (const group of grouped(pieces)) this.#readGroup(group, requests, answers);
    return answers;
  }

  #readWords(physical: readonly bigint[]): readonly (bigint | Fault)[] {
    const what = 'a page table entry';
    const answers = this.#readPlain(
      physical.map((address) => ({ space: 'physical' as const, address, length: 8, what })),
    );
    return answers.map((answer) =>
      answer instanceof Fault ? answer : new DataView(answer.buffer, answer.byteOffset).getBigUint64(0, true),
    );
  }

  #locate(request: ReadRequest, index: number): { readonly bytes: Uint8Array; readonly pieces: Piece[] } | Fault {
    const ranges: { segment: KcoreSegment; start: bigint; at: number; length: number }[] = [];
    for (let at = 0; at < request.length; ) {
      const address = request.address + BigInt(at);
      const segment = this.#segmentAt(request.space, address);
      if (segment === undefined) return new Fault(request, 'unmapped');
      const start = address - (request.space === 'physical' ? (segment.physical as bigint) : segment.virtual);
      const left = segment.length - start;
      const length = left < BigInt(request.length - at) ? Number(left) : request.length - at;
      ranges.push({ segment, start, at, length });
      at += length;
    }
    const into = new Uint8Array(request.length);
    return {
      bytes: into,
      pieces: ranges.map(({ segment, start, at, length }) => ({
        request: index,
        segment,
        offset: segment.offset + start,
        into,
        at,
        length,
      })),
    };
  }

  #segmentAt(space: ReadRequest['space'], address: bigint): KcoreSegment | undefined {
    const find = space === 'physical' ? kcoreSegmentAtPhysical : kcoreSegmentAt;
    const segment = find(this.#kcore.segments, address);
    if (segment !== undefined || this.#now() - this.#readAt < REFRESH_MS) return segment;
    this.#readAt = this.#now();
    try {
      this.#kcore = readHeaders(this.#fd);
    } catch {
      // The segments that were there before serve on: a read through them tells for itself.
      return undefined;
    }
    return find(this.#kcore.segments, address);
  }

  #readGroup(group: readonly Piece[], requests: readonly ReadRequest[], answers: (Uint8Array | Fault)[]): void {
    const [first] = group;
    const last = group.at(-1);
    if (first === undefined || last === undefined) return;
    if (group.length > 1) {
      const bytes = Buffer.allocUnsafe(Number(last.offset - first.offset) + last.length);
      if (readFully(this.#fd, bytes, first.offset) === undefined) {
        for (const piece of group) {
          const start = Number(piece.offset - first.offset);
          piece.into.set(bytes.subarray(start, start + piece.length), piece.at);
        }
        return;
      }
    }
    for (const piece of group) {
      const failure = readFully(this.#fd, piece.into.subarray(piece.at, piece.at + piece.length), piece.offset);
      const request = requests[piece.request] as ReadRequest;
      if (failure !== undefined) answers[piece.request] = new Fault(request, failure.reason, failure.detail);
    }
  }
}

/** Pieces by their place in the file, neighbours together. */
function grouped(pieces: readonly Piece[]): readonly (readonly Piece[])[] {
  const sorted = pieces.length === 1 ? pieces : [...pieces].sort((a, b) => (a.offset < b.offset ? -1 : 1));
  const groups: Piece[][] = [];
  for (const piece of sorted) {
    const group = groups.at(-1);
    const last = group?.at(-1);
    const first = group?.[0];
    if (group !== undefined && first !== undefined && last !== undefined) {
      const isNeighbour = piece.offset === last.offset + BigInt(last.length);
      if (isNeighbour && Number(piece.offset - first.offset) + piece.length <= MERGED_MAX) {
        group.push(piece);
        continue;
      }
    }
    groups.push([piece]);
  }
  return groups;
}
