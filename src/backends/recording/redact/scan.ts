/**
 * Looks through a redacted recording as a stranger would: what replaced is not asked what it did, but for the words
 * that it gave out, and they share only what may stay (the kernel's words, files and image). Two questions of every byte outside the
 * kernel's own image and files: is one of the words there that must not be, and is there text at all whose words are
 * neither replacements nor, where such may stay, the kernel's own?
 */
import { PAGE_SIZE } from '../../../core/memory/address.ts';
import type { JournalRecord } from '../journal.ts';
import { openRecordingFile, type RecordingFile } from '../recording-file.ts';
import { isUserFile } from '../user-data.ts';
import { isKernelText, logMessage, type MemoryLayout, type Range, RUN_MIN } from './memory-text.ts';
import { firstPages, Neighbours, pagesOf, recordsOf } from './neighbours.ts';
import { isGiven, isKernelFile, isKeyedFile, isText } from './recorded-text.ts';
import { isCommon, type Vocabulary } from './vocabulary.ts';

/** Findings that are told: the first ones say what is wrong. */
const FINDINGS_MAX = 10;

export interface Scanning {
  /** Words that nothing may have, all of them longer than three characters; names of commands aside. */
  readonly forbidden: ReadonlySet<string>;
  readonly isIssued: (word: string) => boolean;
  readonly vocabulary: Vocabulary;
  readonly layout: MemoryLayout;
  readonly check: () => void;
}

export interface Scan {
  /** Pages, counted again where they stand in other surroundings, and how many of them are the kernel's image. */
  readonly pages: number;
  readonly imagePages: number;
  /** Pieces of text in the journal, and files. */
  readonly texts: number;
  readonly words: number;
  /** What is there that must not be, and where: the first ones. */
  readonly findings: readonly string[];
}

/** Looks at everything in the file. Throws OpenError, DataError when it cannot be read. */
export function scan(path: string, how: Scanning): Scan {
  const ahead = openRecordingFile(path);
  const file = openRecordingFile(path);
  try {
    const scanner = new Scanner(file, new Neighbours(file, firstPages(ahead)), how);
    scanner.run();
    return scanner;
  } finally {
    ahead.close();
    file.close();
  }
}

class Scanner implements Scan {
  pages = 0;
  imagePages = 0;
  texts = 0;
  words = 0;
  readonly findings: string[] = [];
  readonly #file: RecordingFile;
  readonly #neighbours: Neighbours;
  readonly #how: Scanning;
  readonly #seen = new Set<string>();

  constructor(file: RecordingFile, neighbours: Neighbours, how: Scanning) {
    this.#file = file;
    this.#neighbours = neighbours;
    this.#how = how;
  }

  run(): void {
    const { target } = this.#file.header;
    this.#forbidden(target.name, 'the name of the target');
    for (const record of recordsOf(this.#file)) {
      this.#how.check();
      this.#record(record);
    }
  }

  #record(record: JournalRecord): void {
    if (record.k === 'pages') {
      this.#neighbours.see(record);
      for (const [page, content] of pagesOf(record)) this.#page(page, content, record.space === 'virtual');
      return;
    }
    // All text of the journal, whatever member it is in.
    const where = 'path' in record ? record.path : `a ${record.k} line`;
    for (const [member, text] of stringsOf(record)) {
      if (member === 'path') this.#path(text);
      else this.#forbidden(text, where);
    }
    if (record.k === 'part') this.#bytes(this.#file.content(record.data), undefined, where);
    if (record.k === 'output' && 'data' in record) this.#output(this.#file.join(record.data));
    if ((record.k === 'file' || record.k === 'list' || record.k === 'link') && 'data' in record) {
      if (isUserFile(record.path)) this.#find(`${record.path} is a process's own`);
      if (!isKernelFile(record.path)) {
        const bytes = this.#file.join(record.data);
        if (isKeyedFile(record.path)) this.#keyed(bytes, record.path);
        else this.#bytes(bytes, undefined, record.path);
      }
    }
    if (record.k === 'stream' && 'data' in record) this.#bytes(this.#file.join(record.data), undefined, record.path);
  }

