/**
 * What a recording holds, built from its journal when it is opened: for each page and file its answers by epoch, and
 * the session as it went. Contents stay in the file until they are used.
 */
import { DataError } from '../../core/errors.ts';
import type { Capability, ControlStep, FileFailure } from '../../core/memory/backend.ts';
import type { FaultReason, Space } from '../../core/memory/fault.ts';
import { decodeText } from '../../core/memory/text.ts';
import { ZERO_PAGE } from './contents.ts';
import { type Contents, decodeJournalLine, type FileQuestion, type JournalRecord } from './journal.ts';
import { controlKey, type RecordedStream } from './recorded-control.ts';
import type { Damage, RecordingFile } from './recording-file.ts';
import { Session } from './session.ts';
import { ANSWERS_MAX, Versions } from './versions.ts';

/** A fault as it was recorded. */
export interface RecordedFault {
  readonly reason: FaultReason;
  readonly detail: string | undefined;
}

/** Bytes of a range within a page whose whole was not read. */
export interface RecordedPart {
  readonly epoch: number;
  readonly address: bigint;
  readonly content: number;
}

/** What the files answered. */
export type RecordedFile =
  | { readonly ok: true; readonly data: Contents; readonly truncated: boolean }
  | { readonly ok: false; readonly reason: FileFailure['reason']; readonly detail: string };

/** All journals together: what bounds the strings that an index keeps. */
const JOURNAL_MAX = 128 * 1024 * 1024;

export class RecordingIndex {
  /** By page number: the number of a content, or -1 - i for the fault i. */
  readonly pages: Readonly<Record<Space, Versions<number>>> = { virtual: new Versions(), physical: new Versions() };
  readonly faults: RecordedFault[] = [];
  /** By space and page number. */
  readonly parts = new Map<string, RecordedPart[]>();
  /** By question and path: an index into `answers`. */
  readonly files = new Versions<string>();
  readonly answers: RecordedFile[] = [];
  /** By epoch and steps: how each such change went, in their order. */
  readonly changes = new Map<string, (FileFailure | 'done')[]>();
  /** What the session said to restore, in its order. */
  readonly restores: { readonly epoch: number; readonly steps: readonly ControlStep[] }[] = [];
  /** By path: each time that it was opened. */
  readonly streams = new Map<string, RecordedStream[]>();
  readonly session = new Session();
  capabilities: readonly Capability[] = [];
  vmcoreinfo: Contents | undefined;
  /** True when the recording was ended in an orderly way. */
  closed = false;
  /** What ended the usable part before the end of the file. */
  damage: Damage | undefined;
  chunks = 0;
  readonly #faultNumbers = new Map<string, number>();
  #parts = 0;

  apply(record: JournalRecord, contents: number): void {
    const epoch = this.session.commands.length;
    switch (record.k) {
      case 'pages':
        for (const [address, content, count] of record.runs) {
          if (content !== ZERO_PAGE) checkContent(content + count - 1, contents);
          this.#addPages(record.space, address, count, (i) => (content === ZERO_PAGE ? ZERO_PAGE : content + i));
        }
        return;
      case 'faults': {
        const fault = this.#fault(record.reason, record.detail);
        for (const [address, count] of record.runs) this.#addPages(record.space, address, count, () => -1 - fault);
        return;
      }
      case 'part': {
        checkContent(record.data, contents);
        if (++this.#parts > ANSWERS_MAX) throw new DataError(`it holds more than ${ANSWERS_MAX} answers`);
        const key = partKey(record.space, pageNumber(record.address));
        const parts = this.parts.get(key) ?? [];
        parts.push({ epoch, address: BigInt(`0x${record.address}`), content: record.data });
        this.parts.set(key, parts);
        return;
      }
      case 'file':
      case 'list':
      case 'link':
        if ('data' in record) for (const number of record.data) checkContent(number, contents);
        this.answers.push(
          'data' in record
            ? { ok: true, data: record.data, truncated: record.truncated === true }
            : { ok: false, reason: record.reason, detail: record.detail },
        );
        this.files.add(fileKey(record.k, record.path), epoch, this.answers.length - 1);
        return;
      case 'control': {
        const key = controlKey(epoch, record.steps);
        const answers = this.changes.get(key) ?? [];
        answers.push(record.failed ?? 'done');
        this.changes.set(key, answers);
        return;
      }
      case 'restore':
        this.restores.push({ epoch, steps: record.steps });
        return;
      case 'stream':
        if ('data' in record) for (const number of record.data) checkContent(number, contents);
        this.#addStream(record, epoch);
        return;
      case 'capabilities':
        this.capabilities = record.list;
        return;
      case 'vmcoreinfo':
        for (const number of record.data) checkContent(number, contents);
        this.vmcoreinfo = record.data;
        return;
      case 'close':
        this.closed = true;
        return;
      case 'output':
        if ('data' in record) for (const number of record.data) checkContent(number, contents);
        this.session.apply(record);
        return;
      default:
        this.session.apply(record);
    }
  }

  /** Bytes, a pause and an end belong to the stream that was opened last. */
  #addStream(record: JournalRecord & { readonly k: 'stream' }, epoch: number): void {
    const streams = this.streams.get(record.path) ?? [];
    this.streams.set(record.path, streams);
    const begun = (failure?: FileFailure): RecordedStream => {
      const stream = { epoch, pieces: [], failure, ended: undefined };
      streams.push(stream);
      return stream;
    };
    if ('reason' in record) {
      begun({ path: record.path, reason: record.reason, detail: record.detail });
      return;
    }
    const isBeginning = 'data' in record && record.data.length === 0;
    const stream = isBeginning ? begun() : (streams.at(-1) ?? begun());
    if ('ended' in record) stream.ended = record.ended;
    else if (!isBeginning) stream.pieces.push('data' in record ? record.data : []);
  }

