/**
 * Kernel memory as the engine sees it: a page cache over a MemorySource. Reads look synchronous and cost nothing when
 * the page is there; a miss is one batched request. On a live target the pages live for one command (`newEpoch`),
 * except those in ranges known not to change (text, read-only data, BTF, ORC); on a frozen one they stay.
 *
 * Returned arrays are views of cached pages wherever a read does not cross one: callers must not write to them.
 */
import { CancelledError, FaultError } from '../errors.ts';
import { isCanonical, PAGE_SIZE } from './address.ts';
import type { MemorySource, ReadRequest } from './backend.ts';
import { joinBytes } from './bytes.ts';
import { Fault, type ReadRange, type Space } from './fault.ts';
import { decodeText } from './text.ts';

/** More than any kernel structure or table that is read whole; a larger length is a corrupt one. */
export const READ_LENGTH_MAX = 256 * 1024 * 1024;
/** A full cache drops one part in so many. */
const DROPPED_AT_ONCE = 16;
const PAGE_MASK = ~BigInt(PAGE_SIZE - 1);
/** 64 MiB of pages; the oldest are dropped first. */
const CACHED_PAGES_MAX = 16_384;
const STRING_CHUNK = 256;
/** Reads this long (BTF, ORC, kallsyms tables) are used once and decoded: they pass the page cache by. */
const UNCACHED_LENGTH = 1024 * 1024;

type Page = { readonly bytes: Uint8Array; readonly view: DataView } | Fault;

export interface MemoryOptions {
  readonly liveness: 'live' | 'frozen';
  /** Asked before every request to the source: true stops the command. */
  readonly cancelled?: () => boolean;
  readonly cachedPagesMax?: number;
}

export class Memory {
  readonly #source: MemorySource;
  readonly #options: MemoryOptions;
  readonly #pages: Readonly<Record<Space, Map<number, Page>>> = { virtual: new Map(), physical: new Map() };
  readonly #constant: { readonly start: bigint; readonly end: bigint }[] = [];
  #requests = 0;

  constructor(source: MemorySource, options: MemoryOptions) {
    this.#source = source;
    this.#options = options;
  }

  get liveness(): 'live' | 'frozen' {
    return this.#options.liveness;
  }

  /** Batches sent to the source so far: what a round trip is on a remote target. */
  get requests(): number {
    return this.#requests;
  }

  /** The source below the cache, for its optional `follow`. */
  get source(): MemorySource {
    return this.#source;
  }

  /** Declares [start, end) constant for the session: text, read-only data. */
  keepConstant(start: bigint, end: bigint): void {
    if (end > start) this.#constant.push({ start, end });
  }

  /** Declares a table of the kernel image constant, and the same in every boot of this build. */
  keepTable(start: bigint, end: bigint, what: string): void {
    if (end <= start) return;
    this.keepConstant(start, end);
    this.#source.keepTable?.({ space: 'virtual', address: start, length: Number(end - start), what });
  }

