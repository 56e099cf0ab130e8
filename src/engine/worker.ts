/**
 * The engine's thread: opens the target, runs lines, and sends their output with back-pressure. While a command runs
 * the thread may block on the target; the screen's thread stops it through shared memory, not through a message.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { IoThread } from '../backends/remote/io-start.ts';
import { type Completion, complete } from '../core/command/complete.ts';
import { errorLines, isUserError } from '../core/command/run.ts';
import type { BackendCounters } from '../core/memory/backend.ts';
import { openSession, type SessionSpec } from './open.ts';
import { type FromEngine, type Output, PENDING_MAX, PROGRESS_WHOLE, SHARED, type ToEngine } from './protocol.ts';
import type { Session } from './session.ts';
import { type TargetNames, targetNames } from './target-names.ts';

/** What the thread is started with. */
export interface WorkerStart {
  readonly spec: SessionSpec;
  readonly shared: SharedArrayBuffer;
  /** The thread that holds the connection, where the target is behind one. */
  readonly io: IoThread | undefined;
}

/** Output is sent when this much has gathered or this long has passed. */
const BATCH_OUTPUTS = 16;
const BATCH_MS = 30;

const port = parentPort;
if (port !== null) serve(workerData as WorkerStart, (message) => port.postMessage(message));

function serve(start: WorkerStart, send: (message: FromEngine) => void): void {
  const shared = new Int32Array(start.shared);
  const running = { id: 0, statement: 0 };
  const interrupted = (): boolean => running.id > 0 && Atomics.load(shared, SHARED.cancelled) >= running.id;
  const refused = (): boolean => running.statement > 0 && Atomics.load(shared, SHARED.refused) === running.statement;
  let session: Session;
  try {
    const interruption = {
      interrupted,
      cancelled: () => interrupted() || refused(),
      onStatement: (statement: number) => {
        running.statement = statement;
        Atomics.store(shared, SHARED.progress, 0);
      },
      progress: (done: number, total: number) => {
        const part = total > 0 ? Math.min(1, done / total) : 0;
        Atomics.store(shared, SHARED.progress, Math.round(part * PROGRESS_WHOLE));
      },
    };
    const opened = openSession(start.spec, interruption, start.io);
    session = opened.session;
    send({ kind: 'opened', opened: opened.opened });
  } catch (error) {
    if (!isUserError(error)) throw error;
    send({ kind: 'failed', lines: errorLines(error, undefined), status: error.status === 1 ? 3 : error.status });
    return;
  }
  port?.on('message', (message: ToEngine) => {
    running.id = message.id;
    switch (message.kind) {
      case 'run':
        stream(session.execute(message.line, message.mode), message.id, {
          shared,
          interrupted,
          send,
          counters: () => session.kernel.backend.counters,
        });
        return;
      case 'transcript':
        stream(session.transcript(), message.id, {
          shared,
          interrupted,
          send,
          counters: () => session.kernel.backend.counters,
        });
        return;
      case 'complete':
        send({ kind: 'completed', id: message.id, completion: completion(session, message) });
        return;
      case 'names':
        send({ kind: 'named', id: message.id, names: names(session, message.known) });
        return;
      case 'close': {
        // Closing is not to be stopped.
        running.id = 0;
        send({ kind: 'closed', id: message.id, failures: session.close() });
        port?.close();
        return;
      }
    }
  });
}

/** A key press is not worth the session: whatever goes wrong here is no completion. */
function completion(session: Session, { line, cursor }: Extract<ToEngine, { kind: 'complete' }>): Completion {
  try {
    session.kernel.newCommand();
    return complete(line, cursor, session.scope());
  } catch {
    return { start: cursor, end: cursor, candidates: [], partial: false };
  }
}

/** Nor is a search. */
function names(session: Session, known: number): TargetNames {
  try {
    return targetNames(session.kernel, known);
  } catch {
    return { generation: known, symbols: undefined, types: undefined };
  }
}

interface Screen {
  readonly shared: Int32Array;
  readonly interrupted: () => boolean;
  readonly send: (message: FromEngine) => void;
  readonly counters: () => BackendCounters;
}

function stream(outputs: Iterable<Output>, id: number, { shared, interrupted, send, counters }: Screen): void {
  let batch: Output[] = [];
  let sentAt = performance.now();
  const flush = (): void => {
    if (batch.length === 0) return;
    // The screen takes a batch by decrementing `pending` and waking this thread.
    for (let pending = Atomics.load(shared, SHARED.pending); pending >= PENDING_MAX; ) {
      if (interrupted()) break;
      Atomics.wait(shared, SHARED.pending, pending, 100);
      pending = Atomics.load(shared, SHARED.pending);
    }
    Atomics.add(shared, SHARED.pending, 1);
    send({ kind: 'output', id, batch });
    batch = [];
    sentAt = performance.now();
  };
  for (const output of outputs) {
    batch.push(output);
    if (output.kind === 'pause' || batch.length >= BATCH_OUTPUTS || performance.now() - sentAt >= BATCH_MS) flush();
  }
  flush();
  const traffic = counters();
  send({ kind: 'done', id, ...(traffic.wire === undefined ? {} : { traffic }) });
}
