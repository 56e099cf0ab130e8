/**
 * The engine as the screen sees it: asynchronous, cancellable, never blocking. One command runs at a time.
 */
import { Worker } from 'node:worker_threads';
import type { Completion } from '../core/command/complete.ts';
import type { SessionSpec } from './open.ts';
import { type FromEngine, type Opened, type Output, type RunMode, SHARED, type ToEngine } from './protocol.ts';
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

export class EngineClient {
  readonly opened: Opened;
  readonly #worker: Worker;
  readonly #shared: Int32Array;
  readonly #waiting = new Map<number, (message: FromEngine) => void>();
  #lastId = 0;
  #dead: Error | undefined;

  private constructor(worker: Worker, shared: Int32Array, opened: Opened) {
    this.#worker = worker;
    this.#shared = shared;
    this.opened = opened;
    worker.on('message', (message: FromEngine) => {
      if ('id' in message) this.#waiting.get(message.id)?.(message);
    });
    worker.on('error', (error) => this.#die(error));
    worker.on('exit', () => this.#die(new Error('the engine ended')));
  }

  /** Starts the engine's thread on a target. Rejects with EngineFailed when the target cannot be opened. */
  static async start(spec: SessionSpec, entry: URL): Promise<EngineClient> {
    const buffer = new SharedArrayBuffer(4 * SHARED.length);
    const start: WorkerStart = { spec, shared: buffer };
    const worker = new Worker(entry, { workerData: start });
    const first = await new Promise<FromEngine>((resolve, reject) => {
      worker.once('message', resolve);
      worker.once('error', reject);
    });
    if (first.kind === 'opened') return new EngineClient(worker, new Int32Array(buffer), first.opened);
    await worker.terminate();
    throw first.kind === 'failed' ? new EngineFailed(first.lines, first.status) : new Error('unexpected answer');
  }

  /** Runs a line; its output as it comes. Taking slowly slows the engine down. */
  run(line: string, mode: RunMode): AsyncGenerator<Output> {
    return this.#stream((id) => ({ kind: 'run', id, line, mode }));
  }

  /** The recorded session that is replayed, command by command with its output. */
  transcript(): AsyncGenerator<Output> {
    return this.#stream((id) => ({ kind: 'transcript', id }));
  }

  async *#stream(request: (id: number) => ToEngine): AsyncGenerator<Output> {
    Atomics.store(this.#shared, SHARED.cancelled, 0);
    const id = ++this.#lastId;
    const queue: FromEngine[] = [];
    let wake: (() => void) | undefined;
    this.#waiting.set(id, (message) => {
      queue.push(message);
      wake?.();
    });
    this.#send(request(id));
    try {
      while (true) {
        if (this.#dead !== undefined) throw this.#dead;
        const message = queue.shift();
        if (message === undefined) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
          continue;
        }
        if (message.kind === 'done') return;
        if (message.kind === 'output') {
          yield* message.batch;
          Atomics.sub(this.#shared, SHARED.pending, 1);
          Atomics.notify(this.#shared, SHARED.pending);
        }
      }
    } finally {
      this.#waiting.delete(id);
    }
  }

  async complete(line: string, cursor: number): Promise<Completion> {
    const answer = await this.#ask((id) => ({ kind: 'complete', id, line, cursor }));
    return answer.kind === 'completed' ? answer.completion : { start: cursor, end: cursor, candidates: [] };
  }

  /** Stops the running command; what it found so far stays. */
  cancel(): void {
    Atomics.store(this.#shared, SHARED.cancelled, 1);
    Atomics.notify(this.#shared, SHARED.pending);
  }

  async close(): Promise<void> {
    this.cancel();
    if (this.#dead === undefined) await this.#ask((id) => ({ kind: 'close', id })).catch(() => undefined);
    await this.#worker.terminate();
  }

  #ask(make: (id: number) => ToEngine): Promise<FromEngine> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#dead !== undefined) return reject(this.#dead);
      this.#waiting.set(id, (message) => {
        this.#waiting.delete(id);
        resolve(message);
      });
      this.#send(make(id));
    });
  }

  #send(message: ToEngine): void {
    this.#worker.postMessage(message);
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const [id, wake] of this.#waiting) wake({ kind: 'done', id });
  }
}
