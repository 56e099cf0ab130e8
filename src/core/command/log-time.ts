/** How `log` writes times: crash's ways, and those that dmesg has besides. */
import { UnsupportedError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { formatDayAndMinute, formatIsoTime, formatWallTime, logTimeToWall } from '../kernel/time.ts';

/** By dmesg's names; `raw` is seconds since boot, as crash has it. */
export const LOG_TIMES = ['raw', 'ctime', 'iso', 'delta', 'reltime', 'notime'] as const;
export type LogTimeFormat = (typeof LOG_TIMES)[number];

/** What stands before a record's text for its time, with a blank; called for the records in order. */
export type LogTimes = (stamp: bigint) => string;

const MINUTE = 60_000_000_000n;

/** Throws UnsupportedError where a format needs the wall clock and the target does not tell it. */
export function logTimes(kernel: Kernel, format: LogTimeFormat): LogTimes {
  switch (format) {
    case 'notime':
      return () => '';
    case 'raw':
      return (stamp) => `[${seconds(stamp, 5)}] `;
    case 'ctime': {
      const wall = wallClock(kernel);
      return (stamp) => `[${formatWallTime(wall(stamp))}] `;
    }
    case 'iso': {
      const wall = wallClock(kernel);
      return (stamp) => `${formatIsoTime(wall(stamp))} `;
    }
    case 'delta':
      return sinceLast((stamp, since) => `[${seconds(stamp, 5)} <${seconds(since ?? 0n, 5)}>] `);
    case 'reltime': {
      const wall = wallClock(kernel);
      return sinceLast((stamp, since) => {
        const isOfLastMinute = since !== undefined && wall(stamp - since) / MINUTE === wall(stamp) / MINUTE;
        const sign = (since ?? 0n) < 0n ? '-' : '+';
        return isOfLastMinute
          ? `[${(sign + seconds(since < 0n ? -since : since, 1)).padStart(11)}] `
          : `[${formatDayAndMinute(wall(stamp))}] `;
      });
    }
  }
}

function sinceLast(write: (stamp: bigint, since: bigint | undefined) => string): LogTimes {
  let last: bigint | undefined;
  return (stamp) => {
    const text = write(stamp, last === undefined ? undefined : stamp - last);
    last = stamp;
    return text;
  };
}

function wallClock(kernel: Kernel): (stamp: bigint) => bigint {
  const wall = logTimeToWall(kernel);
  if (wall === undefined) throw new UnsupportedError('this target does not tell what time it is');
  return wall;
}

/** Nanoseconds as printk writes them: `7214.120334`, the part before the point in `width` places. */
function seconds(nanoseconds: bigint, width: number): string {
  const micro = nanoseconds / 1000n;
  const sign = micro < 0n ? '-' : '';
  const size = micro < 0n ? -micro : micro;
  return `${(sign + String(size / 1_000_000n)).padStart(width)}.${String(size % 1_000_000n).padStart(6, '0')}`;
}
