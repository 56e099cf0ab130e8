/** The shell as a byte stream: back-pressure, ends in words, nothing left over; and servers that mean ill. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Connection, ServerChannel } from 'ssh2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OpenError } from '../../../src/core/errors.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';
import { eventually, listen, withHarness } from './harness.ts';
import { hasOpenssh } from './openssh.ts';
import { byKey, type ServerOptions, type TestServer } from './server.ts';

const harness = withHarness();
const { serve, configured, open, refusal } = harness;

const uncaught: unknown[] = [];
const note = (error: unknown): void => void uncaught.push(error);
beforeAll(() => {
  process.on('uncaughtExceptionMonitor', note);
});
afterAll(() => {
  process.off('uncaughtExceptionMonitor', note);
  expect(uncaught).toEqual([]);
});

const start = (options: Partial<ServerOptions> = {}): Promise<TestServer> =>
  serve({ login: byKey(harness.folder.publicKey('plain')), ...options });
const options = (port: number, lines: readonly string[] = []) =>
  configured(port, lines, [harness.folder.file('plain')]);

/** A relay before a server, which may stop, be cut, or change what comes. */
async function relay(
  port: number,
  change: (bytes: Buffer) => Uint8Array = (bytes) => bytes,
  bytesASecond = Number.POSITIVE_INFINITY,
) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far);
    far.on('data', (bytes) => {
      near.write(change(bytes));
      if (bytesASecond === Number.POSITIVE_INFINITY) return;
      far.pause();
      setTimeout(() => far.resume(), (bytes.length / bytesASecond) * 1000);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness.closing(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as { port: number }).port,
    pause: () => {
      for (const socket of sockets) socket.pause().removeAllListeners('data');
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
  };
}

describe.skipIf(!hasOpenssh)('the shell', () => {
  it('carries bytes as they are, both ways, many and large', async () => {
    const server = await start();
    const channel = await open(options(server.port));
    const shell = listen(channel);
    channel.write(Buffer.from('exec wc -c\n'));
    const chunk = Buffer.alloc(1024 * 1024, 0);
    for (let i = 0; i < 8; i++) {
      if (!channel.write(chunk)) {
        const before = shell.drains();
        await eventually(() => shell.drains() > before);
      }
    }
    expect(shell.drains()).toBeGreaterThan(0);
    const another = await open(options(server.port));
    const binary = listen(another);
    another.write(Buffer.from(`printf '\\377\\000\\001'; head -c 5000000 /dev/zero; exit\n`));
    await binary.ended;
    expect(binary.received()).toBe(5_000_003);
  });

  it('holds the far side while it is paused', async () => {
    let sent = 0;
    const server = await start({
      exec: (channel) => {
        const chunk = Buffer.alloc(64 * 1024);
        const go = (): void => {
          while (channel.write(chunk) && sent < 100_000_000) sent += chunk.length;
          channel.once('drain', go);
        };
        go();
      },
    });
    const channel = await open(options(server.port));
    const shell = listen(channel);
    await eventually(() => shell.received() > 1_000_000);
    channel.pause();
    await new Promise((later) => setTimeout(later, 100));
    const held = shell.received();
    const unread = sent - held;
    await new Promise((later) => setTimeout(later, 300));
    expect(shell.received()).toBe(held);
    expect(unread).toBeLessThan(6 * 1024 * 1024);
    channel.resume();
    await eventually(() => shell.received() > held + 3_000_000);
  });

  it('keeps what comes before somebody listens', async () => {
    const server = await start({
      exec: (channel) => {
        channel.write('early');
        channel.stderr.write('complaint');
      },
    });
    const channel = await open(options(server.port));
    await new Promise((later) => setTimeout(later, 100));
    const shell = listen(channel);
    await eventually(() => shell.output() === 'early' && shell.error() === 'complaint');
  });

  it('closed here ends over there, tells once, and leaves no connection', async () => {
    const server = await start();
    const channel = await open(options(server.port));
    const whys: string[] = [];
    const ends = { onData: () => undefined, onError: () => undefined, onDrain: () => undefined };
    channel.listen({ ...ends, onEnd: (why) => whys.push(why) });
    channel.close();
    channel.close();
    expect(channel.write(Buffer.from('x'))).toBe(true);
    await eventually(() => server.open() === 0);
    expect(whys).toEqual(['closed']);
  });

  it.each<[string, (channel: ServerChannel) => void, RegExp]>([
    [
      'a status',
      (channel) => {
        channel.exit(127);
        channel.end();
      },
      /^the shell ended with status 127$/,
    ],
    [
      'a signal',
      (channel) => {
        channel.exit('KILL', false, 'no\x1b[2Jmercy');
        channel.end();
      },
      /^the shell was ended by SIGKILL: no\\x1b\[2Jmercy$/,
    ],
    ['nothing', (channel) => void channel.end(), /^the shell (was closed|closed its output)$/],
  ])('that ends with %s says so', async (_what, end, words) => {
    const server = await start({ exec: end });
    expect(await listen(await open(options(server.port))).ended).toMatch(words);
  });

  it('that loses its connection says how', async () => {
    const server = await start();
    const middle = await relay(server.port);
    const reset = listen(await open(options(middle.port)));
    middle.cut();
    expect(await reset.ended).toMatch(/the connection was reset|closed the connection/);
    const ended = listen(await open(options(server.port)));
    for (const connection of server.connections()) connection.end();
    expect(await ended.ended).toMatch(/the server closed the connection/);
  });

  it('that falls silent is noticed', async () => {
    const server = await start();
    const middle = await relay(server.port);
    const shell = listen(await open(options(middle.port, ['ServerAliveInterval 1', 'ServerAliveCountMax 1'])));
    middle.pause();
    expect(await shell.ended).toBe('the server did not answer for 1 s');
  });

  it('that comes slowly is not taken for silent', async () => {
    const server = await start();
    // 200 kB/s: what the server answers to "are you there" waits behind two megabytes.
    const middle = await relay(server.port, undefined, 200_000);
    const channel = await open(options(middle.port, ['ServerAliveInterval 1', 'ServerAliveCountMax 1']));
    const shell = listen(channel);
    channel.write(Buffer.from('cat /dev/zero\n'));
    const end = await Promise.race([shell.ended, new Promise((later) => setTimeout(() => later('alive'), 5000))]);
    expect(end).toBe('alive');
    expect(shell.received()).toBeGreaterThan(400_000);
  });
});

describe.skipIf(!hasOpenssh)('a server that gives no shell', () => {
  it('is explained', async () => {
    const noExec = await start({ refusesExec: true });
    expect(await refusal(options(noExec.port))).toMatch(/web7 does not run commands/);
    const noSession = await start({ refusesSessions: true });
    expect(await refusal(options(noSession.port))).toMatch(/web7 does not run commands: .*open failure/);
    const rude = await start({ onConnection: (connection) => connection.on('ready', () => connection.end()) });
    expect(await refusal(options(rude.port))).toMatch(/the connection to web7 ended/);
    await eventually(() => noExec.open() + noSession.open() === 0);
  });
});

/** Speaks as it likes to whoever connects. */
async function speaker(speak: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    harness.closing(() => socket.destroy());
    speak(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  harness.closing(() => server.close());
  return (server.address() as { port: number }).port;
}

/** One message as it is, wrapped and encrypted as the protocol asks: by the inside of ssh2's server. */
function sendRaw(connection: Connection, payload: Buffer): void {
  const { _protocol: protocol } = connection as unknown as {
    _protocol: {
      _cipher: { encrypt(packet: Buffer): void };
      _packetRW: { write: { allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } };
    };
  };
  const { write } = protocol._packetRW;
  const packet = write.alloc(payload.length);
  packet.set(payload, write.allocStart);
  protocol._cipher.encrypt(write.finalize(packet));
}

describe.skipIf(!hasOpenssh)('a hostile server', () => {
  const quick = ['ConnectTimeout 2'];

  it.each<[string, (socket: Socket) => void]>([
    [
      'random bytes',
      (socket) => void socket.write(Buffer.from(Array.from({ length: 5000 }, (_, i) => (i * 7919) % 251))),
    ],
    ['another protocol', (socket) => void socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['terminal escapes', (socket) => void socket.end('SSH-2.0-\x1b]0;owned\x07\r\n\x1b[2J\x1b[2J')],
    ['an old version', (socket) => void socket.write('SSH-1.5-old\r\n')],
    [
      'a line without end',
      (socket) => {
        const go = (): void => {
          while (!socket.destroyed && socket.write('x'.repeat(65_536)));
        };
        socket.on('drain', go);
        go();
      },
    ],
    [
      'lines without end',
      (socket) => {
        const go = (): void => {
          while (!socket.destroyed && socket.write('hello\r\n'.repeat(1000)));
        };
        socket.on('drain', go);
        go();
      },
    ],
    [
      'a huge packet',
      (socket) =>
        void socket.write(
          Buffer.concat([
            Buffer.from('SSH-2.0-x\r\n'),
            Buffer.from([0x7f, 0xff, 0xff, 0xff, 4]),
            Buffer.alloc(100_000),
          ]),
        ),
    ],
    [
      'an empty packet',
      (socket) => void socket.write(Buffer.concat([Buffer.from('SSH-2.0-x\r\n'), Buffer.alloc(5000)])),
    ],
    ['its end', (socket) => void socket.end('SSH-2.0-x\r\n')],
    ['silence', () => undefined],
  ])('that sends %s is refused in words, soon and without harm', async (_what, speak) => {
    const port = await speaker(speak);
    const before = performance.now();
    const message = await refusal(options(port, quick));
    expect(message).toMatch(/^cannot connect to web7: /);
    expect(message).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(performance.now() - before).toBeLessThan(8000);
  });

  it('that damages its packets is refused or closed', async () => {
    const server = await start();
    const random = seededRandom(11);
    const rounds = Array.from({ length: 32 }, async (_, round) => {
      let count = 0;
      const middle = await relay(server.port, (bytes) =>
        count++ === round % 8 ? mutate(new Uint8Array(bytes), random) : bytes,
      );
      const outcome = await open(options(middle.port, [...quick, 'StrictHostKeyChecking no'])).then(
        (channel) => channel.close(),
        (error: unknown) => error,
      );
      if (outcome !== undefined) expect(outcome).toBeInstanceOf(OpenError);
    });
    await Promise.all(rounds);
  });

  it('that sends nonsense well wrapped, before and after the login, ends in words at worst', async () => {
    const random = seededRandom(5);
    const type = (): number =>
      [1, 2, 4, 7, 20, 31, 51, 53, 60, 80, 81, 90, 91, 93, 94, 95, 96, 97, 98, 99][Math.floor(random() * 20)] as number;
    const nonsense = (): Buffer => {
      const bytes = Buffer.from(
        Array.from({ length: Math.floor(random() * 60) }, () => (random() < 0.5 ? 0 : random() * 256)),
      );
      return Buffer.concat([Buffer.from([type()]), bytes]);
    };
    const ends: string[] = [];
    const rounds = Array.from({ length: 60 }, async (_, round) => {
      const server = await start({
        onConnection: (connection) => {
          const when = round % 3 === 0 ? 'authentication' : 'ready';
          connection.on(when as 'ready', () => setTimeout(() => sendRaw(connection, nonsense()), 5));
        },
      });
      try {
        const channel = await open(options(server.port, quick));
        const shell = listen(channel);
        const why = await Promise.race([
          shell.ended,
          new Promise<string>((later) => setTimeout(() => later('alive'), 500)),
        ]);
        ends.push(why);
      } catch (error) {
        expect(error).toBeInstanceOf(OpenError);
        ends.push((error as Error).message);
      }
    });
    await Promise.all(rounds);
    for (const why of ends) expect(why).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
    expect(ends.filter((why) => why !== 'alive').length).toBeGreaterThan(5);
  });

  it('that sends more than its window is cut off', async () => {
    const server = await start({
      exec: (channel) => {
        const inside = channel as unknown as { outgoing: { window: number } };
        // No part of the window: ssh2 drops what comes after exactly the whole of it.
        const chunk = Buffer.alloc(30_000);
        const timer = setInterval(() => {
          for (let i = 0; i < 32; i++) {
            inside.outgoing.window = 1 << 30;
            channel.write(chunk);
          }
        }, 5);
        channel.on('close', () => clearInterval(timer));
      },
    });
    const channel = await open(options(server.port));
    channel.pause();
    const shell = listen(channel);
    expect(await shell.ended).toBe('the server sent more than it was allowed to');
    await eventually(() => server.open() === 0);
  });

  it('that writes a long complaint before anybody listens is held to a bound', async () => {
    const server = await start({
      exec: (channel) => void channel.stderr.write(Buffer.alloc(1_500_000, 'x')),
    });
    const channel = await open(options(server.port));
    await new Promise((later) => setTimeout(later, 200));
    let received = 0;
    const count = (bytes: Uint8Array): void => {
      received += bytes.length;
    };
    const rest = { onData: () => undefined, onDrain: () => undefined, onEnd: () => undefined };
    channel.listen({ ...rest, onError: count });
    expect(received).toBe(64 * 1024);
  });

  it('says goodbye in its own words, made harmless', async () => {
    const server = await start({
      onConnection: (connection) => {
        connection.on('authentication', () => {
          const { _protocol } = connection as unknown as { _protocol: { disconnect(code: number): void } };
          _protocol.disconnect(14);
        });
      },
      login: () => undefined,
    });
    expect(await refusal(options(server.port))).toMatch(/cannot log in to web7 as mo/);
  });
});
