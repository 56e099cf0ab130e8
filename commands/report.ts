/**
 * What the kernel log reports: oopses, warnings, lockups, stalls, hung tasks, OOM kills.
 */
import { defineCommand, flag, maybe, option } from '../src/core/command/define.ts';
import { choice, count } from '../src/core/command/kinds.ts';
import { formatSeconds, reportRow, reportStacks, reportView } from '../src/core/command/report-view.ts';
import { NotFoundError } from '../src/core/errors.ts';
import { kernelLog } from '../src/core/kernel/kernel-log.ts';
import { findReports, type Report } from '../src/core/kernel/report.ts';
import { REPORT_KINDS } from '../src/core/kernel/report-line.ts';
import { decimalColumn, textColumn } from '../src/core/output/columns.ts';
import { notice, row } from '../src/core/output/item.ts';

const COLUMNS = {
  number: decimalColumn('N', 'its number, for "report N"', {
    width: 3,
    ref: (number) => ({ kind: 'command', line: `report ${number}` }),
  }),
  at: textColumn('TIME', 'seconds since boot', { width: 12, align: 'right' }),
  kind: textColumn('KIND', 'what kind of trouble', {
    width: 11,
    ref: (_, { number }) => ({ kind: 'command', line: `report -s ${number}` }),
  }),
  cpu: decimalColumn('CPU', 'where', { width: 3 }),
  pid: decimalColumn('PID', 'the task that it is about', { width: 7 }),
  title: textColumn('REPORT', 'the line that names the trouble'),
};

export default defineCommand({
  name: 'report',
  group: 'system',
  summary: 'what the kernel log reports: oopses, lockups, hung tasks, OOM kills',
  description: [
    'Finds in the kernel log what the kernel says at length: OOM kills, hung tasks, soft and hard lockups, RCU stalls, oopses, BUGs, warnings, lockdep and sanitizer splats, panics, segfaults. "report N" shows one, its functions as symbols and the bytes of its Code: line disassembled; "oom" explains an OOM kill.',
    'The log does not always tell who wrote a line. Then a report takes the lines that have the form of one: what another CPU printed at the same moment may be among them.',
  ],
  options: {
    s: flag('only the stacks, of the last report where no N is given'),
    k: option(choice(...REPORT_KINDS), 'KIND', `only those of a kind: ${REPORT_KINDS.join(', ')}`),
  },
  operands: { number: maybe(count, 'N', 'the number of one; without it all are listed') },
  columns: COLUMNS,
  examples: [
    { line: 'report', shows: 'what was reported' },
    { line: 'report 1', shows: 'the first report' },
    { line: 'report -s', shows: 'the stacks of the last report' },
    { line: 'report -k hung-task', shows: 'hung tasks' },
  ],
  *run({ kernel, shell }, { s, k, number }) {
    const all = findReports(kernelLog(kernel).records).filter(({ kind }) => k === undefined || kind === k);
    if (number === undefined && all.length === 0) {
      yield notice('the kernel log has no report; it keeps only its newest records');
      return;
    }
    if (number === undefined && !s) {
      for (const report of all) yield row({ ...reportRow(kernel, report), at: formatSeconds(report) }, COLUMNS);
      return;
    }
    const report = chosen(all, number ?? all.at(-1)?.number ?? 0);
    yield row(reportRow(kernel, report), () =>
      s ? reportStacks(kernel, report) : reportView(kernel, report, () => shell.disassembler()),
    );
  },
});

function chosen(all: readonly Report[], number: number): Report {
  const report = all.find((each) => each.number === number);
  if (report === undefined) throw new NotFoundError('report', String(number), [], 'in the log: "report" lists them');
  return report;
}
