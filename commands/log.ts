/**
 * The kernel log, from its ring in memory or from /dev/kmsg.
 */
import { defineCommand, flag, option } from '../src/core/command/define.ts';
import { choice, count } from '../src/core/command/kinds.ts';
import { type LogPattern, logFacilities, logLevels, logPattern } from '../src/core/command/log-filter.ts';
import { followLog } from '../src/core/command/log-follow.ts';
import { type LogMoment, logMoment } from '../src/core/command/log-moment.ts';
import { LOG_TIMES, type LogTimeFormat } from '../src/core/command/log-time.ts';
import { logView } from '../src/core/command/log-view.ts';
import { LogWindow } from '../src/core/command/log-window.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { UnsupportedError, UsageError } from '../src/core/errors.ts';
import { auditBacklog } from '../src/core/kernel/audit.ts';
import { kernelLog } from '../src/core/kernel/kernel-log.ts';
import type { LogRecord } from '../src/core/kernel/log-record.ts';
import { printkSafeBuffers } from '../src/core/kernel/printk-safe.ts';
import { type Item, notice, PAUSE, row, text } from '../src/core/output/item.ts';
import { span } from '../src/core/output/line.ts';

export default defineCommand({
  name: 'log',
  group: 'system',
  summary: 'the kernel log',
  description: [
    'The records that are still in the ring, oldest first, as dmesg shows them. They come from kernel memory, or from /dev/kmsg where there is none; the latter does not tell who wrote a record unless the kernel was built with CONFIG_PRINTK_CALLER.',
    '-f follows /dev/kmsg on a live target: reading it takes nothing away from its other readers.',
    'LEVELS is a list of levels by name (emerg, alert, crit, err, warn, notice, info, debug) or number; one with a + after it means all that are at least as urgent, two with .. between them all from one to the other: -l warn+, -l err..notice. FACILITIES are kern (the kernel itself), user (what processes write to /dev/kmsg), daemon, ...',
    'A record is shown if it is of the LEVELS and the FACILITIES, and has the PATTERN; -v turns the PATTERN around. -A, -B and -C show the records around each of those, whatever they are, with -- where some are left out.',
    'FORMAT is raw (seconds since boot), ctime (as -T), iso, delta (with the seconds since the record before), reltime (as -H) or notime (as -t). The wall clock is UTC.',
    'TIME is 120.5 (seconds since boot, as in the stamps), 5m (so long ago: s, m, h, d), 14:30 (the last time it was), or "2026-03-03 14:30:10" (both UTC).',
  ],
  options: {
    t: flag('without the time'),
    T: flag('the wall clock, in UTC; wrong for records from before a suspend'),
    H: flag('minutes by the wall clock, and seconds since the record before'),
    time: option(choice(...LOG_TIMES), 'FORMAT', `the time as one of ${LOG_TIMES.join(', ')}`),
    d: flag('with the properties of records (SUBSYSTEM=, DEVICE=)'),
    m: flag('with the level of each record, as a number'),
    x: flag('with the facility and level of each record, by name'),
    c: flag('with who wrote each record: T and a PID, or C and a CPU'),
    l: option(logLevels, 'LEVELS', 'records of these levels'),
    facility: option(logFacilities, 'FACILITIES', 'records of these facilities'),
    g: option(logPattern, 'PATTERN', 'records with this text in any case, or that match /a regular expression/'),
    i: flag('-g matches /a regular expression/ in any case, too'),
    v: flag('records without the PATTERN of -g'),
    A: option(count, 'COUNT', 'and so many records after each'),
    B: option(count, 'COUNT', 'and so many before each'),
    C: option(count, 'COUNT', 'and so many on both sides'),
    since: option(logMoment, 'TIME', 'from this time on'),
    until: option(logMoment, 'TIME', 'up to this time; with -f, until the first record that is later'),
    n: option(count, 'COUNT', 'the last COUNT records of those'),
    f: flag('goes on with the records that come, until Ctrl-C'),
    a: flag('the audit messages that wait for the audit daemon'),
    s: flag('the messages that printk has put aside on each CPU (before Linux 5.15)'),
    safe: flag('as -s'),
  },
  examples: [
    { line: 'log -n 20', shows: 'the last records' },
    { line: 'log -l warn+', shows: 'warnings and worse' },
    { line: 'log -T -g "blocked for more"', shows: 'hung tasks, with the wall clock' },
    { line: 'log -c -m', shows: 'with writer and level' },
    { line: 'log -H -x -n 20', shows: 'the last records as dmesg -H -x shows them' },
    { line: 'log -g "/oom-kill|segfault/" -B 2 -A 1', shows: 'records that match, with those around them' },
    { line: 'log --since 5m -l err+', shows: 'errors of the last five minutes' },
    { line: 'log --facility user,daemon', shows: 'what processes wrote to /dev/kmsg' },
  ],
  *run(scope, args) {
    if (args.a) yield* auditMessages(scope);
    else if (args.s || args.safe) yield* safeMessages(scope);
    else yield* records(scope, args);
  },
});

