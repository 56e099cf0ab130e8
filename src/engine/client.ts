/**
 * The engine as the screen sees it: asynchronous, cancellable, never blocking. One command runs at a time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import type { AskedQuestion, QuestionAnswer } from '../backends/remote/io-messages.ts';
import { startIo } from '../backends/remote/io-start.ts';
import type { Ask } from '../backends/remote/question.ts';
import type { Completion } from '../core/command/complete.ts';
import type { BackendCounters } from '../core/memory/backend.ts';
import type { SessionSpec } from './open.ts';
import {
  type FromEngine,
  type Opened,
  type Output,
  PROGRESS_WHOLE,
  type RunMode,
  SHARED,
  type ToEngine,
} from './protocol.ts';
import { Search } from './search.ts';
import type { TargetNames } from './target-names.ts';
import type { WorkerStart } from './worker.ts';

/** The target could not be opened: what to tell, and the exit status. */
export class EngineFailed extends Error {
  readonly lines: readonly string[];
  readonly status: number;

  constructor(lines: readonly string[], status: number) {
    super(lines[0] ?? 'the engine failed');
    this.lines = lines;
    this.status = status;
  }
}

/** The engine's thread ended in the middle of the session: a bug, too little memory, or the user ended it. */
export class EngineDied extends Error {
  /** The user ended it because it did not answer. */
  readonly isAbandoned: boolean;

  constructor(message: string, options: { readonly cause?: unknown; readonly isAbandoned?: boolean } = {}) {
    super(message, { cause: options.cause });
    this.isAbandoned = options.isAbandoned === true;
  }
}

/** An engine that is asked to close has this long; then its thread is ended. */
const CLOSE_MS = 5_000;
const TERMINATE_MS = 1_000;
/**
 * Output is taken for this long before keys, timers and signals have their turn. Messages alone would never let them:
 * whoever takes a batch lets the engine send the next one, and node hands out messages as long as there are some.
 */
const TURN_MS = 10;

/** How an engine was closed: what went wrong, and whether its thread has ended. */
export interface Closed {
  readonly failures: readonly string[];
  readonly ended: boolean;
}

export class EngineClient {
  readonly opened: Opened;
  /** Asks the user what a connection needs: a passphrase, a password. May be set anew when the screen changes. */
  ask: Ask;
  /** The names of the target, searched in a thread of their own. */
  readonly search: Search;
  /** What the target's connection carried until the last line ended; undefined where it has none. */
  traffic: BackendCounters | undefined;
  readonly #worker: Worker;
  readonly #questions: MessagePort;
  readonly #shared: Int32Array;
  readonly #waiting = new Map<number, (message: FromEngine) => void>();
  /** Ids begin with 1: nothing is cancelled at first. */
  #lastId = 0;
  #dead: EngineDied | undefined;
  #closed: Promise<Closed> | undefined;

