/** trace.dat written: version 6, which every trace-cmd and KernelShark reads (trace-cmd.dat.v6(5)), little-endian. */
import { joinBytes } from '../memory/bytes.ts';
import { encodeText } from '../memory/text.ts';
import type { DatFormat } from './trace-dat.ts';
import { OPTION } from './trace-dat-options.ts';

/** What a file is made of, as tracefs and /proc give it. */
export interface DatParts {
  readonly pageSize: number;
  readonly headerPage: string;
  readonly headerEvent: string;
  readonly formats: readonly DatFormat[];
  readonly kallsyms: Uint8Array;
  readonly printk: string;
  readonly cmdlines: string;
  /** All clocks with the chosen one in brackets. */
  readonly clock: string;
  readonly uname: string;
  readonly tool: string;
  /** The pages of each CPU from CPU 0 on, whole ones; none where it has no entries. */
  readonly cpus: readonly Uint8Array[];
}

const TRACER_SYSTEM = 'ftrace';

export function encodeTraceDat(parts: DatParts): Uint8Array {
  const out = new Pieces();
  out.bytes(Uint8Array.of(0x17, 0x08, 0x44));
  out.string('tracing6');
  out.bytes(Uint8Array.of(0, 8));
  out.u32(parts.pageSize);
  out.string('header_page');
  out.sized(encodeText(parts.headerPage), 8);
  out.string('header_event');
  out.sized(encodeText(parts.headerEvent), 8);
  const systems = bySystem(parts.formats);
  const tracers = systems.get(TRACER_SYSTEM) ?? [];
  systems.delete(TRACER_SYSTEM);
  out.u32(tracers.length);
  for (const text of tracers) out.sized(encodeText(text), 8);
  out.u32(systems.size);
  for (const [system, texts] of systems) {
    out.string(system);
    out.u32(texts.length);
    for (const text of texts) out.sized(encodeText(text), 8);
  }
  out.sized(parts.kallsyms, 4);
  out.sized(encodeText(parts.printk), 4);
  out.sized(encodeText(parts.cmdlines), 8);
  out.u32(parts.cpus.length);
  out.string('options  ');
  for (const [id, text] of [
    [OPTION.clock, parts.clock],
    [OPTION.uname, parts.uname],
    [OPTION.tool, parts.tool],
  ] as const) {
    out.u16(id);
    out.sized(encodeText(`${text}\0`), 4);
  }
  out.u16(OPTION.done);
  out.string('flyrecord');
  // Pages begin where a page would: trace-cmd maps them.
  const align = (at: number): number => Math.ceil(at / parts.pageSize) * parts.pageSize;
  let at = align(out.length + parts.cpus.length * 16);
  for (const pages of parts.cpus) {
    out.u64(at);
    out.u64(pages.length);
    at = align(at + pages.length);
  }
  for (const pages of parts.cpus) {
    out.bytes(new Uint8Array(align(out.length) - out.length));
    out.bytes(pages);
  }
  return out.joined();
}

function bySystem(formats: readonly DatFormat[]): Map<string, string[]> {
  const systems = new Map<string, string[]>();
  for (const { system, text } of formats) systems.set(system, [...(systems.get(system) ?? []), text]);
  return systems;
}

class Pieces {
  readonly #pieces: Uint8Array[] = [];
  length = 0;

  bytes(bytes: Uint8Array): void {
    this.#pieces.push(bytes);
    this.length += bytes.length;
  }

  /** With a NUL at its end. */
  string(text: string): void {
    this.bytes(encodeText(`${text}\0`));
  }

  u16(value: number): void {
    this.#number(value, 2);
  }

  u32(value: number): void {
    this.#number(value, 4);
  }

  u64(value: number): void {
    this.#number(value, 8);
  }

  /** The length in so many bytes, and the bytes. */
  sized(bytes: Uint8Array, size: 4 | 8): void {
    this.#number(bytes.length, size);
    this.bytes(bytes);
  }

  joined(): Uint8Array {
    return joinBytes(this.#pieces);
  }

  #number(value: number, size: number): void {
    const bytes = new Uint8Array(size);
    for (let i = 0, rest = value; i < size; i++, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
    this.bytes(bytes);
  }
}
