/** One record of the kernel log, whichever way it was read. */

export interface LogRecord {
  /** Counts from boot; a gap between two records is how many were lost. */
  readonly sequence: bigint;
  /** Nanoseconds of the local clock since boot. */
  readonly time: bigint;
  /** Syslog: 0 emergency .. 7 debug. */
  readonly level: number;
  /** Syslog: 0 is the kernel, 1 a user's line through /dev/kmsg. */
  readonly facility: number;
  /** Who wrote it: `T812` a task by its PID, `C3` a CPU outside of one; undefined where the kernel did not note it. */
  readonly caller: string | undefined;
  /** The writer's comm; only since CONFIG_PRINTK_EXECUTION_CTX (v7.0). */
  readonly comm: string | undefined;
  /** Without a final newline; more lines where the record has some. */
  readonly text: string;
  /** The text was overwritten before it could be read. */
  readonly lost: boolean;
  /** SUBSYSTEM= and DEVICE=, and whatever a driver added. */
  readonly properties: readonly { readonly name: string; readonly value: string }[];
}

const CALLER_IS_CPU = 0x8000_0000;

/** printk_info.caller_id: bit 31 tells a CPU from a PID. */
export function formatCaller(id: number): string {
  return (id & CALLER_IS_CPU) === 0 ? `T${id}` : `C${id & ~CALLER_IS_CPU}`;
}

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug'] as const;

/** Syslog's facilities by number; 12 to 15 have no name. */
export const FACILITIES = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'authpriv', 'ftp'],
  ...['res0', 'res1', 'res2', 'res3'],
  ...Array.from({ length: 8 }, (_, i) => `local${i}`),
] as const;

/** `kern` for 0, `user` for what a process wrote to /dev/kmsg. */
export function facilityName(facility: number): string {
  return FACILITIES[facility] ?? String(facility);
}

/** Names of the syslog levels, most urgent first. */
export function levelName(level: number): string {
  return LEVELS[level] ?? String(level);
}