  /** True when a read of this range asks the source for nothing. */
  holds(address: bigint, length: number, space: Space = 'virtual'): boolean {
    const end = address + BigInt(length);
    for (let page = address & PAGE_MASK; page < end; page += BigInt(PAGE_SIZE)) {
      if (!this.#pages[space].has(pageNumber(page))) return false;
    }
    return true;
  }

  /** A new command begins: a live target's pages are forgotten, but for the constant ones. */
  newEpoch(): void {
    if (this.#options.liveness === 'frozen') return;
    this.#source.forget?.();
    this.#pages.physical.clear();
    for (const number of this.#pages.virtual.keys()) {
      if (!this.#isConstant(pageAddress(number))) this.#pages.virtual.delete(number);
    }
  }

  /** Forgets every page and every constant range: what comes next is all read from the source. */
  forgetAll(): void {
    this.#pages.physical.clear();
    this.#pages.virtual.clear();
    this.#constant.length = 0;
  }

  /** Forgets the pages of one range, to read it again within a command (a list that moved, a lock's owner). */
  refresh(address: bigint, length: number, space: Space = 'virtual'): void {
    for (let page = address & PAGE_MASK; page < address + BigInt(length); page += BigInt(PAGE_SIZE)) {
      this.#pages[space].delete(pageNumber(page));
    }
  }

  /** The bytes, or the fault of the first page that cannot be read. */
  tryRead(address: bigint, length: number, what: string, space: Space = 'virtual'): Uint8Array | Fault {
    const refused = this.#refuse(address, length, what, space);
    if (refused !== undefined) return refused;
    const offset = Number(address & ~PAGE_MASK);
    if (offset + length <= PAGE_SIZE) {
      const page = this.#page(address & PAGE_MASK, space, what);
      return page instanceof Fault
        ? page.narrowed(address, length, what)
        : page.bytes.subarray(offset, offset + length);
    }
    return this.#readAcross(address, length, what, space);
  }

  /** The bytes; throws FaultError. */
  read(address: bigint, length: number, what: string, space: Space = 'virtual'): Uint8Array {
    const result = this.tryRead(address, length, what, space);
    if (result instanceof Fault) throw new FaultError(result);
    return result;
  }

  /** Many ranges in one request to the source. */
  readMany(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    this.prefetch(requests);
    return requests.map((request) => this.tryRead(request.address, request.length, request.what, request.space));
  }

  /** Brings the pages of these ranges in, in one request; faults are kept and met when the range is read. */
  prefetch(ranges: readonly (ReadRange & { readonly what?: string })[]): void {
    const missing = new Map<string, ReadRequest>();
    for (const range of ranges) {
      if (this.#refuse(range.address, range.length, '', range.space) !== undefined) continue;
      const end = range.address + BigInt(range.length);
      for (let page = range.address & PAGE_MASK; page < end; page += BigInt(PAGE_SIZE)) {
        if (this.#pages[range.space].has(pageNumber(page))) continue;
        missing.set(`${range.space}${page}`, {
          space: range.space,
          address: page,
          length: PAGE_SIZE,
          what: range.what ?? 'memory',
        });
      }
    }
    this.#fetch([...missing.values()]);
  }

  /** The page and offset of an integer read that lies within one page; undefined when it crosses one. */
  #integer(address: bigint, length: number, what: string, space: Space): { view: DataView; offset: number } {
    const offset = Number(address & ~PAGE_MASK);
    if (offset + length <= PAGE_SIZE && this.#refuse(address, length, what, space) === undefined) {
      const page = this.#page(address & PAGE_MASK, space, what);
      if (page instanceof Fault) throw new FaultError(page.narrowed(address, length, what));
      return { view: page.view, offset };
    }
    const bytes = this.read(address, length, what, space);
    return { view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), offset: 0 };
  }

  u8(address: bigint, what: string, space: Space = 'virtual'): number {
    const { view, offset } = this.#integer(address, 1, what, space);
    return view.getUint8(offset);
  }

  u16(address: bigint, what: string, space: Space = 'virtual'): number {
    const { view, offset } = this.#integer(address, 2, what, space);
    return view.getUint16(offset, true);
  }

  u32(address: bigint, what: string, space: Space = 'virtual'): number {
    const { view, offset } = this.#integer(address, 4, what, space);
    return view.getUint32(offset, true);
  }

  s32(address: bigint, what: string, space: Space = 'virtual'): number {
    const { view, offset } = this.#integer(address, 4, what, space);
    return view.getInt32(offset, true);
  }

  u64(address: bigint, what: string, space: Space = 'virtual'): bigint {
    const { view, offset } = this.#integer(address, 8, what, space);
    return view.getBigUint64(offset, true);
  }

  s64(address: bigint, what: string, space: Space = 'virtual'): bigint {
    const { view, offset } = this.#integer(address, 8, what, space);
    return view.getBigInt64(offset, true);
  }

  /** A NUL-terminated string of at most `max` bytes, decoded; cut at `max` when there is no NUL. Throws FaultError. */
  cString(address: bigint, max: number, what: string): string {
    const chunks: Uint8Array[] = [];
    let length = 0;
    while (length < max) {
      const at = address + BigInt(length);
      const toPageEnd = PAGE_SIZE - Number(at & ~PAGE_MASK);
      const bytes = this.read(at, Math.min(STRING_CHUNK, toPageEnd, max - length), what);
      const nul = bytes.indexOf(0);
      chunks.push(nul < 0 ? bytes : bytes.subarray(0, nul));
      length += bytes.length;
      if (nul >= 0) break;
    }
    return decodeText(joinBytes(chunks));
  }

  #refuse(address: bigint, length: number, what: string, space: Space): Fault | undefined {
    const request = { space, address, length, what };
    if (length < 0 || length > READ_LENGTH_MAX || !Number.isInteger(length)) {
      return new Fault(request, 'truncated', 'an impossible length');
    }
    if (space === 'physical') return undefined;
    if (address >= 0n && address < BigInt(PAGE_SIZE)) return new Fault(request, 'null');
    if (address < 0n || !isCanonical(address) || address + BigInt(length) > 1n << 64n) {
      return new Fault(request, 'non-canonical');
    }
    return undefined;
  }

  #page(address: bigint, space: Space, what: string): Page {
    const pages = this.#pages[space];
    const number = pageNumber(address);
    const cached = pages.get(number);
    if (cached !== undefined) return cached;
    this.#fetch([{ space, address, length: PAGE_SIZE, what }]);
    return pages.get(number) ?? new Fault({ space, address, length: PAGE_SIZE, what }, 'io', 'no answer');
  }

  #readAcross(address: bigint, length: number, what: string, space: Space): Uint8Array | Fault {
    if (length >= UNCACHED_LENGTH) return this.#readUncached(address, length, what, space);
    this.prefetch([{ space, address, length, what }]);
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const at = address + BigInt(done);
      const page = this.#page(at & PAGE_MASK, space, what);
      if (page instanceof Fault) return page.narrowed(address, length, what);
      const offset = Number(at & ~PAGE_MASK);
      const part = page.bytes.subarray(offset, Math.min(PAGE_SIZE, offset + length - done));
      bytes.set(part, done);
      done += part.length;
    }
    return bytes;
  }

  /** One request for all the pages; sources see whole pages only, so that a recording holds whole pages. */
  #readUncached(address: bigint, length: number, what: string, space: Space): Uint8Array | Fault {
    if (this.#options.cancelled?.() === true) throw new CancelledError();
    const start = address & PAGE_MASK;
    const offset = Number(address - start);
    const whole = Math.ceil((offset + length) / PAGE_SIZE) * PAGE_SIZE;
    this.#requests++;
    const [answer] = this.#source.read([{ space, address: start, length: whole, what }]);
    if (answer instanceof Fault) return answer.narrowed(address, length, what);
    if (answer?.length !== whole) return new Fault({ space, address, length, what }, 'truncated');
    return answer.subarray(offset, offset + length);
  }

  #fetch(requests: readonly ReadRequest[]): void {
    if (requests.length === 0) return;
    if (this.#options.cancelled?.() === true) throw new CancelledError();
    this.#requests++;
    const answers = this.#source.read(requests);
    for (const [i, request] of requests.entries()) {
      const answer = answers[i];
      const pages = this.#pages[request.space];
      const max = this.#options.cachedPagesMax ?? CACHED_PAGES_MAX;
      if (pages.size >= Math.max(max, requests.length)) {
        // Never pages of this batch: they are the newest, and i of them are in.
        dropOldest(pages, Math.min(Math.ceil(max / DROPPED_AT_ONCE), pages.size - i));
      }
      pages.set(pageNumber(request.address), toPage(answer, request));
    }
  }

  #isConstant(page: bigint): boolean {
    return this.#constant.some((range) => page >= range.start && page + BigInt(PAGE_SIZE) <= range.end);
  }
}

function toPage(answer: Uint8Array | Fault | undefined, request: ReadRequest): Page {
  if (answer instanceof Uint8Array && answer.length === request.length) {
    return { bytes: answer, view: new DataView(answer.buffer, answer.byteOffset, answer.byteLength) };
  }
  return answer instanceof Fault ? answer : new Fault(request, 'truncated');
}

/** Many at once: the first key of a Map is found past all that were deleted before it. */
function dropOldest(pages: Map<number, Page>, count: number): void {
  let left = count;
  for (const number of pages.keys()) {
    if (left-- <= 0) return;
    pages.delete(number);
  }
}

/** The low 52 bits of the page number: exact as a double, and distinct for all canonical addresses. */
function pageNumber(address: bigint): number {
  return Number(BigInt.asUintN(64, address) >> 12n);
}

function pageAddress(number: number): bigint {
  return BigInt(number) << 12n;
}
