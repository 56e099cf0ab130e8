/**
 * Why the kernel died, in its own words: the first line of the log that reports the end, or else the first that
 * reports the fault that led there.
 */
import type { LogRecord } from './log-record.ts';

/** What ends a kernel, then what may have led to it; of each group the first line in the log counts. */
const REPORTS: readonly RegExp[] = [
  /^Kernel panic - not syncing: /,
  /^(?:sysrq: |SysRq : )Trigger a crash/,
  /^(?:Oops: |Oops\b|general protection fault|double fault|stack segment: )/,
  /^BUG: |^kernel BUG at |^Unable to handle kernel |^divide error|^invalid opcode|^Internal error: /,
  /^watchdog: BUG: soft lockup|^NMI watchdog: (?:BUG|Watchdog detected)|^Watchdog detected hard LOCKUP|^rcu: INFO: .* detected stalls/,
];

/** Undefined where the log reports nothing of the kind. */
export function panicMessage(records: readonly LogRecord[]): string | undefined {
  for (const report of REPORTS) {
    const found = records.find(({ text, facility }) => facility === 0 && report.test(text));
    if (found !== undefined) return found.text.split('\n')[0];
  }
  return undefined;
}
