/** Files that flow on the far side: trace_pipe of a tracing instance, /dev/kmsg. They flow while the engine is busy. */
import { commandName, type FileStream, type StreamSource } from '../../core/memory/backend.ts';
import { refusedControl, refusedStream } from '../local/paths.ts';
import type { Link, LinkStream } from './link.ts';

/** Taken at once at most: what a reader of the stream has to parse before it looks at anything else. */
const TAKEN_MAX = 1024 * 1024;

export function remoteStreams(link: Link): StreamSource {
  return {
    open: (path) => refusedStream(path) ?? fileStream(link.open(path)),
    run(command) {
      const refused = command.pidFiles.map(refusedControl).find((failure) => failure !== undefined);
      return refused ?? fileStream(link.open(commandName(command), command));
    },
  };
}

function fileStream(stream: LinkStream): FileStream {
  const take = (most: number): Uint8Array => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    while (length < most) {
      const piece = stream.take();
      if (piece === undefined) break;
      pieces.push(piece);
      length += piece.length;
    }
    return pieces.length === 1 ? (pieces[0] as Uint8Array) : new Uint8Array(Buffer.concat(pieces));
  };
  return {
    take: () => take(TAKEN_MAX),
    wait: (milliseconds) => stream.wait(milliseconds),
    get ended() {
      return stream.ended;
    },
    finish() {
      stream.finish();
      // No more than it had credit for.
      const rest = take(Number.POSITIVE_INFINITY);
      stream.close();
      return rest;
    },
    close: () => stream.close(),
  };
}
