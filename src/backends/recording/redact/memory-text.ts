/**
 * Text in kernel memory, found without knowing what the memory is: characters one after the other. What the kernel's
 * structures say of it is added: where its own image is, the log, names of tasks and machines, and file names, which a
 * dentry that holds its own name gives away (its d_name points at its d_iname).
 */
import { PAGE_SIZE } from '../../../core/memory/address.ts';
import type { Vocabulary } from './vocabulary.ts';
import { FOUND_MIN, type Redactor } from './words.ts';

/** Characters in a row that are text wherever they stand; fewer may be a number. */
export const RUN_MIN = 8;
/** In the log, where all is text but for the numbers of its records. */
const LOG_RUN_MIN = 3;
/** A string below that length: of 32 random bits, one in ten thousand are such. */
const SHORT_NAME = /^[a-z\x80-\xff][a-z0-9._/\x80-\xff-]{3,6}$/;

/** How much of the pages before and behind is looked at: a word may cross their border. */
export const CONTEXT = 256;

/** From `start` up to `end`, kernel virtual addresses. */
export interface Range {
  readonly start: bigint;
  readonly end: bigint;
}

/** A string of the kernel's, with or without a NUL at its end. */
export interface Place {
  readonly address: bigint;
  readonly length: number;
  readonly kind: 'task names' | 'machine names';
}

export interface MemoryLayout {
  /** Text and read-only data of the kernel and its modules: the same on every machine that runs this build. */
  readonly image: readonly Range[];
  readonly log: readonly Range[];
  /** By the number of the page where they begin. */
  readonly places: ReadonlyMap<bigint, readonly Place[]>;
  /** Offsets in struct dentry: of the pointer to its name, and of the name that it holds itself and its size. */
  readonly dentry: { readonly pointer: number; readonly name: number; readonly size: number } | undefined;
}

/** What was replaced in memory, by what it is. */
export type MemoryCount = (
  kind: Place['kind'] | 'file names' | 'text in memory' | 'log words' | 'paths' | 'numbers',
  word: string,
) => void;

export class MemoryText {
  readonly #layout: MemoryLayout;
  readonly #redactor: Redactor;

  constructor(layout: MemoryLayout, redactor: Redactor) {
    this.#layout = layout;
    this.#redactor = redactor;
  }

  /** True when every byte of the page is of the kernel's image. */
  isImage(address: bigint): boolean {
    return this.#layout.image.some(({ start, end }) => start <= address && address + BigInt(PAGE_SIZE) <= end);
  }

  /**
   * The bytes with their text replaced. `before` and `behind` are bytes that stand around them in memory: they are
   * looked at only. Physical memory has no address here: no structure is known in it.
   */
  redact(
    bytes: Uint8Array,
    address: bigint | undefined,
    before: Uint8Array,
    behind: Uint8Array,
    count: MemoryCount,
  ): Uint8Array {
    const all = Buffer.concat([before, bytes, behind]);
    const start = before.length;
    const end = start + bytes.length;
    const base = address === undefined ? undefined : address - BigInt(start);
    const untouchable = pointers(all, base);
    const log = new Uint8Array(all.length);
    if (base !== undefined) {
      mark(untouchable, base, this.#layout.image);
      mark(log, base, this.#layout.log);
      this.#places(all, base, untouchable, [start, end], count);
      this.#dentries(all, base, untouchable, [start, end], count);
    }
    this.#runs(all, untouchable, log, [start, end], count);
    return all.subarray(start, end);
  }

  /** Names at places that the kernel's own structures tell. */
  #places(all: Buffer, base: bigint, done: Uint8Array, span: Span, count: MemoryCount): void {
    const last = base + BigInt(all.length);
    for (let page = base >> 12n; page << 12n < last; page++) {
      for (const { address, length, kind } of this.#layout.places.get(page) ?? []) {
        this.#string(all, Number(address - base), length, done, span, (word) => count(kind, word));
      }
    }
  }

  #dentries(all: Buffer, base: bigint, done: Uint8Array, span: Span, count: MemoryCount): void {
    const { dentry } = this.#layout;
    if (dentry === undefined) return;
    const high = Number(base >> 32n);
    const low = Number(base & 0xffffffffn) + dentry.name - dentry.pointer;
    const first = Number(-base & 7n);
    for (let at = first; at + 8 <= all.length; at += 8) {
      if (all.readUInt32LE(at + 4) !== high || all.readUInt32LE(at) !== low + at || at < 4) continue;
      const name = at + dentry.name - dentry.pointer;
      // qstr.len stands before the pointer.
      const length = all.readUInt32LE(at - 4);
      if (length === 0 || length >= dentry.size || !isString(all.subarray(name, name + length + 1))) continue;
      this.#string(all, name, dentry.size, done, span, (word) => count('file names', word));
    }
  }

