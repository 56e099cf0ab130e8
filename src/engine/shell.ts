/**
 * The shell around the commands of a session: aliases, settings, context, variables, files, and the recording.
 */
import { gunzipSync } from 'node:zlib';
import { commands } from '../../commands/index.ts';
import type { Disassembler } from '../core/arch/x86_64/disassemble.ts';
import type { Command } from '../core/command/define.ts';
import { parseLine, type Vocabulary } from '../core/command/grammar.ts';
import { type LessonFiles, NO_LESSONS } from '../core/command/lesson-files.ts';
import { LessonWatch } from '../core/command/lesson-watch.ts';
import type { RecordedSession } from '../core/command/recorded-session.ts';
import { expandAlias } from '../core/command/resolve.ts';
import { runStages } from '../core/command/run.ts';
import type { Alias, Context, RecordingControl, Scope, Shell } from '../core/command/scope.ts';
import { DEFAULT_SETTINGS, type Settings, withSetting } from '../core/command/settings.ts';
import { CancelledError, DataError, NotFoundError, UsageError } from '../core/errors.ts';
import type { Item } from '../core/output/item.ts';
import { type Line, textOf } from '../core/output/line.ts';
import { BUILTIN_ALIASES } from './aliases.ts';
import { inflate, readBinaryFile, writeBinaryFile } from './binary-file.ts';
import { loadDisassembler, loadFuzzysort } from './libraries.ts';
import { regainTarget } from './regain.ts';
import type { SessionOptions } from './session-options.ts';
import { checkWritable, readTextFile, writeTextFile } from './text-file.ts';

/** Lines that `history` shows of a session that never ends. */
const HISTORY_MAX = 10_000;
const SOURCE_DEPTH_MAX = 8;
/** A kernel's configuration is 300 KB. */
const INFLATED_MAX = 16 * 1024 * 1024;