  #addPages(space: Space, address: string, count: number, answer: (i: number) => number): void {
    const first = pageNumber(address);
    const epoch = this.session.commands.length;
    for (let i = 0; i < count; i++) this.pages[space].add(first + i, epoch, answer(i));
  }

  #fault(reason: FaultReason, detail: string | undefined): number {
    const key = `${reason} ${detail ?? ''}`;
    let number = this.#faultNumbers.get(key);
    if (number === undefined) {
      number = this.faults.length;
      this.faults.push({ reason, detail });
      this.#faultNumbers.set(key, number);
    }
    return number;
  }
}

/** What recorded answers are taken from, and for which moment of the session. */
export interface RecordedMoment {
  readonly file: RecordingFile;
  readonly index: RecordingIndex;
  /** The epoch to answer for. */
  readonly position: () => number;
  /** The last epoch whose command is over there: the one before, or the last of all beyond the end. */
  readonly done: () => number;
  /** Told the bytes of each request. */
  readonly count: (bytes: number) => void;
}

/** Reads the whole journal of a file. Damage is kept in the index, not thrown: what came before it is good. */
export function indexRecording(file: RecordingFile): RecordingIndex {
  const index = new RecordingIndex();
  const chunks = file.chunks();
  let journals = 0;
  for (;;) {
    const next = chunks.next();
    if (next.done === true) {
      index.damage = next.value;
      return index;
    }
    const { chunk, journal } = next.value;
    if (journal !== undefined) {
      try {
        journals += journal.length;
        if (journals > JOURNAL_MAX) throw new DataError(`its journal is longer than ${JOURNAL_MAX} bytes`);
        for (const line of journalLines(journal)) {
          const record = decodeJournalLine(line);
          if (record !== undefined) index.apply(record, file.contents);
        }
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        index.damage = { kind: 'bad', chunk: chunk.index, offset: chunk.offset, reason: error.message };
        return index;
      }
    }
    index.chunks++;
  }
}

export function fileKey(question: FileQuestion, path: string): string {
  return `${question} ${path}`;
}

export function partKey(space: Space, page: number): string {
  return `${space} ${page}`;
}

/** The page number of 16 hex digits: 13 of them, 52 bits, exact as a double. */
function pageNumber(address: string): number {
  return Number.parseInt(address.slice(0, 13), 16);
}

function checkContent(number: number, contents: number): void {
  if (number < 0 || number >= contents) throw new DataError(`its journal names content ${number} before it is there`);
}

/** The lines of a journal chunk. */
export function* journalLines(journal: Uint8Array): Generator<string> {
  for (let start = 0; start < journal.length; ) {
    const newline = journal.indexOf(0x0a, start);
    const end = newline < 0 ? journal.length : newline;
    yield decodeText(journal, start, end);
    start = end + 1;
  }
}
