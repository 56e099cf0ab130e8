/**
 * One byte stream each way to a shell on the target: all that a remote target needs. ssh2's exec channel is one, the
 * standard input and output of a command of the user's (`kubectl exec -i POD -- sh`) is another.
 */

/** A stream to a shell that reads its standard input. It belongs to the I/O thread. */
export interface ByteChannel {
  /** What it is, for errors: "ssh web7", "kubectl exec -i web-0 -- sh". */
  readonly name: string;
  /** Queues bytes for the far side. False: much waits already; `onDrain` tells when it has gone. */
  write(bytes: Uint8Array): boolean;
  /** Sets who is told of what comes. What came before is told then. */
  listen(listener: ChannelListener): void;
  /** Stops reading, so that a far side that sends without end waits; `resume` reads on. */
  pause(): void;
  resume(): void;
  /** Ends it; `onEnd` follows. */
  close(): void;
}

export interface ChannelListener {
  onData(bytes: Uint8Array): void;
  /** The far side's standard error: hostile text for explanations, never part of the protocol. */
  onError(bytes: Uint8Array): void;
  onDrain(): void;
  /** Told once. `why` in words: "the connection was reset", "the command ended with status 127". */
  onEnd(why: string): void;
}