export class SessionShell implements Shell {
  readonly #options: SessionOptions;
  readonly #commands: ReadonlyMap<string, Command>;
  readonly #aliases = new Map<string, Alias>(BUILTIN_ALIASES.map((alias) => [alias.name, alias]));
  readonly #variables = new Map<string, unknown>();
  readonly #history: string[] = [];
  #settings: Settings = DEFAULT_SETTINGS;
  #context: Context;
  #exit: { readonly status: number | undefined } | undefined;
  #values = 0;
  #sourceDepth = 0;
  #by: 'user' | 'rc' | 'pane' = 'user';
  showsLesson = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#commands = new Map(commands.map((command) => [command.name, command]));
    this.#context = { task: undefined, pid: options.pid, cpu: 0 };
  }

  get settings(): Settings {
    return this.#settings;
  }

  get initialPid(): number {
    return this.#options.pid;
  }

  /** A command asked the session to end. */
  get isExiting(): boolean {
    return this.#exit !== undefined;
  }

  get isReplay(): boolean {
    return this.#options.replay !== undefined;
  }

  get unfolds(): boolean {
    return this.#by === 'pane';
  }

  /** The status it asked for, if it did. */
  get exitStatus(): number | undefined {
    return this.#exit?.status;
  }

  get isInterrupted(): boolean {
    return (this.#options.interrupted ?? this.#options.cancelled)();
  }

  /** What the grammar asks about commands and aliases. */
  readonly vocabulary: Vocabulary = {
    takesInput: (name) => this.command(name)?.input !== undefined,
    expand: (text) => expandAlias(text, this.aliases()),
  };

  readonly lessonWatch = new LessonWatch(this);

  get lessons(): LessonFiles {
    return this.#options.lessons ?? NO_LESSONS;
  }

  get recording(): RecordingControl {
    return this.#options.recorder;
  }

  scope(input: Iterable<Item> | undefined): Scope {
    const { kernel, cancelled } = this.#options;
    const context = (): Context => this.#context;
    const settings = (): Settings => this.#settings;
    return {
      kernel,
      get context() {
        return context();
      },
      get settings() {
        return settings();
      },
      input,
      notices: this.#options.notices,
      shell: this,
      check: () => {
        if (cancelled()) throw new CancelledError();
      },
    };
  }

  commands(): readonly Command[] {
    return commands;
  }

  command(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  aliases(): readonly Alias[] {
    return [...this.#aliases.values()];
  }

  setAlias(name: string, line: string | undefined): void {
    if (line === undefined) {
      if (!this.#aliases.delete(name)) throw new NotFoundError('alias', name);
      return;
    }
    this.#aliases.set(name, { name, line, origin: this.#by === 'rc' ? 'rc' : 'runtime' });
  }

  history(): readonly string[] {
    return this.#history;
  }

  *run(line: string): Iterable<Item> {
    const statements = parseLine(line, this.vocabulary);
    for (const statement of statements) {
      if (statement.kind !== 'pipeline' || statement.sink !== undefined || statement.argumentFile !== undefined) {
        throw new UsageError('within another command only commands of kdbg can be run');
      }
      try {
        const { command, items } = runStages(statement.stages, this.scope(undefined));
        for (const item of items) {
          yield item.kind === 'row' && item.view === undefined ? { ...item, view: command.columns } : item;
        }
      } catch (error) {
        // The columns of the inner line mean nothing in the outer one.
        const isPlaced = error instanceof UsageError && error.column !== undefined && error.source === undefined;
        throw isPlaced ? error.within(statement.source, 0) : error;
      }
    }
  }

  setContext(context: Context): void {
    this.#context = context;
  }

  setSetting(name: string, value: string): void {
    this.#settings = withSetting(this.#settings, name, value);
  }

  variable(name: string): unknown {
    return this.#variables.get(name);
  }

  setVariable(name: string, value: unknown): void {
    this.#variables.set(name, value);
  }

  keepValue(value: unknown): number {
    this.#variables.set(String(++this.#values), value);
    return this.#values;
  }

  variableNames(): Iterable<string> {
    return this.#variables.keys();
  }

  /** Sleeps in steps, so that Ctrl-C ends it at once; a replay's clock goes on by itself. */
  sleep(milliseconds: number): void {
    if (this.#options.replay !== undefined) this.#options.replay.sleep(milliseconds);
    else this.wait(milliseconds);
  }

  wait(milliseconds: number): void {
    const idle = new Int32Array(new SharedArrayBuffer(4));
    const end = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = end - performance.now()) {
      if (this.#options.cancelled()) throw new CancelledError();
      Atomics.wait(idle, 0, 0, Math.min(left, 50));
    }
  }

  get recorded(): RecordedSession | undefined {
    return this.#options.replay;
  }

  now(): number {
    return this.#options.replay?.now() ?? Date.now();
  }

  /** The session that is replayed, as text. */
  transcript(): Iterable<Line> {
    return this.#options.replay?.transcript() ?? [];
  }

  readTextFile(path: string): string {
    return readTextFile(path);
  }

  readFile(path: string): Uint8Array {
    return readBinaryFile(path);
  }

  inflate(bytes: Uint8Array, length: number): Uint8Array {
    return inflate(bytes, length);
  }

  checkWritable(path: string): void {
    checkWritable(path);
  }

  writeFile(path: string, bytes: Uint8Array): void {
    writeBinaryFile(path, bytes);
  }

  writeText(path: string, pieces: Iterable<string>): void {
    writeTextFile(path, pieces);
  }

  /** A file of commands may run another, a few deep: not itself for ever. */
  enterFile(path: string): void {
    if (this.#sourceDepth >= SOURCE_DEPTH_MAX) throw new UsageError(`${path}: files of commands nest too deeply`);
    this.#sourceDepth++;
  }

  leaveFile(): void {
    this.#sourceDepth--;
  }

  disassembler(): Disassembler {
    return loadDisassembler();
  }

  fuzzy(): ReturnType<typeof loadFuzzysort> {
    return loadFuzzysort();
  }

  gunzip(bytes: Uint8Array): Uint8Array {
    try {
      return new Uint8Array(gunzipSync(bytes, { maxOutputLength: INFLATED_MAX }));
    } catch (error) {
      throw new DataError(`the gzip data cannot be inflated: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
    }
  }

  exit(status: number | undefined): void {
    this.#exit = { status };
  }

  /** A line was typed: what `history` lists. */
  remember(line: string): void {
    if (line.trim() === '') return;
    this.#history.push(line);
    if (this.#history.length > HISTORY_MAX) this.#history.shift();
  }

  /** Connects again where the connection was lost; what came of it is among the notices. Throws CancelledError. */
  regain(): void {
    const { kernel, notices, recorder } = this.#options;
    if (regainTarget(kernel, recorder, notices) === 'rebooted') {
      this.#context = { task: undefined, pid: this.#options.pid, cpu: 0 };
    }
  }

  /** A command begins: a live target is read afresh, and the recording notes the line. */
  beginCommand(source: string, by: 'user' | 'rc' | 'pane'): void {
    this.#by = by;
    if (by === 'user') this.lessonWatch.begin();
    // What a pane reads by itself does not make the user wait for a host that is gone.
    if (by !== 'pane') this.regain();
    this.#options.recorder.begin(source, by);
    this.#options.replay?.begin(source, by);
    this.#options.kernel.newCommand();
  }

  /** Remarks that nothing shows among its rows. */
  takeNotices(): readonly string[] {
    return this.#options.notices.splice(0);
  }

  recordLines(lines: readonly Line[]): void {
    this.lessonWatch.see(lines);
    this.#options.recorder.output(lines.map(textOf));
  }

  /** The command is over; returns what went wrong beside it. */
  endCommand(status: number): readonly string[] {
    this.#options.recorder.end(status);
    return this.#options.failures.splice(0);
  }

  /** Completes the recording; returns what went wrong with it. */
  close(): readonly string[] {
    this.#options.recorder.close();
    return this.#options.failures.splice(0);
  }
}
