/**
 * A session: one target, its context and settings, and the running of command lines on it. It is plain and
 * synchronous, so that tests and batch runs use it in their own thread; worker.ts gives it one.
 */
import { parseStatement, type Statement, splitStatements } from '../core/command/grammar.ts';
import { bareAnswer, passed } from '../core/command/lesson-play.ts';
import { PROSE_WIDTH } from '../core/command/lesson-prose.ts';
import { runStages } from '../core/command/run.ts';
import type { Scope } from '../core/command/scope.ts';
import { firstName } from '../core/command/words.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import type { BackendCounters } from '../core/memory/backend.ts';
import { toJson } from '../core/output/json.ts';
import type { Line } from '../core/output/line.ts';
import { TextView } from '../core/output/render.ts';
import { describe, JsonResult, type Place } from './failure.ts';
import type { Output, RunMode } from './protocol.ts';
import type { SessionOptions } from './session-options.ts';
import { SessionShell } from './shell.ts';

/** Lines sent together: enough to make a batch worth it, few enough to show the first rows at once. */
const LINES_PER_BATCH = 64;
/** Rows that come slowly are sent one by one. */
const BATCH_MS = 30;
/** The status of a command that the user stopped: nothing more of the line runs. */
const INTERRUPTED = 130;

type Pipeline = Extract<Statement, { kind: 'pipeline' }>;

export class Session {
  readonly kernel: Kernel;
  readonly shell: SessionShell;
  readonly #onStatement: (statement: number) => void;
  #statements = 0;

  constructor(options: SessionOptions) {
    this.kernel = options.kernel;
    this.shell = new SessionShell(options);
    this.#onStatement = options.onStatement ?? (() => undefined);
  }

  /** The scope of one command: what it sees besides its arguments. */
  scope(): Scope {
    return this.shell.scope(undefined);
  }

  /** Runs a text as it was typed: a line, or several. Its output as it comes; never throws but for bugs below it. */
  *execute(text: string, mode: RunMode): Iterable<Output> {
    if (!mode.rc && mode.pane !== true && mode.origin === undefined) this.shell.remember(text);
    if (text.trim() === '') {
      yield* this.#regain();
      return;
    }
    yield* this.#text(text, mode);
  }

