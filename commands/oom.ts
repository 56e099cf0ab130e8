/**
 * Why the OOM killer killed: its report in the kernel log, explained.
 */
import { defineCommand, flag, maybe } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { oomLines, oomRow } from '../src/core/command/oom-view.ts';
import { formatSeconds } from '../src/core/command/report-view.ts';
import { DataError, NotFoundError } from '../src/core/errors.ts';
import { kernelLog } from '../src/core/kernel/kernel-log.ts';
import { parseOom } from '../src/core/kernel/oom-report.ts';
import { findReports, type Report, reportLines } from '../src/core/kernel/report.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';

export default defineCommand({
  name: 'oom',
  group: 'system',
  summary: 'why the OOM killer killed, from its report in the kernel log',
  description: [
    'Explains the last OOM kill, or number N of those that "oom -a" counts: who asked for memory, whose memory was out (the machine or a cgroup at its limit), what it was spent on, who died, and why that one.',
    'The score is the one that the kernel computed: the pages that a death would free (resident, swapped, page tables), with oom_score_adj thousandths of all memory added, in thousandths of all memory. The task with the highest score dies. "report" shows the report itself.',
  ],
  options: { a: flag('all OOM kills, each in a few lines') },
  operands: { number: maybe(count, 'N', 'which one: 1 is the oldest in the log') },
  examples: [
    { line: 'oom', shows: 'the last OOM kill' },
    { line: 'oom -a', shows: 'all of them' },
  ],
  *run(scope, { a, number }) {
    const reports = findReports(kernelLog(scope.kernel).records).filter(({ kind }) => kind === 'oom');
    if (reports.length === 0) {
      yield notice('the kernel log has no OOM kill; it keeps only its newest records');
      return;
    }
    for (const [index, report] of chosen(reports, a, number)) yield* explained(index, report, reports.length);
  },
});

function chosen(
  reports: readonly Report[],
  all: boolean,
  number: number | undefined,
): readonly (readonly [number, Report])[] {
  const numbered = reports.map((report, i) => [i + 1, report] as const);
  if (all && number === undefined) return numbered;
  const found = number === undefined ? numbered.at(-1) : numbered[number - 1];
  if (found === undefined)
    throw new NotFoundError('report', String(number), [], `in the log, which has ${reports.length} OOM kills`);
  return [found];
}

function* explained(index: number, report: Report, count: number): Iterable<Item> {
  const oom = parseOom(reportLines(report.records));
  if (oom === undefined)
    throw new DataError(`OOM kill ${index} at ${formatSeconds(report)} is of a form that is not known`);
  const heading: Line = [span(`OOM kill ${index} of ${count}, at ${formatSeconds(report)}`, undefined, 'header')];
  const time = Number((report.records[0]?.time ?? 0n) / 1000n) / 1_000_000;
  yield row({ number: index, report: report.number, time, ...oomRow(oom) }, () => [heading, ...oomLines(oom)]);
}
