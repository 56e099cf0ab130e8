/**
 * `kdbg ssh` into a guest, by every way in: keys, the agent, passphrases, passwords, questions, jump hosts, host keys of all
 * kinds, sudo. What a person must answer is typed in a pseudo-terminal.
 */
import { execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Ended } from '../support/program.ts';
import type { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { unpackedRecording } from '../support/unpacked-recording.ts';
import { askingPortOf, type Client, openClient, sshPortOf } from './client.ts';
import { bootGuest, type Guest } from './guest.ts';
import { answersIn } from './local-proc.ts';
import { loginUsers } from './logins.ts';

let guest: Guest;
let client: Client;
let port: number;
/** Of the tests of host keys alone. */
let knownHosts: string;
const terminals: PseudoTerminal[] = [];

beforeAll(async () => {
  guest = await bootGuest({ kernel: '6.1', logins: true, node: false });
  await guest.ssh();
  client = openClient();
  port = sshPortOf(guest);
  knownHosts = join(client.folder, '.ssh', 'known_hosts');
});
afterEach(() => {
  for (const terminal of terminals.splice(0)) terminal.kill();
  rmSync(knownHosts, { force: true });
});
afterAll(async () => {
  await guest?.close();
  client?.remove();
});

const strict = (): readonly string[] => [`UserKnownHostsFile ${knownHosts}`];

/** kdbg at a terminal, running one command there. */
function type(args: readonly string[]): PseudoTerminal {
  const terminal = client.terminal([...args, '-c', 'p 6*7', '-c', 'p init_task.comm']);
  terminals.push(terminal);
  return terminal;
}

const shows =
  (pattern: RegExp) =>
  (rows: readonly string[]): boolean =>
    rows.some((row) => pattern.test(row));

/** Waits for a question and answers it. */
async function answer(terminal: PseudoTerminal, question: RegExp, text: string): Promise<void> {
  await terminal.until(shows(question));
  terminal.type(`${text}\r`);
}

/** The kernel was reached, with its memory. */
async function expectKernel(terminal: PseudoTerminal): Promise<readonly string[]> {
  const rows = await terminal.until(shows(/swapper/));
  expect((await terminal.exited).exitCode).toBe(0);
  return rows;
}

function expectReached({ status, stdout, stderr }: Ended): void {
  expect(stderr).toBe('');
  expect(stdout).toContain('swapper');
  expect(status).toBe(0);
}

const probe = ['-c', 'p init_task.comm'];

describe('by key and agent', () => {
  test('a key in a file', async () => {
    expectReached(await client.run([...client.ssh(port), ...probe]));
  });

  test('-i, and a name from the configuration', async () => {
    const configuration = ['Host web7', '  HostName 127.0.0.1', `  Port ${port}`, '  User root', 'Host *'];
    const path = configurationOf(client.ssh(port, { configuration, identities: [] }));
    expectReached(await client.run(['ssh', '-F', path, '-i', client.identity, 'web7', ...probe]));
  });

  test('the agent', async () => {
    // A socket's path may be no longer than 107 bytes.
    const folder = mkdtempSync(join(tmpdir(), 'kdbg-lab-agent-'));
    const socket = join(folder, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      await expect
        .poll(() => tryRun('ssh-add', ['-q', client.identity], { SSH_AUTH_SOCK: socket }), { timeout: 60_000 })
        .toBe(true);
      const configuration = [`IdentityAgent ${socket}`, 'IdentitiesOnly no'];
      expectReached(await client.run([...client.ssh(port, { configuration, identities: [] }), ...probe]));
    } finally {
      agent.kill();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  test('a key with a passphrase is asked for it, without echo, again when it is wrong', async () => {
    const passphrase = 'correct-horse-41f0';
    const path = join(client.folder, '.ssh', 'locked');
    copyFileSync(client.identity, path);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', path]);
    const target = client.ssh(port, { identities: [path] });
    const terminal = type(target);
    // The path behind it may go on in the next row.
    await answer(terminal, /Passphrase for /, 'wrong-horse');
    await answer(terminal, /not the passphrase/, passphrase);
    const rows = await expectKernel(terminal);
    expect(rows.join('\n')).not.toMatch(/horse/);

    const { status, stderr } = await client.run([...target, ...probe]);
    expect(status).toBe(3);
    expect(stderr).toMatch(/cannot log in .*passphrase/);
  });

  test('a jump host, and a second one', async () => {
    const inner = client.ssh(24, { options: ['-J', `root@127.0.0.1:${port}`] });
    expectReached(await client.run([...inner, ...probe]));
    const twice = client.ssh(24, { options: ['-J', `root@127.0.0.1:${port},plain@127.0.0.1:24`] });
    expectReached(await client.run([...twice, ...probe]));
  });

  test('ProxyCommand', async () => {
    const path = configurationOf(client.ssh(port));
    const configuration = [`ProxyCommand ssh -F ${path} -o LogLevel=ERROR -p ${port} -W 127.0.0.1:24 root@127.0.0.1`];
    expectReached(await client.run([...client.ssh(24, { configuration }), ...probe]));
  });

  test('kdbg shell over the ssh that is installed', async () => {
    const over = ['ssh', ...(await guest.ssh())];
    expectReached(await client.run(['shell', ...probe, '--', ...over]));
    expectReached(await client.run(['shell', ...probe, '--', ...over, 'sh']));
  });
});

describe('by password', () => {
  test('asks without echo, again when it is wrong', async () => {
    const terminal = type(client.ssh(port, { identities: [] }));
    await answer(terminal, /root@127.0.0.1.*[Pp]assword: $|[Pp]assword.*: ?$/, 'not-this-word');
    await answer(terminal, /not taken/, loginUsers.root.password);
    const rows = await expectKernel(terminal);
    expect(rows.join('\n')).not.toMatch(/-word/);
  });

  test('answers what the server asks', async () => {
    const terminal = type(client.ssh(askingPortOf(guest), { identities: [] }));
    await answer(terminal, /Password: ?$/, loginUsers.root.password);
    await expectKernel(terminal);
  });

  test('Ctrl-C at the question ends it', async () => {
    const terminal = type(client.ssh(port, { identities: [] }));
    await terminal.until(shows(/[Pp]assword.*: ?$/));
    terminal.type('\x03');
    const { exitCode } = await terminal.exited;
    expect([3, 130]).toContain(exitCode);
  });

  test('with nobody to ask says what would help', async () => {
    const { status, stdout, stderr } = await client.run([
      ...client.ssh(port, { identities: [], user: 'plain' }),
      ...probe,
    ]);
    expect(status).toBe(3);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^kdbg: .*cannot log in to 127\.0\.0\.1 as plain/);
    expect(stderr).toMatch(/terminal|password|key/);
  });
});

describe('host keys', () => {
  const scan = (kind = 'ed25519'): string =>
    execFileSync('ssh-keyscan', ['-T', '60', '-t', kind, '-p', `${port}`, '127.0.0.1'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  const known = (text: string): void => writeFileSync(knownHosts, text);
  const connect = (configuration: readonly string[] = strict()): Promise<Ended> =>
    client.run([...client.ssh(port, { configuration }), ...probe]);

  test('an unknown one is shown and asked about: no', async () => {
    const terminal = type(client.ssh(port, { configuration: strict() }));
    await answer(terminal, /Trust it/, 'no');
    const rows = await terminal.until(shows(/^kdbg: /));
    // It may be cut by the end of a row.
    expect(rows.join('')).toMatch(/SHA256:[\w+/]{43}/);
    expect((await terminal.exited).exitCode).toBe(3);
    expect(tryRead(knownHosts)).toBe('');
  });

  test('an unknown one is shown and asked about: yes, which is remembered', async () => {
    const terminal = type(client.ssh(port, { configuration: strict() }));
    await answer(terminal, /Trust it/, 'yes');
    await expectKernel(terminal);
    const [, kind, key] = scan().trim().split(' ');
    expect(tryRead(knownHosts)).toContain(`[127.0.0.1]:${port} ${kind} ${key}`);
    expectReached(await connect());
  });

  test('an unknown one with nobody to ask is refused', async () => {
    const { status, stderr } = await connect();
    expect(status).toBe(3);
    expect(stderr).toMatch(/^kdbg: the host key of 127\.0\.0\.1 is not known: .*SHA256:/);
    expect(stderr).toMatch(/accept-new/);
  });

  test('a known, a hashed, one of another kind', async () => {
    known(scan());
    expectReached(await connect());
    execFileSync('ssh-keygen', ['-q', '-H', '-f', knownHosts], { stdio: 'ignore' });
    expect(readFileSync(knownHosts, 'utf8')).toMatch(/^\|1\|/);
    expectReached(await connect());
    known(scan('ecdsa'));
    expectReached(await connect());
  });

  test('a changed one is refused, with what to do', async () => {
    const other = join(client.folder, 'other');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
    const [kind, key] = readFileSync(`${other}.pub`, 'utf8').split(' ');
    known(`[127.0.0.1]:${port} ${kind} ${key}\n`);
    const { status, stderr } = await connect();
    expect(status).toBe(3);
    expect(stderr).toMatch(/^kdbg: the host key of 127\.0\.0\.1 has changed/);
    expect(stderr).toMatch(/ssh-keygen -f .* -R/);
    const terminal = type(client.ssh(port, { configuration: strict() }));
    await terminal.until(shows(/has changed/));
    expect((await terminal.exited).exitCode).toBe(3);
  });

  test('a revoked one is refused, also where nothing is checked', async () => {
    known(`${scan()}@revoked * ${scan().split(' ').slice(1).join(' ')}`);
    for (const configuration of [strict(), [...strict(), 'StrictHostKeyChecking no']]) {
      const { status, stderr } = await connect(configuration);
      expect(status).toBe(3);
      expect(stderr).toMatch(/^kdbg: .*revoked/);
    }
  });
});

describe('becoming root', () => {
  const status = async (user: 'plain' | 'sudoer', options: readonly string[] = []) => {
    const ended = await client.run([...client.ssh(port, { user, options }), '--json', '-c', 'status', '-c', 'ps']);
    return { ...ended, answers: answersIn(ended.stdout) };
  };

  test('an ordinary user is told what root would add', async () => {
    const { answers, status: exit } = await status('plain');
    expect(exit).toBe(0);
    expect(JSON.stringify(answers[0])).toMatch(/--sudo/);
    expect(answers[1]?.rows.length).toBeGreaterThan(30);
    const bt = await client.run([...client.ssh(port, { user: 'plain' }), '-c', 'bt 1', '-c', 'rd linux_banner']);
    expect(bt.status).not.toBe(0);
    expect(bt.stderr).toMatch(/root/);
    const log = await client.run([...client.ssh(port, { user: 'plain' }), '-c', 'log']);
    expect(log.status).toBe(1);
    expect(log.stderr).toMatch(/kernel log.*--sudo/);
  });

  test.each(['sudoer', 'ptysudoer'] as const)('--sudo as %s', async (user) => {
    expectReached(await client.run([...client.ssh(port, { user, options: ['--sudo'] }), ...probe]));
  });

  test('--sudo asks once for the password, without echo', async () => {
    const terminal = type(client.ssh(port, { user: 'asker', options: ['--sudo'] }));
    await answer(terminal, /[Pp]assword.*: ?$/, loginUsers.asker.password);
    const rows = await expectKernel(terminal);
    expect(rows.filter((row) => /[Pp]assword/.test(row))).toHaveLength(1);
    expect(rows.join('\n')).not.toMatch(/-word/);
  });

  test('--sudo with a wrong password, with nobody to ask, where it is not allowed, where it wants a terminal', async () => {
    const terminal = type(client.ssh(port, { user: 'asker', options: ['--sudo'] }));
    await answer(terminal, /[Pp]assword.*: ?$/, 'not-this-word');
    await terminal.until(shows(/did not accept/));
    terminal.kill();
    for (const [user, says] of [
      ['asker', /password/],
      ['plain', /password|sudoers/],
      ['tty', /tty|terminal/],
    ] as const) {
      const {
        status: exit,
        stdout,
        stderr,
      } = await client.run([...client.ssh(port, { user, options: ['--sudo'] }), ...probe]);
      expect(exit, user).toBe(3);
      expect(stdout).toBe('');
      expect(stderr, user).toMatch(says);
    }
  });

  test('--sudo over kdbg shell', async () => {
    const over = (await guest.ssh()).map((word) => word.replace('root@', 'sudoer@'));
    expectReached(await client.run(['shell', '--sudo', ...probe, '--', 'ssh', ...over]));
  });
});

describe('secrets', () => {
  test('are in no recording, output, history, cache or process list', async () => {
    const passphrase = 'secret-passphrase-77';
    const path = join(client.folder, '.ssh', 'guarded');
    copyFileSync(client.identity, path);
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', passphrase, '-f', path]);
    const recording = join(client.folder, 'session.kdbg');
    const target = client.ssh(port, {
      user: 'asker',
      identities: [path],
      options: ['--sudo', '--record', recording, '--no-tui'],
    });
    const terminal = client.terminal(target);
    terminals.push(terminal);
    await answer(terminal, /Passphrase for/, passphrase);
    await answer(terminal, /[Pp]assword.*: ?$/, loginUsers.asker.password);
    await terminal.endsWith('kdbg>');
    terminal.type('ps | grep -c .\r');
    await terminal.until((rows) => rows.at(-1) === 'kdbg>' && rows.some((row) => /^\d+$/.test(row)));
    const cmdlines = await guest.must('cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\\0" " "');
    terminal.type('p init_task.comm\r');
    await terminal.until(shows(/swapper/));
    terminal.type('history\r');
    await terminal.until((rows) => rows.at(-1) === 'kdbg>' && shows(/ history$/)(rows));
    const rows = await terminal.until(() => true);
    terminal.type('\x04');
    expect((await terminal.exited).exitCode).toBe(0);

    const secrets = [passphrase, loginUsers.asker.password];
    const replayed = await client.run(['replay', recording]);
    expect(replayed.stdout).toContain('swapper');
    const places = new Map<string, string>([
      ['screen', rows.join('\n')],
      ['processes', cmdlines],
      ['replay', replayed.stdout + replayed.stderr],
      ['console', guest.machine.console()],
      ...[...client.leftovers()].map(([name, bytes]) => [name, bytes.toString('latin1')] as const),
      [`${recording}, unpacked`, unpackedRecording(readFileSync(recording))],
    ]);
    for (const [place, text] of places) {
      for (const secret of secrets) expect(text.includes(secret), `${secret} in ${place}`).toBe(false);
    }
    expect([...places.keys()].some((name) => name.endsWith('history'))).toBe(true);
  });
});

/** The file that -F names. */
function configurationOf(args: readonly string[]): string {
  return args[args.indexOf('-F') + 1] ?? '';
}

function tryRun(program: string, args: readonly string[], env: Readonly<Record<string, string>>): boolean {
  try {
    execFileSync(program, [...args], { env: { ...process.env, ...env }, stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

function tryRead(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
