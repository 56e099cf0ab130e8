/**
 * The program: what was asked for, the engine on its target, then a batch run or the prompt. The one place that turns
 * outcomes into exit statuses: 0; 1 a command failed; 2 wrong usage; 3 the target could not be opened; 70 internal
 * error; 130 interrupted.
 */
import type { Ask } from '../backends/remote/question.ts';
import { EngineClient, EngineDied, EngineFailed } from '../engine/client.ts';
import { readTextFile } from '../engine/text-file.ts';
import { type BatchText, batchPrinter, runBatch, standardInput } from './batch.ts';
import { type Invocation, parseCommandLine } from './options.ts';
import { complain, print } from './printer.ts';
import { runRc } from './rc.ts';

const INTERNAL_ERROR = 70;
const INTERRUPTED = 130;

export async function main(argv: readonly string[], version: string, engineEntry: URL): Promise<number> {
  // A reader of our output that goes away (`| head`) ends the program quietly.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : INTERNAL_ERROR));
  }
  try {
    const asked = parseCommandLine(argv, version);
    if ('status' in asked) return asked.status;
    if (!('train' in asked)) return await runOn(asked, version, engineEntry);
    const { findLesson, listLessons } = await import('./train.ts');
    const { lesson, json } = asked.train;
    if (lesson === undefined) return listLessons(engineEntry, json);
    const recording = findLesson(lesson, engineEntry);
    return recording === undefined ? 1 : await runOn(asked.on(recording), version, engineEntry);
  } catch (error) {
    return failed(error);
  }
}

async function runOn(asked: Invocation, version: string, engineEntry: URL): Promise<number> {
  const texts: BatchText[] = asked.commands.map((text) => ({ text }));
  if (asked.input !== undefined) {
    try {
      texts.unshift({ text: readTextFile(asked.input, { isStream: true }), origin: asked.input });
    } catch (error) {
      complain([error instanceof Error ? error.message : String(error)]);
      return 2;
    }
  }
  const { backend, record, recordUser } = asked;
  // Loaded while the engine opens the target: they take about as long.
  const screen = texts.length === 0 && wantsScreen(asked) ? import('./tui/open.ts') : undefined;
  screen?.catch(() => undefined);
  const spec = { backend, record, recordUser, tool: `kdbg ${version}` };
  const engine = await EngineClient.start(spec, engineEntry, terminalAsk());
  const signals = endOnSignals(engine);
  let status = INTERNAL_ERROR;
  try {
    // On a screen they stand in its scrollback.
    if (screen === undefined) for (const notice of engine.opened.notices) complain([notice]);
    status = await run(engine, asked, { texts, version, screen });
  } catch (error) {
    status = failed(error);
  }
  const { failures, ended } = await engine.close();
  const signalled = signals.end();
  if (failures.length > 0) complain(failures);
  if (!ended) endAtOnce();
  return signalled ?? (failures.length > 0 ? Math.max(status, 1) : status);
}

/** Asks on the terminal until a prompt or the screen asks for itself; loaded with the first question. */
function terminalAsk(): Ask {
  let ask: Promise<Ask> | undefined;
  return async (question) => {
    ask ??= import('./ask.ts').then(({ askOnTerminal }) => askOnTerminal());
    return (await ask)(question);
  };
}

interface Session {
  readonly texts: readonly BatchText[];
  readonly version: string;
  /** The screen's code, where the session is to have one. */
  readonly screen: Promise<typeof import('./tui/open.ts')> | undefined;
}

/** The least terminal that can show panes beside a prompt. */
const SCREEN_LEAST = { columns: 60, rows: 16 } as const;

/** Whether there is a terminal that can show the screen, and nobody asked for the line prompt. */
function wantsScreen(asked: Invocation): boolean {
  const { stdin, stdout, env } = process;
  const term = env['TERM'] ?? '';
  if (!asked.tui || !stdin.isTTY || !stdout.isTTY || term === '' || term === 'dumb') return false;
  return stdout.columns >= SCREEN_LEAST.columns && stdout.rows >= SCREEN_LEAST.rows;
}

async function run(engine: EngineClient, asked: Invocation, { texts, version, screen }: Session): Promise<number> {
  const exit = asked.rc ? await runRc(engine, asked) : undefined;
  if (exit !== undefined) return exit.status ?? 0;
  if (texts.length > 0) return runBatch(engine, texts, asked);
  if (!process.stdin.isTTY) return withoutTerminal(engine, asked);
  const { lesson } = asked;
  if (screen !== undefined) return (await screen).runTui(engine, { version, recording: asked.record, lesson });
  const { runPrompt } = await import('./repl.ts');
  return runPrompt(engine, { version, lesson });
}

/** Commands come from standard input; a recording with nothing there shows its session, and a lesson its step. */
async function withoutTerminal(engine: EngineClient, asked: Invocation): Promise<number> {
  let lines = 0;
  async function* counted(): AsyncIterable<BatchText> {
    for await (const line of standardInput()) {
      if (line.text.trim() !== '') lines++;
      yield line;
    }
  }
  if (asked.lesson) await runBatch(engine, [{ text: 'lesson' }], asked);
  const status = await runBatch(engine, counted(), asked);
  // Whoever writes there may go on for ever, and node would wait for it.
  process.stdin.destroy();
  if (lines > 0 || status !== 0 || asked.lesson || asked.backend.kind !== 'replay') return status;
  const printed = await print(engine.transcript(), { ...batchPrinter(engine, asked), shell: false });
  return printed.status;
}

/** Tells what ended the program before its time. */
function failed(error: unknown): number {
  if (error instanceof EngineFailed) {
    complain(error.lines);
    return error.status;
  }
  if (error instanceof EngineDied && error.isAbandoned) {
    complain([error.message]);
    return INTERRUPTED;
  }
  const message = error instanceof Error ? error.message : String(error);
  const cause = error instanceof EngineDied && error.cause instanceof Error ? error.cause : error;
  const stack = process.env['KDBG_DEBUG'] !== undefined && cause instanceof Error ? (cause.stack ?? '') : '';
  complain([
    `internal error: ${message}`,
    'this is a bug of kdbg; a recording of the session (--record FILE) helps to find it',
    ...(stack === '' ? [] : stack.split('\n').map((line) => `  ${line}`)),
  ]);
  return INTERNAL_ERROR;
}

/** SIGTERM, SIGHUP and SIGQUIT complete the recording before the program ends; `end` tells the status of one that came. */
function endOnSignals(engine: EngineClient): { end(): number | undefined } {
  const statuses = { SIGTERM: 143, SIGHUP: 129, SIGQUIT: 131 } as const;
  let status: number | undefined;
  const onSignal = (signal: keyof typeof statuses): void => {
    status ??= statuses[signal];
    // What runs may wait for something else than the engine, as a prompt does: it is not waited for.
    void engine.close().then(({ failures, ended }) => {
      if (failures.length > 0) complain(failures);
      if (ended) process.exit(status);
      endAtOnce();
    });
  };
  const names = Object.keys(statuses) as (keyof typeof statuses)[];
  for (const name of names) process.on(name, onSignal);
  return {
    end() {
      for (const name of names) process.off(name, onSignal);
      return status;
    },
  };
}

/** The engine's thread is stuck in a system call, and node waits for its threads: only a signal ends the process. */
function endAtOnce(): never {
  process.emit('exit', INTERRUPTED);
  process.removeAllListeners('SIGINT');
  process.kill(process.pid, 'SIGINT');
  return process.exit(INTERRUPTED);
}
