/**
 * Kernel memory on the far side. Whatever one call asks for is one round trip: neighbours are joined, what is long goes
 * out in pieces that follow each other without waiting, what was sent ahead is taken as it is.
 */
import type { Kcore } from '../../core/formats/kcore.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type {
  ChaseRequest,
  ChaseResult,
  FollowRequest,
  FollowResult,
  MemorySource,
  ReadRequest,
} from '../../core/memory/backend.ts';
import { Fault, type ReadRange } from '../../core/memory/fault.ts';
import { checkBlankPages } from '../local/blank-pages.ts';
import { kernelPageTable, type TranslateKernel } from '../local/kernel-page-table.ts';
import type { BuildTables } from './build-tables.ts';
import type { Sent } from './link.ts';
import { runsOf } from './range-runs.ts';
import type { WireExchange } from './wire-exchange.ts';

/** Bytes asked for with one request: an answer of this size is cancelled soon enough. */
const PIECE_MAX = 1024 * 1024;
/** Requests on their way at once: what a cancelled command leaves behind is no more than these. */
const IN_FLIGHT_MAX = 8;
const PAGE_MASK = ~BigInt(PAGE_SIZE - 1);

type ReadSent = Sent<{ readonly op: 'read'; readonly ranges: readonly ReadRequest[] }>;

/** A page that was sent for ahead. */
interface Ahead {
  readonly sent: ReadSent;
  readonly index: number;
}

export class RemoteMemory implements MemorySource {
  readonly #wire: WireExchange;
  readonly #tables: BuildTables;
  #kcore: Kcore;
  #translate: TranslateKernel | undefined;
  #ahead = new Map<string, Ahead>();

  constructor(wire: WireExchange, kcore: Kcore, tables: BuildTables) {
    this.#wire = wire;
    this.#tables = tables;
    this.#kcore = kcore;
    this.#translate = this.#pageTable();
  }

  /** Another boot, or other ranges: memory was plugged in. */
  renew(kcore: Kcore): void {
    this.#kcore = kcore;
    this.#translate = this.#pageTable();
    this.#ahead.clear();
  }

