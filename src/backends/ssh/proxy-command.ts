/**
 * ProxyCommand: SSH is spoken over the standard input and output of a command of the user's, run by the user's shell
 * as ssh runs it. It gets a session of its own: Ctrl-C at the prompt does not end it, and it cannot write to the
 * terminal that kdbg draws on; what it complains about is kept for the error.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { Duplex } from 'node:stream';
import { OpenError } from '../../core/errors.ts';
import { isSafeHost, isSafeUser } from './destination.ts';
import { serverText } from './server-text.ts';
import type { SshSettings } from './settings.ts';
import { commandTokens, expandTokens } from './tokens.ts';
import type { Transport } from './transport.ts';

const COMPLAINT_MAX = 2000;
/** How long its status may come after the end of its output. */
const EXIT_MS = 500;

/** The command line for the shell. Throws OpenError where a name would be more than a word to the shell. */
export function proxyCommandLine(settings: SshSettings, command: string): string {
  const { alias, host, user } = settings;
  const names = new Set([/%h/.test(command) ? host : '', /%n/.test(command) ? alias : '']);
  names.delete('');
  for (const name of names) {
    if (!isSafeHost(name)) throw new OpenError(`"${name}" cannot stand in the ProxyCommand of ${alias}`);
  }
  if (/%r/.test(command) && !isSafeUser(user))
    throw new OpenError(`"${user}" cannot stand in the ProxyCommand of ${alias}`);
  return `exec ${expandTokens(command, commandTokens(settings))}`;
}

export function openProxyCommand(settings: SshSettings, command: string): Transport {
  const line = proxyCommandLine(settings, command);
  const shell = process.env['SHELL'] || '/bin/sh';
  const child = spawn(shell, ['-c', line], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  let complaint = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_MAX);
  });
  child.stderr.on('error', () => undefined);
  let ended = '';
  child.on('error', (error) => {
    ended = `cannot run ${shell}: ${error.message}`;
  });
  child.on('exit', (code, signalName) => {
    ended ||= code === null ? `it was ended by ${signalName}` : `it ended with status ${code}`;
  });
  const stream = new CommandStream(child);
  return {
    stream,
    explain() {
      const said = serverText(complaint, COMPLAINT_MAX);
      return [`ProxyCommand "${serverText(line.slice('exec '.length), 200)}"`, ended, said]
        .filter((part) => part !== '')
        .join(': ');
    },
    close: () => stream.destroy(),
  };
}

/** Standard input and output of a command as one stream. */
class CommandStream extends Duplex {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    super();
    this.#child = child;
    child.stdout?.on('data', (chunk: Buffer) => {
      if (!this.push(chunk)) child.stdout?.pause();
    });
    child.stdout?.on('end', () => this.#endSoon());
    child.stdout?.on('error', (error) => this.destroy(error));
    // A command that reads no more has ended or will: its status and its words tell more.
    child.stdin?.on('error', () => undefined);
    child.on('error', (error) => this.destroy(error));
  }

  override _read(): void {
    this.#child.stdout?.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#child.stdin?.write(chunk, () => done());
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#child.stdin?.end(() => done());
  }

  /** Its status and its last words come after the end of its output, unless it left something running. */
  #endSoon(): void {
    const end = (): void => {
      clearTimeout(timer);
      this.push(null);
    };
    const timer = setTimeout(end, EXIT_MS);
    this.#child.once('close', end);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#child.stdin?.destroy();
    this.#child.stdout?.destroy();
    const { pid, exitCode, signalCode } = this.#child;
    if (pid !== undefined && exitCode === null && signalCode === null) {
      try {
        // The shell may have started others: all of its session go, as with the end of a terminal.
        process.kill(-pid, 'SIGHUP');
      } catch {
        this.#child.kill('SIGHUP');
      }
    }
    done(error);
  }
}