  #page(page: bigint, content: number, isVirtual: boolean): void {
    if (content === 0) return;
    const [before, behind] = isVirtual ? this.#neighbours.around(page) : [];
    const key = `${content} ${before} ${behind} ${isVirtual ? page : ''}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.pages++;
    const address = page << 12n;
    const isImage = isVirtual && this.#how.layout.image.some((range) => contains(range, address));
    if (isImage) this.imagePages++;
    else {
      const head = this.#neighbours.before(before);
      const bytes = Buffer.concat([head, this.#file.content(content), this.#neighbours.behind(behind)]);
      const where = `page ${address.toString(16)}`;
      this.#memory(bytes, isVirtual ? address - BigInt(head.length) : undefined, head.length, where);
    }
  }

  /** What follows the first word of each line. */
  #keyed(bytes: Uint8Array, where: string): void {
    this.texts++;
    for (const line of Buffer.from(bytes).toString('latin1').split('\n')) {
      this.#text(line.replace(/^\w+/, ''), where, true);
    }
  }

  #bytes(bytes: Uint8Array, address: bigint | undefined, where: string): void {
    this.texts++;
    if (isText(bytes)) this.#text(Buffer.from(bytes).toString('latin1'), where, true);
    else this.#memory(Buffer.from(bytes), address, 0, where);
  }

  /** Bytes of memory; a page of them begins at `start`, and the rest is around it. */
  #memory(all: Buffer, base: bigint | undefined, start: number, where: string): void {
    for (let at = base === undefined ? 0 : Number(-base & 7n); at + 8 <= all.length; at += 8) {
      if (all.readUInt16LE(at + 6) === 0xffff) all.fill(0, at, at + 8);
    }
    if (base !== undefined) for (const range of this.#how.layout.image) blank(all, base, range);
    const text = all.toString('latin1');
    const end = start + Math.min(PAGE_SIZE, all.length - start);
    for (const { 0: word, index } of text.matchAll(/\w{4,}/g)) {
      if (index < end && index + word.length > start && index > 0 && index + word.length < text.length) {
        this.#word(word, where);
      }
    }
    const isLog = (at: number): boolean =>
      base !== undefined &&
      this.#how.layout.log.some((log) => log.start <= base + BigInt(at) && base + BigInt(at) < log.end);
    for (const { 0: name, index } of text.matchAll(SHORT_NAMES)) {
      if (index <= start || index + name.length >= end || isLog(index)) continue;
      if (isKernelText(name, this.#how.vocabulary) || name.split(/[^\w]/).every((word) => this.#isAllowed(word, false)))
        continue;
      this.#find(`${where} has the name "${name}"`);
    }
    for (const { 0: run, index } of text.matchAll(RUNS)) {
      if (index >= end || index + run.length <= start || isKernelText(run, this.#how.vocabulary)) continue;
      const { message } = isLog(index) ? logMessage(run) : { message: run };
      if (isLog(index) && index > start && index + run.length < end) this.#numbers(message, where);
      for (const { 0: word, index: inRun } of message.matchAll(WORDS)) {
        const from = index + inRun;
        const to = from + word.length;
        // Of a word that goes on elsewhere only a part is known; a word across a border may have two versions.
        if (from <= 0 || to >= text.length || from < start || to > end || from === start || to === end) continue;
        if (!this.#isAllowed(word, isLog(from))) this.#find(`${where} has the text "${word}"`);
      }
    }
  }

  #numbers(text: string, where: string): void {
    for (const { 0: number } of text.matchAll(NUMBERS)) {
      if (number.split(/\W/).some((part) => !this.#how.isIssued(part)))
        this.#find(`${where} has the number "${number}"`);
    }
  }

  #text(text: string, where: string, mayBeCommon: boolean): void {
    this.#numbers(text, where);
    for (const { 0: word } of text.matchAll(WORDS)) {
      this.#word(word, where);
      if (!this.#isAllowed(word, mayBeCommon)) this.#find(`${where} has the word "${word}"`);
    }
  }

  #isAllowed(word: string, mayBeCommon: boolean): boolean {
    const { vocabulary, isIssued } = this.#how;
    if (isIssued(word) || word.length <= 1) return true;
    return mayBeCommon && isCommon(vocabulary, word) && !vocabulary.secrets.has(word);
  }

  /** The names in it are the kernel's, but for those that somebody gave. */
  #path(path: string): void {
    const parts = path.split('/');
    for (const [i, part] of parts.entries()) {
      if (isGiven(parts, i)) this.#forbidden(part, path);
      else this.#named(part, path);
    }
  }

  /** Text that may be of kdbg: only words and addresses that must not be there are looked for. */
  #forbidden(text: string, where: string): void {
    this.texts++;
    this.#numbers(text, where);
    for (const { 0: word } of Buffer.from(text).toString('latin1').matchAll(WORDS)) this.#word(word, where);
  }

  /** What is printed is made of redacted memory, but for kdbg's own words. */
  #output(bytes: Uint8Array): void {
    this.texts++;
    this.#named(Buffer.from(bytes).toString('latin1'), 'what a command printed');
  }

  #named(text: string, where: string): void {
    const { vocabulary } = this.#how;
    for (const { 0: word } of text.matchAll(WORDS)) {
      if (vocabulary.secrets.has(word) && !isCommon(vocabulary, word)) this.#word(word, where);
    }
  }

  #word(word: string, where: string): void {
    this.words++;
    const { forbidden, vocabulary } = this.#how;
    if (forbidden.has(word) && !vocabulary.typed.has(word)) this.#find(`${where} has "${word}"`);
  }

  #find(what: string): void {
    if (this.findings.length < FINDINGS_MAX && !this.findings.includes(what)) this.findings.push(what);
  }
}

/** Addresses of networks and of network cards, and what tells file systems and boots apart. */
const NUMBERS =
  /\d+(?:\.\d+){3,}|\b[0-9a-f]{2}(?::[0-9a-f]{2}){5}\b(?!:)|\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const SHORT_NAMES = /(?<![\t\n\r\x20-\x7e\x80-\xff])[a-z][a-z0-9._/-]{3,6}(?=\0)/g;
const WORDS = /[A-Za-z0-9_\x80-\xff]+/g;
const RUNS = new RegExp(
  `(?:[\\t\\n\\r\\x20-\\x7e]|[\\xc2-\\xdf][\\x80-\\xbf]|[\\xe0-\\xef][\\x80-\\xbf]{2}|[\\xf0-\\xf4][\\x80-\\xbf]{3}){${RUN_MIN},}`,
  'g',
);

function contains({ start, end }: Range, address: bigint): boolean {
  return start <= address && address + BigInt(PAGE_SIZE) <= end;
}

function blank(bytes: Buffer, base: bigint, { start, end }: Range): void {
  const last = base + BigInt(bytes.length);
  if (end <= base || start >= last) return;
  bytes.fill(0, start <= base ? 0 : Number(start - base), end >= last ? bytes.length : Number(end - base));
}

/** Every text of a record, with the name of the member that it is in. */
function* stringsOf(value: unknown, name = ''): Generator<[member: string, text: string]> {
  if (typeof value === 'string') yield [name, value];
  else if (typeof value === 'object' && value !== null) {
    for (const [member, inner] of Object.entries(value)) yield* stringsOf(inner, member);
  }
}
