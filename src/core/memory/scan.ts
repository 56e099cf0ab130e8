/**
 * Reads long ranges of memory once, in order, past the page cache: a search has no use for a page twice. What cannot be
 * read is left out, page by page, and counted.
 */
import { PAGE_SIZE } from './address.ts';
import type { MemorySource, ReadRequest } from './backend.ts';
import type { ReadRange } from './fault.ts';

/** Asked for with one request: on a slow link a request must end soon enough to be cancelled. */
export const SCAN_CHUNK = 1024 * 1024;
/** A request that fails is tried again in pieces: an unreadable page costs no more than itself. */
const PIECES = [64 * 1024, PAGE_SIZE] as const;
const PAGE_MASK = ~BigInt(PAGE_SIZE - 1);

/** Bytes that could be read, in whole pages. */
export interface ScanPiece {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** What a scan has come to. */
export interface ScanProgress {
  /** Bytes looked at so far, read or not. */
  done: number;
  /** Of them, bytes that could not be read. */
  unreadable: number;
}

/**
 * The readable pages that a range touches, at most a chunk at a time. `check` is called before each request and throws
 * to end the scan. Throws BackendError.
 */
export function* scanMemory(
  source: MemorySource,
  range: ReadRange & { readonly what: string },
  progress: ScanProgress,
  check: () => void,
): Generator<ScanPiece, void> {
  const end = (range.address + BigInt(range.length) + BigInt(PAGE_SIZE - 1)) & PAGE_MASK;
  for (let at = range.address & PAGE_MASK; at < end; ) {
    const left = end - at;
    const length = left < BigInt(SCAN_CHUNK) ? Number(left) : SCAN_CHUNK;
    yield* readable(source, { ...range, address: at, length }, progress, check);
    progress.done += length;
    at += BigInt(length);
  }
}

/** One request for the whole; where that fails one for its pieces, and one for the pages of those that fail. */
function* readable(
  source: MemorySource,
  chunk: ReadRequest,
  progress: ScanProgress,
  check: () => void,
): Generator<ScanPiece, void> {
  let found = new Map<bigint, Uint8Array>();
  let wanted: readonly ReadRequest[] = [chunk];
  for (let level = 0; wanted.length > 0; level++) {
    check();
    const answers = source.read(wanted);
    const failed: ReadRequest[] = [];
    for (const [i, request] of wanted.entries()) {
      const answer = answers[i];
      if (answer instanceof Uint8Array && answer.length === request.length) found.set(request.address, answer);
      else failed.push(request);
    }
    const size = PIECES[level];
    if (size === undefined) {
      progress.unreadable += failed.reduce((sum, { length }) => sum + length, 0);
      break;
    }
    wanted = failed.flatMap((request) => split(request, size));
  }
  if (found.size > 1) found = new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const [address, bytes] of found) yield { address, bytes };
}

function split(request: ReadRequest, size: number): readonly ReadRequest[] {
  const pieces: ReadRequest[] = [];
  for (let at = 0; at < request.length; at += size) {
    pieces.push({ ...request, address: request.address + BigInt(at), length: Math.min(size, request.length - at) });
  }
  return pieces;
}
