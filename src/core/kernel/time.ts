/**
 * What time it is in the kernel: the timekeeper's clocks as of its last update, which is at most a tick ago while a CPU
 * is busy. struct timekeeper has the wall clock, and what to add to it to have the others:
 *
 *     CLOCK_REALTIME   xtime_sec seconds and tkr_mono.xtime_nsec >> tkr_mono.shift nanoseconds
 *     CLOCK_MONOTONIC  that minus offs_real;  CLOCK_BOOTTIME (with suspend)  that plus offs_boot
 *
 * It lies in tk_core, whose type had no name before 10f7c178a9da "timekeeping: Define a struct type for tk_core to make
 * it reusable" (v6.13), and in timekeeper_data[0] since there are auxiliary clocks (v6.17).
 */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import { readGlobalInteger } from './global.ts';
import type { Kernel } from './kernel.ts';
import { fileText } from './text-file.ts';

/** All in nanoseconds. */
export interface KernelTime {
  /** Since 1970, UTC. */
  readonly wall: bigint;
  /** Since boot, suspend left out: what the log's and the scheduler's clocks are near to. */
  readonly monotonic: bigint | undefined;
  /** Since boot with suspend: uptime. */
  readonly boottime: bigint;
}

const NS = 1_000_000_000n;
const PLACES: readonly (readonly [symbol: string, path: string])[] = [
  ['timekeeper_data', '[0].timekeeper'],
  ['tk_core', 'timekeeper'],
];

/** Undefined where the target does not tell. Throws FaultError. */
export function kernelTime(kernel: Kernel): KernelTime | undefined {
  return kernel.memo('time', 'command', () => fromMemory(kernel) ?? fromFiles(kernel));
}

function fromMemory(kernel: Kernel): KernelTime | undefined {
  if (!kernel.hasMemory) return undefined;
  try {
    for (const [symbol, path] of PLACES) {
      const member = (name: string) => readGlobalInteger(kernel, symbol, `${path}.${name}`);
      const seconds = member('xtime_sec');
      const shift = member('tkr_mono.shift');
      if (seconds === undefined || shift === undefined) continue;
      const wall = seconds * NS + ((member('tkr_mono.xtime_nsec') ?? 0n) >> (shift & 63n));
      const monotonic = wall - (member('offs_real') ?? 0n);
      return { wall, monotonic, boottime: monotonic + (member('offs_boot') ?? 0n) };
    }
  } catch (error) {
    if (!(error instanceof UnsupportedError) && !(error instanceof NotFoundError)) throw error;
  }
  return undefined;
}

/** /proc/uptime counts hundredths, `btime` of /proc/stat is the wall clock of boot in seconds. */
function fromFiles(kernel: Kernel): KernelTime | undefined {
  const uptime = /^(\d{1,12})\.(\d\d) /.exec(fileText(kernel, '/proc/uptime') ?? '');
  const boot = /^btime (\d{1,12})$/m.exec(fileText(kernel, '/proc/stat', 4 * 1024 * 1024) ?? '');
  if (uptime === null || boot === null) return undefined;
  const boottime = BigInt(uptime[1] as string) * NS + BigInt(uptime[2] as string) * 10_000_000n;
  return { wall: BigInt(boot[1] as string) * NS + boottime, monotonic: undefined, boottime };
}

/**
 * The wall clock, in nanoseconds since 1970, of a time stamp of the log. Wrong by the time in suspend for what was logged
 * before one: the log's clock stands still there. Undefined where the target does not tell the time.
 */
export function logTimeToWall(kernel: Kernel): ((stamp: bigint) => bigint) | undefined {
  const time = kernelTime(kernel);
  if (time === undefined) return undefined;
  const booted = time.wall - (time.monotonic ?? time.boottime);
  return (stamp) => booted + stamp;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;
/** The last that a Date holds. */
const MILLISECONDS_MAX = 8_640_000_000_000_000n;

/** Nanoseconds since 1970 as ctime writes them, in UTC: `Tue Mar  3 04:11:27 2026`, with `zone` before the year. */
export function formatWallTime(nanoseconds: bigint, zone?: string): string {
  const date = dateOf(nanoseconds);
  if (date === undefined) return `${nanoseconds / NS} s after 1970`;
  const clock = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
  const day = String(date.getUTCDate()).padStart(2);
  const where = zone === undefined ? '' : ` ${zone}`;
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${clock}${where} ${date.getUTCFullYear()}`;
}

/** The same as dmesg -H begins a minute, in UTC: `Mar 3 04:11`. */
export function formatDayAndMinute(nanoseconds: bigint): string {
  const date = dateOf(nanoseconds);
  if (date === undefined) return `${nanoseconds / NS} s after 1970`;
  const day = String(date.getUTCDate()).padStart(2);
  return `${MONTHS[date.getUTCMonth()]}${day} ${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
}

/** The same in ISO 8601 with microseconds: `2026-03-03T04:11:27,120334+00:00`. */
export function formatIsoTime(nanoseconds: bigint): string {
  const date = dateOf(nanoseconds);
  if (date === undefined) return `${nanoseconds / NS} s after 1970`;
  return `${date.toISOString().slice(0, 19)},${String((nanoseconds / 1000n) % 1_000_000n).padStart(6, '0')}+00:00`;
}

/** Undefined for what no Date holds. */
function dateOf(nanoseconds: bigint): Date | undefined {
  const milliseconds = nanoseconds / 1_000_000n;
  return milliseconds < 0n || milliseconds > MILLISECONDS_MAX ? undefined : new Date(Number(milliseconds));
}

function two(value: number | bigint): string {
  return String(value).padStart(2, '0');
}

/** `18 days, 02:40:09`, as crash writes an uptime. */
export function formatUptime(nanoseconds: bigint): string {
  const seconds = nanoseconds / NS;
  const days = seconds / 86_400n;
  const clock = `${two((seconds / 3600n) % 24n)}:${two((seconds / 60n) % 60n)}:${two(seconds % 60n)}`;
  return days === 0n ? clock : `${days} day${days === 1n ? '' : 's'}, ${clock}`;
}
