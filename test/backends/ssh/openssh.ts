/** What OpenSSH's own programs make in a temporary folder: keys, known_hosts, an agent, a server. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Whether this machine has OpenSSH's programs. */
export const hasOpenssh = spawnSync('ssh-keygen', ['-?']).error === undefined;

/** A real server needs root, and a namespace in which its /run/sshd may be made. */
export const hasSshd =
  hasOpenssh &&
  process.getuid?.() === 0 &&
  spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs tmpfs /run && test -x /usr/sbin/sshd']).status === 0;

export interface Folder {
  readonly path: string;
  file(name: string): string;
  write(name: string, text: string): string;
  read(name: string): string;
  /** Makes a key pair; the private half is `name`. */
  key(name: string, type?: string, passphrase?: string, ...more: readonly string[]): string;
  /** The public half: type and base64. */
  publicKey(name: string): string;
  remove(): void;
}

export function makeFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'kdbg-ssh-'));
  const file = (name: string): string => join(path, name);
  return {
    path,
    file,
    write(name, text) {
      writeFileSync(file(name), text, { mode: 0o600 });
      return file(name);
    },
    read: (name) => readFileSync(file(name), 'utf8'),
    key(name, type = 'ed25519', passphrase = '', ...more) {
      const size = type === 'rsa' ? ['-b', '2048'] : [];
      // One round of bcrypt: in JavaScript each takes 20 ms and more.
      execFileSync('ssh-keygen', [
        '-q',
        '-a',
        '1',
        '-t',
        type,
        ...size,
        '-N',
        passphrase,
        '-C',
        name,
        '-f',
        file(name),
        ...more,
      ]);
      return file(name);
    },
    publicKey: (name) =>
      readFileSync(`${file(name)}.pub`, 'utf8')
        .split(' ')
        .slice(0, 2)
        .join(' '),
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

export async function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

export interface Running {
  readonly port: number;
  readonly log: () => string;
  stop(): Promise<void>;
}

/** sshd on a loopback port, in a mount namespace of its own: nothing of the machine is changed. */
export async function startSshd(folder: Folder, settings: readonly string[]): Promise<Running> {
  const port = await freePort();
  const config = folder.write(
    `sshd-${port}`,
    [`Port ${port}`, 'ListenAddress 127.0.0.1', 'PidFile none', 'StrictModes no', 'UsePAM no', ...settings, ''].join(
      '\n',
    ),
  );
  const script = 'mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec /usr/sbin/sshd -D -e -f "$1"';
  const child = spawn('unshare', ['-m', 'sh', '-c', script, 'sh', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const running = follow(child);
  await running.until(/Server listening/);
  return { port, log: running.log, stop: running.stop };
}

export interface Agent {
  readonly socket: string;
  /** Adds a key; with `-c` the agent asks before each signature, which nobody confirms here. */
  add(key: string, ...flags: readonly string[]): void;
  stop(): Promise<void>;
}

export async function startAgent(folder: Folder): Promise<Agent> {
  const socket = folder.file('agent');
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'pipe'] });
  const running = follow(child);
  await running.until(/SSH_AUTH_SOCK/);
  return {
    socket,
    add: (key, ...flags) =>
      void execFileSync('ssh-add', ['-q', ...flags, key], { env: { ...process.env, SSH_AUTH_SOCK: socket } }),
    stop: running.stop,
  };
}

function follow(child: ChildProcess): { log(): string; until(text: RegExp): Promise<void>; stop(): Promise<void> } {
  let log = '';
  const take = (bytes: Buffer): void => {
    log += bytes.toString();
  };
  child.stdout?.on('data', take);
  child.stderr?.on('data', take);
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  return {
    log: () => log,
    async until(text) {
      for (const deadline = Date.now() + 10_000; !text.test(log); ) {
        if (Date.now() > deadline || child.exitCode !== null) throw new Error(`it did not start: ${log}`);
        await new Promise((later) => setTimeout(later, 10));
      }
    },
    async stop() {
      child.kill();
      await ended;
    },
  };
}
