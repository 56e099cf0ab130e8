/**
 * Tables in the kernel image that every boot of a build has alike: those that the kernel model declares (ORC). They are
 * fetched whole when one of them is first read, and from the cache at the next visit.
 */
import type { ReadRequest } from '../../core/memory/backend.ts';
import type { Fault } from '../../core/memory/fault.ts';
import type { BuildCache } from './build-cache.ts';

/** The unwind tables of the largest kernels are 10 MB. */
const TABLE_MAX = 16 * 1024 * 1024;
/** The reader answers so much at once. */
const PIECE = 1024 * 1024;
const TABLES_MAX = 16;

interface Table {
  readonly range: ReadRequest;
  readonly end: bigint;
  /** Undefined while it was not fetched; null when it could not be. */
  bytes: Uint8Array | undefined | null;
}

export class BuildTables {
  #cache: BuildCache | undefined;
  #tables: Table[] = [];

  /** Without a cache nothing is fetched that was not asked for. */
  constructor(cache: BuildCache | undefined) {
    this.#cache = cache;
  }

  /** Another boot: the same tables may be elsewhere, or others. */
  renew(cache: BuildCache | undefined): void {
    this.#cache = cache;
    this.#tables = [];
  }

  declare(range: ReadRequest): void {
    if (this.#cache === undefined || range.length <= 0 || range.length > TABLE_MAX) return;
    if (this.#tables.length >= TABLES_MAX || this.#tables.some((table) => table.range.address === range.address))
      return;
    const kept = this.#cache.latest(nameOf(range));
    const bytes = kept?.length === range.length ? kept : undefined;
    this.#tables.push({ range, end: range.address + BigInt(range.length), bytes });
  }

  /** The bytes of a range, where tables that are here have all of them but what no table has. */
  find(request: ReadRequest): Uint8Array | undefined {
    if (request.space !== 'virtual') return undefined;
    const end = request.address + BigInt(request.length);
    const table = this.#tables.find(({ range, end: tableEnd }) => request.address >= range.address && end <= tableEnd);
    if (!(table?.bytes instanceof Uint8Array)) return undefined;
    const start = Number(request.address - table.range.address);
    return table.bytes.subarray(start, start + request.length);
  }

  /** What is to be fetched along with these requests: all tables that are not here, once one of them is read. */
  missing(requests: readonly ReadRequest[]): readonly ReadRequest[] {
    const isRead = ({ range, end }: Table): boolean =>
      requests.some(({ space, address, length }) => {
        return space === 'virtual' && address < end && address + BigInt(length) > range.address;
      });
    const absent = this.#tables.filter(({ bytes }) => bytes === undefined);
    return absent.some(isRead) ? absent.flatMap(({ range }) => piecesOf(range)) : [];
  }

  /** What came of `missing`. */
  keep(pieces: readonly ReadRequest[], answers: readonly (Uint8Array | Fault)[]): void {
    if (pieces.length === 0) return;
    for (const table of this.#tables) {
      if (table.bytes !== undefined) continue;
      const { range, end } = table;
      const bytes = new Uint8Array(range.length);
      let length = 0;
      for (const [i, piece] of pieces.entries()) {
        const answer = answers[i];
        if (piece.address < range.address || piece.address >= end || !(answer instanceof Uint8Array)) continue;
        bytes.set(answer, Number(piece.address - range.address));
        length += answer.length;
      }
      table.bytes = length === range.length ? bytes : null;
      if (length === range.length) this.#cache?.store(nameOf(range), bytes);
    }
  }
}

function nameOf({ what }: ReadRequest): string {
  return `table-${what.replaceAll(/[^\w-]/g, '')}`;
}

function piecesOf(range: ReadRequest): readonly ReadRequest[] {
  return Array.from({ length: Math.ceil(range.length / PIECE) }, (_, i) => ({
    ...range,
    address: range.address + BigInt(i * PIECE),
    length: Math.min(PIECE, range.length - i * PIECE),
  }));
}