  /** Enter on an empty line: nothing is run, and a connection that was lost is made again. */
  *#regain(): Iterable<Output> {
    try {
      this.shell.regain();
    } catch (error) {
      yield* this.#failed(error, '', { json: false, rc: false }, undefined);
    }
    const notices = this.shell.takeNotices();
    if (notices.length === 0) return;
    yield this.#begin({ source: '', sink: undefined, page: false });
    yield { kind: 'lines', lines: notices.map((text): Line => [{ text, tone: 'dim' }]) };
    yield { kind: 'end', status: 0 };
  }

  /** The recorded session that is being replayed, as it was. */
  *transcript(): Iterable<Output> {
    yield this.#begin({ source: '', sink: undefined, page: true });
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

  /** Completes the recording; returns what went wrong with it. */
  close(): readonly string[] {
    const failures = this.shell.close();
    this.kernel.backend.close();
    return failures;
  }

  /**
   * The statements of a text, each parsed when its turn comes: it may use an alias that one before it made, and a
   * malformed one does not keep the others from running. Returns true when no more is to run.
   */
  *#text(text: string, mode: RunMode): Generator<Output, boolean> {
    const place = (line: number): Place | undefined =>
      mode.origin === undefined ? undefined : { path: mode.origin, line };
    try {
      for (const part of splitStatements(text)) {
        if (yield* this.#part(part.text, mode, place(part.line))) return true;
      }
    } catch (error) {
      yield* this.#failed(error, text, mode, place(1));
    }
    return false;
  }

  *#part(text: string, mode: RunMode, place: Place | undefined): Generator<Output, boolean> {
    let statements: readonly Statement[];
    try {
      statements = parseStatement(text, this.shell.vocabulary);
    } catch (error) {
      yield* this.#failed(error, text, mode, place);
      return false;
    }
    for (const statement of statements) {
      if (yield* this.#statement(statement, mode, place)) return true;
      if (this.shell.isExiting) {
        yield { kind: 'exit', status: this.shell.exitStatus };
        return true;
      }
    }
    return false;
  }

  *#statement(statement: Statement, mode: RunMode, place: Place | undefined): Generator<Output, boolean> {
    if (statement.kind === 'shell') {
      yield { kind: 'shell', command: statement.command };
      return false;
    }
    if (statement.kind === 'source') return yield* this.#source(statement, mode, place);
    let runs: readonly Pipeline[];
    try {
      runs = this.#runs(statement);
    } catch (error) {
      yield* this.#failed(error, statement.source, mode, place);
      return false;
    }
    const page = this.shell.settings.scroll && statement.sink === undefined && !mode.json;
    yield this.#begin({ source: statement.source, sink: statement.sink, page });
    let status = 0;
    for (const run of runs) {
      status = Math.max(status, yield* this.#pipeline(run, mode, place));
      if (status === INTERRUPTED) break;
    }
    yield { kind: 'end', status };
    // A statement whose reader went away is over; a line that the user stopped is.
    return status === INTERRUPTED && this.shell.isInterrupted;
  }

  /** A statement's pipeline, once for each line of its argument file if it has one. */
  #runs(statement: Pipeline): readonly Pipeline[] {
    if (statement.argumentFile === undefined) return [statement];
    const lines = this.shell.readTextFile(statement.argumentFile).split('\n');
    const given = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
    const last = statement.stages.at(-1) as Pipeline['stages'][number];
    const before = statement.source.slice(0, last.column);
    return given.map((argument) => {
      const text = `${last.text} ${argument}`;
      return { ...statement, source: before + text, stages: [...statement.stages.slice(0, -1), { ...last, text }] };
    });
  }

  /** One pipeline, from its fresh view of the target to its outcome in the recording. */
  *#pipeline(pipeline: Pipeline, mode: RunMode, place: Place | undefined): Generator<Output, number> {
    const { shell, kernel } = this;
    const started = performance.now();
    const before = { ...kernel.backend.counters };
    const json = mode.json ? new JsonResult() : undefined;
    let thrown: { readonly error: unknown } | undefined;
    try {
      shell.showsLesson = mode.showsLesson === true;
      shell.beginCommand(pipeline.source, mode.rc ? 'rc' : mode.pane === true ? 'pane' : 'user');
      yield* json === undefined ? this.#show(pipeline) : this.#gather(pipeline, json);
    } catch (error) {
      thrown = { error };
    }
    const failure = thrown && describe(thrown.error, pipeline.source, place);
    if (failure !== undefined) {
      // What was remarked before it failed belongs to this command, not to the next.
      const notices = shell.takeNotices();
      if (json === undefined) yield* this.#lines(notices.map((text): Line => [{ text, tone: 'dim' }]));
      else for (const text of notices) json.notice(text);
    }
    if (failure !== undefined) shell.recordLines(failure.lines);
    if (json !== undefined) yield { kind: 'json', line: json.line(pipeline.source, failure) };
    else if (failure !== undefined) yield { kind: 'error', ...failure };
    if (json === undefined && mode.pane !== true && !mode.rc) yield* this.#lesson(pipeline, thrown?.error);
    if (shell.settings.timing && json === undefined) {
      yield { kind: 'timing', text: timing(before, kernel.backend.counters, performance.now() - started) };
    }
    const failures = shell.endCommand(failure?.status ?? 0);
    if (failures.length > 0) yield { kind: 'error', lines: failures, status: 0 };
    return failure?.status ?? 0;
  }

  /** Runs the pipeline for its text. */
  *#show(pipeline: Pipeline): Iterable<Output> {
    const running = runStages(pipeline.stages, this.scope());
    const view = new TextView(running.command.columns);
    let batch: Line[] = [];
    let sentAt = performance.now();
    try {
      for (const item of running.items) {
        for (const line of view.lines(item)) {
          batch.push(line);
          if (batch.length < LINES_PER_BATCH && performance.now() - sentAt < BATCH_MS) continue;
          const full = batch;
          batch = [];
          yield* this.#lines(full);
          sentAt = performance.now();
        }
        if (item.kind !== 'pause') continue;
        const full = batch;
        batch = [];
        yield* this.#lines(full);
        yield { kind: 'pause' };
      }
    } finally {
      // A command that fails or is stopped keeps the rows that it found.
      yield* this.#lines(batch);
    }
  }

  /** Runs the pipeline for its rows. */
  *#gather(pipeline: Pipeline, json: JsonResult): Iterable<Output> {
    for (const item of runStages(pipeline.stages, this.scope()).items) {
      if (item.kind === 'row') json.row(toJson(item.data));
      else if (item.kind === 'notice') json.notice(item.text);
      else if (item.kind === 'pause') yield { kind: 'pause' };
    }
  }

  /** What ran may be what a lesson's step asks for: the step is passed, and the next one shown. */
  *#lesson({ stages, source }: Pipeline, error: unknown): Iterable<Output> {
    const names = stages.map((stage) => firstName(stage.text));
    if (!this.shell.lessonWatch.end(names, error === undefined)) {
      yield* this.#lines(bareAnswer(this.shell, source, error));
      return;
    }
    const view = new TextView(undefined);
    const lines: Line[] = [''];
    for (const item of passed(this.scope(), PROSE_WIDTH)) lines.push(...view.lines(item));
    yield* this.#lines(lines);
  }

  /** Lines that are complete: recorded, then shown. */
  *#lines(batch: readonly Line[]): Iterable<Output> {
    if (batch.length === 0) return;
    this.shell.recordLines(batch);
    yield { kind: 'lines', lines: batch };
  }

  *#source(
    statement: Extract<Statement, { kind: 'source' }>,
    mode: RunMode,
    place: Place | undefined,
  ): Generator<Output, boolean> {
    let text: string;
    try {
      text = this.shell.readTextFile(statement.path);
      this.shell.enterFile(statement.path);
    } catch (error) {
      yield* this.#failed(error, statement.source, mode, place);
      return false;
    }
    try {
      return yield* this.#text(text, { ...mode, origin: statement.path });
    } finally {
      this.shell.leaveFile();
    }
  }

  #begin(statement: Omit<Extract<Output, { kind: 'begin' }>, 'kind' | 'statement'>): Output {
    this.#onStatement(++this.#statements);
    return { kind: 'begin', statement: this.#statements, ...statement };
  }

  *#failed(error: unknown, statement: string, mode: RunMode, place: Place | undefined): Iterable<Output> {
    const failure = describe(error, statement, place);
    yield this.#begin({ source: statement, sink: undefined, page: false });
    if (mode.json) yield { kind: 'json', line: new JsonResult().line(statement, failure) };
    else yield { kind: 'error', ...failure };
    yield { kind: 'end', status: failure.status };
  }
}

function timing(before: BackendCounters, after: BackendCounters, milliseconds: number): string {
  const trips = after.roundTrips - before.roundTrips;
  const kib = (from: number, to: number): string => `${Math.ceil((to - from) / 1024)} KiB`;
  const onWire = after.wire && `, ${kib(before.wire?.received ?? 0, after.wire.received)} on the wire`;
  const read = kib(before.bytes, after.bytes);
  return `${trips} round ${trips === 1 ? 'trip' : 'trips'}, ${read}${onWire ?? ''}, ${(milliseconds / 1000).toFixed(3)} s`;
}
