/**
 * Reports in the kernel log: what the kernel says at length when something is wrong. A report is a run of records, from
 * the line that names the trouble to the last that belongs to it. Other CPUs and tasks write into the log meanwhile:
 * where records tell their writer (CONFIG_PRINTK_CALLER) a report takes only its own; where they do not, it takes the
 * lines that have the form of one, and a few others in between end nothing.
 */
import type { LogRecord } from './log-record.ts';
import { isReportLine, type ReportKind, type ReportOpening, reportEnds, reportOpening } from './report-line.ts';
import { type ReportContext, type ReportTrace, reportContext, reportTraces } from './report-trace.ts';

export interface Report {
  /** Counts from 1 in the log as it is now. */
  readonly number: number;
  readonly kind: ReportKind;
  /** The line that names the trouble. */
  readonly title: string;
  readonly records: readonly LogRecord[];
  /** Which task on which CPU, as far as the report tells. */
  readonly context: ReportContext;
  readonly traces: readonly ReportTrace[];
}

/** Lines of others that may stand between two of a report, where writers are not known. */
const FOREIGN_MAX = 8;
/** A report is printed in one go; what comes later is another story. Slow consoles take seconds for a long one. */
const GAP_NS = 5_000_000_000n;
const RECORDS_MAX = 20_000;

/** A report as it grows. */
interface Growing {
  readonly opening: ReportOpening;
  readonly records: LogRecord[];
  /** The line that names the trouble has come: what stands between a rule and it belongs to the report. */
  named: boolean;
  foreign: number;
  last: bigint;
}

/** The reports of a log, in the order in which they begin. */
export function findReports(records: readonly LogRecord[]): readonly Report[] {
  const found: Growing[] = [];
  const open = new Map<string, Growing>();
  for (const [i, record] of records.entries()) {
    const writer = record.caller ?? '';
    const line = firstLine(record);
    const current = open.get(writer);
    const opening = reportOpening(line, nextLines(records, i), current?.opening);
    if (opening !== undefined) {
      const report: Growing = {
        opening,
        records: [record],
        named: line === opening.title,
        foreign: 0,
        last: record.time,
      };
      found.push(report);
      open.set(writer, report);
    } else if (isReaped(line)) {
      found.findLast(({ opening: { kind } }) => kind === 'oom')?.records.push(record);
    } else if (current !== undefined && !take(current, record, line)) {
      open.delete(writer);
    }
  }
  return found.map((report, i) => finished(report, i + 1));
}

/** Gives a record to the report it may belong to; false when the report has ended. */
function take(report: Growing, record: LogRecord, line: string): boolean {
  if (record.time - report.last > GAP_NS || report.records.length >= RECORDS_MAX) return false;
  const { kind, title } = report.opening;
  if (report.named && line !== title && !isReportLine(kind, line)) return ++report.foreign <= FOREIGN_MAX;
  report.named ||= line === title;
  report.foreign = 0;
  report.last = record.time;
  report.records.push(record);
  return !reportEnds(kind, line);
}

/** The OOM reaper is a thread of its own: it says later what it has freed. */
function isReaped(line: string): boolean {
  return line.startsWith('oom_reaper: ');
}

function finished({ opening, records }: Growing, number: number): Report {
  const lines = reportLines(records);
  return {
    number,
    kind: opening.kind,
    title: opening.title,
    records,
    context: reportContext(opening, lines),
    traces: reportTraces(lines),
  };
}

/** The lines of a report; a record may have several. */
export function reportLines(records: readonly LogRecord[]): readonly string[] {
  return records.flatMap(({ text }) => text.split('\n'));
}

function firstLine({ text }: LogRecord): string {
  const end = text.indexOf('\n');
  return end < 0 ? text : text.slice(0, end);
}

/** The same writer's next lines: what stands behind a line that only draws a rule. */
function nextLines(records: readonly LogRecord[], at: number): readonly string[] {
  const writer = records[at]?.caller;
  return records
    .slice(at + 1, at + 1 + FOREIGN_MAX)
    .filter(({ caller }) => caller === writer)
    .map(firstLine);
}
