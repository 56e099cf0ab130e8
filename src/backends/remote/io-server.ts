/**
 * The I/O thread's work: it holds the connection and the reader, passes requests on as they come and answers back as
 * they come, in any order. It never waits for the engine, and the engine waits for it on shared memory.
 */
import type { MessagePort } from 'node:worker_threads';
import { BackendError } from '../../core/errors.ts';
import { type FromIo, failureOf, IO_SHARED, type IoRequest, type ToIo } from './io-messages.ts';
import type { StartedReader } from './reader/start.ts';
import type { Reader, ReaderAnswers, ReaderRequest, ReaderStream } from './reader.ts';

/** Connects. */
export type Connect = (signal: AbortSignal, tell: (notice: string) => void) => Promise<Behind>;

/** A connection behind which no reader runs yet. */
export interface Behind {
  /** Starts one, with what it is to be asked first. */
  start(first: readonly ReaderRequest[]): Promise<StartedReader>;
  /** Nobody wants one. */
  leave(): void;
}

interface Attempt {
  readonly leaving: AbortController;
  readonly behind: Promise<Behind>;
}

type Answer = ReaderAnswers[ReaderRequest['op']];

/** How often the engine is shown how much came of a long answer, in milliseconds. */
const PROGRESS_MS = 200;

/** Connects, and serves the engine's thread through `port` until it says close or is no more. */
export function serveIo(port: MessagePort, shared: Int32Array, connect: Connect): void {
  const server = new IoServer(port, shared, connect);
  port.on('message', (message: ToIo) => server.take(message));
  port.on('close', () => server.leave());
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
  #attempt: Attempt | undefined;
  #waiting = 0;
  #progress: NodeJS.Timeout | undefined;

  constructor(port: MessagePort, shared: Int32Array, connect: Connect) {
    this.#port = port;
    this.#shared = shared;
    this.#connect = connect;
  }

  start(): void {
    this.#send({ kind: 'ready' });
    // The engine wants it as soon as it is up.
    this.#attempt = this.#begin();
  }

  leave(): void {
    this.#abandon();
    this.#reader?.close();
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
        void this.#open(message.first);
        return;
      case 'give up':
        this.#abandon();
        return;
      case 'request':
        this.#request(message);
        return;
      case 'open':
        this.#openStream(message);
        return;
      case 'taken':
        this.#streams.get(message.id)?.taken(message.bytes);
        return;
      case 'finish':
        this.#streams.get(message.id)?.finish();
        return;
      case 'shut':
        this.#streams.get(message.id)?.close();
        this.#streams.delete(message.id);
        return;
      case 'close':
        this.leave();
        this.#port.close();
        return;
    }
  }

  #begin(): Attempt {
    const leaving = new AbortController();
    const { signal } = leaving;
    const behind = this.#connect(signal, (notice) => this.#send({ kind: 'told', notice }));
    behind.catch(() => undefined);
    return { leaving, behind };
  }

  /** A connection that nobody waits for any more ends, also when it comes about later. */
  #abandon(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    attempt?.leaving.abort();
    attempt?.behind.then(
      (behind) => behind.leave(),
      () => undefined,
    );
  }

  async #open(first: readonly IoRequest[]): Promise<void> {
    this.#reader?.close();
    this.#reader = undefined;
    const attempt = this.#attempt ?? this.#begin();
    this.#attempt = attempt;
    const { signal } = attempt.leaving;
    try {
      const behind = await attempt.behind;
      const { reader, answers } = await behind.start(first.map(({ request }) => request));
      if (signal.aborted) {
        reader.close();
        return;
      }
      this.#reader = reader;
      reader.onGone = (why) => this.#gone(reader, why);
      this.#send({ kind: 'connected', facts: reader.facts });
      for (const [i, { id }] of first.entries()) {
        const answer = answers[i];
        if (answer !== undefined) void this.#answer(id, reader, answer);
      }
    } catch (error) {
      // Whoever gave up waits for nothing.
      if (!signal.aborted) this.#send({ kind: 'failed', failure: failureOf(error) });
    } finally {
      if (this.#attempt === attempt) this.#attempt = undefined;
    }
  }

  #gone(reader: Reader, why: string): void {
    if (this.#reader !== reader) return;
    this.#reader = undefined;
    this.#streams.clear();
    this.#send({ kind: 'gone', why });
  }

  #request({ id, request }: IoRequest): void {
    const reader = this.#reader;
    if (reader === undefined) {
      const failure = failureOf(new BackendError('the connection is lost'));
      this.#send({ kind: 'refused', id, failure });
      return;
    }
    void this.#answer(id, reader, reader.request(request), performance.now());
  }

  /** `started`: when it was asked. */
  async #answer(id: number, reader: Reader, asked: Promise<Answer>, started?: number): Promise<void> {
    this.#watch(1);
    try {
      const answer = await asked;
      const { received, sent } = reader.wire;
      const milliseconds = started === undefined ? undefined : performance.now() - started;
      this.#send({ kind: 'answer', id, answer, milliseconds, wire: { received, sent } });
    } catch (error) {
      this.#send({ kind: 'refused', id, failure: failureOf(error) });
    } finally {
      this.#watch(-1);
    }
  }

  #openStream({ id, path, command }: ToIo & { readonly kind: 'open' }): void {
    const end = (why: string): void => {
      this.#streams.delete(id);
      this.#send({ kind: 'ended', id, why });
    };
    if (this.#reader === undefined) {
      end('the connection is lost');
      return;
    }
    try {
      const stream = this.#reader.open(path, command);
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
