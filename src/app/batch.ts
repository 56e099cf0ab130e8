/**
 * Runs commands and exits: `-c`, `-i`, or lines from standard input when that is not a terminal. Lines are run one by
 * one as they come, so a program can talk to kdbg through a pipe.
 */
import { createInterface } from 'node:readline';
import type { EngineClient } from '../engine/client.ts';
import { wantsColour } from './paint.ts';
import { type PrinterOptions, print } from './printer.ts';
import { streamSink } from './sink.ts';

export interface BatchOptions {
  readonly json: boolean;
}

/** Runs these texts in order; stops early only at `exit`. Resolves to the exit status. */
export async function runBatch(
  engine: EngineClient,
  texts: AsyncIterable<string> | Iterable<string>,
  options: BatchOptions,
): Promise<number> {
  let worst = 0;
  const printer = batchPrinter(engine);
  const interrupt = (): void => engine.cancel();
  process.on('SIGINT', interrupt);
  try {
    for await (const text of texts) {
      const { status, exit } = await print(engine.run(text, { json: options.json, rc: false }), printer);
      worst = Math.max(worst, status);
      if (exit !== undefined) return Math.max(exit, worst);
      if (status === 130) return 130;
    }
  } finally {
    process.off('SIGINT', interrupt);
  }
  return worst;
}

/** The lines of standard input. */
export function standardInput(): AsyncIterable<string> {
  return createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY, terminal: false });
}

function batchPrinter(engine: EngineClient): PrinterOptions {
  const screen = streamSink(process.stdout, wantsColour(process.stdout));
  return { screen: () => screen, cancel: () => engine.cancel(), shell: true };
}
