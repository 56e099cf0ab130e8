/**
 * What `kdbg ssh` may cost on a host with a thousand tasks, over a link with round trips of 50 ms: round trips, which are
 * what one waits for, and bytes. Seconds are not asserted: the guest's processor is emulated.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Client, openClient, sshPortOf } from './client.ts';
import { bootGuest, type Guest } from './guest.ts';
import { crowd, PROMPT, ROUND_TRIP_MS } from './remote-figures.ts';
import { type Link, openLink, type Traffic } from './wire/link.ts';

/**
 * SSH's own part: its version and keys, the key exchange, the service, the key that lets in (asked about and signed with),
 * the channel.
 */
const SSH_TURNS = 7;
const RUN = { timeoutMs: 240_000 };

let guest: Guest;
let client: Client;
let link: Link;

beforeAll(async () => {
  guest = await bootGuest({ kernel: '6.1', logins: true, node: false });
  await guest.ssh();
  await crowd(guest);
  client = openClient();
  link = await openLink({ to: sshPortOf(guest), delayMs: ROUND_TRIP_MS / 2 });
});
afterAll(async () => {
  await link?.close();
  await guest?.close();
  client?.remove();
});

interface Cost {
  readonly trips: number;
  readonly wireKb: number;
}

/** What each line cost, as kdbg itself says. */
async function costs(lines: readonly string[]): Promise<readonly Cost[]> {
  const commands = ['set timing on', ...lines.map((line) => `${line} > ${join(client.folder, 'out')}`)];
  const ended = await client.run([...client.ssh(link.port), ...commands.flatMap((line) => ['-c', line])], RUN);
  expect(ended.status, ended.stderr).toBe(0);
  const told = [...ended.stderr.matchAll(/^(\d+) round trips?, \d+ KiB, (\d+) KiB on the wire/gm)];
  expect(told, ended.stderr).toHaveLength(commands.length);
  return told.slice(1).map(([, trips, wire]) => ({ trips: Number(trips), wireKb: Number(wire) }));
}

/** What it takes to the prompt. */
async function connecting(): Promise<Traffic> {
  link.reset();
  const terminal = client.terminal([...client.ssh(link.port), '--no-tui']);
  await terminal.endsWith(PROMPT);
  const traffic = link.traffic();
  terminal.type('\x04');
  expect((await terminal.exited).exitCode).toBe(0);
  return traffic;
}

test('a first visit, and all that is kept of it', { timeout: RUN.timeoutMs }, async () => {
  rmSync(join(client.folder, '.cache'), { recursive: true, force: true });
  expect((await connecting()).turns).toBeLessThanOrEqual(SSH_TURNS + 16);
  rmSync(join(client.folder, '.cache'), { recursive: true, force: true });
  link.reset();
  const [first] = await costs(['bt 2']);
  expect(first?.trips).toBeLessThanOrEqual(16);
  expect(link.traffic().received).toBeLessThan(8e6);
});

test('a second visit', { timeout: RUN.timeoutMs }, async () => {
  const { turns, received, sent } = await connecting();
  expect(turns).toBeLessThanOrEqual(SSH_TURNS + 4);
  expect(received + sent).toBeLessThan(100e3);
});

test('commands', { timeout: RUN.timeoutMs }, async () => {
  /** A line, its round trips, kilobytes on the wire. */
  const budgets = [
    ['bt 2', 6, 100],
    ['ps', 24, 1000],
    ['foreach UN bt', 40, 2000],
    ['log', 6, 200],
    ['struct task_struct init_task', 1, 20],
    ['list lab_root.list_long -h -s lab_node.id,name', 8, 200],
    ['locks', 60, 2000],
    ['deadlock', 60, 2000],
    ['blocked', 60, 3000],
    ['stacks', 60, 3000],
    ['mod', 8, 200],
    ['sys', 6, 50],
  ] as const;
  // Types and symbols of the modules come with the first commands, once.
  const lines = budgets.map(([line]) => line);
  const [, ...spent] = await costs(['struct lab_node', ...lines]);
  const told = spent.map(({ trips, wireKb }, i) => `${lines[i]}: ${trips} round trips, ${wireKb} KiB`).join('\n');
  for (const [i, [, trips, kilobytes]] of budgets.entries()) {
    expect(spent[i]?.trips, told).toBeLessThanOrEqual(trips);
    expect(spent[i]?.wireKb, told).toBeLessThanOrEqual(kilobytes);
  }
  process.stdout.write(`lab 6.1: ${told.replaceAll('\n', '; ')}\n`);
});
