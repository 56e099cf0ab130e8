/**
 * A recording with things in it that a redaction must find: one of the recordings of this project, written anew with
 * more in it.
 */

import { openRecordingFile } from '../../src/backends/recording/recording-file.ts';
import { RecordingCopy } from '../../src/backends/recording/redact/copy.ts';
import { recordsOf } from '../../src/backends/recording/redact/neighbours.ts';
import { PAGE_SIZE } from '../../src/core/memory/address.ts';

/** A page that is put in besides those of the recording. */
export interface PlantedPage {
  readonly address: bigint;
  /** What it holds, by offset. */
  readonly texts: Readonly<Record<number, string | Uint8Array>>;
}

export interface Planted {
  readonly target: string;
  readonly pages: readonly PlantedPage[];
  readonly files: Readonly<Record<string, string>>;
  /** In memory: each text in the place of another as long. */
  readonly instead: Readonly<Record<string, string>>;
  /** The same in typed lines and notes, of any length. */
  readonly typed: Readonly<Record<string, string>>;
}

export function plantRecording(from: string, to: string, planted: Planted): void {
  const file = openRecordingFile(from);
  const { header } = file;
  const out = new RecordingCopy(to, { ...header, userData: true, target: { ...header.target, name: planted.target } });
  const copy = (numbers: readonly number[]) => out.contents.add(file.join(numbers));
  const inLine = (text: string) =>
    Object.entries(planted.typed).reduce((line, [old, fresh]) => line.replaceAll(old, fresh), text);
  let isFirst = true;
  for (const record of recordsOf(file)) {
    if (isFirst && record.k === 'command') {
      plant(out, planted);
      isFirst = false;
    }
    if (record.k === 'pages') {
      for (const [address, content, count] of record.runs) {
        for (let i = 0; i < count; i++) {
          const at = (BigInt(`0x${address}`) + BigInt(i * PAGE_SIZE)).toString(16).padStart(16, '0');
          const bytes = content === 0 ? undefined : changed(file.content(content + i), planted.instead);
          const number = bytes === undefined ? 0 : out.contents.page(bytes);
          out.journal({ k: 'pages', space: record.space, runs: [[at, number, 1]] });
        }
      }
    } else if (record.k === 'command') out.journal({ ...record, line: inLine(record.line) });
    else if (record.k === 'note') out.journal({ ...record, text: inLine(record.text) });
    else if (record.k === 'part') out.journal({ ...record, data: copy([record.data])[0] ?? 0 });
    else if ('data' in record) out.journal({ ...record, data: copy(record.data) });
    else out.journal(record);
  }
  out.close();
  file.close();
}

function plant(out: RecordingCopy, { pages, files }: Planted): void {
  for (const { address, texts } of pages) {
    const bytes = Buffer.alloc(PAGE_SIZE);
    for (const [at, text] of Object.entries(texts)) Buffer.from(text).copy(bytes, Number(at));
    const content = out.contents.page(bytes);
    out.journal({ k: 'pages', space: 'virtual', runs: [[address.toString(16).padStart(16, '0'), content, 1]] });
  }
  for (const [path, text] of Object.entries(files)) {
    out.journal({ k: 'file', path, data: out.contents.add(Buffer.from(text)) });
  }
}

function changed(bytes: Uint8Array, instead: Planted['instead']): Uint8Array {
  const fresh = Buffer.from(bytes);
  for (const [old, text] of Object.entries(instead)) {
    if (old.length !== text.length) throw new Error(`"${old}" and "${text}" are not of one length`);
    for (let at = fresh.indexOf(old); at >= 0; at = fresh.indexOf(old, at + 1)) fresh.write(text, at, 'latin1');
  }
  return fresh;
}
