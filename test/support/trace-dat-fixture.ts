/** Files of trace-cmd with what `trace-cmd report` prints of them, and the same files written anew in other ways. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { parseKallsyms } from '../../src/core/formats/kallsyms-text.ts';
import { readTraceDat, type TraceDat } from '../../src/core/formats/trace-dat.ts';
import { datEntries } from '../../src/core/formats/trace-dat-entries.ts';
import { encodeTraceDat } from '../../src/core/formats/trace-dat-write.ts';
import type { TraceEntry } from '../../src/core/formats/trace-entry.ts';
import { createSymbolTable } from '../../src/core/symbols/kallsyms-table.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/traces');
export const DAT_FIXTURES = ['syslog-6.18', 'events-6.12'] as const;

export function datBytes(name: string): Uint8Array {
  return new Uint8Array(readFileSync(join(FIXTURES, `${name}.dat`)));
}

/** What trace-cmd 3.1.6 prints of it, after its first line. */
export function datReport(name: string): readonly string[] {
  return readFileSync(join(FIXTURES, `${name}.report.txt`), 'utf8')
    .trimEnd()
    .split('\n');
}

/** What the kernel printed of the buffer that printk-6.12.dat was saved from. */
export function printkText(): string {
  return readFileSync(join(FIXTURES, 'printk-6.12.txt'), 'utf8');
}

export function openDat(bytes: Uint8Array): TraceDat {
  return readTraceDat(bytes, {
    inflate: (packed, length) => new Uint8Array(inflateSync(packed, { maxOutputLength: Math.max(1, length) })),
  });
}

/** The entries of all its buffers. */
export function entriesOf(dat: TraceDat): readonly TraceEntry[] {
  const table = createSymbolTable(parseKallsyms(dat.kallsyms).columns, { source: 'test' });
  const functionAt = (address: bigint) => {
    const found = table.nearest(address);
    return found === undefined ? undefined : { name: found.symbol.name, offset: found.offset };
  };
  return dat.buffers.flatMap((buffer) => [...datEntries(dat, buffer, functionAt)]);
}

/** All of a file in version 6. */
export function asV6(dat: TraceDat): Uint8Array {
  const cpus: Uint8Array[] = [];
  for (const { cpu, pages } of dat.buffers[0]?.cpus ?? []) {
    while (cpus.length < cpu) cpus.push(new Uint8Array());
    cpus.push(Uint8Array.from([...pages()].flatMap((page) => [...page])));
  }
  const { pageSize, headerPage, formats, kallsyms, printk, cmdlines, options } = dat;
  return encodeTraceDat({
    pageSize,
    headerPage,
    headerEvent: '# compressed entry header\n',
    formats,
    kallsyms,
    printk,
    cmdlines,
    clock: options.clock ?? '[local]',
    uname: options.uname ?? '',
    tool: options.tool ?? '',
    cpus,
  });
}

/** All of a file in version 7, its sections packed by zlib. */
export function asZlibV7(dat: TraceDat, instance = ''): Uint8Array {
  const parts: Buffer[] = [];
  let length = 0;
  const put = (...pieces: readonly (string | Uint8Array | readonly [bytes: number, value: number])[]): number => {
    const at = length;
    for (const piece of pieces) {
      const bytes = isNumber(piece) ? little(piece[0], piece[1]) : Buffer.from(piece as Uint8Array);
      parts.push(bytes);
      length += bytes.length;
    }
    return at;
  };
  const packed = (raw: Uint8Array): Buffer => {
    const stored = deflateSync(raw);
    return Buffer.concat([little(4, stored.length), little(4, raw.length), stored]);
  };
  const section = (id: number, ...raw: readonly (string | Uint8Array)[]): number => {
    const body = packed(Buffer.concat(raw.map((piece) => Buffer.from(piece as Uint8Array))));
    return put([2, id], [2, 1], [4, 0], [8, body.length], body);
  };
  const sized = (bytes: number, content: string | Uint8Array): Buffer =>
    Buffer.concat([little(bytes, content.length), Buffer.from(content as Uint8Array)]);
  put(Uint8Array.of(0x17, 8, 0x44), 'tracing7\0', Uint8Array.of(0, 8), [4, dat.pageSize], 'zlib\x001.2\0');
  const start = put([8, 0]);
  const ofSystem = (system: string) => dat.formats.filter((each) => each.system === system);
  const texts = (system: string): Buffer => {
    const all = ofSystem(system);
    return Buffer.concat([little(4, all.length), ...all.map(({ text }) => sized(8, text))]);
  };
  const others = [...new Set(dat.formats.map(({ system }) => system))].filter((system) => system !== 'ftrace');
  const places: (readonly [option: number, at: number])[] = [
    [16, section(16, 'header_page\0', sized(8, dat.headerPage), 'header_event\0', sized(8, '#'))],
    [17, section(17, texts('ftrace'))],
    [18, section(18, little(4, others.length), ...others.flatMap((system) => [`${system}\0`, texts(system)]))],
    [19, section(19, sized(4, dat.kallsyms))],
    [20, section(20, sized(4, dat.printk))],
    [21, section(21, sized(8, dat.cmdlines))],
  ];
  const buffer = put([2, 3], [2, 1], [4, 0], [8, 0]);
  const cpus = (dat.buffers[0]?.cpus ?? []).map(({ cpu, pages }) => {
    const chunks = [...pages()].map(packed);
    return { cpu, at: put([4, chunks.length], ...chunks), size: chunks.reduce((sum, each) => sum + each.length, 4) };
  });
  const option = (id: number, data: Uint8Array): Buffer => Buffer.concat([little(2, id), sized(4, data)]);
  const list = Buffer.concat([
    ...places.map(([id, at]) => option(id, little(8, at))),
    option(
      3,
      Buffer.concat([
        little(8, buffer),
        Buffer.from(`${instance}\0mono\0`),
        little(4, dat.pageSize),
        little(4, cpus.length),
        ...cpus.map(({ cpu, at, size }) => Buffer.concat([little(4, cpu), little(8, at), little(8, size)])),
      ]),
    ),
    option(0, little(8, 0)),
  ]);
  const options = put([2, 0], [2, 0], [4, 0], [8, list.length], list);
  const file = Buffer.concat(parts);
  file.writeBigUInt64LE(BigInt(options), start);
  return new Uint8Array(file);
}

function isNumber(piece: unknown): piece is readonly [number, number] {
  return Array.isArray(piece);
}

function little(bytes: number, value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer.subarray(0, bytes);
}
