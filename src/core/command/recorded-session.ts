/**
 * The session that is replayed, as its recording tells it: what was typed, when, and what it printed. The replay stands
 * at one of its lines; what is typed now is answered from there.
 */

import type { Command } from './define.ts';

/** A line of that session. */
export interface RecordedLine {
  readonly kind: 'command' | 'note';
  /** The command line, or the note's text. */
  readonly text: string;
  /** Milliseconds after the recording began. */
  readonly at: number;
  /** How long it ran; undefined when the recording ended before it did. */
  readonly ms: number | undefined;
  readonly status: number | undefined;
  /** How many lines it printed. */
  readonly printed: number;
}

export interface RecordedSession {
  /** "ssh:web7", "local". */
  readonly target: string;
  readonly release: string | undefined;
  /** When it was begun: milliseconds since 1970, undefined where the recording does not tell. */
  readonly created: number | undefined;
  readonly lines: readonly RecordedLine[];
  /** Lines that are gone through; undefined where the replay stands nowhere, and answers from the end. */
  readonly position: number | undefined;
  /** Stands behind so many lines from now on. */
  goTo(position: number | undefined): void;
  /** Within a command that runs other lines: what follows is answered as this line is when it is typed. */
  answerAs(line: string): void;
  /** What a line printed, by its index; undefined when that is not in the recording. */
  output(index: number): readonly string[] | undefined;
  /**
   * Writes the recording without what it tells of its machine and its users into a new file, and checks that. Throws
   * UsageError, OpenError, DataError; then there is no file.
   */
  redact(path: string, progress: RedactProgress): Redaction;
}

export interface RedactProgress {
  /** Throws CancelledError when the user wants no more of it. */
  check(): void;
  /** So many of its steps are done. */
  step(done: number, of: number): void;
  readonly commands: readonly Command[];
}

/** What was done to a recording. */
export interface Redaction {
  readonly path: string;
  readonly bytes: number;
  /** What was replaced, by what it is: at how many places, and how many different words. */
  readonly replaced: readonly { readonly kind: string; readonly places: number; readonly different: number }[];
  /** What was looked at afterwards, a line each. */
  readonly verified: readonly string[];
  /** What the user should know of it. */
  readonly notices: readonly string[];
}

/** Minutes, seconds and tenths since the recording began: `1:23.4`. */
export function recordedTime(milliseconds: number): string {
  const tenths = Math.max(0, Math.round(milliseconds / 100));
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${String(Math.floor(tenths / 10) % 60).padStart(2, '0')}.${tenths % 10}`;
}
