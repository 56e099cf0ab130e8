/**
 * `kdbg ssh` to servers that mean no good. Each run must end by itself, in bounded time and memory, with status 3 or 1, say
 * why in words, and give the terminal nothing to obey.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  flood,
  type HostileBehaviour,
  type HostileServer,
  openHostileServer,
  randomChunk,
  TERMINAL_ESCAPES,
} from '../support/hostile-server.ts';
import { buildProgram, type Ended, type Program } from '../support/program.ts';

const PATIENCE_MS = 90_000;
const MEMORY_MB = 400;

let program: Program;
const servers: HostileServer[] = [];
beforeAll(() => {
  program = buildProgram();
}, PATIENCE_MS);
afterAll(() => program.remove());
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function connect(behaviour: HostileBehaviour): Promise<Ended> {
  const server = await openHostileServer(behaviour);
  servers.push(server);
  const settings = ['StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'IdentityAgent=none'];
  const target = ['ssh', '-F', 'none', ...settings.flatMap((each) => ['-o', each]), `mo@127.0.0.1:${server.port}`];
  return program.run([...target, '--no-rc', '-c', 'status'], { timeoutMs: PATIENCE_MS });
}

/** What holds for every run. */
function expectTame({ status, signal, stdout, stderr, memoryMb }: Ended): void {
  const told = `${signal} ${status}\n${stdout.slice(0, 2000)}\n--\n${stderr.slice(0, 2000)}`;
  expect(signal, told).toBe(null);
  expect(status, told).toBe(3);
  expect(stdout).toBe('');
  expect(stderr, told).toMatch(/^kdbg: /m);
  expect(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e\u2066]/.exec(stderr), told).toBe(null);
  expect(stderr, told).not.toMatch(/internal error|undefined|\[object|at .*\.js:/);
  expect(stderr.length, told).toBeLessThan(10_000);
  expect(memoryMb, told).toBeLessThan(MEMORY_MB);
}

const hostKeyThenHuge = Buffer.from('SSH-2.0-OpenSSH_9.2\r\n\xff\xff\xff\xf0\x05\x14', 'latin1');

describe('a server', () => {
  const cases: readonly (readonly [string, HostileBehaviour])[] = [
    ['that closes at once', { raw: (socket) => socket.end() }],
    ['that says nothing', { raw: (socket) => socket.resume() }],
    ['of random bytes', { raw: (socket) => flood(socket, randomChunk) }],
    [
      'that never comes to its version',
      { raw: (socket) => flood(socket, () => `${TERMINAL_ESCAPES}\r\n`.repeat(500)) },
    ],
    ['whose version never ends', { raw: (socket) => flood(socket, () => `SSH-2.0-${'a'.repeat(30_000)}`) }],
    ['that announces a huge packet', { raw: (socket) => void socket.write(hostKeyThenHuge) }],
    ['of another protocol', { raw: (socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n') }],
    ['with escapes in its version', { ident: TERMINAL_ESCAPES.replaceAll('\r', '') }],
    ['with escapes before its version and a shell that is none', { greeting: TERMINAL_ESCAPES }],
    ['that refuses all, with a banner of escapes', { banner: TERMINAL_ESCAPES, login: (context) => context.reject() }],
    [
      'that offers methods nobody has',
      { login: (context) => context.reject([TERMINAL_ESCAPES as 'password', 'hostbased']) },
    ],
    ['that starts no command', {}],
    ['whose shell is random bytes', { command: (channel) => flood(channel, randomChunk) }],
    ['whose shell is zeros', { command: (channel) => flood(channel, () => new Uint8Array(32_768)) }],
    [
      'whose shell only complains',
      { command: (channel) => flood(channel.stderr, () => `${TERMINAL_ESCAPES}\n`.repeat(500)) },
    ],
    [
      'whose shell ends with a signal that it names itself',
      {
        command: (channel) => {
          channel.exit(TERMINAL_ESCAPES, false, TERMINAL_ESCAPES);
          channel.end();
        },
      },
    ],
    ['that drops the connection when the shell starts', { command: (_, client) => void client.end() }],
  ];
  it.concurrent.each(cases)('%s', { timeout: PATIENCE_MS + 5000 }, async (_, behaviour) => {
    expectTame(await connect(behaviour));
  });
});
