/** What stands in memory around a page at a moment of the session: a word may cross the border of two pages. */
import { DataError } from '../../../core/errors.ts';
import { decodeJournalLine, type JournalRecord } from '../journal.ts';
import type { RecordingFile } from '../recording-file.ts';
import { journalLines } from '../recording-index.ts';
import { CONTEXT } from './memory-text.ts';

const NOTHING = new Uint8Array();

/** The records of a recording, in order, up to where it is damaged; `file.contents` has what they name. */
export function* recordsOf(file: RecordingFile): Generator<JournalRecord> {
  const chunks = file.chunks();
  for (let next = chunks.next(); next.done !== true; next = chunks.next()) {
    const { journal } = next.value;
    if (journal === undefined) continue;
    for (const line of journalLines(journal)) {
      const record = decoded(line);
      if (record === 'damaged') return;
      if (record !== undefined) yield record;
    }
  }
}

function decoded(line: string): JournalRecord | 'damaged' | undefined {
  try {
    return decodeJournalLine(line);
  } catch (error) {
    if (error instanceof DataError) return 'damaged';
    throw error;
  }
}

/** A page of virtual memory and the number of its content. */
export function* pagesOf(record: JournalRecord & { readonly k: 'pages' }): Generator<[page: bigint, content: number]> {
  for (const [address, content, count] of record.runs) {
    const first = BigInt(`0x${address}`) >> 12n;
    for (let i = 0; i < count; i++) yield [first + BigInt(i), content === 0 ? 0 : content + i];
  }
}

/** The first content of each page of virtual memory: what stands there before another was read. */
export function firstPages(file: RecordingFile): ReadonlyMap<bigint, number> {
  const first = new Map<bigint, number>();
  for (const record of recordsOf(file)) {
    if (record.k !== 'pages' || record.space !== 'virtual') continue;
    for (const [page, content] of pagesOf(record)) if (!first.has(page)) first.set(page, content);
  }
  return first;
}

export class Neighbours {
  readonly #file: RecordingFile;
  readonly #first: ReadonlyMap<bigint, number>;
  readonly #latest = new Map<bigint, number>();

  constructor(file: RecordingFile, first: ReadonlyMap<bigint, number>) {
    this.#file = file;
    this.#first = first;
  }

  /** These pages were read: from now on they stand where they were read. */
  see(record: JournalRecord & { readonly k: 'pages' }): void {
    if (record.space !== 'virtual') return;
    for (const [page, content] of pagesOf(record)) this.#latest.set(page, content);
  }

  /** The numbers of the contents before and behind a page; undefined where none was ever read. */
  around(page: bigint): readonly [number | undefined, number | undefined] {
    return [this.#at(page - 1n), this.#at(page + 1n)];
  }

  before(content: number | undefined): Uint8Array {
    return this.#bytes(content)?.subarray(-CONTEXT) ?? NOTHING;
  }

  behind(content: number | undefined): Uint8Array {
    return this.#bytes(content)?.subarray(0, CONTEXT) ?? NOTHING;
  }

  #at(page: bigint): number | undefined {
    const content = this.#latest.get(page) ?? this.#first.get(page);
    // It may be in a chunk that is not come to yet.
    return content !== undefined && content < this.#file.contents ? content : undefined;
  }

  #bytes(content: number | undefined): Uint8Array | undefined {
    return content === undefined || content === 0 ? undefined : this.#file.content(content);
  }
}
