/** An SSH server in this process (ssh2's own), to be made as helpful or as hostile as a test needs. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';
import type { Question } from '../../../src/backends/remote/question.ts';

export interface ServerOptions {
  readonly hostKeys: readonly string[];
  readonly banner?: string;
  /** Decides on each try; by default nobody is let in. */
  readonly login?: (context: AuthContext) => void;
  /** Runs a command; by default a real one. */
  readonly exec?: (channel: ServerChannel, command: string) => void;
  readonly refusesExec?: boolean;
  readonly refusesSessions?: boolean;
  readonly refusesTunnels?: boolean;
  readonly onConnection?: (connection: Connection) => void;
}

export interface TestServer {
  readonly port: number;
  /** Methods that were tried, in order, with the key's type where one was. */
  readonly tries: string[];
  readonly commands: string[];
  readonly open: () => number;
  /** Connections that were made at all. */
  readonly made: () => number;
  connections(): readonly Connection[];
  stop(): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<TestServer> {
  const tries: string[] = [];
  const commands: string[] = [];
  const connections = new Set<Connection>();
  let made = 0;
  const server = new ssh2.Server(
    {
      hostKeys: options.hostKeys.map((path) => readFileSync(path)),
      ...(options.banner === undefined ? {} : { banner: options.banner }),
    },
    (connection) => {
      connections.add(connection);
      made++;
      connection.on('error', () => undefined);
      connection.on('close', () => connections.delete(connection));
      connection.on('authentication', (context) => {
        tries.push(context.method === 'publickey' ? `publickey ${context.key.algo}` : context.method);
        if (options.login === undefined) context.reject(['publickey']);
        else options.login(context);
      });
      connection.on('ready', () => serve(connection, options, commands));
      options.onConnection?.(connection);
    },
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    tries,
    commands,
    open: () => connections.size,
    made: () => made,
    connections: () => [...connections],
    stop: () =>
      new Promise((resolve) => {
        for (const connection of connections) connection.end();
        server.close(() => resolve());
      }),
  };
}

function serve(connection: Connection, options: ServerOptions, commands: string[]): void {
  connection.on('session', (accept, reject) => {
    if (options.refusesSessions === true) return reject();
    const session = accept();
    session.on('exec', (acceptExec, rejectExec, { command }) => {
      commands.push(command);
      if (options.refusesExec === true) return rejectExec();
      (options.exec ?? runCommand)(acceptExec(), command);
    });
  });
  connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
    if (options.refusesTunnels === true) return reject();
    const stream = accept();
    const socket = connect(destPort, destIP);
    socket.on('error', () => stream.close());
    stream.on('error', () => undefined);
    stream.on('close', () => socket.destroy());
    stream.pipe(socket).pipe(stream);
  });
}

export function runCommand(channel: ServerChannel, command: string): void {
  const child = spawn('sh', ['-c', command]);
  channel.pipe(child.stdin);
  child.stdin.on('error', () => undefined);
  channel.on('error', () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  channel.on('close', () => child.kill());
  child.on('close', (code) => {
    channel.exit(code ?? 1);
    channel.end();
  });
}

/** Lets in who has one of these keys, given as lines of authorized_keys. */
export function byKey(...lines: readonly string[]): (context: AuthContext) => void {
  const known = lines.map((line) => Buffer.from(line.split(' ')[1] as string, 'base64'));
  return (context) => {
    if (context.method !== 'publickey') return context.reject(['publickey']);
    const isKnown = known.some((key) => key.equals(context.key.data));
    if (!isKnown) return context.reject(['publickey']);
    if (context.signature === undefined || context.blob === undefined) return context.accept();
    const parsed = ssh2.utils.parseKey(Buffer.from(context.key.data));
    if (parsed instanceof Error || !parsed.verify(context.blob, context.signature, context.hashAlgo)) {
      return context.reject(['publickey']);
    }
    return context.accept();
  };
}

/** Answers in order, and what was asked. */
export function answering(...answers: readonly (string | undefined)[]) {
  const asked: Question[] = [];
  const rest = [...answers];
  return {
    asked,
    ask: async (question: Question): Promise<string | undefined> => {
      asked.push(question);
      return rest.shift();
    },
  };
}
