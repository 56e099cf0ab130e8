/**
 * The I/O thread: makes the connection that the command line asked for, starts the reader behind it, and serves the
 * engine's thread.
 */
import { workerData } from 'node:worker_threads';
import { connectSsh } from '../ssh/connect.ts';
import type { ByteChannel } from './channel.ts';
import { openCommandChannel } from './command-channel.ts';
import type { IoStart } from './io-messages.ts';
import { serveIo } from './io-server.ts';
import { askThrough } from './questions.ts';
import { startReader } from './reader/start.ts';

const { spec, port, questions, shared } = workerData as IoStart;
const ask = askThrough(questions);

serveIo(port, new Int32Array(shared), async (signal, tell) => {
  const channel = await connect(signal, tell);
  return startReader(channel, { kind: spec.reader, sudo: spec.sudo ? { ask } : undefined, signal });
});

async function connect(signal: AbortSignal, tell: (notice: string) => void): Promise<ByteChannel> {
  if (spec.kind === 'shell') return openCommandChannel(spec.command);
  return connectSsh(spec.destination, spec.ssh, ask, signal, tell);
}
