/**
 * The shell on the far side as a ByteChannel: ssh2's exec channel, with back-pressure both ways, bounds on what a
 * server may send unasked, and an end that is told in words.
 */
import type { ClientChannel } from 'ssh2';
import type { ByteChannel, ChannelListener } from '../remote/channel.ts';
import type { Hop } from './hop.ts';
import { serverText } from './server-text.ts';

/** More than this that waits to be sent makes `write` say no. */
const UNSENT_MAX = 1024 * 1024;
/** The window of ssh2 is 2 MiB; a server that sends more than it was allowed is cut off. */
const UNREAD_MAX = 4 * 1024 * 1024;
/** What the far side may write to standard error before somebody listens. */
const EARLY_ERROR_MAX = 64 * 1024;
/** How long the shell's status may come after the end of its output. */
const EXIT_MS = 200;

export class ShellChannel implements ByteChannel {
  readonly name: string;
  readonly #stream: ClientChannel;
  readonly #hop: Hop;
  readonly #closeAll: () => void;
  #listener: ChannelListener | undefined;
  #earlyErrors: Buffer[] = [];
  #earlyErrorBytes = 0;
  #exit: string | undefined;
  #ended: string | undefined;
  #isPaused = false;
  #isFull = false;

  /** `closeAll` ends the connection, and those that it goes through. */
  constructor(name: string, stream: ClientChannel, hop: Hop, closeAll: () => void) {
    this.name = name;
    this.#stream = stream;
    this.#hop = hop;
    this.#closeAll = closeAll;
    stream.on('exit', (code: number | null, signal?: string, _dump?: unknown, description?: string) => {
      this.#exit = exitWords(code, signal, description);
    });
    stream.on('error', (error: Error) => this.#end(serverText(error.message, 200)));
    // The end of the shell's output is the end of the channel: nothing can answer any more.
    stream.on('end', () => this.#endSoon());
    stream.on('close', () => this.#end(this.#exit ?? 'the shell was closed'));
    stream.on('drain', () => this.#drained());
    stream.stderr.on('data', (bytes: Buffer) => this.#onErrorBytes(bytes));
    stream.stderr.on('error', () => undefined);
    hop.transport.stream.on('drain', () => this.#drained());
    hop.transport.stream.on('data', () => this.#checkUnread());
    hop.onLost((why) => this.#end(why));
  }

  write(bytes: Uint8Array): boolean {
    if (this.#ended !== undefined) return true;
    const goesOn = this.#stream.write(bytes) && this.#hop.transport.stream.writableLength < UNSENT_MAX;
    this.#isFull ||= !goesOn;
    return goesOn;
  }

  listen(listener: ChannelListener): void {
    const isFirst = this.#listener === undefined;
    this.#listener = listener;
    for (const bytes of this.#earlyErrors.splice(0)) listener.onError(bytes);
    if (isFirst) this.#stream.on('data', (bytes: Buffer) => this.#listener?.onData(bytes));
    if (this.#isPaused) this.#stream.pause();
    if (this.#ended !== undefined) listener.onEnd(this.#ended);
  }

  pause(): void {
    this.#isPaused = true;
    this.#stream.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#listener !== undefined) this.#stream.resume();
  }

  close(): void {
    this.#end('closed');
  }

  #onErrorBytes(bytes: Buffer): void {
    if (this.#listener !== undefined) {
      this.#listener.onError(bytes);
    } else if (this.#earlyErrorBytes < EARLY_ERROR_MAX) {
      this.#earlyErrors.push(bytes.subarray(0, EARLY_ERROR_MAX - this.#earlyErrorBytes));
      this.#earlyErrorBytes += bytes.length;
    }
  }

  #checkUnread(): void {
    if (this.#stream.readableLength + this.#stream.stderr.readableLength > UNREAD_MAX) {
      this.#end('the server sent more than it was allowed to');
    }
  }

  #drained(): void {
    if (!this.#isFull || this.#ended !== undefined) return;
    if (this.#stream.writableNeedDrain || this.#hop.transport.stream.writableLength >= UNSENT_MAX) return;
    this.#isFull = false;
    this.#listener?.onDrain();
  }

  /** The exit status comes after the end of the output, if it comes. */
  #endSoon(): void {
    setTimeout(() => this.#end(this.#exit ?? 'the shell closed its output'), EXIT_MS).unref();
  }

  #end(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#stream.removeAllListeners('data');
    this.#closeAll();
    this.#listener?.onEnd(why);
  }
}

function exitWords(code: number | null, signal: string | undefined, description: string | undefined): string {
  if (code !== null) return `the shell ended with status ${code}`;
  const said = serverText(description ?? '', 200);
  return `the shell was ended by ${serverText(signal ?? 'a signal', 30)}${said === '' ? '' : `: ${said}`}`;
}
