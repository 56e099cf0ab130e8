/** A recording that is written from another: its lines with the times that they had, in chunks as any recording's. */
import { encodeChunk, firstChain } from '../chunk.ts';
import { ContentPacker } from '../contents.ts';
import { encodeHeader, type RecordingHeader } from '../header.ts';
import type { JournalRecord } from '../journal.ts';
import { createFileSink, type Sink } from '../sink.ts';

const JOURNAL_PENDING_MAX = 256 * 1024;

export class RecordingCopy {
  readonly contents: ContentPacker;
  readonly #sink: Sink;
  #chain: Buffer;
  #lines: string[] = [];
  #length = 0;

  /** Creates the file, for its owner only. Throws OpenError when it exists or cannot be made. */
  constructor(path: string, header: Omit<RecordingHeader, 'version'>) {
    const line = encodeHeader(header);
    this.#chain = firstChain(line);
    this.#sink = createFileSink(path);
    this.#sink.append([line]);
    this.contents = new ContentPacker((body, items) => this.#append('D', items, body));
  }

  journal(record: JournalRecord): void {
    const line = `${JSON.stringify(record)}\n`;
    this.#lines.push(line);
    this.#length += line.length;
    if (this.#length > JOURNAL_PENDING_MAX) this.#flush();
  }

  /** Ends the file, which is on the disk then. */
  close(): void {
    this.#flush();
    this.#sink.sync();
    this.#sink.close();
  }

  /** Gives up: the file is left as it is. */
  abandon(): void {
    this.#sink.close();
  }

  /** Contents first: a line never names what is not there. */
  #flush(): void {
    this.contents.flush();
    if (this.#lines.length === 0) return;
    const lines = this.#lines;
    this.#lines = [];
    this.#length = 0;
    this.#append('J', lines.length, Buffer.from(lines.join('')));
  }

  #append(type: 'D' | 'J', items: number, raw: Uint8Array): void {
    const chunk = encodeChunk(type, items, raw, this.#chain);
    this.#chain = chunk.chain;
    this.#sink.append(chunk.bytes);
  }
}
