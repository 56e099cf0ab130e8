/**
 * Columns turn rows into the lines of a table. Widths are fixed by the declaration, as in crash, so that rows can be
 * printed as they come; a wider value pushes the rest of its line to the right and loses nothing.
 */
import { formatAddress, formatHex } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { type Line, type Ref, type Span, span, type Tone } from './line.ts';

export interface Column {
  readonly title: string;
  /** Least width; the title may make it wider. */
  readonly width: number;
  readonly align: 'left' | 'right' | 'center';
  /** What the column means, for help. */
  readonly doc: string;
  readonly text: (value: unknown, row: Readonly<Record<string, unknown>>) => string;
  readonly ref?: (value: unknown, row: Readonly<Record<string, unknown>>) => Ref | undefined;
  readonly tone?: Tone;
}

/** Column name (the row's key) to column, in the order shown. */
export type Columns = Readonly<Record<string, Column>>;

interface Extras {
  readonly width?: number;
  readonly align?: Column['align'];
  readonly ref?: Column['ref'];
  readonly tone?: Tone;
}

function column(
  title: string,
  doc: string,
  width: number,
  align: Column['align'],
  show: Column['text'],
  extras: Extras,
): Column {
  return {
    title,
    doc,
    width: Math.max(extras.width ?? width, title.length),
    align: extras.align ?? align,
    text: (value, row) =>
      value instanceof Fault ? '<fault>' : value === undefined || value === null ? '-' : show(value, row),
    ...(extras.ref === undefined ? {} : { ref: extras.ref }),
    ...(extras.tone === undefined ? {} : { tone: extras.tone }),
  };
}

/** A 64-bit address: 16 hex digits, no 0x. */
export function addressColumn(title: string, doc: string, extras: Extras = {}): Column {
  return column(title, doc, 16, 'center', (value) => formatAddress(value as bigint), {
    ref: (value) => (typeof value === 'bigint' ? { kind: 'address', address: value } : undefined),
    ...extras,
  });
}

/** A decimal number: a PID, a count, a size. */
export function decimalColumn(title: string, doc: string, extras: Extras = {}): Column {
  return column(title, doc, 7, 'right', (value) => String(value), extras);
}

/** A number in hex with 0x: an offset. */
export function hexColumn(title: string, doc: string, extras: Extras = {}): Column {
  return column(title, doc, 8, 'right', (value) => formatHex(value as bigint | number), extras);
}

/** Text. */
export function textColumn(title: string, doc: string, extras: Extras = {}): Column {
  return column(title, doc, 4, 'left', (value) => String(value), extras);
}

/** A word of a fixed set, shown as what it means. */
export function meaningColumn(title: string, doc: string, meanings: Readonly<Record<string, string>>): Column {
  return column(title, doc, 4, 'left', (value) => meanings[String(value)] ?? String(value), {});
}

const GAP = '  ';

/** The header line. */
export function headerLine(columns: Columns): Line {
  const text = Object.values(columns)
    .map((each) => pad(each.title, each.width, each.align))
    .join(GAP)
    .trimEnd();
  return [span(text, undefined, 'header')];
}

/** One row as a line: padded cells that keep their references. */
export function tableLine(columns: Columns, row: Readonly<Record<string, unknown>>): Line {
  const spans: Span[] = [];
  const entries = Object.entries(columns);
  for (const [i, [name, each]] of entries.entries()) {
    const value = row[name];
    const text = each.text(value, row);
    const padding = Math.max(each.width - text.length, 0);
    const before = each.align === 'right' ? padding : each.align === 'center' ? Math.floor(padding / 2) : 0;
    const last = i === entries.length - 1;
    if (before > 0) spans.push(' '.repeat(before));
    spans.push(span(text, each.ref?.(value, row), each.tone));
    const after = (last ? 0 : padding - before) + (last ? 0 : GAP.length);
    if (after > 0) spans.push(' '.repeat(after));
  }
  return spans;
}

function pad(text: string, width: number, align: Column['align']): string {
  if (align === 'right') return text.padStart(width);
  if (align === 'left') return text.padEnd(width);
  const before = Math.floor((width - text.length) / 2);
  return `${' '.repeat(Math.max(before, 0))}${text}`.padEnd(width);
}
