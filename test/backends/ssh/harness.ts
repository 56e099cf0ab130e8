/** What the tests of connections share: a folder of keys, servers, configurations, channels, all closed at the end. */
import { afterAll, afterEach, beforeAll, vi } from 'vitest';
import type { ByteChannel } from '../../../src/backends/remote/channel.ts';
import type { Ask } from '../../../src/backends/remote/question.ts';
import { connectSsh } from '../../../src/backends/ssh/connect.ts';
import { NO_SSH_OPTIONS, type SshOptions } from '../../../src/backends/ssh/options.ts';
import { OpenError } from '../../../src/core/errors.ts';
import { type Folder, hasOpenssh, makeFolder } from './openssh.ts';
import { answering, type ServerOptions, startServer, type TestServer } from './server.ts';

export interface Harness {
  folder: Folder;
  /** A server whose host key is `host`. */
  serve(options: Partial<ServerOptions>): Promise<TestServer>;
  /** Options with a configuration of their own, in which `web7` is the server at a port and its key is known. */
  configured(port: number, lines?: readonly string[], files?: readonly string[]): SshOptions;
  open(options: SshOptions, how?: Opening): Promise<ByteChannel>;
  /** The error of a connection that must not come about, with its hint, in one text. */
  refusal(options: SshOptions, how?: Opening): Promise<string>;
  /** Closes it at the end of the test. */
  closing(end: () => unknown): void;
}

export interface Opening {
  readonly ask?: Ask;
  readonly tell?: (notice: string) => void;
  readonly destination?: string;
  readonly signal?: AbortSignal;
}

/** Waits until a condition holds; ends of connections come when the machine finds time for them. */
export async function eventually(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 15_000, interval: 10 });
}

/** To be called where the tests are declared. `prepare` adds keys to the folder. */
export function withHarness(prepare: (folder: Folder) => void = () => undefined): Harness {
  let endings: (() => unknown)[] = [];
  const harness = { closing: (end: () => unknown) => endings.push(end) } as unknown as Harness;
  beforeAll(() => {
    if (!hasOpenssh) return;
    harness.folder = makeFolder();
    harness.folder.key('host');
    harness.folder.key('plain');
    prepare(harness.folder);
  });
  afterAll(() => harness.folder?.remove());
  afterEach(async () => {
    const ended = endings.toReversed();
    endings = [];
    for (const end of ended) await end();
  });
  harness.serve = async (options) => {
    const server = await startServer({ hostKeys: [harness.folder.file('host')], ...options });
    harness.closing(() => server.stop());
    return server;
  };
  harness.configured = (port, lines = [], files = []) => {
    const { folder } = harness;
    const known = folder.write(`known-${port}`, `[127.0.0.1]:${port} ${folder.publicKey('host')}\n`);
    const config = [
      ...lines,
      'Host web7',
      '  HostName 127.0.0.1',
      `  Port ${port}`,
      '  User mo',
      'Host *',
      `  UserKnownHostsFile ${known}`,
      '  GlobalKnownHostsFile none',
      ...(files.length === 0 ? ['  IdentityFile none'] : files.map((file) => `  IdentityFile ${file}`)),
      '  IdentityAgent none',
      '',
    ];
    return { ...NO_SSH_OPTIONS, configFile: folder.write(`config-${port}`, config.join('\n')) };
  };
  harness.open = async (options, { ask = answering().ask, tell, destination = 'web7', signal } = {}) => {
    const channel = await connectSsh(destination, options, 'sh', ask, signal ?? new AbortController().signal, tell);
    harness.closing(() => channel.close());
    return channel;
  };
  harness.refusal = async (options, how) => {
    const error = await harness.open(options, how).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (!(error instanceof OpenError)) throw error ?? new Error('it was let in');
    return `${error.message} | ${error.hint ?? ''}`;
  };
  return harness;
}

export interface Listened {
  readonly output: () => string;
  readonly error: () => string;
  readonly received: () => number;
  readonly drains: () => number;
  /** Why it ended. */
  readonly ended: Promise<string>;
}

export function listen(channel: ByteChannel): Listened {
  let output = '';
  let error = '';
  let received = 0;
  let drains = 0;
  const ended = new Promise<string>((resolve) => {
    channel.listen({
      onData: (bytes) => {
        received += bytes.length;
        if (output.length < 10_000) output += Buffer.from(bytes).toString();
      },
      onError: (bytes) => {
        error = (error + Buffer.from(bytes).toString()).slice(0, 10_000);
      },
      onDrain: () => {
        drains++;
      },
      onEnd: resolve,
    });
  });
  return { output: () => output, error: () => error, received: () => received, drains: () => drains, ended };
}
