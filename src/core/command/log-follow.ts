/** The kernel log as it goes on: /dev/kmsg as a stream, from what was shown on. */
import { BackendError, UnsupportedError } from '../errors.ts';
import { parseKmsg } from '../kernel/kmsg.ts';
import type { LogRecord } from '../kernel/log-record.ts';
import type { Scope } from './scope.ts';

const PATH = '/dev/kmsg';
const WAIT_MS = 200;
const LINE_FEED = 0x0a;

/**
 * Records from a sequence number on, those that came together in one array. Throws UnsupportedError where nothing
 * flows, BackendError when it ends, CancelledError.
 */
export function* followLog({ kernel, check }: Scope, from: bigint): Iterable<readonly LogRecord[]> {
  const stream = kernel.backend.streams?.open(PATH);
  if (stream === undefined)
    throw new UnsupportedError(`${kernel.backend.name} has no log that goes on: only a live target has`);
  if ('reason' in stream) {
    throw new UnsupportedError(
      `the log cannot be followed: ${stream.path}: ${stream.detail}`,
      'root can, in most places',
    );
  }
  let rest: Uint8Array = new Uint8Array();
  try {
    for (;;) {
      check();
      // A reader of its own begins with the oldest record that is there.
      if (stream.wait(WAIT_MS)) {
        const [lines, after] = wholeLines(rest, stream.take());
        rest = after;
        const records = parseKmsg(lines).filter(({ sequence }) => sequence >= from);
        if (records.length > 0) yield records;
      }
      if (stream.ended !== undefined) throw new BackendError(`${PATH} ended: ${stream.ended}`);
    }
  } finally {
    stream.close();
  }
}

/** All up to the last line feed, and what comes after it. */
function wholeLines(before: Uint8Array, came: Uint8Array): readonly [Uint8Array, Uint8Array] {
  const all = new Uint8Array(before.length + came.length);
  all.set(before);
  all.set(came, before.length);
  const end = all.lastIndexOf(LINE_FEED) + 1;
  return [all.subarray(0, end), all.slice(end)];
}
