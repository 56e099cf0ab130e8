/**
 * Starts the I/O thread. The program does so before the engine's thread is up: the connection is made while the engine
 * loads.
 */
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { IO_SHARED, type IoStart, type RemoteSpec } from './io-messages.ts';

/** The I/O thread as the engine's thread is given it; the port is transferred. */
export interface IoThread {
  readonly port: MessagePort;
  readonly shared: SharedArrayBuffer;
}

/** `entry`: the thread's file. `questions`: to whoever can ask the user; undefined when nobody can be asked. */
export function startIo(entry: URL, spec: RemoteSpec, questions: MessagePort | undefined): IoThread {
  const shared = new SharedArrayBuffer(4 * IO_SHARED.length);
  const { port1, port2 } = new MessageChannel();
  const start: IoStart = { spec, questions, port: port2, shared };
  const transferList = questions === undefined ? [port2] : [port2, questions];
  const worker = new Worker(entry, { workerData: start, transferList });
  // A thread that cannot start says nothing, and whoever waits for it says so.
  worker.on('error', () => undefined);
  worker.unref();
  return { port: port1, shared };
}