  /** A string at a known place: every word of it, be it ever so short. */
  #string(all: Buffer, at: number, size: number, done: Uint8Array, span: Span, count: (word: string) => void): void {
    // One that begins before what is known is there from its middle on.
    const start = Math.max(at, 0);
    if (start >= Math.min(at + size, all.length)) return;
    const nul = all.subarray(start, at + size).indexOf(0);
    const end = Math.min(all.length, nul < 0 ? at + size : start + nul);
    const text = all.toString('latin1', start, end);
    const isCounted = start >= span[0] && start < span[1];
    all.write(
      this.#redactor.text(text, 'every', (_, word) => {
        if (isCounted) count(word);
      }),
      start,
      'latin1',
    );
    done.fill(1, start, end);
  }

  #runs(all: Buffer, untouchable: Uint8Array, log: Uint8Array, [start, end]: Span, count: MemoryCount): void {
    for (let at = 0; at < end; ) {
      const length = untouchable[at] === 0 ? characterAt(all, at) : 0;
      if (length === 0) {
        at++;
        continue;
      }
      const from = at;
      const isLog = log[at] === 1;
      while (at < all.length && untouchable[at] === 0 && (log[at] === 1) === isLog) {
        const next = characterAt(all, at);
        if (next === 0) break;
        at += next;
      }
      if (at <= start || at - from < LOG_RUN_MIN) continue;
      // Of what is around the page only the words are looked at that reach into it: others may be cut off there.
      const first = from < start ? Math.max(from, all.lastIndexOf(BLANK, start - 1) + 1) : from;
      const blank = at > end ? all.indexOf(BLANK, end) : -1;
      const last = blank < 0 ? at : Math.min(at, blank);
      const text = all.toString('latin1', first, last);
      const isShort = at - from < RUN_MIN;
      const fresh = this.#run(text, isLog, isShort, all[at] === 0 || untouchable[at] === 1, count);
      if (fresh !== text) all.write(fresh, first, 'latin1');
    }
  }

  #run(text: string, isLog: boolean, isShort: boolean, isEnded: boolean, count: MemoryCount): string {
    const redactor = this.#redactor;
    if (isLog) {
      const { message, left } = logMessage(text);
      const fresh = redactor.text(message, 'unknown', (kind, word) =>
        count(kind === 'words' ? 'log words' : kind, word),
      );
      return fresh + fresh.slice(fresh.length - left) + text.slice(message.length + left);
    }
    const { secrets } = redactor.vocabulary;
    const counted = (_: unknown, word: string): void => count('text in memory', word);
    if (!isShort) return isKernelText(text, redactor.vocabulary) ? text : redactor.text(text, 'every', counted);
    // Too short to be text by itself: a word that is known from elsewhere, or a string that no number looks like.
    if (isEnded && (secrets.has(text) || (SHORT_NAME.test(text) && !isKernelText(text, redactor.vocabulary)))) {
      return redactor.text(text, 'every', counted);
    }
    return text.length < FOUND_MIN ? text : redactor.text(text, 'found', counted);
  }
}

const BLANK = 0x20;

type Span = readonly [start: number, end: number];

/**
 * A message of the log as it stands in memory. The kernel takes the level, two characters, from its front by moving the
 * rest, so that its last two stand there twice (printk_sprint() since 5.10, vprintk_store() before).
 */
export function logMessage(text: string): { readonly message: string; readonly left: number } {
  const end = /([^\n]{2})\1\n?$/.exec(text);
  return end === null ? { message: text, left: 0 } : { message: text.slice(0, end.index + 2), left: 2 };
}

/** Names that the kernel gives its own workers end with a number, or with that of a queue. */
const WORKER = /^(?:kworker|swapper|ksoftirqd|migration|cpuhp|idle_inject|rcu\w*|irq)\/[\w:+-]+$/;

/** A run that is one of the kernel's own names, as a whole, and nobody else's. */
export function isKernelText(text: string, { names, secrets }: Vocabulary): boolean {
  return (names.has(text) && !secrets.has(text)) || WORKER.test(text);
}

/** True for bytes with a NUL at the end and nowhere else; the end may be cut off. */
function isString(bytes: Uint8Array): boolean {
  const nul = bytes.indexOf(0);
  return nul < 0 || nul === bytes.length - 1;
}

/** Marks the bytes of kernel pointers: the low ones may look like characters. */
function pointers(all: Buffer, base: bigint | undefined): Uint8Array {
  const marks = new Uint8Array(all.length);
  for (let at = base === undefined ? 0 : Number(-base & 7n); at + 8 <= all.length; at += 8) {
    if (all.readUInt16LE(at + 6) === 0xffff) marks.fill(1, at, at + 8);
  }
  return marks;
}

function mark(marks: Uint8Array, base: bigint, ranges: readonly Range[]): void {
  const last = base + BigInt(marks.length);
  for (const { start, end } of ranges) {
    if (end <= base || start >= last) continue;
    marks.fill(1, start <= base ? 0 : Number(start - base), end >= last ? marks.length : Number(end - base));
  }
}

/** Bytes of the character at `at`: printable ASCII, a tab or newline, or a valid sequence of UTF-8; 0 for none. */
function characterAt(bytes: Uint8Array, at: number): number {
  const first = bytes[at] as number;
  if (first < 0x80) return (first >= 0x20 && first < 0x7f) || first === 9 || first === 10 || first === 13 ? 1 : 0;
  const length =
    first >= 0xc2 && first < 0xe0 ? 2 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xf0 && first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let k = 1; k < length; k++) if (((bytes[at + k] as number) & 0xc0) !== 0x80) return 0;
  return length;
}
