/** A recording written anew without what it tells of its machine: the same records in the same order, redacted. */
import { DataError } from '../../../core/errors.ts';
import { PAGE_SIZE } from '../../../core/memory/address.ts';
import type { ControlStep, FileFailure } from '../../../core/memory/backend.ts';
import type { Contents, JournalRecord } from '../journal.ts';
import { openRecordingFile, type RecordingFile } from '../recording-file.ts';
import { AnswerRuns } from '../runs.ts';
import { isUserFile, WITHHELD } from '../user-data.ts';
import { RecordingCopy } from './copy.ts';
import { headerOf } from './header.ts';
import type { MemoryText } from './memory-text.ts';
import { firstPages, Neighbours, pagesOf, recordsOf } from './neighbours.ts';
import { isGiven, isKernelFile, isKeyedFile, isText } from './recorded-text.ts';
import type { Redactor, Rule, TextCount } from './words.ts';

/** Why the output of a command is not there. */
const LEFT_OUT = 'left out when the recording was redacted';
const USER_PAGES_END = 1n << (56n - 12n);
/** What a line begins with, and the rest of it; and a text that has no such beginning. */
const KEYED_LINE = /^(\w*)(.*)$/gm;
const WHOLE = /^()(.*)$/s;
const NO_CONTEXT = new Uint8Array();

/** What is replaced, by what it is. */
export type Count = (kind: string, word: string) => void;

export interface Rewriting {
  readonly redactor: Redactor;
  readonly memory: MemoryText;
  /** `virtual ffff...` and `physical ...`: pages that were read as a process's own. */
  readonly userPages: ReadonlySet<string>;
  /** What each command prints, by its epoch; without it no output is written. */
  readonly outputs: ReadonlyMap<number, readonly string[]> | undefined;
  readonly count: Count;
  /** Throws when the user wants no more of it. */
  readonly check: () => void;
}

/** Goes over the recording for its words only. Throws DataError where it is damaged. */
export function gather(path: string, how: Rewriting): void {
  read(path, (file) => {
    headerOf(file.header, how.redactor);
    new Rewriter(file, undefined, how).run();
  });
}

/** Writes the redacted recording into a new file, which is complete when this returns. Throws OpenError, DataError. */
export function rewrite(path: string, target: string, how: Rewriting): void {
  read(path, (file) => {
    const out = new RecordingCopy(target, headerOf(file.header, how.redactor));
    try {
      new Rewriter(file, out, how).run();
      out.close();
    } catch (error) {
      out.abandon();
      throw error;
    }
  });
}

function read(path: string, act: (file: RecordingFile) => void): void {
  const file = openRecordingFile(path);
  try {
    act(file);
  } finally {
    file.close();
  }
}

class Rewriter {
  readonly #file: RecordingFile;
  readonly #out: RecordingCopy | undefined;
  readonly #how: Rewriting;
  readonly #neighbours: Neighbours;
  /** By content, neighbours and address: the number of the redacted page. */
  readonly #done = new Map<string, number>();
  #epoch = 0;
  #withheld: string | undefined;

  constructor(file: RecordingFile, out: RecordingCopy | undefined, how: Rewriting) {
    this.#file = file;
    this.#out = out;
    this.#how = how;
    const again = openRecordingFile(file.path);
    try {
      this.#neighbours = new Neighbours(file, firstPages(again));
    } finally {
      again.close();
    }
  }