  read(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    const answers: (Uint8Array | Fault | undefined)[] = requests.map((request) => this.#tables.find(request));
    this.#takeAhead(requests, answers);
    const wanted = [...requests.keys()].filter((i) => answers[i] === undefined);
    if (wanted.length > 0) {
      const asked = wanted.map((i) => requests[i] as ReadRequest);
      // Whoever reads a table of this build for the first time gets the others of them with it.
      const missing = this.#tables.missing(asked);
      const got = this.#readPlain([...asked, ...missing]);
      for (const [i, index] of wanted.entries()) answers[index] = got[i];
      this.#tables.keep(missing, got.slice(asked.length));
    }
    const complete = answers.map((answer, i) => answer ?? new Fault(requests[i] as ReadRequest, 'io', 'no answer'));
    if (this.#translate !== undefined) {
      const { segments } = this.#kcore;
      const read = (again: readonly ReadRequest[]) => this.#readPlain(again);
      checkBlankPages({ segments, translate: this.#translate, read }, requests, complete);
    }
    return complete;
  }

  /** Sends for the pages of these ranges and does not wait. */
  prefetch(ranges: readonly ReadRange[]): void {
    const pages = new Map<string, ReadRequest>();
    for (const { space, address, length } of ranges) {
      for (let page = address & PAGE_MASK; page < address + BigInt(length); page += BigInt(PAGE_SIZE)) {
        const request = { space, address: page, length: PAGE_SIZE, what: 'memory' };
        if (!this.#ahead.has(keyOf(request)) && this.#tables.find(request) === undefined) {
          pages.set(keyOf(request), request);
        }
      }
    }
    if (pages.size === 0 || pages.size * PAGE_SIZE > PIECE_MAX || this.#wire.link.lost !== undefined) return;
    const sent = this.#wire.link.send({ op: 'read', ranges: [...pages.values()] });
    for (const [index, key] of [...pages.keys()].entries()) this.#ahead.set(key, { sent, index });
  }

  forget(): void {
    for (const { sent } of this.#ahead.values()) this.#wire.link.drop(sent);
    this.#ahead.clear();
  }

  keepTable(table: ReadRequest): void {
    this.#tables.declare(table);
  }

  follow(walk: FollowRequest): FollowResult {
    return this.#wire.one({ op: 'follow', walk });
  }

  chase(way: ChaseRequest): ChaseResult {
    return this.#wire.one({ op: 'chase', way });
  }

  #takeAhead(requests: readonly ReadRequest[], answers: (Uint8Array | Fault | undefined)[]): void {
    if (this.#ahead.size === 0) return;
    const taken = new Map<ReadSent, { readonly request: number; readonly index: number; readonly key: string }[]>();
    for (const [i, request] of requests.entries()) {
      const ahead = request.length === PAGE_SIZE ? this.#ahead.get(keyOf(request)) : undefined;
      if (ahead === undefined || answers[i] !== undefined) continue;
      const places = taken.get(ahead.sent) ?? [];
      places.push({ request: i, index: ahead.index, key: keyOf(request) });
      taken.set(ahead.sent, places);
    }
    const sent = [...taken.keys()];
    if (sent.length === 0) return;
    const got = this.#wire.collect(sent);
    for (const [n, each] of sent.entries()) {
      for (const { request, index } of taken.get(each) ?? [])
        answers[request] = renamed(got[n]?.[index], requests[request]);
      // An answer is taken once: its other pages are asked for again when they are wanted.
      for (const [key, ahead] of this.#ahead) if (ahead.sent === each) this.#ahead.delete(key);
    }
  }

  /** As the far side has it. Where a run fails each of its members is asked for by itself. */
  #readPlain(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    const answers: (Uint8Array | Fault | undefined)[] = requests.map(() => undefined);
    const runs = runsOf(requests);
    const alone: number[] = [];
    for (const [n, bytes] of this.#exchange(runs.map(({ range }) => range)).entries()) {
      const { range, members } = runs[n] as (typeof runs)[number];
      for (const member of members) {
        const request = requests[member] as ReadRequest;
        const start = Number(request.address - range.address);
        if (!(bytes instanceof Fault)) answers[member] = bytes.subarray(start, start + request.length);
        else if (members.length === 1) answers[member] = renamed(bytes, request);
        else alone.push(member);
      }
    }
    const again = this.#exchange(alone.map((member) => requests[member] as ReadRequest));
    for (const [n, member] of alone.entries()) answers[member] = renamed(again[n], requests[member]);
    return answers.map((answer, i) => answer ?? new Fault(requests[i] as ReadRequest, 'io', 'no answer'));
  }

  /** Each range with exactly its bytes or a fault, whatever the far side sent. */
  #exchange(ranges: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    const pieces = inPieces(ranges);
    const got: (Uint8Array | Fault)[] = [];
    for (let at = 0; at < pieces.length; at += IN_FLIGHT_MAX) {
      const sent = pieces.slice(at, at + IN_FLIGHT_MAX).map((piece) => {
        return this.#wire.link.send({ op: 'read', ranges: piece } as const);
      });
      for (const [i, answer] of this.#wire.collect(sent).entries()) {
        for (const [n, range] of (pieces[at + i] ?? []).entries()) {
          const bytes = answer[n];
          const isWhole = bytes instanceof Fault || bytes?.length === range.length;
          got.push(bytes !== undefined && isWhole ? bytes : new Fault(range, 'io', 'an answer of another length'));
        }
      }
    }
    return got;
  }

  #pageTable(): TranslateKernel | undefined {
    return kernelPageTable(this.#kcore, (physical) => {
      const what = 'a page table entry';
      const words = this.#readPlain(physical.map((address) => ({ space: 'physical', address, length: 8, what })));
      return words.map((word) =>
        word instanceof Fault ? word : new DataView(word.buffer, word.byteOffset).getBigUint64(0, true),
      );
    });
  }
}

function keyOf({ space, address }: ReadRange): string {
  return `${space}${address}`;
}

/** A fault that names what this request wanted. */
function renamed(
  answer: Uint8Array | Fault | undefined,
  request: ReadRequest | undefined,
): Uint8Array | Fault | undefined {
  if (!(answer instanceof Fault) || request === undefined) return answer;
  return new Fault(request, answer.reason, answer.detail);
}

/** Groups of ranges that are not too long together. */
function inPieces(ranges: readonly ReadRequest[]): readonly (readonly ReadRequest[])[] {
  const pieces: ReadRequest[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const range of ranges) {
    if (length + range.length > PIECE_MAX) {
      pieces.push([]);
      length = 0;
    }
    pieces.at(-1)?.push(range);
    length += range.length;
  }
  return pieces;
}
