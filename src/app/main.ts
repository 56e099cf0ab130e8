/**
 * The program: what was asked for, the engine on its target, then a batch run or the prompt. The one place that turns
 * outcomes into exit statuses: 0; 1 a command failed; 2 wrong usage; 3 the target could not be opened; 70 internal
 * error; 130 interrupted.
 */
import { readFileSync } from 'node:fs';
import { EngineClient, EngineFailed } from '../engine/client.ts';
import { runBatch, standardInput } from './batch.ts';
import { type Invocation, parseCommandLine } from './options.ts';
import { wantsColour } from './paint.ts';
import { complain, print } from './printer.ts';
import { readRc } from './rc.ts';
import { streamSink } from './sink.ts';

export async function main(argv: readonly string[], version: string, engineEntry: URL): Promise<number> {
  const asked = parseCommandLine(argv, version);
  if ('status' in asked) return asked.status;
  // A reader of our output that goes away (`| head`) ends the program quietly.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 70));
  }
  let script: string | undefined;
  try {
    script = asked.input === undefined ? undefined : readFileSync(asked.input, 'utf8');
  } catch (error) {
    complain([`cannot read ${asked.input}: ${(error as NodeJS.ErrnoException).code}`]);
    return 2;
  }
  let engine: EngineClient;
  try {
    const spec = {
      backend: asked.backend,
      record: asked.record,
      recordUser: asked.recordUser,
      tool: `kdbg ${version}`,
    };
    engine = await EngineClient.start(spec, engineEntry);
  } catch (error) {
    if (!(error instanceof EngineFailed)) throw error;
    complain(error.lines);
    return error.status;
  }
  try {
    if (engine.opened.notices.length > 0 && !asked.json) complain(engine.opened.notices);
    if (asked.rc) await readRc(engine);
    const texts = [...(script === undefined ? [] : [script]), ...asked.commands];
    if (texts.length > 0) return await runBatch(engine, texts, asked);
    if (!process.stdin.isTTY) return await withoutTerminal(engine, asked);
    const { runPrompt } = await import('./repl.ts');
    return await runPrompt(engine, version);
  } finally {
    await engine.close();
  }
}

/** Commands come from standard input; a recording with nothing there shows its session. */
async function withoutTerminal(engine: EngineClient, asked: Invocation): Promise<number> {
  let lines = 0;
  async function* counted(): AsyncIterable<string> {
    for await (const line of standardInput()) {
      if (line.trim() !== '') lines++;
      yield line;
    }
  }
  const status = await runBatch(engine, counted(), asked);
  if (lines > 0 || asked.backend.kind !== 'replay') return status;
  const screen = streamSink(process.stdout, wantsColour(process.stdout));
  const printed = await print(engine.transcript(), {
    screen: () => screen,
    cancel: () => engine.cancel(),
    shell: false,
  });
  return printed.status;
}
