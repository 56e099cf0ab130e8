/** The ways to a host: jump hosts, proxy commands, addresses; and what is said when there is none. */
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../src/core/errors.ts';
import { eventually, listen, withHarness } from './harness.ts';
import { freePort, hasOpenssh } from './openssh.ts';
import { answering, byKey, type ServerOptions } from './server.ts';

const harness = withHarness((folder) => {
  folder.key('gate-host');
  folder.key('gate-key');
});
const { serve, configured, open, refusal } = harness;

const target = (options: Partial<ServerOptions> = {}) =>
  serve({ login: byKey(harness.folder.publicKey('plain')), ...options });
const gate = (options: Partial<ServerOptions> = {}) =>
  serve({
    login: byKey(harness.folder.publicKey('gate-key')),
    hostKeys: [harness.folder.file('gate-host')],
    ...options,
  });

/** A jump host by this name: its own user, key and known hosts. */
const gateLines = (name: string, port: number, ...more: readonly string[]): readonly string[] => [
  `Host ${name}`,
  '  HostName 127.0.0.1',
  `  Port ${port}`,
  '  User jumper',
  `  IdentityFile ${harness.folder.file('gate-key')}`,
  ...more.map((line) => `  ${line}`),
  `  UserKnownHostsFile ${harness.folder.write(`known-${name}`, `[127.0.0.1]:${port} ${harness.folder.publicKey('gate-host')}\n`)}`,
];

async function works(options: Parameters<typeof open>[0], how?: Parameters<typeof open>[1]): Promise<void> {
  const channel = await open(options, how);
  const shell = listen(channel);
  channel.write(Buffer.from('echo here; exit\n'));
  expect(await shell.ended).toMatch(/status 0/);
  expect(shell.output()).toBe('here\n');
}

describe.skipIf(!hasOpenssh)('jump hosts', () => {
  it('lead on, each with its own user, key and known host, and nothing stays open', async () => {
    const [there, first, second] = await Promise.all([target(), gate(), gate()]);
    const plain = [harness.folder.file('plain')];
    const lines = [
      ...gateLines('first', first.port),
      ...gateLines('second', second.port),
      'Host web7',
      '  ProxyJump first,second',
    ];
    await works(configured(there.port, lines, plain));
    expect(first.tries.at(-1)).toBe('publickey ssh-ed25519');
    await eventually(() => first.open() + second.open() + there.open() === 0);
    expect([first.made(), second.made(), there.made()]).toEqual([1, 1, 1]);
  });

  it('may be given with -J, and by the configuration of the jump host itself', async () => {
    const [there, first, second] = await Promise.all([target(), gate(), gate()]);
    const lines = [...gateLines('first', first.port), ...gateLines('second', second.port, 'ProxyJump first')];
    const options = configured(there.port, lines, [harness.folder.file('plain')]);
    await works({ ...options, jump: 'second' });
    expect([first.made(), second.made()]).toEqual([1, 1]);
  });

  it('are verified: an unknown one is asked about, a changed one refused', async () => {
    const [there, first] = await Promise.all([target(), gate()]);
    const options = { ...configured(there.port, gateLines('first', first.port)), jump: 'first' };
    harness.folder.write('known-first', '');
    const { ask, asked } = answering('no');
    expect(await refusal(options, { ask })).toMatch(/the host key of first is not known/);
    expect(asked[0]?.lines[0]).toMatch(/"first" \(127\.0\.0\.1\)/);
    harness.folder.write('known-first', `[127.0.0.1]:${first.port} ${harness.folder.publicKey('host')}\n`);
    expect(await refusal(options)).toMatch(/the host key of first has changed/);
    expect(there.made()).toBe(0);
  });

  it('that refuse or do not reach the next host are named', async () => {
    const [there, closed] = await Promise.all([target(), gate({ refusesTunnels: true })]);
    const options = configured(there.port, gateLines('first', closed.port));
    expect(await refusal({ ...options, jump: 'first' })).toMatch(/first does not connect to 127\.0\.0\.1 port \d+/);
    expect(await refusal({ ...options, jump: 'me@nowhere.invalid' })).toMatch(
      /cannot connect to nowhere\.invalid: no host/,
    );
    expect(await refusal({ ...options, jump: '-oX=y' }).catch(String)).toMatch(/Invalid -J argument/);
    await eventually(() => closed.open() === 0);
  });

  it('that lead in a circle are noticed; one that is the host itself is left out', async () => {
    const there = await target();
    const circle = ['Host a', '  ProxyJump b', 'Host b', '  ProxyJump a'];
    expect(await refusal(configured(there.port, circle), { destination: 'a' })).toMatch(/more than 8 hosts/);
    await works(configured(there.port, ['Host *', '  ProxyJump web7'], [harness.folder.file('plain')]));
  });
});

