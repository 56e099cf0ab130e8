/** Records from the text that dmesg prints: "[   25.521815] text". */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LogRecord } from '../../src/core/kernel/log-record.ts';

const FIXTURES = join(import.meta.dirname, '../fixtures/logs');

/** A log as a real kernel printed it: `5.10`, `6.12`, `7.2`, `7.2-oops`. */
export function dmesgFixture(name: string): readonly LogRecord[] {
  return dmesg(readFileSync(join(FIXTURES, `${name}.txt`), 'utf8'));
}

export function dmesg(text: string): readonly LogRecord[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, i): LogRecord => {
      const [, seconds, micro, caller, rest] = /^\[ *(\d+)\.(\d{6})\] (?:\[ *([TC]\d+)\] )?(.*)$/.exec(line) ?? [];
      if (seconds === undefined || micro === undefined) throw new Error(`no line of dmesg: ${line}`);
      const time = BigInt(seconds) * 1_000_000_000n + BigInt(micro) * 1000n;
      const own = { sequence: BigInt(i), time, caller, text: rest ?? '' };
      return { ...own, level: 6, facility: 0, comm: undefined, lost: false, properties: [] };
    });
}
