/**
 * The narrow waist: what a source of kernel state must implement. A backend serves bytes and files; everything above
 * it is derived. A capability that a backend lacks is absent, never a stub that throws.
 */
import type { Fault, ReadRange } from './fault.ts';

/**
 * How the `what` of every read of user memory starts ("user memory: argv of 812"): recordings leave such pages out
 * unless the user asked for them, so a reader of user pages must name them so.
 */
export const USER_MEMORY = 'user memory';

/** One range of memory to read; `what` names it in every fault ("task_struct.comm"). */
export interface ReadRequest extends ReadRange {
  readonly what: string;
}

/** Kernel memory, read in batches. */
export interface MemorySource {
  /** Answers each request with exactly `length` bytes, or a fault. Throws BackendError only when the source broke. */
  read(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[];
  /** A hint that these ranges will be read soon; returns at once. What was not read by the next `forget` is dropped. */
  prefetch?(ranges: readonly ReadRange[]): void;
  /** A new command begins: what was brought in beforehand and not read yet is of an earlier moment. */
  forget?(): void;
  /**
   * Says that a table in the kernel image is the same in every boot of this build: the source may answer it from what
   * it kept of an earlier session. `what` names the table.
   */
  keepTable?(table: ReadRequest): void;
  /** Walks a linked list on the far side: one round trip for many nodes. */
  follow?(walk: FollowRequest): FollowResult;
  /** Goes along pointers on the far side: one round trip for the levels of a table. */
  chase?(way: ChaseRequest): ChaseResult;
  /** The virtual pages that are there at all, by address, where they are few and known: a recording's. */
  held?(): readonly ReadRange[];
}

/** A list walk: start at `start`, the next pointer is at `nextOffset` in each node. */
export interface FollowRequest {
  readonly start: bigint;
  /** Where in a node its next pointer is, in bytes. */
  readonly nextOffset: number;
  /** Stops before a node with this address (the list head), besides NULL and a loop. */
  readonly end: bigint | undefined;
  /** Nodes at most. */
  readonly limit: number;
  /** Ranges to return of each node, relative to its address. */
  readonly ranges: readonly { readonly offset: number; readonly length: number }[];
  readonly what: string;
}

/** A way along pointers: each is read (8 bytes) at its offset from where the one before it led, first from `start`. */
export interface ChaseRequest {
  readonly start: bigint;
  /** One offset a pointer, in bytes; they may be negative. */
  readonly offsets: readonly number[];
  /** Low bits of the pointers that are flags, up to 4095: they are cleared from what is followed. */
  readonly flags: number;
  readonly what: string;
}

/** The pointers in order, flags and all. Shorter than the way where one was NULL, or could not be read (`fault`). */
export interface ChaseResult {
  readonly pointers: readonly bigint[];
  readonly fault?: Fault;
}

/** The nodes in order, with the bytes asked for; `fault` when a next pointer could not be read. */
export interface FollowResult {
  readonly nodes: readonly { readonly address: bigint; readonly bytes: readonly (Uint8Array | Fault)[] }[];
  readonly stopped: 'end' | 'null' | 'loop' | 'limit' | 'fault';
  readonly fault?: Fault;
}

/** Whole small files (/proc, /sys, tracefs, /boot). */
export interface FileSource {
  /** The file's bytes, at most `limit` of them. Throws FileError-like BackendError naming the path when it cannot. */
  read(path: string, limit?: number): FileResult;
  /** Many files in one request: `/proc/PID/stat` for a thousand tasks is one round trip. */
  readMany(paths: readonly string[], limit?: number): readonly FileResult[];
  /** Names in a directory. */
  list(path: string): ListResult;
  /** Many directories in one request. */
  listMany?(paths: readonly string[]): readonly ListResult[];
  /** Where a symbolic link points (/proc/PID/fd/3). */
  link?(path: string): string | undefined;
  /** A hint that these files will be read soon, whole; returns at once. */
  prefetch?(paths: readonly string[]): void;
}

/**
 * Programs and libraries of the target, as far as their headers and symbols tell: for probes in them. A file is read only
 * where it is a plain one that begins as an ELF executable or shared object, and in ranges.
 */
export interface ProgramSource {
  /** These ranges of one file, each whole. One that its end cuts is a failure, as is a file that is no program. */
  read(path: string, ranges: readonly ProgramRange[]): ProgramResult;
}

/** Bytes from the start of a file. */
export interface ProgramRange {
  readonly offset: number;
  readonly length: number;
}

export type ProgramResult =
  | { readonly ok: true; readonly bytes: readonly Uint8Array[] }
  | { readonly ok: false; readonly failure: FileFailure };

/** Why a file could not be read. */
export interface FileFailure {
  readonly path: string;
  readonly reason: 'absent' | 'denied' | 'not-recorded' | 'io';
  readonly detail: string;
}

export type FileResult =
  | { readonly ok: true; readonly bytes: Uint8Array; readonly truncated: boolean }
  | { readonly ok: false; readonly failure: FileFailure };
export type ListResult =
  | { readonly ok: true; readonly names: readonly string[] }
  | { readonly ok: false; readonly failure: FileFailure };

/**
 * A change of tracefs. `write` opens the file with O_TRUNC, which empties the filters and lists of events that it holds
 * before the text is added; `append` does not: dynamic_events and kprobe_events hold other people's probes as well.
 */
export type ControlStep =
  | { readonly kind: 'write' | 'append'; readonly path: string; readonly text: string }
  | { readonly kind: 'mkdir'; readonly path: string }
  | { readonly kind: 'rmdir'; readonly path: string };

/** Writes to tracefs; live targets only. */
export interface ControlSource {
  /**
   * Does these in order; the first that fails ends it and is told. Undefined: all is done. A directory that is busy is
   * waited for, for a moment. It is not cancelled.
   */
  apply(steps: readonly ControlStep[]): FileFailure | undefined;
  /**
   * Says what the target's side does by itself when the session ends, in whatever way: kdbg dies, the connection is
   * lost. In the place of what was said before; said before the first change that it undoes.
   */
  restore(steps: readonly ControlStep[]): void;
  /** Of a recording, what its session had said to restore by this moment of it, oldest first. */
  restores?(): readonly (readonly ControlStep[])[];
}

/** Files that flow and never end: trace_pipe of a tracing instance, /dev/kmsg. Live targets only. */
export interface StreamSource {
  /** Opens one; it flows from now on, whether or not the engine is busy. A failure is a value. */
  open(path: string): FileStream | FileFailure;
  /**
   * Runs a command of the user's on the target, as the user that kdbg is there; what it prints flows. The stream ends
   * when the command has, with `exit N` or `signal N`; closing the stream ends the command.
   */
  run?(command: CommandRequest): FileStream | FileFailure;
}

/** A command that is traced from its first instruction on. */
export interface CommandRequest {
  /** The program, found by PATH where it has no slash, and its arguments: no shell reads them. */
  readonly words: readonly string[];
  /** Files of tracefs that its PID is written to, in order, before it is executed. */
  readonly pidFiles: readonly string[];
}

/** What a command is called where files that flow have their paths. */
export function commandName({ words }: CommandRequest): string {
  return `command: ${words.join(' ')}`;
}

export interface FileStream {
  /**
   * What has come since the last call, at once and without waiting: nothing when nothing has. What is not taken waits,
   * up to a bound; beyond it the file's own buffer holds the rest.
   */
  take(): Uint8Array;
  /** Waits until something came or the stream ended, this long at most; false when neither. Throws CancelledError. */
  wait(milliseconds: number): boolean;
  /** Why it ended; undefined while it flows. What came before the end can still be taken. */
  readonly ended: string | undefined;
  /**
   * Closes it, and gives what was read of it and not yet taken: that is nowhere else any more. Waits for what is on its
   * way, also when the user pressed Ctrl-C, for as long as some of it comes.
   */
  finish(): Uint8Array;
  close(): void;
}

/** One thing that a target offers or lacks, as `status` shows it. */
export interface Capability {
  readonly name: string;
  readonly available: boolean;
  /** What it is served from, or why it is not there. */
  readonly detail: string;
  /** What the user can do to have it. */
  readonly help?: string;
}

/** Figures of a backend since it was opened. */
export interface BackendCounters {
  /** Requests that had to wait for an answer. */
  readonly roundTrips: number;
  /** Bytes of memory and files that came. */
  readonly bytes: number;
  /** What a wire between the target and kdbg carried. */
  readonly wire?: WireCounters;
}

export interface WireCounters {
  /** Bytes as they were on the wire, compressed and with their frames. */
  readonly received: number;
  readonly sent: number;
  /** Milliseconds from a request to its answer: the last, the shortest, and the median of the latest. */
  readonly latency: { readonly last: number; readonly min: number; readonly median: number } | undefined;
}

/** What regaining a lost connection found: the kernel as it was, or another boot of it. */
export type Regained = 'same boot' | 'rebooted';

/** Where a kernel is: this machine, another one, a dump, a recording. */
export interface Backend {
  /** "local", "ssh:web7", "replay:recordings/mutex-deadlock.kdbg". */
  readonly name: string;
  readonly liveness: 'live' | 'frozen';
  readonly memory?: MemorySource;
  readonly files?: FileSource;
  readonly programs?: ProgramSource;
  readonly control?: ControlSource;
  readonly streams?: StreamSource;
  readonly counters: BackendCounters;
  /** The kernel's VMCOREINFO text ("KEY=value" lines) where the source carries it: an ELF note of kcore or of a dump. */
  vmcoreinfo?(): string | undefined;
  /**
   * Connects again where the connection was lost; undefined while there is one. Until then every request throws
   * BackendError. Throws BackendError when the target cannot be reached, CancelledError.
   */
  regain?(): Regained | undefined;
  /** What is served and what is not, for `status`. */
  capabilities(): readonly Capability[];
  close(): void;
}
