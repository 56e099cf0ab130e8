/** SSH servers that mean no good: what one says, and when, before and after the login. */
import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import ssh2, { type AuthContext, type Connection, type ServerChannel } from 'ssh2';

/** What a terminal would obey, and text that shows itself in another order. */
export const TERMINAL_ESCAPES =
  '\x1b]0;taken\x07\x1b[2J\x1b[H\x1b[6n\x1b(0\x9b31m\x1bP$q"p\x1b\\\x07\b\b\rroot@web7:~# \u202egnp.exe\u2066';

export interface HostileServer {
  readonly port: number;
  /** The passwords and answers that it was given. */
  readonly heard: readonly string[];
  close(): Promise<void>;
}

export interface HostileBehaviour {
  /** Answers a connection by itself, instead of SSH. */
  readonly raw?: (socket: Socket) => void;
  readonly ident?: string;
  readonly greeting?: string;
  readonly banner?: string;
  /** Decides a login; accepts all unless given. */
  readonly login?: (context: AuthContext, heard: string[]) => void;
  /** What a command that was started does. */
  readonly command?: (channel: ServerChannel, client: Connection) => void;
  readonly client?: (client: Connection) => void;
}

const hostKey = ssh2.utils.generateKeyPairSync('ed25519').private;

/** Starts a server on a port of its own. */
export async function openHostileServer(behaviour: HostileBehaviour): Promise<HostileServer> {
  const heard: string[] = [];
  const sockets = new Set<Socket>();
  const { ident, greeting, banner } = behaviour;
  const ssh = new ssh2.Server(
    {
      hostKeys: [hostKey],
      ...(ident === undefined ? {} : { ident }),
      ...(greeting === undefined ? {} : { greeting }),
      ...(banner === undefined ? {} : { banner }),
    },
    (client) => {
      client.on('error', () => undefined);
      client.on('authentication', (context) => {
        if (behaviour.login === undefined) context.accept();
        else behaviour.login(context, heard);
      });
      client.on('session', (accept) => {
        accept().on('exec', (acceptCommand, reject) => {
          if (behaviour.command === undefined) reject();
          else behaviour.command(acceptCommand(), client);
        });
      });
      client.on('ready', () => behaviour.client?.(client));
    },
  );
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    if (behaviour.raw === undefined) ssh.injectSocket(socket);
    else behaviour.raw(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    heard,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}

/** Sends without end, as fast as it is taken. */
export function flood(stream: NodeJS.WritableStream, chunk: () => Uint8Array | string): void {
  let isOpen = true;
  stream.on('error', () => {
    isOpen = false;
  });
  stream.on('close', () => {
    isOpen = false;
  });
  const more = (): void => {
    while (isOpen && stream.write(chunk()));
    if (isOpen) stream.once('drain', more);
  };
  more();
}

export const randomChunk = (): Uint8Array => randomBytes(32_768);