interface LogArgs {
  readonly t: boolean;
  readonly T: boolean;
  readonly H: boolean;
  readonly time: LogTimeFormat | undefined;
  readonly d: boolean;
  readonly m: boolean;
  readonly x: boolean;
  readonly c: boolean;
  readonly l: ReadonlySet<number> | undefined;
  readonly facility: ReadonlySet<number> | undefined;
  readonly g: LogPattern | undefined;
  readonly i: boolean;
  readonly v: boolean;
  readonly A: number | undefined;
  readonly B: number | undefined;
  readonly C: number | undefined;
  readonly since: LogMoment | undefined;
  readonly until: LogMoment | undefined;
  readonly n: number | undefined;
  readonly f: boolean;
}

/** More around a record than this are the whole log. */
const CONTEXT_MAX = 100_000;

function* records(scope: Scope, args: LogArgs): Iterable<Item> {
  const format = timeFormat(args);
  if (args.v && args.g === undefined) throw new UsageError('-v goes with -g');
  const { records: all, source } = kernelLog(scope.kernel);
  if (scope.kernel.hasMemory && source.startsWith('/')) yield notice(`from ${source}`);
  const since = args.since?.(scope.kernel, all.at(-1));
  const until = args.until?.(scope.kernel, all.at(-1));
  const isWithin = ({ time }: LogRecord): boolean =>
    (since === undefined || time >= since) && (until === undefined || time <= until);
  const inTime = all.filter(isWithin);
  const isChosen = chooser(args);
  const first = args.n === undefined ? 0n : firstOfLast(inTime.filter(isChosen), args.n);
  const shown = new LogWindow((record) => record.sequence >= first && isChosen(record), contextOf(args));
  // Where records are picked, gaps between them mean nothing.
  const isWhole = first === 0n && args.n === undefined && inTime.length === all.length && all.every(isChosen);
  const view = logView(scope.kernel, { ...args, format, callers: all });
  let expected = 0n;
  for (const record of inTime) {
    scope.check();
    if (isWhole && record.sequence > expected) yield notice(lostRecords(record.sequence - expected, expected === 0n));
    expected = record.sequence + 1n;
    for (const picked of shown.feed(record)) yield* view(picked);
  }
  if (!args.f) return;
  yield PAUSE;
  expected = (all.at(-1)?.sequence ?? -1n) + 1n;
  for (const came of followLog(scope, expected)) {
    for (const record of came) {
      if (record.sequence > expected) yield notice(lostRecords(record.sequence - expected, false));
      expected = record.sequence + 1n;
      if (until !== undefined && record.time > until) return;
      if (!isWithin(record)) continue;
      for (const picked of shown.feed(record)) yield* view(picked);
    }
    yield PAUSE;
  }
}

function timeFormat({ t, T, H, time }: LogArgs): LogTimeFormat {
  const asked: readonly LogTimeFormat[] = [
    ...(t ? ['notime' as const] : []),
    ...(T ? ['ctime' as const] : []),
    ...(H ? ['reltime' as const] : []),
    ...(time === undefined ? [] : [time]),
  ];
  // crash takes -t with -T, and shows no time.
  if (asked.length > 1 && (H || time !== undefined)) throw new UsageError('-t, -T, -H and --time exclude each other');
  return asked[0] ?? 'raw';
}

function chooser({ l, facility, g, i, v }: LogArgs): (record: LogRecord) => boolean {
  const hasPattern = g?.(i);
  return (record) =>
    l?.has(record.level) !== false &&
    facility?.has(record.facility) !== false &&
    (hasPattern === undefined || hasPattern(record.text) !== v);
}

function contextOf({ A, B, C }: LogArgs): { readonly before: number; readonly after: number } {
  return { before: Math.min(B ?? C ?? 0, CONTEXT_MAX), after: Math.min(A ?? C ?? 0, CONTEXT_MAX) };
}

/** The sequence number from which on there are `count` records. */
function firstOfLast(records: readonly LogRecord[], count: number): bigint {
  const [last] = records.slice(-1);
  if (count === 0) return (last?.sequence ?? 0n) + 1n;
  return records[Math.max(records.length - count, 0)]?.sequence ?? 0n;
}

function lostRecords(lost: bigint, first: boolean): string {
  const records = lost === 1n ? 'record is' : 'records are';
  return first ? `${lost} earlier ${records} no longer in the ring` : `${lost} ${records} missing here`;
}

function* auditMessages(scope: Scope): Iterable<Item> {
  const messages = auditBacklog(scope.kernel);
  if (messages === undefined) throw new UnsupportedError('this kernel has no audit subsystem');
  if (messages.length === 0) yield notice('no audit message waits');
  for (const { queue, type, text: body } of messages) {
    yield row({ queue, type, text: body }, () => [`type=${type} ${body}`]);
  }
}

function* safeMessages(scope: Scope): Iterable<Item> {
  const buffers = printkSafeBuffers(scope.kernel);
  if (buffers === undefined) {
    throw new UnsupportedError('this kernel puts no messages aside: its log takes them from anywhere (Linux 5.15)');
  }
  if (buffers.length === 0) yield notice('no messages were put aside');
  for (const { cpu, buffer, lost, lines } of buffers) {
    yield text([span(`CPU: ${cpu}  BUFFER: ${buffer}`, undefined, 'header')]);
    for (const line of lines) yield row({ cpu, buffer, text: line }, () => [`  ${line}`]);
    if (lost > 0) yield notice(`${lost} messages found no room`);
  }
}
