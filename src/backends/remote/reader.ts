/**
 * The far side's reader as the I/O thread sees it: requests go out without waiting for earlier answers, and each
 * resolves by itself. All addresses are kernel virtual or physical ones; the reader knows where /proc/kcore keeps them.
 */
import type {
  ChaseRequest,
  ChaseResult,
  CommandRequest,
  ControlStep,
  FileFailure,
  FileResult,
  FollowRequest,
  FollowResult,
  ListResult,
  ProgramRange,
  ProgramResult,
  ReadRequest,
} from '../../core/memory/backend.ts';
import type { Fault } from '../../core/memory/fault.ts';

/** What a far side can run a reader in, best first. */
export type ReaderKind = 'perl' | 'python3' | 'sh';

/** What the far side told when its reader started. */
export interface ReaderFacts {
  readonly kind: ReaderKind;
  /** Effective user id of the reader. */
  readonly uid: number;
  /** `uname -r`, and /proc/sys/kernel/random/boot_id. */
  readonly release: string;
  readonly bootId: string;
  /** The build id of the running kernel in hexadecimal digits (/sys/kernel/notes), where it can be read. */
  readonly buildId: string | undefined;
  /** The PID of the reader, and of those that serve it (the shell above it, sudo): kept out of traces. */
  readonly pids: readonly number[];
  /** Can compress what is large. */
  readonly compresses: boolean;
}

/** What the far side is asked. */
export type ReaderRequest =
  | { readonly op: 'read'; readonly ranges: readonly ReadRequest[] }
  | { readonly op: 'follow'; readonly walk: FollowRequest }
  | { readonly op: 'chase'; readonly way: ChaseRequest }
  /**
   * Whole files. /proc/kcore is allowed: its first `limit` bytes, the headers, are what tells of its ranges. Where
   * `known` has the SHA-256 of a file's bytes (hexadecimal digits; '' for none), and the file has it still, the far
   * side may answer 'same' and spare the bytes.
   */
  | {
      readonly op: 'files';
      readonly paths: readonly string[];
      readonly limit: number;
      readonly known?: readonly string[];
    }
  /** Ranges of a program, wherever it is. */
  | { readonly op: 'program'; readonly path: string; readonly ranges: readonly ProgramRange[] }
  | { readonly op: 'list'; readonly path: string }
  | { readonly op: 'link'; readonly path: string }
  /** Done in order; the first that fails ends it. */
  | { readonly op: 'control'; readonly steps: readonly ControlStep[] }
  /** What the far side does by itself when its stream ends or falls silent; replaces what was said before. */
  | { readonly op: 'restore'; readonly steps: readonly ControlStep[] };

export interface ReaderAnswers {
  readonly read: readonly (Uint8Array | Fault)[];
  readonly follow: FollowResult;
  readonly chase: ChaseResult;
  readonly files: readonly (FileResult | 'same')[];
  readonly program: ProgramResult;
  readonly list: ListResult;
  readonly link: string | undefined;
  /** Undefined: all is done. */
  readonly control: FileFailure | undefined;
  readonly restore: undefined;
}

export type ReaderAnswer<R extends ReaderRequest> = ReaderAnswers[R['op']];

/** A file that flows (trace_pipe, /dev/kmsg), beside requests. */
export interface ReaderStream {
  /** Told of bytes as they come; the far side sends no more than a bounded amount ahead of `taken`. */
  onData: (bytes: Uint8Array) => void;
  onEnd: (why: string) => void;
  taken(bytes: number): void;
  /** Reads no more; what was read is still told of, and its end. */
  finish(): void;
  close(): void;
}

export interface Reader {
  readonly facts: ReaderFacts;
  /** Bytes that came and went on the wire since it started, compressed as they were. */
  readonly wire: { readonly received: number; readonly sent: number; readonly requests: number };
  /** Rejects with BackendError when the far side broke the protocol or has gone. */
  request<R extends ReaderRequest>(request: R): Promise<ReaderAnswer<R>>;
  /** With a command, what it prints flows, and `path` only names it. */
  open(path: string, command?: CommandRequest): ReaderStream;
  /** Told once when the far side has gone, with why. */
  onGone: (why: string) => void;
  close(): void;
}
