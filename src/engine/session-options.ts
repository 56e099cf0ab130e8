/** What a session is made of: the kernel, its recording or the one that is replayed, and what stops a command. */
import type { LessonFiles } from '../core/command/lesson-files.ts';
import type { RecordedSession } from '../core/command/recorded-session.ts';
import type { RecordingControl } from '../core/command/scope.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import type { Line } from '../core/output/line.ts';

/** What a session's recording wants to be told. */
export interface SessionRecorder extends RecordingControl {
  begin(line: string, by: string): void;
  output(lines: readonly string[]): void;
  end(status: number): void;
  close(): void;
}

export interface SessionOptions {
  readonly kernel: Kernel;
  readonly recorder: SessionRecorder;
  /** The PID that commands without a task argument mean at first. */
  readonly pid: number;
  /** The running command is to stop: the user wants it, or nobody takes its output any more. */
  readonly cancelled: () => boolean;
  /** The user wants it, and the rest of the line not to run; as `cancelled` unless given. */
  readonly interrupted?: () => boolean;
  /** Told the number of each statement that begins, as in its `begin`. */
  readonly onStatement?: (statement: number) => void;
  /** Remarks of the kernel layer while a command runs: taken and shown among its rows. */
  readonly notices: string[];
  /** What went wrong beside the commands: a recording that cannot be written any more. */
  readonly failures: string[];
  /** The recording that is replayed, if one is. */
  readonly replay: Replay | undefined;
  /** The lesson of the recording; a session without one needs none. */
  readonly lessons?: LessonFiles;
}

/** What a replayed recording decides for each command. */
export interface Replay extends RecordedSession {
  begin(line: string, by: 'user' | 'rc' | 'pane'): void;
  now(): number;
  /** So much of the recorded time goes by, at once. */
  sleep(milliseconds: number): void;
  transcript(): Iterable<Line>;
}
