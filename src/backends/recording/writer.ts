/**
 * Writes one recording: what the backend answered and what the session did, into chunks that are appended whole.
 * After a crash of kdbg the file holds everything up to the end of the last command, and of a long command all but
 * the last megabyte. Memory is bounded by that, and by the digests of the contents (contents.ts).
 *
 * An error while writing (a full disk) ends the recording, not the session: the file is cut back to its last whole
 * chunk, `failure` tells why, and every later call does nothing.
 */
import { BackendError } from '../../core/errors.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type {
  Capability,
  ControlStep,
  FileFailure,
  FileResult,
  ListResult,
  ReadRequest,
} from '../../core/memory/backend.ts';
import { Fault, type ReadRange } from '../../core/memory/fault.ts';
import { type Compression, encodeChunk, firstChain } from './chunk.ts';
import { ContentPacker } from './contents.ts';
import { encodeHeader, type RecordingHeader } from './header.ts';
import type { FileQuestion, JournalRecord } from './journal.ts';
import { AnswerRuns } from './runs.ts';
import { createFileSink, type Sink } from './sink.ts';
import { isUserFile, isUserMemory, WITHHELD } from './user-data.ts';

/** Journal text that waits for its chunk. */
const JOURNAL_PENDING_MAX = 256 * 1024;
/** Output of one command that is kept; what follows is counted only. */
const OUTPUT_MAX = 4 * 1024 * 1024;

export interface WriterOptions {
  readonly header: Omit<RecordingHeader, 'version' | 'created'>;
  readonly compression?: Compression;
  /** Told once, when the file could not be written any further. */
  readonly onFailure?: (failure: BackendError) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Creates the file at `path`. Throws OpenError when it exists or cannot be created. */
export function createRecording(path: string, options: WriterOptions): RecordingWriter {
  return new RecordingWriter(path, createFileSink(path), options);
}

export class RecordingWriter {
  readonly path: string;
  readonly #sink: Sink;
  readonly #options: WriterOptions;
  readonly #now: () => number;
  readonly #created: number;
  readonly #contents: ContentPacker;
  #state: 'open' | 'closed' | 'failed' = 'open';
  #failure: BackendError | undefined;
  #chain: Buffer;
  #bytes: number;
  #commands = 0;
  #lines: string[] = [];
  #linesLength = 0;
  /** Contents were written that no journal line in the file names yet. */
  #behind = false;
  #running: { readonly started: number; userData: boolean; lines: string[]; length: number; cut: number } | undefined;

  constructor(path: string, sink: Sink, options: WriterOptions) {
    this.path = path;
    this.#sink = sink;
    this.#options = options;
    this.#now = options.now ?? Date.now;
    this.#created = this.#now();
    const header = encodeHeader({ ...options.header, created: new Date(this.#created).toISOString() });
    this.#chain = firstChain(header);
    this.#bytes = header.length;
    this.#contents = new ContentPacker((body, items) => {
      this.#append('D', items, body);
      this.#behind = true;
    });
    this.#guard(() => sink.append([header]), 0);
  }

  /** Bytes in the file so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Commands begun so far: the epoch of what is read now. */
  get commands(): number {
    return this.#commands;
  }

  /** Why the recording ended early, if it did. */
  get failure(): BackendError | undefined {
    return this.#failure;
  }

  /** False once it was closed or failed. */
  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** A command line begins: a new epoch. `by` says who ran it: 'user', 'pane', 'rc'. */
  command(line: string, by = 'user'): void {
    this.#finish(undefined);
    this.#commands++;
    this.#journal({ k: 'command', line, at: this.#at(), by });
    this.#running = { started: this.#now(), userData: false, lines: [], length: 0, cut: 0 };
  }

  /** Lines that the running command printed, as printed but without colour. */
  output(lines: readonly string[]): void {
    const running = this.#running;
    if (running === undefined) return;
    for (const line of lines) {
      if (running.length + line.length >= OUTPUT_MAX) running.cut++;
      else {
        running.lines.push(line);
        running.length += line.length + 1;
      }
    }
  }

  /** The running command ended with this exit status. Everything so far is in the file when this returns. */
  end(status: number): void {
    this.#finish(status);
  }

  #finish(status: number | undefined): void {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    if (running.userData) this.#journal({ k: 'output', withheld: WITHHELD });
    else if (running.lines.length > 0) {
      const data = this.#contents.add(Buffer.from(running.lines.join('\n')));
      const cut = running.cut > 0 ? { cut: running.cut } : {};
      this.#journal({ k: 'output', data, lines: running.lines.length, ...cut });
    }
    if (status !== undefined) this.#journal({ k: 'end', status, ms: Math.max(0, this.#now() - running.started) });
    this.flush();
  }

  note(text: string): void {
    this.#journal({ k: 'note', text, at: this.#at() });
    this.flush();
  }

  capabilities(list: readonly Capability[]): void {
    this.#journal({ k: 'capabilities', list });
  }

  vmcoreinfo(text: string): void {
    this.#journal({ k: 'vmcoreinfo', data: this.#contents.add(Buffer.from(text)) });
  }

