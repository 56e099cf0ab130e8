import { chmodSync, copyFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProgram, type Ended, type RunOptions } from '../support/program.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';
import type { Guest } from './guest.ts';
import { hostKeyPath, sshKeyPath } from './initramfs.ts';
import type { LoginUser } from './logins.ts';

/**
 * kdbg as someone on another machine runs it to look at a guest: the built program with a home, keys, an ssh
 * configuration and known hosts of its own.
 */

export interface Destination {
  readonly user?: LoginUser | undefined;
  /** 22 unless told; 127.0.0.1's in the guest where there is a jump host. */
  readonly port?: number | undefined;
  /** Private keys; the one that all users take unless told. */
  readonly identities?: readonly string[];
  /** Lines of the ssh configuration that come first, so they win. */
  readonly configuration?: readonly string[];
  /** Options of kdbg. */
  readonly options?: readonly string[];
}

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface Client {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The private key that the guest's users accept, in this home. */
  readonly identity: string;
  /** The arguments of kdbg that lead to a port of this machine, such as a guest's sshd, whose host key is known. */
  ssh(port: number, destination?: Destination): readonly string[];
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** kdbg's prompt in a terminal. */
  terminal(args: readonly string[], env?: Readonly<Record<string, string>>): PseudoTerminal;
  /** kdbg's screen in a terminal, of 160x50 cells unless told. */
  screen(args: readonly string[], size?: TerminalSize): PseudoTerminal;
  /** All that its runs have left in the home: histories, caches, logs, by path. */
  leftovers(): ReadonlyMap<string, Buffer>;
  remove(): void;
}

export const openClient = (): Client => {
  const program = buildProgram();
  const folder = join(program.folder, 'home');
  const sshFolder = join(folder, '.ssh');
  mkdirSync(sshFolder, { mode: 0o700 });
  const identity = join(sshFolder, 'id');
  copyFileSync(sshKeyPath(), identity);
  chmodSync(identity, 0o600);
  copyFileSync(`${sshKeyPath()}.pub`, `${identity}.pub`);
  const trusted = join(sshFolder, 'trusted');
  writeFileSync(trusted, `* ${readFileSync(hostKeyPath(), 'utf8')}`);
  const { SSH_AUTH_SOCK: _, XDG_CACHE_HOME: __, ...inherited } = program.env;
  const env = { ...inherited, XDG_CACHE_HOME: join(folder, '.cache') };
  let count = 0;

  const writeConfiguration = (lines: readonly string[]): string => {
    const path = join(sshFolder, `config-${count++}`);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return path;
  };
  const open = (
    args: readonly string[],
    more: Readonly<Record<string, string>>,
    size: TerminalSize = { columns: 160, rows: 50 },
  ): PseudoTerminal =>
    openPseudoTerminal(process.execPath, [program.entry, '--no-rc', ...args], {
      cwd: folder,
      env: { ...env, ...more },
      ...size,
      // The other side is emulated.
      patienceMs: 60_000,
    });
  return {
    folder,
    env,
    identity,
    ssh(port, { user = 'root', identities = [identity], configuration = [], options = [] } = {}) {
      const path = writeConfiguration([
        ...configuration,
        'IdentityAgent none',
        'IdentitiesOnly yes',
        ...(identities.length === 0 ? ['IdentityFile none'] : identities.map((path) => `IdentityFile ${path}`)),
        `UserKnownHostsFile ${trusted}`,
        'GlobalKnownHostsFile none',
        'StrictHostKeyChecking ask',
      ]);
      return ['ssh', '-F', path, ...options, `${user}@127.0.0.1:${port}`];
    },
    run: (args, options = {}) =>
      program.run(['--no-rc', ...args], { timeoutMs: 120_000, ...options, env: { ...env, ...options.env } }),
    terminal: (args, more = {}) => open(['--no-tui', ...args], more),
    screen: (args, size) => open(args, {}, size),
    leftovers: () =>
      new Map(
        readdirSync(folder, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
          .map((path) => [path, readFileSync(path)]),
      ),
    remove: () => program.remove(),
  };
};

/** The port of this machine behind which a guest's sshd listens. */
export const sshPortOf = (guest: Guest): number => guest.machine.hostPort(22);

/** The port of this machine behind which a guest's sshd asks questions instead of taking keys. */
export const askingPortOf = (guest: Guest): number => guest.machine.hostPort(23);