  run(): void {
    let last: JournalRecord | undefined;
    let at = 0;
    for (const record of recordsOf(this.#file)) {
      this.#how.check();
      last = record;
      if ('at' in record) at = record.at;
      for (const fresh of this.#record(record)) this.#out?.journal(fresh);
    }
    // What is left of a recording that was cut off is whole.
    if (last?.k !== 'close') this.#out?.journal({ k: 'close', at });
  }

  *#record(record: JournalRecord): Iterable<JournalRecord> {
    switch (record.k) {
      case 'capabilities':
        yield {
          ...record,
          list: record.list.map((entry) => ({
            ...entry,
            detail: this.#text(entry.detail, 'found', 'other text'),
            ...(entry.help === undefined ? {} : { help: this.#text(entry.help, 'found', 'other text') }),
          })),
        };
        return;
      case 'vmcoreinfo':
        yield { ...record, data: this.#copy(record.data) };
        return;
      case 'pages':
        yield* this.#pages(record);
        return;
      case 'faults':
        yield record.detail === undefined
          ? record
          : { ...record, detail: this.#text(record.detail, 'found', 'other text') };
        return;
      case 'part':
        yield* this.#part(record);
        return;
      case 'file':
      case 'list':
      case 'link':
        yield this.#answer(record);
        return;
      case 'control':
        yield {
          k: 'control',
          steps: this.#steps(record.steps),
          ...(record.failed === undefined ? {} : { failed: this.#failure(record.failed) }),
        };
        return;
      case 'restore':
        yield { ...record, steps: this.#steps(record.steps) };
        return;
      case 'stream': {
        const path = this.#path(record.path);
        if ('data' in record) {
          yield { ...record, path, data: record.data.length === 0 ? [] : this.#bytes(record.data, 'trace text') };
        } else if ('reason' in record)
          yield { ...record, path, detail: this.#text(record.detail, 'found', 'other text') };
        else if ('ended' in record) yield { ...record, path, ended: this.#text(record.ended, 'found', 'other text') };
        else yield { ...record, path };
        return;
      }
      case 'command':
        this.#epoch++;
        this.#withheld = undefined;
        yield { ...record, line: this.#line(record.line) };
        return;
      case 'output':
        if ('withheld' in record) this.#withheld = record.withheld;
        // What the old output says is gathered; what is written is printed anew.
        else this.#bytes(record.data, undefined);
        return;
      case 'end':
        yield* this.#output();
        yield record;
        return;
      case 'note':
        yield { ...record, text: this.#text(record.text, 'unknown', 'notes') };
        return;
      default:
        yield record;
    }
  }

  /** What a command typed; what a note says after it is prose. */
  #line(line: string): string {
    const note = /^\s*record\s+note\s/.exec(line)?.[0] ?? '';
    return note === ''
      ? this.#text(line, 'typed', 'typed lines')
      : note + this.#text(line.slice(note.length), 'unknown', 'notes');
  }

  *#output(): Iterable<JournalRecord> {
    const { outputs } = this.#how;
    const lines = outputs?.get(this.#epoch);
    if (outputs === undefined || this.#out === undefined) return;
    if (this.#withheld !== undefined) yield { k: 'output', withheld: this.#withheld };
    else if (lines === undefined) yield { k: 'output', withheld: LEFT_OUT };
    else if (lines.length > 0) {
      yield { k: 'output', data: this.#out.contents.add(Buffer.from(lines.join('\n'))), lines: lines.length };
    }
  }

  *#pages(record: JournalRecord & { readonly k: 'pages' }): Iterable<JournalRecord> {
    this.#neighbours.see(record);
    const runs = new AnswerRuns();
    for (const [page, content] of pagesOf(record)) {
      const address = page << 12n;
      if (this.#isUser(record.space, page)) {
        this.#how.count('pages of processes', `${record.space} ${page}`);
        runs.fault({ space: record.space, address, length: PAGE_SIZE }, 'not-recorded', WITHHELD);
      } else {
        runs.page(record.space, address, this.#page(content, record.space === 'virtual' ? page : undefined));
      }
    }
    yield* runs.records();
  }

  #isUser(space: string, page: bigint): boolean {
    if (space === 'virtual' && page < USER_PAGES_END) return true;
    return this.#how.userPages.has(`${space} ${page.toString(16)}`);
  }

  #page(content: number, page: bigint | undefined): number {
    if (content === 0) return 0;
    const [before, behind] = page === undefined ? [] : this.#neighbours.around(page);
    const key = `${content} ${before} ${behind} ${page}`;
    const done = this.#done.get(key);
    if (done !== undefined) return done;
    const bytes = this.#file.content(content);
    if (bytes.length !== PAGE_SIZE) throw new DataError(`content ${content} is no page`);
    const address = page === undefined ? undefined : page << 12n;
    const { memory, count } = this.#how;
    const fresh =
      address !== undefined && memory.isImage(address)
        ? bytes
        : memory.redact(bytes, address, this.#neighbours.before(before), this.#neighbours.behind(behind), count);
    const number = this.#out?.contents.page(fresh) ?? 0;
    this.#done.set(key, number);
    return number;
  }

  *#part(record: JournalRecord & { readonly k: 'part' }): Iterable<JournalRecord> {
    const address = BigInt(`0x${record.address}`);
    if (this.#isUser(record.space, address >> 12n)) return;
    const at = record.space === 'virtual' ? address : undefined;
    const { memory, count } = this.#how;
    const fresh = memory.redact(this.#file.content(record.data), at, NO_CONTEXT, NO_CONTEXT, count);
    yield { ...record, data: this.#out?.contents.add(fresh)[0] ?? 0 };
  }

  #answer(record: JournalRecord & { readonly k: 'file' | 'list' | 'link' }): JournalRecord {
    const path = this.#path(record.path);
    if (isUserFile(record.path)) {
      this.#how.count('files of processes', record.path);
      return { k: record.k, path, reason: 'not-recorded', detail: WITHHELD };
    }
    if ('reason' in record) return { ...record, path, detail: this.#text(record.detail, 'found', 'other text') };
    const data = isKernelFile(record.path)
      ? this.#copy(record.data)
      : this.#bytes(record.data, 'files of /proc and /sys', isKeyedFile(record.path));
    return { ...record, path, data };
  }

  #steps(steps: readonly ControlStep[]): readonly ControlStep[] {
    return steps.map((step) =>
      'text' in step
        ? { ...step, path: this.#path(step.path), text: this.#text(step.text, 'found', 'trace text') }
        : { ...step, path: this.#path(step.path) },
    );
  }

  #failure(failed: FileFailure): FileFailure {
    return { ...failed, path: this.#path(failed.path), detail: this.#text(failed.detail, 'found', 'other text') };
  }

  /** Names in a path of /proc and /sys are the kernel's, but for those that somebody gave to what tracefs holds. */
  #path(path: string): string {
    const parts = path.split('/');
    return parts.map((part, i) => this.#text(part, isGiven(parts, i) ? 'found' : 'named', 'other text')).join('/');
  }

  #text(text: string, rule: Rule, kind: string): string {
    return this.#how.redactor.unicode(text, rule, this.#counter(kind));
  }

  /** A file, or a piece of a stream: text, or the same as memory that is not known. */
  #bytes(data: Contents, kind: string | undefined, isKeyed = false): Contents {
    const { redactor, memory, count } = this.#how;
    const bytes = Buffer.from(this.#file.join(data));
    const counter = this.#counter(kind);
    const fresh = isText(bytes)
      ? Buffer.from(
          bytes.toString('latin1').replace(isKeyed ? KEYED_LINE : WHOLE, (_, key: string, rest: string) => {
            return key + redactor.text(rest, 'unknown', counter);
          }),
          'latin1',
        )
      : memory.redact(bytes, undefined, NO_CONTEXT, NO_CONTEXT, kind === undefined ? () => undefined : count);
    return kind === undefined ? [] : (this.#out?.contents.add(fresh) ?? []);
  }

  #counter(kind: string | undefined): TextCount {
    return (what, word) => {
      if (kind !== undefined) this.#how.count(what === 'words' ? kind : what, word);
    };
  }

  #copy(data: Contents): Contents {
    return this.#out?.contents.add(this.#file.join(data)) ?? [];
  }
}
