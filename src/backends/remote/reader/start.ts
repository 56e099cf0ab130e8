/**
 * Starts a reader on the far side of a byte stream, and serves kdbg's requests through it. Two round trips: the shell
 * becomes a loader, the loader becomes the reader and answers the first questions.
 */
import { BackendError, CancelledError, OpenError } from '../../../core/errors.ts';
import { parseBuildId } from '../../../core/formats/elf-notes.ts';
import type { FileResult } from '../../../core/memory/backend.ts';
import { decodeText } from '../../../core/memory/text.ts';
import type { ByteChannel } from '../channel.ts';
import type { Ask } from '../question.ts';
import type { Reader, ReaderAnswers, ReaderFacts, ReaderKind, ReaderRequest } from '../reader.ts';
import { type Bootstrap, bootstrap, type Found } from './bootstrap.ts';
import { Connection } from './connection.ts';
import { type Exchange, filesExchange, headersExchange } from './exchange.ts';
import { Handshake } from './handshake.ts';
import { KcoreMap } from './kcore-map.ts';
import { readerProgram } from './programs.ts';
import { answererOf, createReader } from './remote-reader.ts';
import { encodeWord, wireRequest } from './wire-request.ts';

export interface ReaderOptions {
  /** This kind or none; the best that the host has where undefined. */
  readonly kind?: ReaderKind | undefined;
  /** Become root. `ask` is for the password, where sudo wants one. */
  readonly sudo?: { readonly ask: Ask } | undefined;
  readonly signal?: AbortSignal | undefined;
  /** For each step of the start, without the time in which the user is asked. */
  readonly timeoutMs?: number;
  /** Elsewhere than /proc/kcore: for tests. */
  readonly kcore?: string;
  /** The channel is of a command that was this line: nothing is sent to begin with. */
  readonly begun?: Bootstrap | undefined;
  /** What is to be asked right behind the program, in the same round trip. */
  readonly first?: readonly ReaderRequest[] | undefined;
}

/** A reader that runs, and what it answers to `first`, in order. */
export interface StartedReader {
  readonly reader: Reader;
  readonly answers: readonly Promise<ReaderAnswers[ReaderRequest['op']]>[];
}

const START_MS = 20_000;
const FACT_FILES = ['/proc/sys/kernel/osrelease', '/proc/sys/kernel/random/boot_id', '/sys/kernel/notes'];
const FACT_MAX = 64 * 1024;

/** Throws OpenError that says what the far side said, CancelledError; the channel is closed then. */
export async function startReader(channel: ByteChannel, options: ReaderOptions = {}): Promise<StartedReader> {
  const { kind, sudo, signal, timeoutMs = START_MS, begun } = options;
  const plan = begun ?? bootstrap(kind, sudo !== undefined);
  const handshake = new Handshake({ channel, bootstrap: plan, forced: kind, ask: sudo?.ask, timeoutMs });
  let connection: Connection | undefined;
  const abort = (): void => {
    handshake.abort(new CancelledError());
    connection?.end('interrupted');
  };
  signal?.addEventListener('abort', abort, { once: true });
  channel.listen({
    onData: (bytes) => (connection === undefined ? handshake.data(bytes) : connection.take(bytes)),
    onError: (bytes) => {
      if (connection === undefined) handshake.errorData(bytes);
      else handshake.noise.add(Buffer.from(bytes).toString('utf8'));
    },
    onDrain: () => undefined,
    onEnd: (why) => {
      handshake.ended(why);
      connection?.end(withNoise(why, handshake));
    },
  });
  try {
    if (signal?.aborted) throw new CancelledError();
    handshake.begin(begun !== undefined);
    const shaken = await handshake.done;
    connection = new Connection(channel, plan.magic);
    channel.write(Buffer.from(readerProgram(shaken.found.kind), 'latin1'));
    const reading = open(connection, shaken.found, { ...options, timeoutMs });
    if (shaken.rest.length > 0) connection.take(shaken.rest);
    return await reading;
  } catch (error) {
    connection?.end('it did not start');
    channel.close();
    if (signal?.aborted) throw new CancelledError();
    if (error instanceof BackendError)
      throw new OpenError(`the reader on ${channel.name} does not start: ${error.message}`, error.hint);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

function withNoise(why: string, { noise }: Handshake): string {
  return noise.said === '' ? why : `${why}; the far side said: ${noise.said}`;
}

/** The first questions, all at once, behind the program. */
async function open(
  connection: Connection,
  found: Found & { readonly kind: ReaderKind },
  { kcore = '/proc/kcore', timeoutMs = START_MS, first = [] }: ReaderOptions,
): Promise<StartedReader> {
  const map = new KcoreMap((length) => connection.exchange(headersExchange(kcore, length)));
  const timer = setTimeout(() => connection.end(`it did not answer within ${timeoutMs / 1000} s`), timeoutMs);
  try {
    const hello = connection.exchange(helloExchange(kcore));
    const headers = map.load();
    const files = connection.exchange(filesExchange(FACT_FILES, FACT_MAX, undefined));
    const answerer = answererOf(connection, map, found.kind);
    const answers = first.map(answerer);
    // Whoever awaits them does so when the reader is known to run.
    for (const answer of answers) answer.catch(() => undefined);
    const [said, facts] = await Promise.all([hello, files, headers]);
    return { reader: createReader(connection, answerer, factsOf(found, said, facts)), answers };
  } finally {
    clearTimeout(timer);
  }
}

interface Hello {
  readonly uid: number;
  readonly pids: readonly number[];
  readonly compresses: boolean;
}

function helloExchange(kcore: string): Exchange<Hello> {
  return {
    requests: [wireRequest(`h ${encodeWord(kcore)}`)],
    answer([item]) {
      const text = item === undefined ? '' : decodeText(item.bytes);
      const match = /^(perl|python3|sh) (\d{1,10}) (\d{1,10}) (\d{1,10}) ([01])$/.exec(text);
      if (match === null) throw new BackendError(`the far side's reader says ${JSON.stringify(text.slice(0, 80))}`);
      const pids = [Number(match[3]), Number(match[4])];
      return { uid: Number(match[2]), pids, compresses: match[5] === '1' };
    },
  };
}

function factsOf(
  { kind, pid }: Found & { readonly kind: ReaderKind },
  hello: Hello,
  files: readonly (FileResult | 'same')[],
): ReaderFacts {
  const [release, bootId, notes] = files.map((file) => (file !== 'same' && file.ok ? file.bytes : new Uint8Array(0)));
  return {
    kind,
    uid: hello.uid,
    release: decodeText(release as Uint8Array).trim(),
    bootId: decodeText(bootId as Uint8Array).trim(),
    buildId: parseBuildId(notes as Uint8Array),
    // The shell of the start is the reader itself, or sudo above it.
    pids: [...new Set([...hello.pids, pid])].filter((each) => each > 1),
    compresses: hello.compresses,
  };
}
