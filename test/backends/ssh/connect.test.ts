/** Connections to a server in this process: who is let in, by what, and what is asked and told. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import type { AuthContext } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SshOptions } from '../../../src/backends/ssh/options.ts';
import { eventually, listen, withHarness } from './harness.ts';
import { type Agent, hasOpenssh, startAgent } from './openssh.ts';
import { answering, byKey, type TestServer } from './server.ts';

const SECRET = 'correct horse battery';

let agent: Agent;
const harness = withHarness((folder) => {
  folder.key('host-rsa', 'rsa');
  folder.key('locked', 'ed25519', SECRET);
  folder.key('locked-rsa', 'rsa', SECRET);
  folder.key('rsa', 'rsa');
  folder.key('ecdsa', 'ecdsa');
  folder.key('pem', 'rsa', SECRET, '-m', 'PEM');
  folder.key('pkcs8', 'ecdsa', SECRET, '-m', 'PKCS8');
  folder.key('held');
  folder.key('held-rsa', 'rsa');
  folder.key('held-confirmed');
});
const { serve, configured, open, refusal } = harness;

beforeAll(async () => {
  if (!hasOpenssh) return;
  agent = await startAgent(harness.folder);
  agent.add(harness.folder.file('held'));
  agent.add(harness.folder.file('held-rsa'));
  agent.add(harness.folder.file('held-confirmed'), '-c');
});
afterAll(() => agent?.stop());

const byPassword =
  (password: string) =>
  (context: AuthContext): void => {
    if (context.method === 'password' && context.password === password) context.accept();
    else context.reject(['password']);
  };

describe.skipIf(!hasOpenssh)('a key', () => {
  it('lets in, and the shell runs', async () => {
    const server = await serve({ login: byKey(harness.folder.publicKey('plain')) });
    const channel = await open(configured(server.port, [], [harness.folder.file('plain')]));
    const shell = listen(channel);
    channel.write(Buffer.from('echo out; echo err >&2; exit 7\n'));
    expect(channel.name).toBe('ssh web7');
    expect(await shell.ended).toBe('the shell ended with status 7');
    expect(shell.output()).toBe('out\n');
    expect(shell.error()).toBe('err\n');
    expect(server).toMatchObject({
      // Nothing is asked before: that is a round trip less.
      tries: ['publickey ssh-ed25519', 'publickey ssh-ed25519'],
      commands: ['sh'],
    });
  });

  it.each(['rsa', 'ecdsa'])('may be of type %s', async (name) => {
    const server = await serve({ login: byKey(harness.folder.publicKey(name)) });
    await open(configured(server.port, [], [harness.folder.file(name)]));
  });

  it('asks for its passphrase, again when it is wrong, and only when the server takes the key', async () => {
    const server = await serve({ login: byKey(harness.folder.publicKey('locked')) });
    const { ask, asked } = answering('wrong', SECRET);
    await open(configured(server.port, [], [harness.folder.file('locked-rsa'), harness.folder.file('locked')]), {
      ask,
    });
    expect(asked).toEqual([
      { kind: 'secret', lines: [], prompt: `Passphrase for ${harness.folder.file('locked')}: ` },
      {
        kind: 'secret',
        lines: ['That is not the passphrase.'],
        prompt: `Passphrase for ${harness.folder.file('locked')}: `,
      },
    ]);
  });

  it.each(['pem', 'pkcs8'])('may be in the %s format, with no public half beside it', async (name) => {
    const server = await serve({ login: byKey(harness.folder.publicKey(name)) });
    const bare = harness.folder.write(`bare-${name}`, harness.folder.read(name));
    const { ask, asked } = answering(SECRET);
    await open(configured(server.port, [], [bare]), { ask });
    expect(asked).toHaveLength(1);
  });

  it('is not used after three wrong passphrases or none, and neither the error nor a question holds one', async () => {
    const server = await serve({ login: byKey(harness.folder.publicKey('locked')) });
    const options = configured(server.port, [], [harness.folder.file('locked')]);
    const wrong = answering('wrong-1', 'wrong-2', 'wrong-3', SECRET);
    expect(await refusal(options, { ask: wrong.ask })).toMatch(
      /cannot log in to web7 as mo.*locked: the passphrase was wrong/,
    );
    expect(wrong.asked).toHaveLength(3);
    expect(JSON.stringify(wrong.asked)).not.toMatch(/wrong-/);
    const left = answering(undefined, SECRET);
    const message = await refusal(options, { ask: left.ask });
    expect(message).toMatch(/as mo; there was nothing to try;.*locked: its passphrase was not given/);
    expect(left.asked).toHaveLength(1);
  });

  it('of -i goes first and must be there', async () => {
    const server = await serve({ login: byKey(harness.folder.publicKey('plain')) });
    const options = configured(server.port, [], [harness.folder.file('rsa'), harness.folder.file('ecdsa')]);
    await open({ ...options, identityFiles: [harness.folder.file('plain')] });
    expect(server.tries.filter((text) => text.startsWith('publickey'))[0]).toBe('publickey ssh-ed25519');
    expect(await refusal({ ...options, identityFiles: [harness.folder.file('absent')] })).toMatch(
      /absent: there is no such file/,
    );
  });

  it('is refused where others may read it, or where it is no key', async () => {
    const server = await serve({});
    const open = harness.folder.write('open', harness.folder.read('plain'));
    chmodSync(open, 0o644);
    const text = harness.folder.write('text', 'hello');
    const message = await refusal(configured(server.port, [], [open, text]));
    expect(message).toMatch(/open: others may read it.*chmod 600/);
    expect(message).toMatch(/text: it cannot be read/);
    expect(message).toMatch(/there was nothing to try/);
    expect(message).toMatch(/-i KEY/);
  });

  it('that only ssh can use is named, with the way out', async () => {
    const server = await serve({});
    const type = 'sk-ssh-ed25519@openssh.com';
    const length = Buffer.alloc(4);
    length.writeUInt32BE(type.length);
    const blob = Buffer.concat([length, Buffer.from(type), Buffer.alloc(60)]);
    const part = (bytes: Buffer): Buffer => {
      const size = Buffer.alloc(4);
      size.writeUInt32BE(bytes.length);
      return Buffer.concat([size, bytes]);
    };
    const content = Buffer.concat([
      Buffer.from('openssh-key-v1\0'),
      ...[Buffer.from('none'), Buffer.from('none'), Buffer.alloc(0)].map(part),
      Buffer.from([0, 0, 0, 1]),
      part(blob),
      part(Buffer.alloc(64)),
    ]);
    const pem = `-----BEGIN OPENSSH PRIVATE KEY-----\n${content.toString('base64')}\n-----END OPENSSH PRIVATE KEY-----\n`;
    const path = harness.folder.write('fido', pem);
    expect(await refusal(configured(server.port, [], [path]))).toMatch(/FIDO key.*kdbg shell -- ssh web7 sh/);
  });

  it('that is refused is named, with what the server takes', async () => {
    const server = await serve({});
    const message = await refusal(
      configured(server.port, [], [harness.folder.file('plain'), harness.folder.file('rsa')]),
    );
    expect(message).toMatch(
      /refused: \S+plain \(ED25519 SHA256:\S+\.\.\.\), \S+rsa \(RSA SHA256:\S+\.\.\.\); the server takes publickey/,
    );
    await eventually(() => server.open() === 0);
  });
});

describe.skipIf(!hasOpenssh)('the agent', () => {
  const withAgent = (server: TestServer, files: readonly string[] = [], lines: readonly string[] = []): SshOptions =>
    configured(server.port, [`IdentityAgent ${agent.socket}`, ...lines], files);

  it.each(['held', 'held-rsa'])('lets in by %s, which no file holds', async (name) => {
    const server = await serve({ login: byKey(harness.folder.publicKey(name)) });
    await open(withAgent(server));
  });

  it('is asked for the keys of the configuration alone with IdentitiesOnly', async () => {
    const server = await serve({ login: byKey(harness.folder.publicKey('held')) });
    const pub = `${harness.folder.file('held-rsa')}.pub`;
    const lines = ['IdentitiesOnly yes'];
    expect(await refusal(withAgent(server, [pub], lines))).toMatch(/refused: held-rsa of the agent/);
    await open(withAgent(server, [`${harness.folder.file('held')}.pub`], lines));
  });

  it('that refuses to sign is said, and the next key is tried', async () => {
    const login = byKey(harness.folder.publicKey('held-confirmed'), harness.folder.publicKey('plain'));
    const server = await serve({ login });
    const lines = [`IdentityAgent ${agent.socket}`];
    expect(await refusal(configured(server.port, lines))).toMatch(
      /held-confirmed of the agent.*: the agent refused to sign/,
    );
    await open(configured(server.port, lines, [harness.folder.file('plain')]));
  });

  it('that is not there is said', async () => {
    const server = await serve({});
    const message = await refusal(configured(server.port, [`IdentityAgent ${harness.folder.file('no-agent')}`]));
    expect(message).toMatch(/the agent at \S+no-agent: connect ENOENT/);
  });

  it('that talks nonsense is said', async () => {
    const { createServer } = await import('node:net');
    const socket = harness.folder.file('mad-agent');
    const mad = createServer((peer) => peer.end(Buffer.from([0xff, 0xff, 0xff, 0xff, 1, 2]))).listen(socket);
    const server = await serve({});
    expect(await refusal(configured(server.port, [`IdentityAgent ${socket}`]))).toMatch(/no sensible length/);
    mad.close();
  });
});

describe.skipIf(!hasOpenssh)('a password', () => {
  it('is asked for without echo, up to three times', async () => {
    const server = await serve({ login: byPassword(SECRET), banner: 'Only for\x1b]0;evil\x07 friends\r\n' });
    const { ask, asked } = answering('wrong', SECRET);
    await open(configured(server.port), { ask });
    expect(asked).toEqual([
      { kind: 'secret', lines: ['Only for\\x1b]0;evil\\x07 friends'], prompt: '(mo@web7) Password: ' },
      { kind: 'secret', lines: ['The password was not taken.'], prompt: '(mo@web7) Password: ' },
    ]);
    const never = answering('a-1', 'a-2', 'a-3', 'a-4');
    const message = await refusal(configured(server.port), { ask: never.ask });
    expect(message).toMatch(/refused: a password 3 times; the server takes password/);
    expect(never.asked).toHaveLength(3);
    expect(message + JSON.stringify(never.asked)).not.toMatch(/a-\d/);
  });

  it('is not asked for in batch mode, or again when the question was left', async () => {
    const server = await serve({ login: byPassword(SECRET) });
    const batch = answering(SECRET);
    expect(await refusal(configured(server.port, ['BatchMode yes']), { ask: batch.ask })).toMatch(
      /there was nothing to try/,
    );
    expect(batch.asked).toEqual([]);
    const left = answering(undefined);
    await refusal(configured(server.port), { ask: left.ask });
    expect(left.asked).toHaveLength(1);
  });

  it('is wiped once it was used', async () => {
    let seen: Buffer | undefined;
    const server = await serve({
      login: (context) => {
        if (context.method === 'password') context.accept();
        else context.reject(['password']);
      },
    });
    const from = Buffer.from;
    Buffer.from = ((...args: Parameters<typeof from>) => {
      const bytes = from(...args);
      if ((args[0] as unknown) === SECRET) seen = bytes;
      return bytes;
    }) as typeof from;
    try {
      await open(configured(server.port), { ask: answering(SECRET).ask });
    } finally {
      Buffer.from = from;
    }
    expect(seen).toHaveLength(SECRET.length);
    expect(seen?.every((byte) => byte === 0)).toBe(true);
  });

  it('that has expired is explained', async () => {
    const server = await serve({
      login: (context) => {
        if (context.method === 'password') context.requestChange('Change it', () => undefined);
        else context.reject(['password']);
      },
    });
    expect(await refusal(configured(server.port), { ask: answering(SECRET).ask })).toMatch(
      /has expired.*log in with ssh/,
    );
  });
});

describe.skipIf(!hasOpenssh)('questions of the server', () => {
  const questioning =
    (expected: readonly string[]) =>
    (context: AuthContext): void => {
      if (context.method !== 'keyboard-interactive') {
        context.reject(['keyboard-interactive']);
        return;
      }
      const prompts = [
        { prompt: 'Name\x1b[2J:', echo: true },
        { prompt: 'Code: ', echo: false },
      ];
      context.prompt(prompts, 'Two\nsteps', (answers) => {
        if (answers.join() === expected.join()) context.accept();
        else context.reject(['keyboard-interactive']);
      });
    };

  it('are put as they are, made harmless', async () => {
    const server = await serve({ login: questioning(['mo', SECRET]) });
    const { ask, asked } = answering('mo', 'wrong', 'mo', SECRET);
    await open(configured(server.port), { ask });
    expect(asked).toEqual([
      { kind: 'text', lines: ['Two', 'steps'], prompt: '(mo@web7) Name\\x1b[2J: ' },
      { kind: 'secret', lines: [], prompt: '(mo@web7) Code: ' },
      { kind: 'text', lines: ['The answer was not taken.', 'Two', 'steps'], prompt: '(mo@web7) Name\\x1b[2J: ' },
      { kind: 'secret', lines: [], prompt: '(mo@web7) Code: ' },
    ]);
  });

  it('end when they are left, and when they do not end', async () => {
    const server = await serve({ login: questioning(['mo', SECRET]) });
    const { ask, asked } = answering('mo', undefined, 'never');
    expect(await refusal(configured(server.port), { ask })).toMatch(
      /refused: answers \(keyboard-interactive\).*left without an answer.*on the terminal/,
    );
    expect(asked).toHaveLength(2);
    const endless = await serve({
      login: (context) => {
        if (context.method !== 'keyboard-interactive') return context.reject(['keyboard-interactive']);
        const again = (): void => context.prompt([{ prompt: 'More: ', echo: false }], again);
        again();
      },
    });
    let count = 0;
    const patient = async (): Promise<string> => String(++count);
    expect(await refusal(configured(endless.port), { ask: patient })).toMatch(/does not stop asking/);
    expect(count).toBeLessThan(100);
  });
});

describe.skipIf(!hasOpenssh)('several steps', () => {
  it('go on after the key with what the server then takes', async () => {
    const key = byKey(harness.folder.publicKey('plain'));
    const server = await serve({
      login: (context) => {
        const isSigned = context.method === 'publickey' && context.signature !== undefined;
        if (isSigned) steps = 2;
        if (isSigned || (context.method === 'none' && steps === 2)) return context.reject(['password'], isSigned);
        if (context.method === 'password' && steps === 2) return context.accept();
        return key(context);
      },
    });
    let steps = 1;
    const { ask, asked } = answering(SECRET);
    await open(configured(server.port, [], [harness.folder.file('plain'), harness.folder.file('rsa')]), { ask });
    expect(asked).toHaveLength(1);
    expect(server.tries).toEqual(['publickey ssh-ed25519', 'publickey ssh-ed25519', 'none', 'password']);
  });
});

describe.skipIf(!hasOpenssh)('the key of the host', () => {
  const login = (): ((context: AuthContext) => void) => byKey(harness.folder.publicKey('plain'));
  const known = (server: TestServer): string => harness.folder.file(`known-${server.port}`);
  const print = (name: string): string =>
    /SHA256:\S+/.exec(spawnSync('ssh-keygen', ['-l', '-f', harness.folder.file(name)]).stdout.toString())?.[0] ?? '';

  it('that is not known is shown and asked about, then kept', async () => {
    const server = await serve({ login: login() });
    const options = configured(server.port, ['HashKnownHosts yes'], [harness.folder.file('plain')]);
    writeFileSync(known(server), '');
    const told: string[] = [];
    const { ask, asked } = answering('perhaps', 'yes');
    await open(options, { ask, tell: (notice) => told.push(notice) });
    expect(asked).toMatchObject([
      {
        kind: 'confirm',
        lines: [
          'The host "web7" (127.0.0.1) is not known here. Its ED25519 key has the fingerprint',
          `  ${print('host')}`,
        ],
      },
      { kind: 'confirm', prompt: 'Type yes, no, or the fingerprint: ' },
    ]);
    expect(told).toEqual([`added the ED25519 key of [127.0.0.1]:${server.port} to ${known(server)}`]);
    expect(readFileSync(known(server), 'utf8')).toMatch(/^\|1\|/);
    await open(options);
  });

  it.each([['no'], ['SHA256:another'], [undefined], ['x', 'y', 'z']])(
    'that is answered %j is not trusted',
    async (...answers) => {
      const server = await serve({ login: login() });
      const options = configured(server.port, [], [harness.folder.file('plain')]);
      writeFileSync(known(server), '');
      expect(await refusal(options, { ask: answering(...answers).ask })).toMatch(
        /the host key of web7 is not known: it shows ED25519 SHA256/,
      );
      expect(server.tries).toEqual([]);
      expect(readFileSync(known(server), 'utf8')).toBe('');
    },
  );

  it('may be confirmed by its fingerprint', async () => {
    const server = await serve({ login: login() });
    const options = configured(server.port, [], [harness.folder.file('plain')]);
    writeFileSync(known(server), '');
    await open(options, { ask: answering(print('host')).ask });
  });

  it('is asked for by the type that is known', async () => {
    const server = await serve({
      login: login(),
      hostKeys: [harness.folder.file('host'), harness.folder.file('host-rsa')],
    });
    const options = configured(server.port, [], [harness.folder.file('plain')]);
    writeFileSync(known(server), `[127.0.0.1]:${server.port} ${harness.folder.publicKey('host-rsa')}\n`);
    await open(options);
  });

  it('of a new type is asked about, and the known one named, even with accept-new', async () => {
    const server = await serve({ login: login() });
    const options = configured(server.port, ['StrictHostKeyChecking accept-new'], [harness.folder.file('plain')]);
    writeFileSync(known(server), `[127.0.0.1]:${server.port} ${harness.folder.publicKey('host-rsa')}\n`);
    const { ask, asked } = answering('no');
    await refusal(options, { ask });
    expect(asked[0]?.lines.join()).toMatch(/is known by another key, RSA SHA256:.*known-\d+:1/);
  });

  it('that has changed is refused, with where the old one stands and how to remove it', async () => {
    const server = await serve({ login: login() });
    const options = configured(server.port, [], [harness.folder.file('plain')]);
    const name = `[127.0.0.1]:${server.port}`;
    writeFileSync(known(server), `# hosts\n${name} ${harness.folder.publicKey('plain')}\n`);
    for (const strict of ['ask', 'yes', 'accept-new']) {
      const { ask, asked } = answering('yes');
      const message = await refusal({ ...options, settings: [`StrictHostKeyChecking=${strict}`] }, { ask });
      expect(message).toContain(`has changed: it shows ED25519 ${print('host')}`);
      expect(message).toContain(`${known(server)}:2`);
      expect(message).toContain(`ssh-keygen -f ${known(server)} -R '${name}'`);
      expect(asked).toEqual([]);
    }
    expect(server.tries).toEqual([]);
  });

  it('that has changed gets no password where the check is off', async () => {
    const server = await serve({ login: byPassword(SECRET) });
    const options = configured(server.port, ['StrictHostKeyChecking no']);
    writeFileSync(known(server), `[127.0.0.1]:${server.port} ${harness.folder.publicKey('plain')}\n`);
    const { ask, asked } = answering(SECRET);
    expect(await refusal(options, { ask })).toMatch(/nothing to try/);
    expect(asked).toEqual([]);
  });

  it('that is revoked is refused, by known_hosts and by a list', async () => {
    const server = await serve({ login: login() });
    const options = configured(server.port, [], [harness.folder.file('plain')]);
    const list = harness.folder.write('revoked', `${harness.folder.publicKey('host')}\n`);
    expect(await refusal({ ...options, settings: [`RevokedHostKeys=${list}`] })).toMatch(/is revoked: ED25519/);
    writeFileSync(list, 'SSHKRL\n\0');
    expect(await refusal({ ...options, settings: [`RevokedHostKeys=${list}`] })).toMatch(/binary revocation list/);
    writeFileSync(known(server), `@revoked * ${harness.folder.publicKey('host')}\n`, { flag: 'a' });
    expect(await refusal(options)).toMatch(/is revoked: ED25519 .*known-\d+:2/);
  });

  it('follows StrictHostKeyChecking', async () => {
    const server = await serve({ login: login() });
    const options = configured(server.port, [], [harness.folder.file('plain')]);
    writeFileSync(known(server), `@cert-authority * ${harness.folder.publicKey('plain')}\n`);
    const strict = await refusal(
      { ...options, settings: ['StrictHostKeyChecking=yes'] },
      { ask: answering('yes').ask },
    );
    expect(strict).toMatch(/not known.*trusts an authority.*StrictHostKeyChecking is on/);
    expect(await refusal({ ...options, settings: ['BatchMode=yes'] }, { ask: answering('yes').ask })).toMatch(
      /BatchMode/,
    );
    const { ask, asked } = answering();
    await open({ ...options, settings: ['StrictHostKeyChecking=accept-new'] }, { ask });
    expect(asked).toEqual([]);
    await open({ ...options, settings: ['StrictHostKeyChecking=yes'] });
  });
});
