/**
 * Sessions over ssh that end in the middle of something: nothing of it stays there. They share the guest of
 * trace-tests.ts, which looks after each whether tracefs is as it was.
 */
import type { ChildProcess } from 'node:child_process';
import { expect, test } from 'vitest';
import { type Client, sshPortOf } from './client.ts';
import type { Guest } from './guest.ts';
import { PROBE } from './trace-probes.ts';
import { openLink } from './wire/link.ts';

export interface EndingsLab {
  readonly kernel: '6.1' | '6.12';
  guest(): Guest;
  client(): Client;
}

const TRACING = '/sys/kernel/tracing';
/** Of the others' use of the shared buffer, what keeps kdbg from borrowing it. */
const GIVE_UP = `cd ${TRACING} && echo > set_event && echo > trace`;
const TAKE_UP = `cd ${TRACING} && echo sched_switch > set_event`;
/** What is busy: tracers, kdbg's instances, probes of theirs, and the command that the tests run. */
const BUSY = `cd ${TRACING}; cat current_tracer instances/kdbg-*/current_tracer instances/kdbg-*/set_event; cat dynamic_events
  ps -o args | grep -x 'sleep 61'; true`;
const POLL = { timeout: 90_000, interval: 500 };

/** How it ends, what runs then, by which reader, and what is seen of it in the guest. */
const ENDINGS = [
  ['the connection is cut', 'trace callees version_proc_show --shared --for 60', 'sh', /^function_graph$/m],
  ['kdbg is killed', 'trace callees version_proc_show --shared --for 60', 'python3', /^function_graph$/m],
  ['kdbg is killed', 'trace callees version_proc_show --shared -- sleep 61', 'perl', /^function_graph$.*^sleep 61$/ms],
  ['the connection is cut', 'trace callers version_proc_show -- sleep 61', 'python3', /^function$.*^sleep 61$/ms],
  ['the connection is cut', 'trace profile version_proc_show --for 60', 'perl', /^function_graph$/m],
  ['kdbg is killed', `${PROBE} --for 60`, 'sh', /:kdbg_\w+\//],
] as const;

export function traceEndings({ kernel, guest, client }: EndingsLab): void {
  const busy = (): Promise<string> => guest().must(BUSY);

  // Until v6.11 an instance has no function_graph.
  const endings = ENDINGS.filter(([, line]) => kernel !== '6.1' || !line.startsWith('trace profile'));

  test.each(endings)('%s during %s, read by %s', async (ending, line, reader, runs) => {
    const link = await openLink({ to: sshPortOf(guest()) });
    await guest().must(GIVE_UP);
    try {
      const before = await busy();
      expect(before).not.toMatch(runs);
      let happened: Promise<void> | undefined;
      const ended = await client().run([...client().ssh(link.port), '--reader', reader], {
        during: (child) => {
          child.stdin?.write(`${line}\n`);
          happened = happens(child);
        },
      });
      await happened;
      expect(ended.signal).toBe(ending === 'kdbg is killed' ? 'SIGKILL' : null);

      async function happens(child: ChildProcess): Promise<void> {
        try {
          await expect.poll(busy, POLL).toMatch(runs);
          if (ending === 'the connection is cut') link.cut();
          else child.kill('SIGKILL');
        } finally {
          // There is no line after this one: who cannot connect again ends.
          child.stdin?.end();
        }
      }
      await expect.poll(busy, POLL).toBe(before);
    } finally {
      await link.close();
      await guest().must(TAKE_UP);
    }
  });
}
