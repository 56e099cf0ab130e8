/**
 * A session: one target, its context and settings, and the running of command lines on it. It is plain and
 * synchronous, so that tests and batch runs use it in their own thread; worker.ts gives it one.
 */

import type { Command } from '../core/command/define.ts';
import { parseLine, type Statement } from '../core/command/grammar.ts';
import { expandAlias } from '../core/command/resolve.ts';
import { errorLines, isUserError, runStages } from '../core/command/run.ts';
import type { Scope } from '../core/command/scope.ts';
import { CancelledError, type KdbgError } from '../core/errors.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import { toJson } from '../core/output/json.ts';
import type { Line } from '../core/output/line.ts';
import { TextView } from '../core/output/render.ts';
import type { Output, RunMode } from './protocol.ts';
import { type SessionOptions, SessionShell } from './shell.ts';

/** Lines sent together: enough to make a batch worth it, few enough to show the first rows at once. */
const LINES_PER_BATCH = 64;
/** Rows that come slowly are sent one by one. */
const BATCH_MS = 30;

export class Session {
  readonly kernel: Kernel;
  readonly shell: SessionShell;

  constructor(options: SessionOptions) {
    this.kernel = options.kernel;
    this.shell = new SessionShell(options);
  }

  /** The scope of one command: what it sees besides its arguments. */
  scope(): Scope {
    return this.shell.scope(undefined);
  }

  /** Runs a line (several statements, maybe), yielding its output as it comes. Never throws but for bugs below it. */
  *execute(line: string, mode: RunMode): Iterable<Output> {
    let statements: readonly Statement[];
    try {
      statements = parseLine(line, {
        takesInput: (name) => this.#command(name)?.input !== undefined,
        expand: (text) => expandAlias({ text, column: 0 }, this.shell.aliases()).text,
      });
    } catch (error) {
      yield* this.#failed(error, line, mode, line);
      return;
    }
    for (const statement of statements) {
      yield* this.#statement(statement, mode);
      const exit = this.shell.exitStatus;
      if (exit !== undefined) {
        yield { kind: 'exit', status: exit };
        return;
      }
    }
  }

  /** The recorded session that is being replayed, as it was. */
  *transcript(): Iterable<Output> {
    yield { kind: 'begin', source: '', sink: undefined, page: true };
    let batch: Line[] = [];
    for (const line of this.shell.transcript()) {
      batch.push(line);
      if (batch.length < LINES_PER_BATCH) continue;
      yield { kind: 'lines', lines: batch };
      batch = [];
    }
    if (batch.length > 0) yield { kind: 'lines', lines: batch };
    yield { kind: 'end', status: 0 };
  }

  close(): void {
    this.shell.close();
    this.kernel.backend.close();
  }

