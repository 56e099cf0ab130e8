/** Connections to a real sshd on this machine: in a temporary folder, on a loopback port, in its own namespace. */
import { readFileSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listen, withHarness } from './harness.ts';
import { type Agent, hasSshd, type Running, startAgent, startSshd } from './openssh.ts';
import { answering } from './server.ts';

const SECRET = 'correct horse battery';
const ME = userInfo().username;

let sshd: Running;
let gate: Running;
let agent: Agent;
const harness = withHarness((folder) => {
  folder.key('host-rsa', 'rsa');
  folder.key('locked', 'ed25519', SECRET);
  folder.key('held');
  for (let i = 0; i < 8; i++) folder.key(`other-${i}`);
});
const { configured, open, refusal } = harness;

beforeAll(async () => {
  if (!hasSshd) return;
  const { folder } = harness;
  const keys = folder.write('authorized', ['plain', 'locked', 'held'].map((name) => folder.publicKey(name)).join('\n'));
  const forced = folder.write(
    'forced',
    `command="echo only this; exit 3" ${folder.publicKey('plain')}\ncommand="internal-sftp" ${folder.publicKey('held')}\n`,
  );
  const settings = [
    `HostKey ${folder.file('host')}`,
    `HostKey ${folder.file('host-rsa')}`,
    `Banner ${folder.write('banner', 'Members only\n')}`,
    'Subsystem sftp internal-sftp',
    'RekeyLimit 1M',
  ];
  sshd = await startSshd(folder, [...settings, `AuthorizedKeysFile ${keys}`]);
  gate = await startSshd(folder, [...settings, `AuthorizedKeysFile ${forced}`]);
  agent = await startAgent(folder);
});
afterAll(async () => {
  await sshd?.stop();
  await gate?.stop();
  await agent?.stop();
});

const me = (lines: readonly string[] = []): readonly string[] => [`User ${ME}`, ...lines];

async function id(options: Parameters<typeof open>[0], how?: Parameters<typeof open>[1]): Promise<void> {
  const channel = await open(options, how);
  const shell = listen(channel);
  channel.write(Buffer.from('id -un; tty; exit 4\n'));
  expect(await shell.ended).toBe('the shell ended with status 4');
  expect(shell.output()).toBe(`${ME}\nnot a tty\n`);
}

describe.skipIf(!hasSshd)('sshd', () => {
  const plain = (): string[] => [harness.folder.file('plain')];

  it('lets in by key, and the shell has no terminal', async () => {
    await id(configured(sshd.port, me(), plain()));
  });

  it('makes new session keys on the way, with nothing asked again', async () => {
    const options = configured(sshd.port, me(), plain());
    writeFileSync(harness.folder.file(`known-${sshd.port}`), '');
    const { ask, asked } = answering('yes', 'no', 'no');
    const channel = await open(options, { ask });
    const shell = listen(channel);
    channel.write(Buffer.from('head -c 20000000 /dev/zero; exec cat >/dev/null\n'));
    for (let i = 0; i < 80; i++) channel.write(Buffer.alloc(64 * 1024));
    await expect.poll(() => shell.received(), { timeout: 20_000 }).toBe(20_000_000);
    expect(asked).toHaveLength(1);
  });

  it('lets in by an encrypted key and by the agent', async () => {
    const { ask, asked } = answering(SECRET);
    await id(configured(sshd.port, me(), [harness.folder.file('locked')]), { ask });
    expect(asked).toHaveLength(1);
    agent.add(harness.folder.file('held'));
    await id(configured(sshd.port, me([`IdentityAgent ${agent.socket}`])));
  });

  it('gives up after six keys, which is explained; -i goes first', async () => {
    const another = await startAgent({ ...harness.folder, file: (name) => harness.folder.file(`second-${name}`) });
    harness.closing(() => another.stop());
    for (let i = 0; i < 8; i++) another.add(harness.folder.file(`other-${i}`));
    const many = configured(sshd.port, me([`IdentityAgent ${another.socket}`]), plain());
    const message = await refusal(many);
    expect(message).toMatch(/Too many authentication failures.*tried: other-0 of the agent/);
    expect(message).toMatch(/\| name the right key with -i KEY, or set IdentitiesOnly yes/);
    await id({ ...many, identityFiles: plain() });
  });

  it('takes no key: which ones were tried, and what it takes', async () => {
    expect(await refusal(configured(sshd.port, me(), [harness.folder.file('other-1')]))).toMatch(
      /cannot log in to web7 as \S+; refused: \S+other-1 \(ED25519.*; the server takes publickey,/,
    );
  });

  it('is known by hashed names that ssh-keygen wrote, by either of its keys', async () => {
    for (const name of ['host', 'host-rsa']) {
      const options = configured(sshd.port, me(['HashKnownHosts yes']), plain());
      const known = harness.folder.file(`known-${sshd.port}`);
      writeFileSync(known, '');
      await id(
        { ...options, settings: [`HostKeyAlgorithms=${name === 'host' ? 'ssh-ed25519' : 'rsa-sha2-256'}`] },
        answering('yes'),
      );
      expect(readFileSync(known, 'utf8')).toMatch(name === 'host' ? /^\|1\|\S+ ssh-ed25519/ : /^\|1\|\S+ ssh-rsa/);
      await id(options);
    }
  });

  it('is reached through another, by -J and by a ProxyCommand of ssh itself', async () => {
    const { folder } = harness;
    const jump = [
      'Host jump',
      '  HostName 127.0.0.1',
      `  Port ${sshd.port}`,
      `  IdentityFile ${folder.file('plain')}`,
      `  UserKnownHostsFile ${folder.write('known-jump', `[127.0.0.1]:${sshd.port} ${folder.publicKey('host')}\n`)}`,
    ];
    const options = configured(sshd.port, me(jump), plain());
    await id({ ...options, jump: 'jump' });
    const command = `ssh -F ${options.configFile} -W %h:%p jump`;
    await id({ ...options, settings: [`ProxyCommand=${command}`] });
  });

  it('that forces a command shows what that says', async () => {
    const shell = listen(await open(configured(gate.port, me(), plain())));
    expect(await shell.ended).toBe('the shell ended with status 3');
    expect(shell.output()).toBe('only this\n');
    const sftp = await open(configured(gate.port, me([`IdentityAgent ${agent.socket}`])));
    sftp.write(Buffer.from('echo hello\n'));
    expect(await listen(sftp).ended).toMatch(/^the shell/);
  });

  it('ends what runs there when the channel is closed', async () => {
    const pid = harness.folder.file('pid');
    const channel = await open(configured(sshd.port, me(), plain()));
    listen(channel);
    channel.write(Buffer.from(`echo $$ > ${pid}; cat\n`));
    await expect.poll(() => Number(readOrNothing(pid)), { timeout: 10_000 }).toBeGreaterThan(0);
    const number = Number(readOrNothing(pid));
    channel.close();
    await expect.poll(() => isAlive(number), { timeout: 10_000 }).toBe(false);
  });
});

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
