/**
 * The I/O thread's work: it holds the connection and the reader, passes requests on as they come and answers back as
 * they come, in any order. It never waits for the engine, and the engine waits for it on shared memory.
 */
import type { MessagePort } from 'node:worker_threads';
import { BackendError } from '../../core/errors.ts';
import { type FromIo, failureOf, IO_SHARED, type ToIo } from './io-messages.ts';
import type { Reader, ReaderRequest, ReaderStream } from './reader.ts';

/** Connects and starts the reader. */
export type Connect = (signal: AbortSignal, tell: (notice: string) => void) => Promise<Reader>;

/** How often the engine is shown how much came of a long answer, in milliseconds. */
const PROGRESS_MS = 200;

/** Serves the engine's thread through `port` until it says close. */
export function serveIo(port: MessagePort, shared: Int32Array, connect: Connect): void {
  const server = new IoServer(port, shared, connect);
  port.on('message', (message: ToIo) => server.take(message));
  // What nobody caught ends the connection, and not without a word.
  process.on('uncaughtException', (error) => server.fail(error));
  server.start();
}

class IoServer {
  readonly #port: MessagePort;
  readonly #shared: Int32Array;
  readonly #connect: Connect;
  readonly #streams = new Map<number, ReaderStream>();
  #reader: Reader | undefined;
  #connecting: AbortController | undefined;
  #waiting = 0;
  #progress: NodeJS.Timeout | undefined;

  constructor(port: MessagePort, shared: Int32Array, connect: Connect) {
    this.#port = port;
    this.#shared = shared;
    this.#connect = connect;
  }

  start(): void {
    this.#send({ kind: 'ready' });
  }

  fail(error: Error): void {
    const reader = this.#reader;
    if (reader === undefined) this.#send({ kind: 'failed', failure: failureOf(error) });
    else this.#gone(reader, `internal error: ${error.message}`);
    reader?.close();
  }

  take(message: ToIo): void {
    switch (message.kind) {
      case 'connect':
        void this.#open();
        return;
      case 'give up':
        this.#connecting?.abort();
        return;
      case 'request':
        void this.#request(message.id, message.request);
        return;
      case 'open':
        this.#openStream(message.id, message.path);
        return;
      case 'taken':
        this.#streams.get(message.id)?.taken(message.bytes);
        return;
      case 'shut':
        this.#streams.get(message.id)?.close();
        this.#streams.delete(message.id);
        return;
      case 'close':
        this.#connecting?.abort();
        this.#reader?.close();
        this.#port.close();
        return;
    }
  }

  async #open(): Promise<void> {
    const connecting = new AbortController();
    this.#connecting = connecting;
    try {
      this.#reader?.close();
      this.#reader = undefined;
      const reader = await this.#connect(connecting.signal, (notice) => this.#send({ kind: 'told', notice }));
      if (connecting.signal.aborted) {
        reader.close();
        return;
      }
      this.#reader = reader;
      reader.onGone = (why) => this.#gone(reader, why);
      this.#send({ kind: 'connected', facts: reader.facts });
    } catch (error) {
      // Whoever gave up waits for nothing.
      if (!connecting.signal.aborted) this.#send({ kind: 'failed', failure: failureOf(error) });
    }
  }

  #gone(reader: Reader, why: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#streams.clear();
    this.#send({ kind: 'gone', why });
  }

  async #request(id: number, request: ReaderRequest): Promise<void> {
    const reader = this.#reader;
    const started = performance.now();
    this.#watch(1);
    try {
      if (reader === undefined) throw new BackendError('the connection is lost');
      const answer = await reader.request(request);
      const { received, sent } = reader.wire;
      const milliseconds = performance.now() - started;
      this.#send({ kind: 'answer', id, answer, milliseconds, wire: { received, sent } });
    } catch (error) {
      this.#send({ kind: 'refused', id, failure: failureOf(error) });
    } finally {
      this.#watch(-1);
    }
  }

  #openStream(id: number, path: string): void {
    const end = (why: string): void => {
      this.#streams.delete(id);
      this.#send({ kind: 'ended', id, why });
    };
    if (this.#reader === undefined) {
      end('the connection is lost');
      return;
    }
    try {
      const stream = this.#reader.open(path);
      this.#streams.set(id, stream);
      stream.onData = (bytes) => this.#send({ kind: 'flowed', id, bytes });
      stream.onEnd = end;
    } catch (error) {
      end(failureOf(error).message);
    }
  }

  /** While requests wait for their answers the engine is shown that bytes come. */
  #watch(change: 1 | -1): void {
    this.#waiting += change;
    if (this.#waiting > 0) this.#progress ??= setInterval(() => this.#show(), PROGRESS_MS);
    else {
      clearInterval(this.#progress);
      this.#progress = undefined;
    }
  }

  #show(): void {
    Atomics.store(this.#shared, IO_SHARED.received, (this.#reader?.wire.received ?? 0) | 0);
  }

  #send(message: FromIo): void {
    this.#port.postMessage(message);
    Atomics.add(this.#shared, IO_SHARED.messages, 1);
    Atomics.notify(this.#shared, IO_SHARED.messages);
  }
}
