/**
 * What the engine's thread and the I/O thread say to each other. The I/O thread owns the connection and the reader; the
 * engine's thread sends it requests through a port and waits on shared memory for what comes back.
 */
import type { MessagePort } from 'node:worker_threads';
import { BackendError, CancelledError, KdbgError, OpenError, UsageError } from '../../core/errors.ts';
import type { CommandRequest } from '../../core/memory/backend.ts';
import type { SshOptions } from '../ssh/options.ts';
import type { Question } from './question.ts';
import type { ReaderAnswers, ReaderFacts, ReaderKind, ReaderRequest } from './reader.ts';

/** How a remote target is reached, as plain data. */
export type RemoteSpec = RemoteOptions &
  (
    | { readonly kind: 'ssh'; readonly destination: string; readonly ssh: SshOptions }
    | { readonly kind: 'shell'; readonly command: readonly string[] }
  );

export interface RemoteOptions {
  /** Become root through sudo. */
  readonly sudo: boolean;
  /** What the reader is to run in; the best that the host has where undefined. */
  readonly reader: ReaderKind | undefined;
  /** Keep what is constant of a kernel on this machine. */
  readonly cache: boolean;
}

/** What the I/O thread is started with. */
export interface IoStart {
  readonly spec: RemoteSpec;
  readonly port: MessagePort;
  /** To the screen's thread, which asks the user; undefined when nobody can be asked. */
  readonly questions: MessagePort | undefined;
  readonly shared: SharedArrayBuffer;
}

/** Places in the Int32Array that both threads share. */
export const IO_SHARED = {
  /** Messages that the I/O thread sent; it wakes the engine's thread here. */
  messages: 0,
  /** Low bits of the bytes received: while they grow the far side lives. */
  received: 1,
  length: 2,
} as const;

export type ToIo =
  /** Starts the reader behind the connection, which is made anew where there was one; `first` is asked at once. */
  | { readonly kind: 'connect'; readonly first: readonly IoRequest[] }
  /** The user does not want to wait for the connection any more. */
  | { readonly kind: 'give up' }
  | ({ readonly kind: 'request' } & IoRequest)
  | { readonly kind: 'open'; readonly id: number; readonly path: string; readonly command: CommandRequest | undefined }
  | { readonly kind: 'taken'; readonly id: number; readonly bytes: number }
  /** What was read of it is still wanted; `ended` comes behind it. */
  | { readonly kind: 'finish'; readonly id: number }
  | { readonly kind: 'shut'; readonly id: number }
  | { readonly kind: 'close' };

export interface IoRequest {
  readonly id: number;
  readonly request: ReaderRequest;
}

export interface WireBytes {
  readonly received: number;
  readonly sent: number;
}

export type FromIo =
  /** The thread runs. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'connected'; readonly facts: ReaderFacts }
  | { readonly kind: 'failed'; readonly failure: IoFailure }
  | { readonly kind: 'told'; readonly notice: string }
  | {
      readonly kind: 'answer';
      readonly id: number;
      readonly answer: ReaderAnswers[ReaderRequest['op']];
      /** How long it took; undefined where the far side had to start first. */
      readonly milliseconds: number | undefined;
      readonly wire: WireBytes;
    }
  | { readonly kind: 'refused'; readonly id: number; readonly failure: IoFailure }
  | { readonly kind: 'gone'; readonly why: string }
  | { readonly kind: 'flowed'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'ended'; readonly id: number; readonly why: string };

/** What the I/O thread asks the screen's, and the answer. */
export interface AskedQuestion {
  readonly id: number;
  readonly question: Question;
}
export interface QuestionAnswer {
  readonly id: number;
  readonly answer: string | undefined;
}

/** An error as it crosses threads: classes do not, and their names are not kept by a build. */
export interface IoFailure {
  readonly kind: 'cancelled' | 'usage' | 'open' | 'backend' | 'bug';
  readonly message: string;
  readonly hint: string | undefined;
}

export function failureOf(error: unknown): IoFailure {
  if (error instanceof KdbgError) return { kind: kindOf(error), message: error.message, hint: error.hint };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { kind: 'bug', message, hint: undefined };
}

function kindOf(error: KdbgError): IoFailure['kind'] {
  if (error instanceof CancelledError) return 'cancelled';
  if (error instanceof UsageError) return 'usage';
  return error instanceof OpenError ? 'open' : 'backend';
}

/** The error again; what is none of the user's errors is a bug of kdbg, and stays one. */
export function errorOf({ kind, message, hint }: IoFailure): Error {
  switch (kind) {
    case 'cancelled':
      return new CancelledError();
    case 'open':
      return new OpenError(message, hint);
    case 'usage':
      return new UsageError(message, hint === undefined ? {} : { hint });
    case 'backend':
      return new BackendError(message, hint);
    case 'bug':
      return new Error(message);
  }
}
