/**
 * The link through an I/O thread. The engine's thread sends through a port, and waits on shared memory for the I/O
 * thread to say that something came; while it waits it asks every few milliseconds whether the user wants it no more.
 */
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { BackendError, CancelledError } from '../../core/errors.ts';
import type { CommandRequest, WireCounters } from '../../core/memory/backend.ts';
import { errorOf, type FromIo, IO_SHARED, type IoFailure, type ToIo } from './io-messages.ts';
import type { IoThread } from './io-start.ts';
import { Latency } from './latency.ts';
import type { AllSent, Connected, Link, LinkStream, Sent } from './link.ts';
import type { ReaderAnswer, ReaderAnswers, ReaderFacts, ReaderRequest } from './reader.ts';
import { revived } from './revive.ts';

/** How often a waiting thread looks whether it was cancelled. */
const LOOK_MS = 20;
/** A far side that sends nothing for so long, while an answer is due, does not answer. */
const SILENCE_MS = 20_000;
const START_MS = 15_000;
/** A stream that ends and of which nothing came for so long is taken to have come. */
const QUIET_MS = 2000;

export interface ThreadLinkOptions {
  readonly name: string;
  readonly io: IoThread;
  /** The user wants no more. */
  readonly cancelled: () => boolean;
  readonly silenceMs?: number;
}

type Answer = ReaderAnswers[ReaderRequest['op']];
type Outcome = { readonly answer: Answer } | { readonly failure: IoFailure };

/** A stream's bytes that came and were not taken. */
interface Flow {
  readonly pieces: Uint8Array[];
  ended: string | undefined;
}

export class ThreadLink implements Link {
  readonly name: string;
  readonly #options: ThreadLinkOptions;
  readonly #port: MessagePort;
  readonly #shared: Int32Array;
  /** Requests whose answers are awaited; those that came have their outcome. */
  readonly #requests = new Map<number, Outcome | undefined>();
  readonly #flows = new Map<number, Flow>();
  readonly #latency = new Latency();
  /** Bytes of this connection, and of those before it. */
  #wire = { received: 0, sent: 0 };
  #earlier = { received: 0, sent: 0 };
  #connected: ReaderFacts | IoFailure | undefined;
  #tell: (notice: string) => void = () => undefined;
  #lost: string | undefined = 'it was not made yet';
  #isReady = false;
  #lastId = 0;

  constructor(options: ThreadLinkOptions) {
    this.name = options.name;
    this.#options = options;
    this.#shared = new Int32Array(options.io.shared);
    this.#port = options.io.port;
    this.#port.unref();
  }

  get lost(): string | undefined {
    this.#drain();
    return this.#lost;
  }

  get wire(): WireCounters {
    return {
      received: this.#earlier.received + this.#wire.received,
      sent: this.#earlier.sent + this.#wire.sent,
      latency: this.#latency.figures,
    };
  }

  connect<const R extends readonly ReaderRequest[]>(tell: (notice: string) => void, first: R): Connected<R> {
    this.#tell = tell;
    this.#drain();
    this.#connected = undefined;
    this.#awaitThread();
    this.#earlier = { received: this.wire.received, sent: this.wire.sent };
    this.#wire = { received: 0, sent: 0 };
    const sent = first.map((request): Sent => this.#ask(request));
    this.#post({ kind: 'connect', first: sent });
    try {
      this.#wait(() => this.#connected !== undefined);
      const connected = this.#connected as ReaderFacts | IoFailure | undefined;
      if (connected === undefined) throw new BackendError(`the connection to ${this.name} was not made`);
      if ('message' in connected) throw errorOf(connected);
      this.#lost = undefined;
      return { facts: connected, sent: sent as unknown as AllSent<R> };
    } catch (error) {
      this.#post({ kind: 'give up' });
      for (const each of sent) this.drop(each);
      throw error;
    }
  }

  send<R extends ReaderRequest>(request: R): Sent<R> {
    if (this.lost !== undefined) throw this.#lostError();
    const sent = this.#ask(request);
    this.#post({ kind: 'request', ...sent });
    return sent;
  }

  isThere({ id }: Sent): boolean {
    this.#drain();
    return this.#requests.get(id) !== undefined;
  }

  take<R extends ReaderRequest>(sent: Sent<R>): ReaderAnswer<R> {
    const { id, request } = sent;
    try {
      this.#wait(() => this.#requests.get(id) !== undefined || this.#lost !== undefined, request);
      const outcome = this.#requests.get(id);
      if (outcome === undefined) throw this.#lostError();
      if ('answer' in outcome) return revived(request.op, outcome.answer) as ReaderAnswer<R>;
      throw this.#lost === undefined ? errorOf(outcome.failure) : this.#lostError();
    } finally {
      this.#requests.delete(id);
    }
  }

  drop({ id }: Sent): void {
    this.#requests.delete(id);
  }

  open(path: string, command?: CommandRequest): LinkStream {
    if (this.lost !== undefined) throw this.#lostError();
    const id = ++this.#lastId;
    const flow: Flow = { pieces: [], ended: undefined };
    this.#flows.set(id, flow);
    this.#post({ kind: 'open', id, path, command });
    const hasNews = (): boolean => flow.pieces.length > 0 || flow.ended !== undefined;
    return {
      take: () => {
        this.#drain();
        const bytes = flow.pieces.shift();
        if (bytes !== undefined) this.#post({ kind: 'taken', id, bytes: bytes.length });
        return bytes;
      },
      wait: (milliseconds) => {
        const end = performance.now() + milliseconds;
        this.#wait(() => hasNews() || performance.now() >= end);
        return hasNews();
      },
      get ended() {
        return flow.ended;
      },
      finish: () => {
        this.#post({ kind: 'finish', id });
        this.#awaitEnd(flow);
      },
      close: () => {
        this.#flows.delete(id);
        this.#post({ kind: 'shut', id });
      },
    };
  }

  rest(milliseconds: number): void {
    const end = performance.now() + milliseconds;
    this.#wait(() => performance.now() >= end);
  }

  close(): void {
    this.#post({ kind: 'close' });
    this.#port.close();
  }

  #ask<R extends ReaderRequest>(request: R): Sent<R> {
    const id = ++this.#lastId;
    this.#requests.set(id, undefined);
    return { id, request };
  }

