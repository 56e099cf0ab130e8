/**
 * `kdbg ssh` when the wire misbehaves: what runs ends with what is known and says so, the session stays and connects
 * again, a reboot is noticed, and nothing stays on the host.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { unpackedRecording } from '../support/unpacked-recording.ts';
import { type Client, openClient, sshPortOf } from './client.ts';
import { bootGuest, type Guest } from './guest.ts';
import { strangersOn } from './strangers.ts';
import { type Link, openLink } from './wire/link.ts';

const PROMPT = 'kdbg>';
const CTRL_C = '\x03';
/** Reads all of the guest's memory: it takes many seconds. */
const LONG = 'search -k 0x1badc0de1badc0de';

let guest: Guest;
let client: Client;
let link: Link;
let terminal: PseudoTerminal;
/** What runs in the guest without us. */
let before: readonly string[];

beforeAll(async () => {
  guest = await bootGuest({ kernel: '6.1', logins: true, node: false });
  await guest.ssh();
  before = await strangersOn(guest);
  client = openClient();
});
beforeEach(async () => {
  link = await openLink({ to: sshPortOf(guest), delayMs: 5 });
});
afterEach(async () => {
  terminal?.kill();
  await link.close();
});
afterAll(async () => {
  await guest?.close();
  client?.remove();
});

/** A session at its prompt that has a context, a variable and a history. */
async function start(): Promise<void> {
  terminal = client.terminal([...client.ssh(link.port), '--no-tui'], { KDBG_PAGER: 'cat' });
  await terminal.endsWith(PROMPT);
  await run('set 2');
  await run('set radix 16');
}

/** Types a line and waits for the prompt after it; the rows that it brought. */
async function run(line: string): Promise<readonly string[]> {
  const before = (await terminal.until(() => true)).length;
  terminal.type(`${line}\r`);
  const rows = await terminal.until((shown) => shown.length > before && shown.at(-1) === PROMPT);
  return rows.slice(before, -1);
}

/** Types a line that takes long, and does something to it once it runs. */
async function during(line: string, happens: () => unknown): Promise<readonly string[]> {
  const before = (await terminal.until(() => true)).length;
  terminal.type(`${line}\r`);
  await new Promise((later) => setTimeout(later, 1500));
  await happens();
  const rows = await terminal.until((shown) => shown.length > before && shown.at(-1) === PROMPT);
  return rows.slice(before, -1);
}

/** The session is what it was: its context, its settings, its history. */
async function expectSession(): Promise<void> {
  expect((await run('p init_task.comm')).join('\n')).toContain('swapper');
  expect((await run('set')).join('\n')).toMatch(/kthreadd/);
  expect((await run('history')).join('\n')).toMatch(/set radix 16/);
  expect((await run('!!')).join('\n')).toMatch(/set radix 16/);
}

/** Nobody serves a visitor there any more. */
async function expectNothingLeft(): Promise<void> {
  await expect.poll(() => strangersOn(guest, before), { timeout: 90_000, interval: 500 }).toEqual([]);
}

const killServers = (): Promise<unknown> =>
  guest.must('for p in $(ps -o pid,args | grep "sshd: root" | grep -v grep | cut -c1-6); do kill -9 $p; done');
const killReader = (): Promise<unknown> =>
  guest.must('for p in $(ps -o pid,args | grep " perl" | grep -v grep | cut -c1-6); do kill -9 $p; done');

