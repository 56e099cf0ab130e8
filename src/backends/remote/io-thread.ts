/**
 * The I/O thread: makes the connection that the command line asked for, starts the reader behind it, and serves the
 * engine's thread.
 */
import { workerData } from 'node:worker_threads';
import { connectSsh } from '../ssh/connect.ts';
import type { ByteChannel } from './channel.ts';
import { openCommandChannel } from './command-channel.ts';
import type { IoStart } from './io-messages.ts';
import { type Behind, serveIo } from './io-server.ts';
import { askThrough } from './questions.ts';
import { bootstrap } from './reader/bootstrap.ts';
import { type ReaderOptions, startReader } from './reader/start.ts';

const { spec, port, questions, shared } = workerData as IoStart;
const ask = askThrough(questions);

serveIo(port, new Int32Array(shared), async (signal, tell) => {
  const options = { kind: spec.reader, sudo: spec.sudo ? { ask } : undefined, signal };
  if (spec.kind === 'shell') return readerBehind(openCommandChannel(spec.command), options);
  // The line that a shell would be sent is the command that sshd runs: a round trip less.
  const begun = bootstrap(spec.reader, spec.sudo);
  const channel = await connectSsh(spec.destination, spec.ssh, begun.line.trimEnd(), ask, signal, tell);
  return readerBehind(channel, { ...options, begun });
});

function readerBehind(channel: ByteChannel, options: ReaderOptions): Behind {
  return {
    start: (first) => startReader(channel, { ...options, first }),
    leave: () => channel.close(),
  };
}