  /** A thread that cannot start says nothing: this one would not see its error while it waits. */
  #awaitThread(): void {
    const end = performance.now() + START_MS;
    this.#wait(() => this.#isReady || performance.now() >= end);
    if (!this.#isReady) throw new BackendError("the connection's thread does not start", 'this is a bug of kdbg');
  }

  /** Waits for the end of a stream, also when the user pressed Ctrl-C, while bytes of it come. */
  #awaitEnd(flow: Flow): void {
    let count = flow.pieces.length;
    let quietAt = performance.now() + QUIET_MS;
    const hasEnded = (): boolean => {
      if (flow.pieces.length !== count) quietAt = performance.now() + QUIET_MS;
      count = flow.pieces.length;
      return flow.ended !== undefined || performance.now() >= quietAt;
    };
    this.#wait(hasEnded, undefined, false);
  }

  /**
   * Waits until it holds. With a request also for no longer than the far side shows that it lives.
   * A change on the far side is waited for, so that what was begun there is known and can be undone.
   */
  #wait(
    holds: () => boolean,
    request?: ReaderRequest,
    isCancellable = request?.op !== 'control' && request?.op !== 'restore',
  ): void {
    const silenceMs = this.#options.silenceMs ?? SILENCE_MS;
    let heard = performance.now();
    let received = Atomics.load(this.#shared, IO_SHARED.received);
    for (;;) {
      const seen = Atomics.load(this.#shared, IO_SHARED.messages);
      if (this.#drain()) heard = performance.now();
      if (holds()) return;
      if (isCancellable && this.#options.cancelled()) throw new CancelledError();
      const now = Atomics.load(this.#shared, IO_SHARED.received);
      if (now !== received) {
        received = now;
        heard = performance.now();
      }
      if (request !== undefined && performance.now() - heard > silenceMs) throw this.#silentError(request, silenceMs);
      Atomics.wait(this.#shared, IO_SHARED.messages, seen, LOOK_MS);
    }
  }

  /** Takes what came; false when nothing did. */
  #drain(): boolean {
    let count = 0;
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { readonly message: FromIo } | undefined;
      if (received === undefined) return count > 0;
      this.#take(received.message);
      count++;
    }
  }

  #take(message: FromIo): void {
    switch (message.kind) {
      case 'ready':
        this.#isReady = true;
        return;
      case 'connected':
        this.#connected = message.facts;
        return;
      case 'failed':
        this.#connected = message.failure;
        return;
      case 'told':
        this.#tell(message.notice);
        return;
      case 'answer': {
        this.#wire = message.wire;
        if (message.milliseconds !== undefined) this.#latency.add(message.milliseconds);
        const { id } = message;
        if (!this.#requests.has(id)) return;
        this.#requests.set(id, { answer: message.answer });
        return;
      }
      case 'refused':
        if (this.#requests.has(message.id)) this.#requests.set(message.id, { failure: message.failure });
        return;
      case 'gone':
        this.#lost = message.why;
        for (const flow of this.#flows.values()) flow.ended ??= message.why;
        return;
      case 'flowed':
        this.#flows.get(message.id)?.pieces.push(message.bytes);
        return;
      case 'ended': {
        const flow = this.#flows.get(message.id);
        if (flow !== undefined) flow.ended ??= message.why;
        return;
      }
    }
  }

  #post(message: ToIo): void {
    this.#port.postMessage(message);
  }

  #lostError(): BackendError {
    return new BackendError(
      `the connection to ${this.name} was lost: ${this.#lost}`,
      'the next command connects again',
    );
  }

  #silentError(request: ReaderRequest, silenceMs: number): BackendError {
    const what = request.op === 'read' ? (request.ranges[0]?.what ?? 'memory') : request.op;
    return new BackendError(
      `${this.name} sent nothing for ${Math.round(silenceMs / 1000)} s (asked for ${what})`,
      'the connection is kept: try again, or look whether the host hangs',
    );
  }
}
