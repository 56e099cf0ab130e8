/**
 * Runs commands and exits: `-c`, `-i`, or lines from standard input when that is not a terminal. Lines are run one by
 * one as they come, so a program can talk to kdbg through a pipe.
 */
import { createInterface } from 'node:readline';
import type { EngineClient } from '../engine/client.ts';
import { type Interrupts, interrupts } from './interrupt.ts';
import { wantsColour } from './paint.ts';
import { complain, type PrinterOptions, print } from './printer.ts';
import { streamSink } from './sink.ts';

/** A text to run, and the file that it comes from. */
export interface BatchText {
  readonly text: string;
  readonly origin?: string;
}

export interface BatchOptions {
  readonly json: boolean;
}

const INTERRUPTED = 130;

/** Runs these texts in order; stops early at `exit` and Ctrl-C. Resolves to the exit status. */
export async function runBatch(
  engine: EngineClient,
  texts: AsyncIterable<BatchText> | Iterable<BatchText>,
  options: BatchOptions,
): Promise<number> {
  let worst = 0;
  const printer = batchPrinter(engine, options);
  const control = interrupts(engine, (text) => complain([text]));
  const stop = stopOnSignal(control);
  const next = inTurn(texts);
  try {
    for (;;) {
      const step = await Promise.race([next.next(), stop.pressed]);
      if (step === 'interrupted' || stop.isPressed) return INTERRUPTED;
      if (step.done === true) return worst;
      const { text, origin } = step.value;
      control.reset();
      const mode = { json: options.json, rc: false, ...(origin === undefined ? {} : { origin }) };
      const { status, exit } = await print(engine.run(text, mode), printer);
      worst = Math.max(worst, status);
      if (stop.isPressed || status === INTERRUPTED) return INTERRUPTED;
      if (exit !== undefined) return exit.status ?? worst;
    }
  } finally {
    stop.end();
  }
}

async function* inTurn(texts: AsyncIterable<BatchText> | Iterable<BatchText>): AsyncGenerator<BatchText> {
  yield* texts;
}

interface Stop {
  readonly isPressed: boolean;
  readonly pressed: Promise<'interrupted'>;
  end(): void;
}

/** Ctrl-C stops the command that runs, and all that were to follow; between two it ends the wait for the next. */
function stopOnSignal(control: Interrupts): Stop {
  let isPressed = false;
  let tell: (text: 'interrupted') => void = () => undefined;
  const pressed = new Promise<'interrupted'>((resolve) => {
    tell = resolve;
  });
  const onSignal = (): void => {
    isPressed = true;
    control.press();
    tell('interrupted');
  };
  process.on('SIGINT', onSignal);
  return {
    get isPressed() {
      return isPressed;
    },
    pressed,
    end: () => void process.off('SIGINT', onSignal),
  };
}

/** The lines of standard input. */
export async function* standardInput(): AsyncGenerator<BatchText> {
  const lines = createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY, terminal: false });
  for await (const text of lines) yield { text };
}

/** Prints on stdout, errors on stderr. */
export function batchPrinter(engine: EngineClient, options: BatchOptions): PrinterOptions {
  const screen = streamSink(process.stdout, wantsColour(process.stdout));
  return { screen: () => screen, refuse: (statement) => engine.refuse(statement), shell: true, json: options.json };
}
