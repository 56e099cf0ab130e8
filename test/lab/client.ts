import { spawn } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProgram } from '../support/program.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';
import type { Guest } from './guest.ts';
import { sshKeyPath } from './initramfs.ts';
import type { LoginUser } from './logins.ts';

/**
 * kdbg as someone on another machine runs it to look at a guest: the built program with a home, keys, an ssh
 * configuration and known hosts of its own.
 */

/** What a run of kdbg came to. */
export interface Run {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** The most memory that the process had, in MiB; undefined where it did not come to its end by itself. */
  readonly memoryMb: number | undefined;
}

export interface RunSettings {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  /** Told of the process and of all its output so far, whenever some comes. */
  readonly during?: (child: { readonly pid: number; kill(signal: NodeJS.Signals): void }, output: string) => void;
}

export interface Destination {
  readonly user?: LoginUser | undefined;
  /** 22 unless told; 127.0.0.1's in the guest where there is a jump host. */
  readonly port?: number | undefined;
  /** Lines of the ssh configuration that come first, so they win. */
  readonly configuration?: readonly string[];
  /** Options of kdbg. */
  readonly options?: readonly string[];
}

export interface Client {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** The private key that the guest's users accept, in this home. */
  readonly identity: string;
  readonly knownHosts: string;
  /** The arguments of kdbg that lead to a port of this machine, such as a guest's sshd. */
  ssh(port: number, destination?: Destination): readonly string[];
  run(args: readonly string[], settings?: RunSettings): Promise<Run>;
  /** kdbg in a terminal. */
  terminal(args: readonly string[], env?: Readonly<Record<string, string>>): PseudoTerminal;
  /** All that its runs have left in the home: histories, caches, logs, by path. */
  leftovers(): ReadonlyMap<string, Buffer>;
  remove(): void;
}

/** Writes how much memory the process had when it ends; a worker's end is not the process's. */
const monitor = `import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
if (isMainThread) process.on('exit', () => {
  writeFileSync(process.env.KDBG_LAB_MEMORY, String(process.resourceUsage().maxRSS));
});
`;

/** What every run prints at most, in characters: a test that fails by endless output should not take the machine along. */
const outputMax = 64 * 1024 * 1024;

export const openClient = (): Client => {
  const program = buildProgram();
  const folder = join(program.folder, 'home');
  const sshFolder = join(folder, '.ssh');
  mkdirSync(sshFolder, { mode: 0o700 });
  const identity = join(sshFolder, 'id');
  copyFileSync(sshKeyPath(), identity);
  chmodSync(identity, 0o600);
  copyFileSync(`${sshKeyPath()}.pub`, `${identity}.pub`);
  const knownHosts = join(sshFolder, 'known_hosts');
  const monitorFile = join(program.folder, 'monitor.mjs');
  writeFileSync(monitorFile, monitor);
  const { SSH_AUTH_SOCK: _, XDG_CACHE_HOME: __, ...inherited } = program.env;
  const env = { ...inherited, XDG_CACHE_HOME: join(folder, '.cache') };
  let count = 0;

  const writeConfiguration = (lines: readonly string[]): string => {
    const path = join(sshFolder, `config-${count++}`);
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    return path;
  };
  return {
    folder,
    env,
    identity,
    knownHosts,
    ssh(port, { user = 'root', configuration = [], options = [] } = {}) {
      const path = writeConfiguration([
        ...configuration,
        'IdentityAgent none',
        'IdentitiesOnly yes',
        `IdentityFile ${identity}`,
        `UserKnownHostsFile ${knownHosts}`,
        'GlobalKnownHostsFile none',
        'StrictHostKeyChecking no',
      ]);
      return ['ssh', '-F', path, ...options, `${user}@127.0.0.1:${port}`];
    },
    run(args, { input = '', env: more = {}, timeoutMs = 120_000, during } = {}) {
      const memory = join(program.folder, `memory-${count++}`);
      const started = performance.now();
      const child = spawn(process.execPath, ['--import', monitorFile, program.entry, '--no-rc', ...args], {
        cwd: folder,
        env: { ...env, ...more, KDBG_LAB_MEMORY: memory },
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
      });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (data: string) => {
          output[name] += data;
          if (output[name].length > outputMax) child.kill('SIGKILL');
          during?.(process_, output.stdout + output.stderr);
        });
      }
      const process_ = { pid: child.pid ?? 0, kill: (signal: NodeJS.Signals) => void child.kill(signal) };
      child.stdin.on('error', () => undefined);
      child.stdin.end(input);
      return new Promise((done) => {
        child.once('close', (status, signal) => {
          const milliseconds = performance.now() - started;
          const memoryMb = existsSync(memory) ? Number(readFileSync(memory, 'utf8')) / 1024 : undefined;
          done({ status, signal, ...output, milliseconds, memoryMb });
        });
      });
    },
    terminal: (args, more = {}) =>
      openPseudoTerminal(process.execPath, [program.entry, '--no-rc', ...args], {
        cwd: folder,
        env: { ...env, ...more },
        columns: 160,
        rows: 50,
      }),
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