  private constructor(worker: Worker, shared: Int32Array, opened: Opened, questions: Questions, entry: URL) {
    this.#worker = worker;
    this.#shared = shared;
    this.opened = opened;
    this.search = new Search(new URL('./search.js', entry), (known) => this.#names(known));
    this.ask = questions.ask;
    this.#questions = questions.port;
    questions.asker = (question) => this.ask(question);
    worker.on('message', (message: FromEngine) => this.#take(message));
    worker.on('error', (error) => this.#die(died(error)));
    worker.on('exit', () => this.#die(new EngineDied('the engine ended')));
  }

  /**
   * Starts the engine's thread on a target. `ask` answers what only the user can while a remote one is opened or
   * regained; without it nobody can. Rejects with EngineFailed when the target cannot be opened.
   */
  static async start(spec: SessionSpec, entry: URL, ask: Ask = NOBODY): Promise<EngineClient> {
    const buffer = new SharedArrayBuffer(4 * SHARED.length);
    const { port1, port2 } = new MessageChannel();
    const questions = new Questions(port1, ask);
    const { backend } = spec;
    // Begun first: the connection is made while the engine loads.
    const isRemote = backend.kind === 'ssh' || backend.kind === 'shell';
    const io = isRemote ? startIo(new URL('./io.js', entry), backend, port2) : undefined;
    const start: WorkerStart = { spec, shared: buffer, io };
    const worker = new Worker(entry, { workerData: start, transferList: io === undefined ? [] : [io.port] });
    const first = await new Promise<FromEngine>((resolve, reject) => {
      const settle = (act: () => void): void => {
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        act();
      };
      const onMessage = (message: FromEngine): void => settle(() => resolve(message));
      const onError = (error: Error): void => settle(() => reject(died(error)));
      const onExit = (): void => settle(() => reject(new EngineDied('the engine ended')));
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
    });
    if (first.kind === 'opened')
      return new EngineClient(worker, new Int32Array(buffer), first.opened, questions, entry);
    port1.close();
    await worker.terminate();
    throw first.kind === 'failed' ? new EngineFailed(first.lines, first.status) : new EngineDied('unexpected answer');
  }

  /** Runs a line; its output as it comes. Taking slowly slows the engine down. Throws EngineDied. */
  run(line: string, mode: RunMode): AsyncGenerator<Output> {
    return this.#stream((id) => ({ kind: 'run', id, line, mode }));
  }

  /** The recorded session that is replayed, command by command with its output. */
  transcript(): AsyncGenerator<Output> {
    return this.#stream((id) => ({ kind: 'transcript', id }));
  }

  async *#stream(request: (id: number) => ToEngine): AsyncGenerator<Output> {
    const id = ++this.#lastId;
    const queue: FromEngine[] = [];
    let wake: (() => void) | undefined;
    this.#waiting.set(id, (message) => {
      queue.push(message);
      wake?.();
    });
    this.#send(request(id));
    let since = performance.now();
    try {
      while (true) {
        const message = queue.shift();
        if (message === undefined) {
          if (this.#dead !== undefined) throw this.#dead;
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        if (message.kind === 'done') {
          if (this.#dead !== undefined) throw this.#dead;
          return;
        }
        if (message.kind === 'output') {
          // Taken only now: what waits to be printed is not much more than a batch. Taken too when nobody listens on.
          try {
            yield* message.batch;
          } finally {
            this.#taken();
          }
          if (performance.now() - since < TURN_MS) continue;
          await nextTurn();
          since = performance.now();
        }
      }
    } finally {
      // Whoever stopped listening wants no more of it.
      this.#waiting.delete(id);
      Atomics.store(this.#shared, SHARED.cancelled, Math.max(Atomics.load(this.#shared, SHARED.cancelled), id));
      for (const message of queue) if (message.kind === 'output') this.#taken();
    }
  }

  /** What could be typed at the cursor; nothing once the signal says that nobody wants to know. */
  async complete(line: string, cursor: number, signal?: AbortSignal): Promise<Completion> {
    const stop = (): void => this.cancel();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      const answer = await this.#ask((id) => ({ kind: 'complete', id, line, cursor }));
      if (answer.kind === 'completed') return answer.completion;
      return { start: cursor, end: cursor, candidates: [], partial: false };
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  async #names(known: number): Promise<TargetNames | undefined> {
    const answer = await this.#ask((id) => ({ kind: 'names', id, known }));
    return answer.kind === 'named' ? answer.names : undefined;
  }

  /** Stops whatever was asked for so far; what it found stays. */
  cancel(): void {
    Atomics.store(this.#shared, SHARED.cancelled, this.#lastId);
    Atomics.notify(this.#shared, SHARED.pending);
  }

  /** How much of the running statement's work is done, from 0 to 1; undefined while that is not known. */
  get progress(): number | undefined {
    const part = Atomics.load(this.#shared, SHARED.progress);
    return part > 0 ? part / PROGRESS_WHOLE : undefined;
  }

  /** Nobody takes the output of this statement any more; those after it still run. */
  refuse(statement: number): void {
    Atomics.store(this.#shared, SHARED.refused, statement);
    Atomics.notify(this.#shared, SHARED.pending);
  }

  /** Ends the thread without waiting for it: it does not answer. Every request then throws EngineDied. */
  abandon(): void {
    this.#die(new EngineDied('the engine did not answer and was ended', { isAbandoned: true }));
    void this.#worker.terminate();
  }

  /** Completes the recording and ends the thread, once for all who ask. */
  close(): Promise<Closed> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<Closed> {
    this.cancel();
    this.#questions.close();
    this.search.close();
    let failures: readonly string[] = [];
    if (this.#dead === undefined) {
      const asked = this.#ask((id) => ({ kind: 'close', id })).catch(() => undefined);
      const answer = await within(asked, CLOSE_MS);
      if (answer?.kind === 'closed') failures = answer.failures;
    }
    const ended = await within(
      this.#worker.terminate().then(() => true),
      TERMINATE_MS,
    );
    return { failures, ended: ended === true };
  }

  #ask(make: (id: number) => ToEngine): Promise<FromEngine> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      this.#waiting.set(id, (message) => {
        this.#waiting.delete(id);
        if (message.kind === 'done' && this.#dead !== undefined && this.#closed === undefined) reject(this.#dead);
        else resolve(message);
      });
      this.#send(make(id));
    });
  }

  #send(message: ToEngine): void {
    this.#worker.postMessage(message);
  }

  #take(message: FromEngine): void {
    if (message.kind === 'done') this.traffic = message.traffic ?? this.traffic;
    const take = 'id' in message ? this.#waiting.get(message.id) : undefined;
    if (take !== undefined) take(message);
    else if (message.kind === 'output') this.#taken();
  }

  #taken(): void {
    Atomics.sub(this.#shared, SHARED.pending, 1);
    Atomics.notify(this.#shared, SHARED.pending);
  }

  #die(error: EngineDied): void {
    this.#dead ??= error;
    // What came before is still shown: queues are emptied before the error is thrown.
    for (const [id, wake] of this.#waiting) wake({ kind: 'done', id });
  }
}

const NOBODY: Ask = () => Promise.resolve(undefined);

/** Questions of the connection's thread, passed on to whoever can ask the user at the time. */
class Questions {
  readonly port: MessagePort;
  readonly ask: Ask;
  asker: Ask;

  constructor(port: MessagePort, ask: Ask) {
    this.port = port;
    this.ask = ask;
    this.asker = ask;
    port.on('message', ({ id, question }: AskedQuestion) => {
      const reply = (answer: string | undefined): void => port.postMessage({ id, answer } satisfies QuestionAnswer);
      this.asker(question).then(reply, () => reply(undefined));
    });
    // A session that waits for nothing else is over.
    port.unref();
  }
}

function died(error: Error & { readonly code?: string }): EngineDied {
  if (error instanceof EngineDied) return error;
  const message =
    error.code === 'ERR_WORKER_OUT_OF_MEMORY' ? 'the command needed more memory than the engine has' : error.message;
  return new EngineDied(message, { cause: error });
}

/** The promise's value, or undefined when it takes too long. */
async function within<T>(promise: Promise<T>, milliseconds: number): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
