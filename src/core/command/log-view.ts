/** Records of the kernel log as rows and lines. */
import type { Kernel } from '../kernel/kernel.ts';
import { facilityName, type LogRecord, levelName } from '../kernel/log-record.ts';
import { type Item, row, text } from '../output/item.ts';
import { type Line, span, type Tone } from '../output/line.ts';
import { type LogTimeFormat, logTimes } from './log-time.ts';
import type { PickedRecord } from './log-window.ts';

export interface LogViewOptions {
  readonly format: LogTimeFormat;
  /** Properties (SUBSYSTEM=, DEVICE=). */
  readonly d: boolean;
  /** The level as a number. */
  readonly m: boolean;
  /** Facility and level by name. */
  readonly x: boolean;
  /** Who wrote it. */
  readonly c: boolean;
  /** The records among which the widest caller is looked for. */
  readonly callers: readonly LogRecord[];
}

/** Shows picked records, called for them in order. Throws UnsupportedError. */
export function logView(kernel: Kernel, options: LogViewOptions): (picked: PickedRecord) => Iterable<Item> {
  const times = logTimes(kernel, options.format);
  const width = Math.max(6, ...options.callers.slice(-10_000).map(({ caller }) => caller?.length ?? 0));
  const prefixOf = ({ time, caller, level, facility }: LogRecord): string =>
    [
      // The order is dmesg's.
      options.x ? `${facilityName(facility).padEnd(6)}:${levelName(level).padEnd(6)}: ` : '',
      times(time),
      options.c ? `[${(caller ?? '').padStart(width)}] ` : '',
      options.m ? `<${level}>` : '',
    ].join('');
  return function* show({ record, matches, isApart }) {
    if (isApart) yield text([span('--', undefined, 'dim')]);
    const prefix = prefixOf(record);
    yield row(recordRow(record, matches, options), () => recordLines(record, options, prefix));
  };
}

function recordRow(record: LogRecord, matches: boolean, { d }: LogViewOptions) {
  const { sequence, time, level, facility, caller, comm, lost, properties } = record;
  return {
    sequence: Number(sequence),
    time: Number(time / 1000n) / 1_000_000,
    level,
    facility: facilityName(facility),
    caller: caller ?? null,
    ...(comm === undefined ? {} : { comm }),
    text: record.text,
    ...(lost ? { lost } : {}),
    ...(matches ? {} : { context: true }),
    ...(d ? Object.fromEntries(properties.map(({ name, value }) => [name.toLowerCase(), value])) : {}),
  };
}

function recordLines(record: LogRecord, { d }: LogViewOptions, prefix: string): readonly Line[] {
  const tone: Tone | undefined = record.level <= 3 ? 'error' : record.level === 4 ? 'warn' : undefined;
  const body = record.lost ? '(its text was overwritten)' : record.text;
  const indent = ' '.repeat(prefix.length);
  const lines = body.split('\n').map((line) => span(line, undefined, tone));
  for (const { name, value } of d ? record.properties : []) lines.push(span(`${name}=${value}`, undefined, 'dim'));
  return lines.map((line, i) => [i === 0 ? span(prefix, undefined, 'dim') : indent, line]);
}