  /** What the source answered to requests for whole pages. */
  pages(requests: readonly ReadRequest[], answers: readonly (Uint8Array | Fault | undefined)[]): void {
    if (this.#state !== 'open') return;
    const runs = new AnswerRuns();
    for (const [i, request] of requests.entries()) {
      const answer = answers[i];
      if (this.#withholds(isUserMemory(request))) runs.fault(request, 'not-recorded', WITHHELD);
      else if (answer instanceof Fault) runs.fault(request, answer.reason, answer.detail);
      else if (answer?.length === request.length) {
        for (let at = 0; at < answer.length; at += PAGE_SIZE) {
          const address = request.address + BigInt(at);
          runs.page(request.space, address, this.#contents.page(answer.subarray(at, at + PAGE_SIZE)));
        }
      }
    }
    for (const record of runs.records()) this.#journal(record);
  }

  /** Bytes of a range within one page, where the whole page could not be read. */
  part(range: ReadRange, bytes: Uint8Array, what: string): void {
    if (this.#state !== 'open' || this.#withholds(isUserMemory({ what }))) return;
    const address = BigInt.asUintN(64, range.address).toString(16).padStart(16, '0');
    this.#journal({ k: 'part', space: range.space, address, data: this.#contents.add(bytes)[0] as number });
  }

  file(path: string, result: FileResult): void {
    const truncated = result.ok && result.truncated ? { truncated: true as const } : {};
    this.#answer('file', path, result, () => (result.ok ? result.bytes : undefined), truncated);
  }

  list(path: string, result: ListResult): void {
    this.#answer('list', path, result, () => (result.ok ? Buffer.from(result.names.join('\0')) : undefined));
  }

  link(path: string, target: string | undefined): void {
    const failure = { path, reason: 'absent', detail: 'no link' } as const;
    this.#answer('link', path, target === undefined ? { ok: false, failure } : { ok: true }, () =>
      Buffer.from(target ?? ''),
    );
  }

  /** A change of tracefs, and what came of it. */
  control(steps: readonly ControlStep[], failure: FileFailure | undefined): void {
    this.#journal({ k: 'control', steps, ...(failure === undefined ? {} : { failed: failure }) });
  }

  /** What the session says to restore when it ends. */
  restore(steps: readonly ControlStep[]): void {
    this.#journal({ k: 'restore', steps });
  }

  /** What came of a stream; no bytes at all where it was opened. */
  stream(
    path: string,
    came:
      | { readonly bytes: Uint8Array }
      | { readonly idle: true }
      | { readonly ended: string }
      | { readonly failure: FileFailure },
  ): void {
    if (this.#state !== 'open') return;
    if ('bytes' in came) {
      this.#journal({ k: 'stream', path, data: came.bytes.length === 0 ? [] : this.#contents.add(came.bytes) });
    } else if ('failure' in came) {
      this.#journal({ k: 'stream', path, reason: came.failure.reason, detail: came.failure.detail });
    } else this.#journal({ k: 'stream', path, ...came });
  }

  /** Writes what waits: contents first, so that a journal line never names what is not there. */
  flush(): void {
    if (this.#state !== 'open') return;
    this.#contents.flush();
    const lines = this.#lines;
    if (lines.length === 0) return;
    this.#lines = [];
    this.#linesLength = 0;
    this.#behind = false;
    this.#append('J', lines.length, Buffer.from(lines.join('')));
  }

  /** Ends the recording; the file is on the disk when this returns. */
  close(): void {
    if (this.#state !== 'open') return;
    this.#finish(undefined);
    this.#journal({ k: 'close', at: this.#at() });
    this.flush();
    this.#guard(() => this.#sink.sync(), this.#bytes);
    if (this.#state === 'open') this.#guard(() => this.#sink.close(), this.#bytes);
    if (this.#state === 'open') this.#state = 'closed';
  }

  #answer(
    k: FileQuestion,
    path: string,
    result: { readonly ok: true } | Extract<FileResult, { ok: false }>,
    bytes: () => Uint8Array | undefined,
    more: { readonly truncated?: true } = {},
  ): void {
    if (this.#state !== 'open') return;
    if (this.#withholds(isUserFile(path))) this.#journal({ k, path, reason: 'not-recorded', detail: WITHHELD });
    else if (result.ok) this.#journal({ k, path, data: this.#contents.add(bytes() ?? new Uint8Array()), ...more });
    else this.#journal({ k, path, reason: result.failure.reason, detail: result.failure.detail });
  }

  /** True when this answer stays out; then so does what the running command prints of it. */
  #withholds(isUserData: boolean): boolean {
    if (!isUserData || this.#options.header.userData) return false;
    if (this.#running !== undefined) this.#running.userData = true;
    return true;
  }

  #at(): number {
    return Math.max(0, this.#now() - this.#created);
  }

  #journal(record: JournalRecord): void {
    if (this.#state !== 'open') return;
    const line = `${JSON.stringify(record)}\n`;
    this.#lines.push(line);
    this.#linesLength += line.length;
    if (this.#linesLength > JOURNAL_PENDING_MAX || this.#behind) this.flush();
  }

  #append(type: 'D' | 'J', items: number, raw: Uint8Array): void {
    if (this.#state !== 'open') return;
    const chunk = encodeChunk(type, items, raw, this.#chain, this.#options.compression);
    this.#guard(() => this.#sink.append(chunk.bytes), this.#bytes);
    this.#chain = chunk.chain;
    this.#bytes += chunk.length;
  }

  /** Does something to the file; when that fails, the file ends at `length`. */
  #guard(act: () => void, length: number): void {
    try {
      act();
    } catch (error) {
      this.#state = 'failed';
      this.#failure = new BackendError(
        `cannot write the recording ${this.path}: ${(error as Error).message}; it ends after ${this.#commands} commands`,
        'the session goes on without it',
      );
      attempt(() => this.#sink.truncate(length));
      attempt(() => this.#sink.close());
      this.#options.onFailure?.(this.#failure);
    }
  }
}

/** Tidying up after a failure that was reported: a second failure adds nothing. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {}
}
