/**
 * What a command sees besides its arguments: the kernel, the context, the settings, the rows that a pipe feeds it,
 * and the shell around it.
 */
import type { Kernel } from '../kernel/kernel.ts';
import type { Item } from '../output/item.ts';
import type { Command } from './define.ts';
import type { LessonFiles } from './lesson-files.ts';
import type { RecordedSession } from './recorded-session.ts';
import type { Settings } from './settings.ts';

/** The task that commands without a task argument mean. */
export interface Context {
  /** Address of its task_struct; undefined on a target without memory. */
  readonly task: bigint | undefined;
  readonly pid: number;
  /** The CPU that a per-CPU variable without a CPU means. */
  readonly cpu: number;
}

/** An alias: what is typed and what it stands for. */
export interface Alias {
  readonly name: string;
  readonly line: string;
  readonly origin: 'builtin' | 'rc' | 'runtime';
}

/** The recording of this session, as the `record` command drives it. */
export interface RecordingControl {
  readonly path: string | undefined;
  /** What is in it so far. */
  status(): { readonly path: string; readonly bytes: number; readonly commands: number } | undefined;
  start(path: string): void;
  stop(): void;
  note(text: string): void;
}

/** Something that `status` shows beyond what the kernel and the backend tell. */
export interface Shell {
  commands(): readonly Command[];
  /** The command of this name, aliases not considered. */
  command(name: string): Command | undefined;
  aliases(): readonly Alias[];
  setAlias(name: string, line: string | undefined): void;
  /** The lines typed in this session, oldest first. */
  history(): readonly string[];
  /** Runs another command line within this one; items stream, errors are thrown. */
  run(line: string): Iterable<Item>;
  setContext(context: Context): void;
  /** The PID of the task that was the context at the start. */
  readonly initialPid: number;
  setSetting(name: string, value: string): void;
  /** A named value of the expression language: `$1`, `$lock`. */
  variable(name: string): unknown;
  setVariable(name: string, value: unknown): void;
  variableNames(): Iterable<string>;
  /** Keeps a value as the next `$N`; returns N. */
  keepValue(value: unknown): number;
  readonly recording: RecordingControl;
  readonly lessons: LessonFiles;
  /** The session that is replayed; undefined where none is. */
  readonly recorded: RecordedSession | undefined;
  /** True when a recording is replayed: it has a live target's liveness, and yet it never changes. */
  readonly isReplay: boolean;
  /** True for a pane, which can unfold lines: what a line folds away goes with it (Fold). */
  readonly unfolds: boolean;
  /** True while a pane beside the shell shows the lesson: a step need not be printed as well. */
  readonly showsLesson: boolean;
  /** Waits, a replay only by its clock; ends early when the command is cancelled. */
  sleep(milliseconds: number): void;
  /** Waits by the user's own clock. Throws CancelledError when the command is stopped. */
  wait(milliseconds: number): void;
  /** Wall-clock time in milliseconds since 1970. */
  now(): number;
  /** The text of a file of the user's machine: `< file`, `set -i`. Throws NotFoundError. */
  readTextFile(path: string): string;
  /** The bytes of a file of the user's machine, bounded. Throws UsageError. */
  readFile(path: string): Uint8Array;
  /** Inflates a zlib stream to exactly this many bytes; throws DataError. */
  inflate(bytes: Uint8Array, length: number): Uint8Array;
  /** Throws UsageError where a file of the user's machine could not be written. What it holds stays; a new one is empty. */
  checkWritable(path: string): void;
  /** Writes a file of the user's machine, which only the user may read; throws UsageError when it cannot. */
  writeFile(path: string, bytes: Uint8Array): void;
  /** The same for text, piece by piece as it comes. */
  writeText(path: string, pieces: Iterable<string>): void;
  /** A library that is loaded only when a command needs it. */
  disassembler(): import('../arch/x86_64/disassemble.ts').Disassembler;
  fuzzy(): Pick<import('fuzzysort').Fuzzysort, 'go'>;
  /** Inflates a gzip file of the target's; throws DataError when it is none or implausibly large. */
  gunzip(bytes: Uint8Array): Uint8Array;
  /** Asks the shell to end after this command; without a status, with the worst that a command had. */
  exit(status: number | undefined): void;
}

export interface Scope {
  readonly kernel: Kernel;
  readonly context: Context;
  readonly settings: Settings;
  /** Items of the stage before this one in a typed pipe. */
  readonly input: Iterable<Item> | undefined;
  /** Remarks of the kernel layer that wait to be shown among the rows. */
  readonly notices: string[];
  readonly shell: Shell;
  /** Throws CancelledError when the user stopped the command: called in every loop that does not read memory. */
  check(): void;
}
