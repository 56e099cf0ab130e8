/**
 * Who reads the kernel log, and how far each has come.
 */
import { defineCommand, flag, maybe } from '../src/core/command/define.ts';
import { choice } from '../src/core/command/kinds.ts';
import { taskCells } from '../src/core/command/task-view.ts';
import { type KmsgReader, kmsgReaders } from '../src/core/kernel/kmsg-readers.ts';
import { summaryOf } from '../src/core/kernel/task-summary.ts';
import { decimalColumn, meaningColumn, textColumn } from '../src/core/output/columns.ts';
import { notice, row } from '../src/core/output/item.ts';

const DOING = {
  sleeps: 'sleeps until a record comes',
  polls: 'polls for records',
  writes: 'is open for writing only',
} as const;

const COLUMNS = {
  pid: decimalColumn('PID', 'the process', {
    ref: (pid, { task }) => ({ kind: 'task', task: task as bigint, pid: Number(pid) }),
  }),
  comm: textColumn('COMM', 'its name', { width: 15 }),
  fd: decimalColumn('FD', 'its file descriptor', { width: 4 }),
  interface: textColumn('READS', 'which way it reads the log', { width: 10 }),
  position: decimalColumn('NEXT', 'the sequence number of the record that it reads next', { width: 8 }),
  behind: decimalColumn('BEHIND', 'how many records it has not read yet', { width: 8 }),
  doing: meaningColumn('DOES', 'what it does now, as far as that is known', DOING),
};

export default defineCommand({
  name: 'kmsg',
  group: 'system',
  summary: 'who has the kernel log open or drains it',
  description: [
    'Lists who has /dev/kmsg or /proc/kmsg open, and who sleeps in syslog(2), with the record that each reads next.',
    'Readers of /dev/kmsg have a position of their own, and take nothing away from others. /proc/kmsg and syslog(2) share one position: a record that one reader took no other gets. Nothing is open for syslog(2): a process that calls it again and again without waiting is not in this list; "trace callers do_syslog" finds it.',
    'Who clears the log with syslog(2), as "dmesg -c" and "dmesg -C" do, takes nothing out of it: dmesg only begins later. kmsg says where.',
  ],
  needs: ['memory', 'symbols', 'types'],
  options: { w: flag('also those that have it open for writing only') },
  operands: { what: maybe(choice('readers'), 'readers', 'the readers; there is nothing else to ask for') },
  columns: COLUMNS,
  examples: [{ line: 'kmsg readers', shows: 'who reads the kernel log' }],
  *run({ kernel }, { w }) {
    const { readers, log, shared, cleared } = kmsgReaders(kernel);
    const shown = readers.filter(({ doing }) => w || doing !== 'writes');
    for (const reader of shown) yield row(cells(reader, log?.next), COLUMNS);
    const writers = readers.length - shown.length;
    if (shown.length === 0) yield notice('nobody has the log open for reading or sleeps in syslog(2)');
    if (writers > 0) yield notice(`${writers} more have /dev/kmsg open for writing only: -w shows them`);
    if (log === undefined) return;
    yield notice(`the log has the records ${log.oldest} to ${log.next - 1n}`);
    if (cleared !== undefined && cleared > log.oldest) {
      yield notice(
        `the log was cleared: dmesg begins at ${cleared}; those before are still there, and "log" shows them`,
      );
    }
    if (shared === undefined) return;
    const left = log.next - shared;
    yield notice(
      shared === 0n
        ? 'nothing was ever taken by /proc/kmsg or syslog(2)'
        : `/proc/kmsg and syslog(2) have taken those before ${shared}: ${left > 0n ? left : 0n} are left`,
    );
  },
});

function cells({ task, descriptor, interface: through, doing, position }: KmsgReader, next: bigint | undefined) {
  const behind = position === undefined || next === undefined ? undefined : next - position;
  return {
    ...taskCells(summaryOf(task)),
    fd: descriptor ?? null,
    interface: through,
    position: position === undefined ? null : Number(position),
    behind: behind === undefined ? null : Math.max(Number(behind), 0),
    doing: doing ?? null,
  };
}