  /** A command's declaration by name or alias. */
  #command(name: string): Command | undefined {
    const expanded = expandAlias({ text: name, column: 0 }, this.shell.aliases()).text;
    return this.shell.command(expanded.split(/\s/)[0] as string);
  }

  *#statement(statement: Statement, mode: RunMode): Iterable<Output> {
    if (statement.kind === 'shell') {
      yield { kind: 'shell', command: statement.command };
      return;
    }
    if (statement.kind === 'source') {
      yield* this.#source(statement.path, statement.source, mode);
      return;
    }
    const lines = statement.argumentFile === undefined ? undefined : this.#argumentLines(statement.argumentFile);
    if (lines instanceof Error) {
      yield* this.#failed(lines, statement.source, mode, statement.source);
      return;
    }
    yield {
      kind: 'begin',
      source: statement.source,
      sink: statement.sink,
      page: this.shell.settings.scroll && statement.sink === undefined && !mode.json,
    };
    let status = 0;
    for (const argument of lines ?? ['']) {
      const last = statement.stages.length - 1;
      const stages = statement.stages.map((stage, i) =>
        i === last && argument !== '' ? { ...stage, text: `${stage.text} ${argument}` } : stage,
      );
      status = Math.max(status, yield* this.#pipeline({ ...statement, stages }, mode));
    }
    yield { kind: 'end', status };
  }

  /** One pipeline, from its fresh view of the target to its outcome in the recording. */
  *#pipeline(statement: Extract<Statement, { kind: 'pipeline' }>, mode: RunMode): Generator<Output, number> {
    const { shell, kernel } = this;
    shell.beginCommand(statement.source, mode.rc);
    const before = { time: shell.now(), ...kernel.backend.counters };
    let error: unknown;
    const rows: unknown[] = [];
    const notices: string[] = [];
    try {
      const running = runStages(statement.stages, this.scope());
      const view = new TextView(running.command.columns);
      let batch: Line[] = [];
      let sentAt = performance.now();
      for (const item of running.items) {
        if (item.kind === 'notice') notices.push(item.text);
        if (mode.json && item.kind === 'row') rows.push(toJson(item.data));
        if (mode.json) continue;
        for (const line of view.lines(item)) {
          batch.push(line);
          if (batch.length < LINES_PER_BATCH && performance.now() - sentAt < BATCH_MS) continue;
          yield* this.#lines(batch);
          batch = [];
          sentAt = performance.now();
        }
        if (item.kind !== 'pause') continue;
        yield* this.#lines(batch);
        yield { kind: 'pause' };
        batch = [];
      }
      yield* this.#lines(batch);
    } catch (caught) {
      error = caught;
    }
    const failure = error === undefined ? undefined : describe(error, statement.source);
    if (failure !== undefined) shell.recordLines(failure.lines);
    if (mode.json) yield { kind: 'json', line: jsonLine(statement.source, failure, rows, notices) };
    else if (failure !== undefined) yield { kind: 'error', ...failure };
    if (shell.settings.timing)
      yield { kind: 'timing', text: timing(before, { time: shell.now(), ...kernel.backend.counters }) };
    const failures = shell.endCommand(failure?.status ?? 0);
    if (failures.length > 0) yield { kind: 'error', lines: failures, status: 0 };
    return failure?.status ?? 0;
  }

  /** Lines that are complete: recorded, then shown. */
  *#lines(batch: readonly Line[]): Iterable<Output> {
    if (batch.length === 0) return;
    this.shell.recordLines(batch);
    yield { kind: 'lines', lines: batch };
  }

  *#source(path: string, source: string, mode: RunMode): Iterable<Output> {
    let text: string;
    try {
      text = this.shell.readTextFile(path);
      this.shell.enterFile(path);
    } catch (error) {
      yield* this.#failed(error, source, mode, source);
      return;
    }
    try {
      yield* this.execute(text, mode);
    } finally {
      this.shell.leaveFile();
    }
  }

  #argumentLines(path: string): readonly string[] | KdbgError {
    try {
      const lines = this.shell.readTextFile(path).split('\n');
      return lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    } catch (error) {
      if (isUserError(error)) return error;
      throw error;
    }
  }

  *#failed(error: unknown, source: string, mode: RunMode, line: string): Iterable<Output> {
    const failure = describe(error, source);
    yield { kind: 'begin', source, sink: undefined, page: false };
    if (mode.json) yield { kind: 'json', line: jsonLine(line, failure, [], []) };
    else yield { kind: 'error', ...failure };
    yield { kind: 'end', status: failure.status };
  }
}

interface Failure {
  readonly lines: readonly string[];
  readonly status: number;
}

/** What the user is told. An error that is not one of ours is a bug of kdbg: it says so and how to report it. */
function describe(error: unknown, line: string): Failure {
  if (error instanceof CancelledError) return { lines: ['interrupted'], status: 130 };
  if (isUserError(error)) return { lines: errorLines(error, line), status: error.status };
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    lines: [
      `internal error: ${error instanceof Error ? error.message : String(error)}`,
      'this is a bug of kdbg; a recording of the session (record start) helps to find it',
      ...(process.env['KDBG_DEBUG'] === undefined ? [] : stack.split('\n')),
    ],
    status: 70,
  };
}

function jsonLine(
  command: string,
  failure: Failure | undefined,
  rows: readonly unknown[],
  notices: readonly string[],
): string {
  return JSON.stringify({
    command,
    status: failure?.status ?? 0,
    rows,
    notices,
    ...(failure === undefined ? {} : { error: failure.lines.filter((line) => !line.startsWith('  ')).join('; ') }),
  });
}

interface Reading {
  readonly time: number;
  readonly roundTrips: number;
  readonly bytes: number;
}

function timing(before: Reading, after: Reading): string {
  const trips = after.roundTrips - before.roundTrips;
  const kib = Math.ceil((after.bytes - before.bytes) / 1024);
  return `${trips} round ${trips === 1 ? 'trip' : 'trips'}, ${kib} KiB, ${((after.time - before.time) / 1000).toFixed(3)} s`;
}
