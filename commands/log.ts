/**
 * The kernel log, from its ring in memory or from /dev/kmsg.
 */
import { defineCommand, flag, option } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { logLevels, logPattern } from '../src/core/command/log-filter.ts';
import { followLog } from '../src/core/command/log-follow.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { UnsupportedError } from '../src/core/errors.ts';
import { auditBacklog } from '../src/core/kernel/audit.ts';
import { kernelLog } from '../src/core/kernel/kernel-log.ts';
import type { LogRecord } from '../src/core/kernel/log-record.ts';
import { printkSafeBuffers } from '../src/core/kernel/printk-safe.ts';
import { formatWallTime, logTimeToWall } from '../src/core/kernel/time.ts';
import { type Item, notice, PAUSE, row, text } from '../src/core/output/item.ts';
import { type Line, span, type Tone } from '../src/core/output/line.ts';

export default defineCommand({
  name: 'log',
  group: 'system',
  summary: 'the kernel log',
  description: [
    'The records that are still in the ring, oldest first, as dmesg shows them. They come from kernel memory, or from /dev/kmsg where there is none; the latter does not tell who wrote a record unless the kernel was built with CONFIG_PRINTK_CALLER.',
    '-f follows /dev/kmsg on a live target: reading it takes nothing away from its other readers.',
    'LEVELS is a list of levels by name (emerg, alert, crit, err, warn, notice, info, debug) or number; one with a + after it means all that are at least as urgent: -l warn+.',
  ],
  options: {
    t: flag('without the time'),
    T: flag('the wall clock, in UTC; wrong for records from before a suspend'),
    d: flag('with the properties of records (SUBSYSTEM=, DEVICE=)'),
    m: flag('with the level of each record'),
    c: flag('with who wrote each record: T and a PID, or C and a CPU'),
    l: option(logLevels, 'LEVELS', 'records of these levels'),
    g: option(logPattern, 'PATTERN', 'records with this text in any case, or that match /a regular expression/'),
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
  readonly d: boolean;
  readonly m: boolean;
  readonly c: boolean;
  readonly l: ReadonlySet<number> | undefined;
  readonly g: ((text: string) => boolean) | undefined;
  readonly n: number | undefined;
  readonly f: boolean;
}

function* records(scope: Scope, args: LogArgs): Iterable<Item> {
  const { records: all, source } = kernelLog(scope.kernel);
  if (scope.kernel.hasMemory && source.startsWith('/')) yield notice(`from ${source}`);
  const isChosen = ({ level, text: body }: LogRecord): boolean =>
    args.l?.has(level) !== false && (args.g === undefined || args.g(body));
  const chosen = all.filter(isChosen);
  const shown = args.n === undefined ? chosen : chosen.slice(Math.max(chosen.length - args.n, 0));
  const isWhole = shown.length === all.length;
  const prefix = prefixer(scope, args, shown);
  let expected = 0n;
  for (const record of shown) {
    scope.check();
    // Where records are picked, gaps between them mean nothing.
    if (isWhole && record.sequence > expected) yield notice(lostRecords(record.sequence - expected, expected === 0n));
    expected = record.sequence + 1n;
    yield recordItem(record, args, prefix);
  }
  if (!args.f) return;
  yield PAUSE;
  expected = (all.at(-1)?.sequence ?? -1n) + 1n;
  for (const came of followLog(scope, expected)) {
    for (const record of came) {
      if (record.sequence > expected) yield notice(lostRecords(record.sequence - expected, false));
      expected = record.sequence + 1n;
      if (isChosen(record)) yield recordItem(record, args, prefix);
    }
    yield PAUSE;
  }
}

function lostRecords(lost: bigint, first: boolean): string {
  const records = lost === 1n ? 'record is' : 'records are';
  return first ? `${lost} earlier ${records} no longer in the ring` : `${lost} ${records} missing here`;
}

/** What stands before the text of a record, by the options. */
function prefixer(scope: Scope, args: LogArgs, shown: readonly LogRecord[]): (record: LogRecord) => string {
  const wall = args.T ? logTimeToWall(scope.kernel) : undefined;
  if (args.T && wall === undefined) throw new UnsupportedError('this target does not tell what time it is');
  const width = Math.max(6, ...shown.slice(-10_000).map(({ caller }) => caller?.length ?? 0));
  return (record) => {
    const time = wall === undefined ? formatStamp(record.time) : formatWallTime(wall(record.time));
    return [
      args.t ? '' : `[${time}] `,
      args.c ? `[${(record.caller ?? '').padStart(width)}] ` : '',
      args.m ? `<${record.level}>` : '',
    ].join('');
  };
}

function recordItem(record: LogRecord, args: LogArgs, prefix: (record: LogRecord) => string): Item {
  const { sequence, time, level, caller, comm, lost, properties } = record;
  const data = {
    sequence: Number(sequence),
    time: Number(time / 1000n) / 1_000_000,
    level,
    caller: caller ?? null,
    ...(comm === undefined ? {} : { comm }),
    text: record.text,
    ...(lost ? { lost } : {}),
    ...(args.d ? Object.fromEntries(properties.map(({ name, value }) => [name.toLowerCase(), value])) : {}),
  };
  return row(data, () => recordLines(record, args, prefix(record)));
}

function recordLines(record: LogRecord, args: LogArgs, prefix: string): readonly Line[] {
  const tone: Tone | undefined = record.level <= 3 ? 'error' : record.level === 4 ? 'warn' : undefined;
  const body = record.lost ? '(its text was overwritten)' : record.text;
  const indent = ' '.repeat(prefix.length);
  const lines = body.split('\n').map((line) => span(line, undefined, tone));
  for (const { name, value } of args.d ? record.properties : []) lines.push(span(`${name}=${value}`, undefined, 'dim'));
  return lines.map((line, i) => [i === 0 ? span(prefix, undefined, 'dim') : indent, line]);
}

/** Nanoseconds as printk writes them: `[ 7214.120334]` without the brackets. */
function formatStamp(nanoseconds: bigint): string {
  const micro = nanoseconds / 1000n;
  return `${String(micro / 1_000_000n).padStart(5)}.${String(micro % 1_000_000n).padStart(6, '0')}`;
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
