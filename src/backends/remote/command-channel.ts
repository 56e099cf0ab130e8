/**
 * A command of the user's that gives a shell on the target (`kubectl exec -i web-0 -- sh`), as a byte stream. It is run
 * as it is, by no shell of this machine, in a session of its own: Ctrl-C at the prompt does not reach it, it cannot
 * write to the terminal that kdbg draws on, and all it started ends with it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { OpenError } from '../../core/errors.ts';
import type { ByteChannel, ChannelListener } from './channel.ts';

/** More than this that waits to be sent makes `write` say no. */
const UNSENT_MAX = 1024 * 1024;
/** What it may say on standard error before somebody listens. */
const EARLY_MAX = 64 * 1024;
/** A command with many options is named by its start. */
const NAME_MAX = 100;
/** It may end by itself when its input has ended, then it is ended. */
const END_MS = 300;
const KILL_MS = 2000;

/** Commands that were told to end and may not have yet: kdbg may end before they do. */
const ending = new Set<() => void>();
process.on('exit', () => {
  for (const leave of ending) leave();
});

/** Runs a program with these arguments. Throws OpenError when there is none. */
export function openCommandChannel(argv: readonly string[]): ByteChannel {
  const [program, ...words] = argv;
  if (program === undefined || program === '')
    throw new OpenError('no command was given', 'kdbg shell -- COMMAND [ARG...]');
  const name = argv.join(' ');
  return new CommandChannel(name.length > NAME_MAX ? `${name.slice(0, NAME_MAX)}...` : name, program, words);
}

class CommandChannel implements ByteChannel {
  readonly name: string;
  readonly #child: ChildProcess;
  #listener: ChannelListener | undefined;
  #early: Buffer[] = [];
  #earlyBytes = 0;
  #ended: string | undefined;
  #isPaused = false;
  #isFull = false;

  constructor(name: string, program: string, words: readonly string[]) {
    this.name = name;
    const child = spawn(program, words, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
    this.#child = child;
    child.on('error', (error) => this.#end(`cannot run ${program}: ${error.message}`));
    child.on('close', (code, signal) => {
      this.#end(code === null ? `the command was ended by ${signal}` : `the command ended with status ${code}`);
    });
    // What it started may hold its output open for longer than it lives itself.
    child.on('exit', (code, signal) => {
      const why = code === null ? `the command was ended by ${signal}` : `the command ended with status ${code}`;
      setTimeout(() => this.#end(why), END_MS).unref();
    });
    child.stdin?.on('error', () => undefined);
    child.stdin?.on('drain', () => this.#drained());
    child.stdout?.on('error', () => undefined);
    child.stderr?.on('error', () => undefined);
    child.stderr?.on('data', (bytes: Buffer) => this.#onErrorBytes(bytes));
  }

  write(bytes: Uint8Array): boolean {
    const { stdin } = this.#child;
    if (this.#ended !== undefined || stdin === null || stdin.destroyed) return true;
    const goesOn = stdin.write(bytes) || stdin.writableLength < UNSENT_MAX;
    this.#isFull ||= !goesOn;
    return goesOn;
  }

  listen(listener: ChannelListener): void {
    const isFirst = this.#listener === undefined;
    this.#listener = listener;
    for (const bytes of this.#early.splice(0)) listener.onError(bytes);
    if (isFirst) this.#child.stdout?.on('data', (bytes: Buffer) => this.#listener?.onData(bytes));
    if (this.#isPaused) this.#child.stdout?.pause();
    if (this.#ended !== undefined) listener.onEnd(this.#ended);
  }

  pause(): void {
    this.#isPaused = true;
    this.#child.stdout?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#listener !== undefined) this.#child.stdout?.resume();
  }

  close(): void {
    this.#end('closed');
  }

  #onErrorBytes(bytes: Buffer): void {
    if (this.#listener !== undefined) this.#listener.onError(bytes);
    else if (this.#earlyBytes < EARLY_MAX) {
      this.#early.push(bytes.subarray(0, EARLY_MAX - this.#earlyBytes));
      this.#earlyBytes += bytes.length;
    }
  }

  #drained(): void {
    if (!this.#isFull) return;
    this.#isFull = false;
    this.#listener?.onDrain();
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    const { stdin, stdout, stderr } = this.#child;
    stdin?.destroy();
    stdout?.destroy();
    stderr?.destroy();
    this.#endGroup();
    this.#listener?.onEnd(why);
  }

  /** The end of its input comes first, so that a reader at the far end of it ends in peace. */
  #endGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    const signal = (name: NodeJS.Signals): void => {
      try {
        process.kill(-pid, name);
      } catch {
        // All of them have ended.
      }
    };
    const leave = (): void => signal('SIGTERM');
    ending.add(leave);
    setTimeout(leave, END_MS).unref();
    setTimeout(() => {
      ending.delete(leave);
      signal('SIGKILL');
    }, KILL_MS).unref();
  }
}
