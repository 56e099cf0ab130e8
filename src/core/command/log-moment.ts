/** Moments in the log as people say them: a stamp, so long ago, a time of day. */
import { UnsupportedError, UsageError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import type { LogRecord } from '../kernel/log-record.ts';
import { kernelTime } from '../kernel/time.ts';
import type { Kind } from './define.ts';

/** Gives the moment as a time stamp of the log, in nanoseconds since boot. Throws UnsupportedError. */
export type LogMoment = (kernel: Kernel, last: LogRecord | undefined) => bigint;

const NS = 1_000_000_000;
const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const AGO = /^-?(\d{1,9}(?:\.\d{1,9})?)(s|m|min|h|d)(?: ago)?$/;
const STAMP = /^\d{1,12}(?:\.\d{1,9})?$/;
const DATE = /^(?:(\d{4})-(\d\d)-(\d\d)(?:[ T]|$))?(?:(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?(?:Z|\+00:00)?)?$/;
const DAY = 86_400n * BigInt(NS);

/** `120.5` (seconds, as in the stamps), `5m` (ago), `14:30` (UTC, the last time it was), `2026-03-03 14:30:10` (UTC). */
export const logMoment: Kind<LogMoment> = {
  name: 'time',
  parse(text) {
    if (STAMP.test(text)) return () => nanoseconds(Number(text));
    const ago = AGO.exec(text);
    if (ago !== null) {
      const back = nanoseconds(Number(ago[1]) * (UNITS[ago[2] as string] as number));
      return (kernel, last) => now(kernel, last) - back;
    }
    const date = text === '' ? null : DATE.exec(text);
    if (date === null) {
      throw new UsageError(`"${text}" is no time`, {
        column: 0,
        hint: '120.5 · 5m (ago) · 14:30 · "2026-03-03 14:30"',
      });
    }
    const [, year, month, day, hour = '0', minute = '0', second = '0'] = date;
    const clock = nanoseconds(Number(hour) * 3600 + Number(minute) * 60 + Number(second));
    if (year === undefined) return (kernel) => timeOfDay(kernel, clock);
    const midnight = Date.UTC(Number(year), Number(month) - 1, Number(day));
    return (kernel) => BigInt(midnight) * 1_000_000n + clock - booted(kernel).at;
  },
};

/** The last moment at which it was so late. */
function timeOfDay(kernel: Kernel, clock: bigint): bigint {
  const { at, wall } = booted(kernel);
  const today = (wall / DAY) * DAY + clock;
  return (today > wall ? today - DAY : today) - at;
}

/** The wall clock of boot, and now. */
function booted(kernel: Kernel): { readonly at: bigint; readonly wall: bigint } {
  const time = kernelTime(kernel);
  if (time === undefined) {
    throw new UnsupportedError(
      'this target does not tell what time it is',
      'give seconds since boot, as in the stamps',
    );
  }
  return { at: time.wall - (time.monotonic ?? time.boottime), wall: time.wall };
}

/** Where the target tells no time it ended with its last record. */
function now(kernel: Kernel, last: LogRecord | undefined): bigint {
  const time = kernelTime(kernel);
  return time === undefined ? (last?.time ?? 0n) : (time.monotonic ?? time.boottime);
}

function nanoseconds(seconds: number): bigint {
  return BigInt(Math.round(seconds * NS));
}
