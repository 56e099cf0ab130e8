/**
 * What the screen and the engine say to each other. The engine runs in a thread of its own and may block on the
 * target; the screen never does. Output flows in batches with back-pressure: the engine waits when the screen has
 * not taken what it was sent.
 */
import type { Completion } from '../core/command/complete.ts';
import type { Sink } from '../core/command/grammar.ts';
import type { BackendCounters } from '../core/memory/backend.ts';
import type { Line } from '../core/output/line.ts';
import type { TargetNames } from './target-names.ts';

/** One thing that running a line produces, in order. */
export type Output =
  /** A statement begins; its output belongs to `sink` until it ends. `statement` is its number in the session. */
  | {
      readonly kind: 'begin';
      readonly source: string;
      readonly sink: Sink | undefined;
      readonly page: boolean;
      readonly statement: number;
    }
  | { readonly kind: 'lines'; readonly lines: readonly Line[] }
  /** One command's result as JSON, with `--json`. */
  | { readonly kind: 'json'; readonly line: string }
  /** The command waits: what was sent is to be shown now. */
  | { readonly kind: 'pause' }
  | { readonly kind: 'error'; readonly lines: readonly string[]; readonly status: number }
  /** What a command cost, with `set timing on`; no part of its output. */
  | { readonly kind: 'timing'; readonly text: string }
  | { readonly kind: 'end'; readonly status: number }
  /** The user's shell is to run this; empty: a shell to work in. */
  | { readonly kind: 'shell'; readonly command: string }
  /** The session is to end; without a status with the worst there was. */
  | { readonly kind: 'exit'; readonly status: number | undefined };

/** What the engine tells once when the target is open. */
export interface Opened {
  readonly name: string;
  readonly liveness: 'live' | 'frozen';
  /** Lines that a user should see first: a recording that was cut short, a target without memory. */
  readonly notices: readonly string[];
  /** The names of all commands, for a screen that shows only what there is. */
  readonly commands: readonly string[];
  /** The recording that is replayed has a lesson. */
  readonly hasLesson?: boolean;
}

export type ToEngine =
  | { readonly kind: 'run'; readonly id: number; readonly line: string; readonly mode: RunMode }
  | { readonly kind: 'complete'; readonly id: number; readonly line: string; readonly cursor: number }
  /** The names that can be searched, unless they are those of the generation `known`. */
  | { readonly kind: 'names'; readonly id: number; readonly known: number }
  /** The session that is replayed, as it was. */
  | { readonly kind: 'transcript'; readonly id: number }
  | { readonly kind: 'close'; readonly id: number };

export interface RunMode {
  readonly json: boolean;
  /** True for lines of the rc file: their aliases say so, and they are not part of the recorded session. */
  readonly rc: boolean;
  /** True for what a pane of the screen reads for itself: no line of the user's, and no part of the history. */
  readonly pane?: boolean;
  /** True while a pane shows the lesson: the shell only names a step that one comes to. */
  readonly showsLesson?: boolean;
  /** The file that the text comes from: errors tell it with the line's number. */
  readonly origin?: string;
}

export type FromEngine =
  | { readonly kind: 'opened'; readonly opened: Opened }
  | { readonly kind: 'failed'; readonly lines: readonly string[]; readonly status: number }
  | { readonly kind: 'output'; readonly id: number; readonly batch: readonly Output[] }
  /** With what the target's connection carried so far, where it has one. */
  | { readonly kind: 'done'; readonly id: number; readonly traffic?: BackendCounters }
  | { readonly kind: 'completed'; readonly id: number; readonly completion: Completion }
  | { readonly kind: 'named'; readonly id: number; readonly names: TargetNames }
  /** With what went wrong at the end: a recording that could not be completed. */
  | { readonly kind: 'closed'; readonly id: number; readonly failures: readonly string[] };

/**
 * Places in the Int32Array that both threads share. What is to stop is named by its number, so that a stop that comes
 * late never hits what runs by then.
 */
export const SHARED = {
  /** Requests up to this id are to stop: Ctrl-C. */
  cancelled: 0,
  /** Nobody takes the output of this statement any more: `| head`. */
  refused: 1,
  /** Batches sent and not yet taken. */
  pending: 2,
  /** How much of the running statement's work is done, in parts of PROGRESS_WHOLE; 0 while that is not known. */
  progress: 3,
  length: 4,
} as const;

/** What `progress` is when all is done. */
export const PROGRESS_WHOLE = 1_000_000;

/** Batches in flight before the engine waits. */
export const PENDING_MAX = 8;
