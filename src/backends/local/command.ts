/**
 * A command of the user's on this machine, traced from its first instruction on. The engine's thread waits in its own
 * ways and sees no events, so what the command prints comes through a FIFO that is read as files that flow are, and how it
 * ended through a file. Both have no name any more when the command starts.
 *
 * It ends with kdbg, however kdbg ends: beside it a shell waits for the end of a pipe that only kdbg holds open.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CommandRequest, commandName, type FileFailure, type FileStream } from '../../core/memory/backend.ts';
import { failureOf, refusedControl } from './paths.ts';
import { LocalStream } from './streams.ts';

/** Nothing of the user's words is part of a script: they are arguments. */
const BEGIN = `
count=$1
shift
while [ "$count" -gt 0 ]; do
  echo $$ >> "$1" || exit 126
  shift
  count=$((count - 1))
done
exec "$@"
`;
/** In the command's process group, whose number is that of the shell that runs this. */
const RUN = `
begin=$1
shift
(
  trap '' HUP INT TERM
  read -r end <&4
  kill -s TERM -- -$$
  sleep 2
  kill -s KILL -- -$$
) >/dev/null 2>&1 3>&- &
sh -c "$begin" kdbg-run "$@" 3>&- 4<&-
echo "exit $?" >&3
kill -s KILL $!
`;
const STATUS_MAX = 32;
/** How often it is looked whether it has ended. */
const LOOK_MS = 50;

/** Starts it, in a session of its own. */
export function runLocally(command: CommandRequest, count: (bytes: number) => void): FileStream | FileFailure {
  const refused = command.pidFiles.map(refusedControl).find((failure) => failure !== undefined);
  if (refused !== undefined) return refused;
  const name = commandName(command);
  try {
    const { output, input, status } = openPipes();
    try {
      const words = [
        '-c',
        RUN,
        'kdbg-run',
        BEGIN,
        String(command.pidFiles.length),
        ...command.pidFiles,
        ...command.words,
      ];
      const child = spawn('/bin/sh', words, {
        stdio: ['ignore', input, input, status, 'pipe'],
        detached: true,
      });
      // Without a shell there is no command, and so no PID either.
      child.on('error', () => undefined);
      const life = child.stdio[4] as Socket;
      life.on('error', () => undefined);
      life.unref();
      child.unref();
      return new LocalCommand(new LocalStream(name, output, count), child, life, status);
    } finally {
      closeSync(input);
    }
  } catch (error) {
    return failureOf(name, error);
  }
}

function openPipes(): { readonly output: number; readonly input: number; readonly status: number } {
  const folder = mkdtempSync(join(tmpdir(), 'kdbg-run-'));
  try {
    const fifo = join(folder, 'output');
    const made = spawnSync('mkfifo', ['-m', '600', fifo], { stdio: 'ignore' });
    if (made.error !== undefined) throw made.error;
    const output = openSync(fifo, constants.O_RDONLY | constants.O_NONBLOCK);
    const input = openSync(fifo, constants.O_WRONLY);
    return { output, input, status: openSync(join(folder, 'status'), 'wx+', 0o600) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

class LocalCommand implements FileStream {
  readonly #stream: LocalStream;
  readonly #child: ChildProcess;
  /** While it is open the command may run. */
  readonly #life: Socket;
  readonly #status: number;
  #ended: string | undefined;
  #isClosed = false;

  constructor(stream: LocalStream, child: ChildProcess, life: Socket, status: number) {
    this.#stream = stream;
    this.#child = child;
    this.#life = life;
    this.#status = status;
  }

  /** What it printed before its end comes before the end is told. */
  get ended(): string | undefined {
    if (this.#ended !== undefined) return this.#ended;
    const outcome = this.#outcome();
    if (outcome !== undefined && !this.#stream.wait(0)) this.#ended = outcome;
    return this.#ended;
  }

  take(): Uint8Array {
    return this.#stream.take();
  }

  wait(milliseconds: number): boolean {
    const until = performance.now() + milliseconds;
    for (;;) {
      const left = until - performance.now();
      if (this.#stream.wait(Math.max(0, Math.min(left, LOOK_MS))) || this.ended !== undefined) return true;
      if (left <= 0) return false;
    }
  }

  finish(): Uint8Array {
    const bytes = this.#stream.finish();
    this.close();
    return bytes;
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#life.destroy();
    this.#ended ??= 'it was closed';
    this.#stream.close();
    closeSync(this.#status);
  }

  #outcome(): string | undefined {
    if (this.#child.pid === undefined) return 'no shell could be started';
    const bytes = Buffer.alloc(STATUS_MAX);
    const length = readSync(this.#status, bytes, 0, STATUS_MAX, 0);
    const said = bytes.toString('latin1', 0, length);
    return said.endsWith('\n') ? said.trim() : undefined;
  }
}
