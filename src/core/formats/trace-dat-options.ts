/** What both versions of trace.dat have in common: options, formats of events, buffers by CPU. */
import { DataError } from '../errors.ts';
import { decodeText } from '../memory/text.ts';
import type { DatFormat, DatOptions } from './trace-dat.ts';
import type { DatCursor } from './trace-dat-bytes.ts';

/** Numbers of options (include/private/trace-cmd-private.h of trace-cmd). */
export const OPTION = {
  done: 0,
  cpuStat: 2,
  buffer: 3,
  clock: 4,
  uname: 5,
  offset: 7,
  tool: 9,
  headerInfo: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  kallsyms: 19,
  printk: 20,
  cmdlines: 21,
  bufferText: 22,
} as const;

const FORMATS_MAX = 100_000;
export const CPUS_MAX = 8192;
export const BUFFERS_MAX = 1024;

/** Options that say something about the whole file, collected as they come. */
export class DatOptionList {
  readonly #texts = new Map<number, string>();
  readonly #stats: string[] = [];

  add(id: number, data: Uint8Array): void {
    const text = decodeText(data).replace(/\0[\s\S]*$/, '');
    if (id === OPTION.cpuStat) {
      if (this.#stats.length < CPUS_MAX) this.#stats.push(text);
    } else this.#texts.set(id, text);
  }

  done(): DatOptions {
    const offset = /^-?\d{1,19}$/.exec(this.#texts.get(OPTION.offset)?.trim() ?? '')?.[0];
    return {
      uname: this.#texts.get(OPTION.uname)?.trim(),
      tool: this.#texts.get(OPTION.tool)?.trim(),
      clock: this.#texts.get(OPTION.clock)?.trim(),
      stats: this.#stats,
      offset: BigInt(offset ?? 0),
    };
  }
}

/** "[local] global mono": the one in brackets; a bare name is itself. */
export function chosenClock(text: string | undefined): string | undefined {
  if (text === undefined || text === '') return undefined;
  return /\[([\w-]+)\]/.exec(text)?.[1] ?? (/^[\w-]+$/.test(text) ? text : undefined);
}

/** A count of format files, each with its length. */
export function readFormats(cursor: DatCursor, system: string, into: DatFormat[]): void {
  for (let left = cursor.u32(); left > 0; left--) {
    if (into.length >= FORMATS_MAX) throw new DataError(`it has more than ${FORMATS_MAX} formats of events`);
    into.push({ system, text: cursor.text(cursor.u64()) });
  }
}

export function readSystems(cursor: DatCursor, into: DatFormat[]): void {
  for (let left = cursor.u32(); left > 0; left--) readFormats(cursor, cursor.string(), into);
}

/** events/header_page, and events/header_event after it, which says what never changed. */
export function readHeaderPage(cursor: DatCursor): string {
  if (cursor.string() !== 'header_page') throw new DataError('it has no header_page where one is expected');
  const text = cursor.text(cursor.u64());
  if (cursor.string() !== 'header_event') throw new DataError('it has no header_event where one is expected');
  cursor.take(cursor.u64());
  return text;
}

export function* pagesOf(bytes: Uint8Array, pageSize: number): Iterable<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pageSize) yield bytes.subarray(at, at + pageSize);
}