describe('a session whose', () => {
  test.each([
    ['sshd is killed', killServers],
    ['reader is killed', killReader],
    ['network is cut', () => link.cut()],
    ['bytes are spoiled', () => link.spoil()],
  ] as const)('%s mid-command ends the command, and connects again', async (_, happens) => {
    await start();
    const rows = await during(LONG, happens);
    expect(rows.join('\n')).toMatch(/^kdbg: .*(lost|ended|closed|reset|gone)/m);
    // It is noticed, and not waited for until it seems to have gone.
    expect(rows.join('\n')).not.toMatch(/sent nothing|did not answer/);
    link.mend();
    await expectSession();
    terminal.type('\x04');
    expect((await terminal.exited).exitCode).toBe(0);
    await expectNothingLeft();
  });

  test('network is cut between commands connects again, or says that it cannot', async () => {
    await start();
    link.cut();
    await new Promise((later) => setTimeout(later, 200));
    expect((await run('ps')).join('\n')).toMatch(/^kdbg: .*(reach|refused|reset|lost)/m);
    link.mend();
    await expectSession();
  });

  test('host hangs can be left at once, and goes on when the host does', async () => {
    await start();
    await guest.pause();
    try {
      // While it hangs: otherwise "ps" would have gone on, or ended with what is said of a host that does not answer.
      expect((await during('ps', () => terminal.type(CTRL_C))).join('\n')).toMatch(/interrupted/);
    } finally {
      await guest.resume();
    }
    await expectSession();
  });

  test('network hangs ends a request after a while', async () => {
    await start();
    link.freeze();
    terminal.type('ps\r');
    const deadline = performance.now() + 180_000;
    while (performance.now() < deadline) {
      const rows = await terminal.until(() => true);
      if (rows.at(-1) === PROMPT && rows.some((row) => /^kdbg: .*(sent nothing|did not answer|lost)/.test(row))) break;
      await new Promise((later) => setTimeout(later, 200));
    }
    expect(performance.now()).toBeLessThan(deadline);
    link.mend();
    await expectSession();
  });

  test('host was started anew is told so', async () => {
    await start();
    await run('p init_task.comm');
    const other = await bootGuest({ kernel: '6.12', logins: true, node: false, module: false });
    try {
      await other.ssh();
      link.cut();
      link.leadTo(sshPortOf(other));
      link.mend();
      const rows = [...(await run('sys')), ...(await run('sys'))].join('\n');
      expect(rows).toMatch(/reboot|started anew|booted/);
      expect(rows).toContain(other.kernel.release);
      expect((await run('p init_task.comm')).join('\n')).toContain('swapper');
      expect((await run('bt 2')).join('\n')).toContain('kthreadd');
    } finally {
      await other.close();
    }
  });
});

test('a session on the screen asks there for what a new connection needs, and its recording goes on', async () => {
  const passphrase = 'secret-of-the-screen-19';
  const path = join(client.folder, '.ssh', 'guarded');
  copyFileSync(client.identity, path);
  execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', path]);
  const recording = join(client.folder, 'screen.kdbg');
  terminal = client.screen([...client.ssh(link.port, { identities: [path] }), '--record', recording]);
  const shown = (pattern: RegExp) => terminal.until((rows) => rows.some((row) => pattern.test(row)));
  await shown(/Passphrase for/);
  terminal.type(`${passphrase}\r`);
  await shown(/kdbg>/);
  terminal.type('p init_task.comm\r');
  await shown(/swapper/);
  link.cut();
  terminal.type('ps -p 2\r');
  await shown(/kdbg: .*(reach|refused|reset|lost)/);
  link.mend();
  terminal.type('p init_uts_ns.name.sysname\r');
  await shown(/Passphrase for/);
  terminal.type(`${passphrase}\r`);
  const rows = await shown(/"Linux/);
  terminal.type('\x04');
  expect((await terminal.exited).exitCode).toBe(0);

  const replayed = await client.run(['replay', recording]);
  expect(replayed.stdout).toMatch(/swapper.*"Linux/s);
  const places = [rows.join('\n'), replayed.stdout, unpackedRecording(readFileSync(recording))];
  for (const bytes of client.leftovers().values()) places.push(bytes.toString('latin1'));
  for (const place of places) expect(place.includes(passphrase)).toBe(false);
  await expectNothingLeft();
});

describe('a run without a terminal whose', () => {
  test('network is cut ends with 1 and what was known', async () => {
    const ended = await client.run([...client.ssh(link.port), '-c', 'p init_task.comm', '-c', LONG, '-c', 'eval 7'], {
      during: (child) => {
        child.stdin?.end();
        child.stdout?.once('data', () => setTimeout(() => link.cut(), 1000));
      },
    });
    expect(ended.status).toBe(1);
    expect(ended.stdout).toContain('swapper');
    expect(ended.stderr).toMatch(/^kdbg: .*lost/m);
    await expectNothingLeft();
  });

  test.each(['SIGTERM', 'SIGINT', 'SIGKILL'] as const)('process gets %s leaves nothing there', async (signal) => {
    const ended = await client.run([...client.ssh(link.port), '-c', 'p init_task.comm', '-c', LONG], {
      during: (child) => {
        child.stdin?.end();
        child.stdout?.once('data', () => setTimeout(() => child.kill(signal), 1000));
      },
    });
    expect(ended.status === 0).toBe(false);
    await expectNothingLeft();
  });
});
