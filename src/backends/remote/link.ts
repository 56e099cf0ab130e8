/**
 * The far side's reader as the engine's thread has it: requests are sent without waiting, and the thread waits for the
 * answer that it needs now. thread-link.ts is the real one; tests have one without a thread.
 */
import type { CommandRequest, WireCounters } from '../../core/memory/backend.ts';
import type { ReaderAnswer, ReaderFacts, ReaderRequest } from './reader.ts';

/** A request on its way. */
export interface Sent<R extends ReaderRequest = ReaderRequest> {
  readonly id: number;
  readonly request: R;
}

/** Requests of a tuple on their way, in its order. */
export type AllSent<R extends readonly ReaderRequest[]> = { readonly [I in keyof R]: Sent<R[I]> };

export interface Connected<R extends readonly ReaderRequest[]> {
  readonly facts: ReaderFacts;
  readonly sent: AllSent<R>;
}

export interface Link {
  /** What is at the other end, for errors: "web7", "kubectl exec -i web-0 -- sh". */
  readonly name: string;
  /** Why there is no connection; undefined while there is one. */
  readonly lost: string | undefined;
  readonly wire: WireCounters;
  /**
   * Connects and starts the reader, and sends what is asked first behind its program; what the user should know of it
   * goes to `tell`. Throws OpenError, UsageError when it cannot be done, CancelledError.
   */
  connect<const R extends readonly ReaderRequest[]>(tell: (notice: string) => void, first: R): Connected<R>;
  /** Throws BackendError when the connection is lost. */
  send<R extends ReaderRequest>(request: R): Sent<R>;
  /** True when the answer has come: `take` does not wait. */
  isThere(sent: Sent): boolean;
  /** Waits for an answer. Throws BackendError when it does not come; CancelledError, but not while a change is made. */
  take<R extends ReaderRequest>(sent: Sent<R>): ReaderAnswer<R>;
  /** Nobody wants this answer any more. */
  drop(sent: Sent): void;
  /** Opens a file that flows; with a command, what that prints. */
  open(path: string, command?: CommandRequest): LinkStream;
  /** Waits this long on the engine's thread. Throws CancelledError. */
  rest(milliseconds: number): void;
  close(): void;
}

export interface LinkStream {
  /** What has come, without waiting; undefined when nothing has. */
  take(): Uint8Array | undefined;
  /** Waits until something came or the stream ended; false when neither. Throws CancelledError. */
  wait(milliseconds: number): boolean;
  readonly ended: string | undefined;
  /** Reads no more, and waits until all that was read has come, for as long as some of it comes. */
  finish(): void;
  close(): void;
}
