/** What flows of a trace, faster than it can be shown. It shares the guest of trace-tests.ts. */
import { expect, test } from 'vitest';
import type { Client } from './client.ts';
import { openFollowing, TRACED, titleOf } from './follow-screen.ts';
import type { Guest } from './guest.ts';

export interface FollowLab {
  guest(): Guest;
  client(): Client;
}

const POLL = { timeout: 120_000, interval: 500 };
const readZero = (times: number): string => `dd if=/dev/zero of=/dev/null bs=1 count=${times} 2> /dev/null`;

export function traceFollow({ guest, client }: FollowLab): void {
  test('the pane shows every entry of a busy guest over ssh, whatever the user runs meanwhile', async () => {
    const { terminal, shows } = await openFollowing(client(), guest());
    try {
      await guest().must(readZero(20_000));
      // While that flows.
      terminal.type('p 40 + 2\r');
      await shows(/= 42\b/);
      await guest().must(readZero(10_000));
      terminal.type('p 50 + 5\r');
      await shows(/= 55\b/);
      await shows(titleOf(30_000));
      await guest().must(readZero(5));
      await shows(titleOf(30_005));
      await shows(new RegExp(`-\\d+ .*: ${TRACED} <-vfs_read`));
      terminal.type('trace stop\r');
      await shows(/^trace stop|stopped|kept/);
      terminal.type('\x04');
      expect((await terminal.exited).exitCode).toBe(0);
    } finally {
      terminal.kill();
    }
  });

  test('what the kernel had to drop is told where it is missing', async () => {
    const lines = [`trace start function -f ${TRACED} -b 16`, `!${readZero(5000)}`, 'trace follow'];
    const words = lines.map((line) => `-c '${line}'`).join(' ');
    await guest().must(`rm -f /tmp/followed; (exec kdbg ${words}) > /tmp/followed 2>&1 & echo $! > /tmp/kdbg-pid`);
    const told = async (): Promise<{ readonly came: number; readonly missing: number }> => {
      const text = await guest().must('cat /tmp/followed');
      const missing = [...text.matchAll(/: (\d+) entries are missing here$/gm)];
      return {
        came: [...text.matchAll(new RegExp(`-\\d+ .*: ${TRACED} <-`, 'g'))].length,
        missing: missing.reduce((sum, [, count]) => sum + Number(count), 0),
      };
    };
    const all = async (): Promise<number> => {
      const { came, missing } = await told();
      return came + missing;
    };
    try {
      await expect.poll(all, POLL).toBe(5000);
      // Now while it is followed.
      await guest().must(readZero(15_000));
      await expect.poll(all, POLL).toBe(20_000);
      const { came, missing } = await told();
      expect(came).toBeGreaterThan(0);
      // The buffer is smaller than what was written before anybody read it.
      expect(missing).toBeGreaterThan(1000);
      process.stdout.write(`lab: of 20,000 entries ${came} came, ${missing} were told to be missing\n`);
    } finally {
      await guest().must('kill -INT $(cat /tmp/kdbg-pid)');
    }
  });
}
