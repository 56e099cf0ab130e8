import { quantile } from '../bench/figure.ts';
import { openClient } from './client.ts';
import { openFollowing, TRACED } from './follow-screen.ts';
import { bootGuest, type Guest } from './guest.ts';

/**
 * What it is like to type at 200x60 while the trace pane follows a busy guest over ssh: lines a second that came, entries
 * that the kernel had to drop, and the time from a key to the bytes that show it.
 */

const KEYS = 120;
const KEY_MS = 60;
/** Reads /dev/zero in batches, each of which writes as many entries, until it is killed. */
const BATCH = 100;
const BATCH_MS = 8;
const BUSY = `perl -e 'open my $z, "<", "/dev/zero"; for (;;) { sysread $z, my $b, 1 for 1 .. ${BATCH}; select undef, undef, undef, ${BATCH_MS / 1000} }'`;
/** A frame ends with the cursor where the prompt has it: elsewhere than before when a key is seen. */
const CURSOR = /\x1b\[(\d+;\d+)H\x1b\[\?25h/g;

interface Written {
  readonly entries: number;
  readonly lost: number;
}

/** What was written into the trace's buffer so far. */
const written = async (guest: Guest): Promise<Written> => {
  const text = await guest.must('cat /sys/kernel/tracing/instances/kdbg-*/per_cpu/cpu*/stats');
  const sum = (name: string): number =>
    [...text.matchAll(new RegExp(`^${name}: (\\d+)$`, 'gm'))].reduce((total, [, count]) => total + Number(count), 0);
  const lost = sum('overrun') + sum('dropped events');
  return { entries: sum('read events'), lost };
};

const later = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Boots a guest for it, measures, and prints. */
export const printFollowFigures = async (): Promise<void> => {
  const guest = await bootGuest({ kernel: '6.12', logins: true, node: false, threads: 'single' });
  const client = openClient();
  try {
    await guest.ssh();
    const { terminal } = await openFollowing(client, guest);
    let cursor = '';
    let tail = '';
    let seen: (() => void) | undefined;
    terminal.pty.onData((data) => {
      tail = (tail + data).slice(-4096);
      const at = [...tail.matchAll(CURSOR)].at(-1)?.[1];
      if (at === undefined || at === cursor) return;
      cursor = at;
      seen?.();
    });
    const busy = (await guest.must(`${BUSY} < /dev/null > /dev/null 2>&1 & echo $!`)).trim();
    await later(2000);
    const before = await written(guest);
    const from = performance.now();
    const waits: number[] = [];
    for (let i = 0; i < KEYS; i++) {
      const pressed = performance.now();
      const shown = new Promise<void>((resolve) => {
        seen = resolve;
      });
      terminal.type(i % 40 === 39 ? '\x15' : 'b');
      await shown;
      waits.push(performance.now() - pressed);
      await later(KEY_MS);
    }
    const seconds = (performance.now() - from) / 1000;
    const after = await written(guest);
    await guest.must(`kill ${busy}`);
    const rate = Math.round((after.entries - before.entries) / seconds);
    process.stdout.write(
      [
        `calls of ${TRACED} that came, for ${seconds.toFixed(1)} s: ${rate} lines/s`,
        `entries that the kernel dropped: ${after.lost - before.lost}`,
        `key to bytes, p50: ${quantile(waits, 0.5).toFixed(1)} ms`,
        `key to bytes, p95: ${quantile(waits, 0.95).toFixed(1)} ms (budget 50 ms)`,
        '',
      ].join('\n'),
    );
    terminal.kill();
  } finally {
    client.remove();
    await guest.close();
  }
};
