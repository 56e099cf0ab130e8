/**
 * The shell around the commands of a session: aliases, settings, context, variables, files, and the recording.
 */
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { gunzipSync } from 'node:zlib';
import { commands } from '../../commands/index.ts';
import type { Disassembler } from '../core/arch/x86_64/disassemble.ts';
import type { Command } from '../core/command/define.ts';
import { parseLine } from '../core/command/grammar.ts';
import { expandAlias } from '../core/command/resolve.ts';
import { runStages } from '../core/command/run.ts';
import type { Alias, Context, RecordingControl, Scope, Shell } from '../core/command/scope.ts';
import { DEFAULT_SETTINGS, type Settings, withSetting } from '../core/command/settings.ts';
import { CancelledError, DataError, NotFoundError, UsageError } from '../core/errors.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import type { Item } from '../core/output/item.ts';
import { type Line, textOf } from '../core/output/line.ts';
import { BUILTIN_ALIASES } from './aliases.ts';
import { loadDisassembler, loadFuzzysort } from './libraries.ts';

/** A file of commands or arguments is text that a person wrote. */
const TEXT_FILE_MAX = 1024 * 1024;
const SOURCE_DEPTH_MAX = 8;
/** A kernel's configuration is 300 KB. */
const INFLATED_MAX = 16 * 1024 * 1024;

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
  readonly cancelled: () => boolean;
  /** Remarks of the kernel layer while a command runs: taken and shown among its rows. */
  readonly notices: string[];
  /** What went wrong beside the commands: a recording that cannot be written any more. */
  readonly failures: string[];
  /** The recording that is replayed, if one is. */
  readonly replay: Replay | undefined;
}

/** What a replayed recording decides for each command. */
export interface Replay {
  begin(line: string): void;
  now(): number;
  transcript(): Iterable<Line>;
}

export class SessionShell implements Shell {
  readonly #options: SessionOptions;
  readonly #commands: ReadonlyMap<string, Command>;
  readonly #aliases = new Map<string, Alias>(BUILTIN_ALIASES.map((alias) => [alias.name, alias]));
  readonly #variables = new Map<string, unknown>();
  readonly #history: string[] = [];
  #settings: Settings = DEFAULT_SETTINGS;
  #context: Context;
  #exit: number | undefined;
  #values = 0;
  #sourceDepth = 0;
  #rc = false;

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

  get exitStatus(): number | undefined {
    return this.#exit;
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
    this.#aliases.set(name, { name, line, origin: this.#rc ? 'rc' : 'runtime' });
  }

  history(): readonly string[] {
    return this.#history;
  }

  *run(line: string): Iterable<Item> {
    const statements = parseLine(line, {
      takesInput: (name) =>
        this.#commands.get(expandAlias({ text: name, column: 0 }, this.aliases()).text)?.input !== undefined,
      expand: (text) => expandAlias({ text, column: 0 }, this.aliases()).text,
    });
    for (const statement of statements) {
      if (statement.kind !== 'pipeline' || statement.sink !== undefined || statement.argumentFile !== undefined) {
        throw new UsageError('within another command only commands of kdbg can be run');
      }
      const { command, items } = runStages(statement.stages, this.scope(undefined));
      for (const item of items) {
        yield item.kind === 'row' && item.view === undefined ? { ...item, view: command.columns } : item;
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

  /** Sleeps in steps, so that Ctrl-C ends it at once. */
  sleep(milliseconds: number): void {
    const idle = new Int32Array(new SharedArrayBuffer(4));
    const end = performance.now() + milliseconds;
    for (let left = milliseconds; left > 0; left = end - performance.now()) {
      if (this.#options.cancelled()) throw new CancelledError();
      Atomics.wait(idle, 0, 0, Math.min(left, 50));
    }
  }

  now(): number {
    return this.#options.replay?.now() ?? Date.now();
  }

  /** The session that is replayed, as text. */
  transcript(): Iterable<Line> {
    return this.#options.replay?.transcript() ?? [];
  }

  readTextFile(path: string): string {
    const expanded = path.startsWith('~/') ? homedir() + path.slice(1) : path;
    let size: number;
    try {
      size = statSync(expanded).size;
      if (size > TEXT_FILE_MAX) throw new UsageError(`${path} is too large for a file of commands (${size} bytes)`);
      return readFileSync(expanded, 'utf8');
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`cannot read ${path}: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
    }
  }

  writeFile(path: string, bytes: Uint8Array): void {
    const expanded = path.startsWith('~/') ? homedir() + path.slice(1) : path;
    try {
      writeFileSync(expanded, bytes);
    } catch (error) {
      throw new UsageError(`cannot write ${path}: ${(error as NodeJS.ErrnoException).code ?? 'error'}`);
    }
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

  exit(status: number): void {
    this.#exit = status;
  }

  /** A command begins: a live target is read afresh, and the recording notes the line. */
  beginCommand(source: string, rc: boolean): void {
    this.#rc = rc;
    if (!rc) this.#history.push(source);
    this.#options.recorder.begin(source, rc ? 'rc' : 'user');
    this.#options.replay?.begin(source);
    this.#options.kernel.newCommand();
  }

  recordLines(lines: readonly Line[]): void {
    this.#options.recorder.output(lines.map(textOf));
  }

  /** The command is over; returns what went wrong beside it. */
  endCommand(status: number): readonly string[] {
    this.#options.recorder.end(status);
    return this.#options.failures.splice(0);
  }

  close(): void {
    this.#options.recorder.close();
  }
}
