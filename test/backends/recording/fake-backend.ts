/**
 * A live target whose memory and files a test sets, and a place for the recordings made of it.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chainOf, decodeChunkHeader, decompressChunk, firstChain } from '../../../src/backends/recording/chunk.ts';
import type {
  Backend,
  FileResult,
  FollowRequest,
  ProgramRange,
  ProgramResult,
  ReadRequest,
} from '../../../src/core/memory/backend.ts';
import { Fault, type Space } from '../../../src/core/memory/fault.ts';
import { encodeText } from '../../../src/core/memory/text.ts';

const PAGE = 4096;

/** A page filled from a number: different numbers give different pages. */
export function pageOf(seed: number): Uint8Array {
  return Uint8Array.from({ length: PAGE }, (_, i) => (seed * 31 + i * 7 + (i >> 8)) & 0xff);
}

export class FakeBackend implements Backend {
  readonly name = 'fake';
  readonly liveness = 'live';
  readonly counters = { roundTrips: 0, bytes: 0 };
  /** By `virtual ffff888000001000`. */
  readonly pages = new Map<string, Uint8Array>();
  readonly texts = new Map<string, string>();
  readonly names = new Map<string, readonly string[]>();
  readonly links = new Map<string, string>();
  /** Every request that came. */
  readonly asked: ReadRequest[] = [];
  /** Ends the bytes of its page early: a source's last page. */
  readonly lengths = new Map<string, number>();
  closed = false;

  readonly memory = {
    read: (requests: readonly ReadRequest[]) => requests.map((request) => this.#read(request)),
    follow: (walk: FollowRequest) => ({
      nodes: [...this.#walk(walk)].map((address) => ({ address, bytes: [] })),
      stopped: 'end' as const,
    }),
  };

  readonly files = {
    read: (path: string, limit = 1 << 26): FileResult => {
      const text = this.texts.get(path);
      if (text === undefined) return { ok: false, failure: { path, reason: 'absent', detail: 'no such file' } };
      const bytes = encodeText(text);
      return { ok: true, bytes: bytes.subarray(0, limit), truncated: bytes.length > limit };
    },
    readMany: (paths: readonly string[], limit?: number) => paths.map((path) => this.files.read(path, limit)),
    list: (path: string) => {
      const names = this.names.get(path);
      return names === undefined
        ? ({ ok: false, failure: { path, reason: 'denied', detail: 'permission denied' } } as const)
        : ({ ok: true, names } as const);
    },
    link: (path: string) => this.links.get(path),
  };

  readonly programs = {
    read: (path: string, ranges: readonly ProgramRange[]): ProgramResult => {
      const text = this.texts.get(path);
      if (text === undefined) return { ok: false, failure: { path, reason: 'denied', detail: 'it is no program' } };
      const bytes = encodeText(text);
      return { ok: true, bytes: ranges.map(({ offset, length }) => bytes.subarray(offset, offset + length)) };
    },
  };

  place(address: bigint, bytes: Uint8Array, space: Space = 'virtual'): void {
    this.pages.set(key(space, address), bytes);
  }

  vmcoreinfo(): string {
    return 'OSRELEASE=6.1.0-fake\nPAGESIZE=4096';
  }

  capabilities() {
    return [{ name: 'memory', available: true, detail: 'made by hand' }];
  }

  close(): void {
    this.closed = true;
  }

  #read(request: ReadRequest): Uint8Array | Fault {
    this.asked.push(request);
    const bytes = new Uint8Array(request.length);
    for (let done = 0; done < request.length; ) {
      const at = request.address + BigInt(done);
      const offset = Number(at & 0xfffn);
      const part = Math.min(request.length - done, PAGE - offset);
      const name = key(request.space, at - BigInt(offset));
      const page = this.pages.get(name);
      if (page === undefined) return new Fault(request, 'unmapped');
      if (offset + part > (this.lengths.get(name) ?? PAGE)) return new Fault(request, 'truncated');
      bytes.set(page.subarray(offset, offset + part), done);
      done += part;
    }
    return bytes;
  }

  *#walk(walk: FollowRequest): Generator<bigint> {
    let node = walk.start;
    for (let count = 0; count < walk.limit && node !== 0n && node !== walk.end; count++) {
      yield node;
      const next = this.#read({
        space: 'virtual',
        address: node + BigInt(walk.nextOffset),
        length: 8,
        what: walk.what,
      });
      if (next instanceof Fault) return;
      node = new DataView(next.buffer).getBigUint64(0, true);
    }
  }
}

export function request(address: bigint, length = PAGE, what = 'a test', space: Space = 'virtual'): ReadRequest {
  return { space, address, length, what };
}

/** A folder for a test file's recordings. */
export class Folder {
  readonly path = mkdtempSync(join(tmpdir(), 'kdbg-recording-'));
  #next = 0;

  file(): string {
    return join(this.path, `${this.#next++}.kdbg`);
  }

  remove(): void {
    rmSync(this.path, { recursive: true });
  }
}

/**
 * Another reader, written from docs/recording.md: all chunks of a file with their raw bodies, and all text of it that
 * anything could be found in.
 */
export function dump(path: string): { readonly types: string; readonly text: string; readonly journal: string[] } {
  const file = readFileSync(path);
  const start = file.indexOf('\n') + 1;
  const texts = [file.toString('latin1', 0, start)];
  const journal: string[] = [];
  let types = '';
  let chain = firstChain(file.subarray(0, start));
  for (let at = start; at < file.length; ) {
    const header = decodeChunkHeader(file.subarray(at, at + 52));
    const stored = file.subarray(at + 52, at + 52 + header.storedLength);
    if (!chainOf(chain, file.subarray(at, at + 52), stored).equals(header.chain)) throw new Error(`chain at ${at}`);
    const raw = Buffer.from(decompressChunk(header, stored));
    types += header.type;
    texts.push(raw.toString('latin1'));
    if (header.type === 'J') journal.push(...raw.toString('utf8').trimEnd().split('\n'));
    chain = header.chain;
    at += 52 + header.storedLength;
  }
  return { types, text: texts.join('\n'), journal };
}

function key(space: Space, address: bigint): string {
  return `${space} ${address.toString(16)}`;
}