describe.skipIf(!hasOpenssh)('a proxy command', () => {
  const relay = (): string =>
    harness.folder.write(
      'relay.mjs',
      `import { writeFileSync } from 'node:fs';
       import { connect } from 'node:net';
       if (process.argv[4]) writeFileSync(process.argv[4], String(process.pid));
       const socket = connect(Number(process.argv[3]), process.argv[2]);
       process.stdin.pipe(socket).pipe(process.stdout);
       socket.on('error', (error) => { console.error('relay: \\x1b[2J' + error.message); process.exit(9); });
       socket.on('close', () => process.exit());`,
    );
  const proxied = (command: string): readonly string[] => ['Host web7', `  ProxyCommand ${command}`];

  it('carries the connection and ends with it', async () => {
    const there = await target();
    const pid = harness.folder.file('pid');
    const lines = proxied(`"${process.execPath}" ${relay()} %h %p ${pid}`);
    await works(configured(there.port, lines, [harness.folder.file('plain')]));
    const number = Number(harness.folder.read('pid'));
    await eventually(() => {
      try {
        return !process.kill(number, 0);
      } catch {
        return true;
      }
    });
  });

  it('that fails is quoted, with its status and what it wrote', async () => {
    const there = await target();
    const command = `"${process.execPath}" ${relay()} %h 1`;
    const message = await refusal(configured(there.port, proxied(command)));
    expect(message).toMatch(
      /cannot connect to web7.*ProxyCommand.*it ended with status 9: relay: \\x1b\[2J.*ECONNREFUSED/,
    );
    const absent = await refusal(configured(there.port, proxied('/no/such/program')));
    expect(absent).toMatch(/it ended with status 12[67]:.*no\/such\/program/);
  });
});

describe.skipIf(!hasOpenssh)('no way', () => {
  it('is said in words', async () => {
    const port = await freePort();
    expect(await refusal(configured(port))).toMatch(
      /^cannot connect to web7: \[127\.0\.0\.1\]:\d+: connection refused/,
    );
    expect(await refusal(configured(port), { destination: 'nowhere.invalid' })).toMatch(
      /^cannot connect to nowhere\.invalid: no host of this name is known/,
    );
  });

  it('takes no longer than ConnectTimeout to be found', async () => {
    // A server that takes connections and says nothing.
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    harness.closing(() => silent.close());
    const { port } = silent.address() as { port: number };
    const before = performance.now();
    const options = { ...configured(port), settings: ['ConnectTimeout=1'] };
    expect(await refusal(options)).toMatch(/cannot connect to web7: no answer within 1 s/);
    expect(performance.now() - before).toBeLessThan(5000);
  });

  it('is looked for no longer when the user stops it', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as { port: number };
    const stop = new AbortController();
    const opening = open(configured(port), { signal: stop.signal });
    const left = new Promise<void>((resolve) =>
      silent.on('connection', (socket) => socket.on('close', () => resolve()).resume()),
    );
    setTimeout(() => stop.abort(), 200);
    await expect(opening).rejects.toThrow(CancelledError);
    await left;
    silent.close();
    await expect(open(configured(port), { signal: AbortSignal.abort() })).rejects.toThrow(CancelledError);
  });
});
