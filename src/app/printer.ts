/**
 * Takes the engine's output of one line and puts it where it belongs. Both the batch run and the prompt print
 * through this.
 */
import { spawn } from 'node:child_process';
import type { Sink } from '../core/command/grammar.ts';
import type { Output } from '../engine/protocol.ts';
import { reasonOf } from '../engine/text-file.ts';
import type { Capture } from './captured.ts';
import { wantsColour } from './paint.ts';
import { type OutputSink, openSink, streamSink } from './sink.ts';

export interface PrinterOptions {
  /** Makes the sink for a command's screen output: the terminal itself or a pager. */
  readonly screen: (page: boolean) => OutputSink;
  /** Nobody takes the output of this statement any more: it is to stop. */
  readonly refuse: (statement: number) => void;
  /** Whether `!command` may run: not for lines that a recording brings. */
  readonly shell: boolean;
  /** Where errors go; stderr unless said. */
  readonly complain?: (lines: readonly string[]) => void;
  /** Where remarks go that are no part of the output; stderr unless said. */
  readonly remark?: (text: string) => void;
  /** Gives the terminal to a program of the user's while it runs. */
  readonly lend?: <T>(work: () => Promise<T> | T) => Promise<T>;
  /** Takes what programs behind a pipe print, where the terminal is not theirs. */
  readonly capture?: Capture;
  /** stdout is for JSON alone: what programs of the shell print goes to stderr. */
  readonly json?: boolean;
}

export interface Printed {
  /** The worst status. */
  readonly status: number;
  /** The session is to end, with this status if one was asked for. */
  readonly exit: { readonly status: number | undefined } | undefined;
}

/** Prints the output. */
export async function print(outputs: AsyncIterable<Output>, options: PrinterOptions): Promise<Printed> {
  const printer = new Printer(options);
  try {
    for await (const output of outputs) await printer.take(output);
  } finally {
    await printer.end();
  }
  return { status: printer.status, exit: printer.exit };
}

class Printer {
  status = 0;
  exit: Printed['exit'];
  readonly #options: PrinterOptions;
  #sink: OutputSink | undefined;
  #statement = 0;
  #isRefused = false;
  /** What is to be told when the terminal is ours again. */
  #held: (() => void)[] = [];

  constructor(options: PrinterOptions) {
    this.#options = options;
  }

  async take(output: Output): Promise<void> {
    switch (output.kind) {
      case 'begin':
        this.#statement = output.statement;
        this.#isRefused = false;
        await this.#open(output.sink, output.page);
        return;
      case 'lines':
        await this.#write(output.lines);
        return;
      case 'json':
        await this.#write([output.line]);
        return;
      case 'pause':
        return;
      case 'timing':
        this.#tell(() => (this.#options.remark ?? remark)(output.text));
        return;
      case 'error':
        // A reader that went away stopped the command: that is no failure of it.
        if (this.#isRefused && output.status === 130) return;
        this.#complain(output.lines, output.status);
        return;
      case 'end':
        if (!this.#isRefused) this.status = Math.max(this.status, output.status);
        await this.end();
        return;
      case 'shell':
        this.status = Math.max(this.status, await this.#runShell(output.command));
        return;
      case 'exit':
        this.exit = { status: output.status };
        return;
    }
  }

  /** Closes the sink, and tells what had to wait for that. */
  async end(): Promise<void> {
    const sink = this.#sink;
    this.#sink = undefined;
    await sink?.close();
    for (const tell of this.#held.splice(0)) tell();
  }

  async #open(spec: Sink | undefined, page: boolean): Promise<void> {
    try {
      const { screen, lend, capture } = this.#options;
      this.#sink = spec === undefined ? screen(page) : await openSink(spec, { lend, capture });
    } catch (error) {
      this.#refuse();
      this.#complain([`cannot write the output: ${reasonOf(error)}`], 1);
    }
  }

  async #write(lines: Parameters<OutputSink['write']>[0]): Promise<void> {
    if (this.#isRefused || this.#sink === undefined) return;
    try {
      if (!(await this.#sink.write(lines))) this.#refuse();
    } catch (error) {
      this.#refuse();
      this.#complain([`cannot write the output: ${reasonOf(error)}`], 1);
    }
  }

  #refuse(): void {
    this.#isRefused = true;
    this.#options.refuse(this.#statement);
  }

  #complain(lines: readonly string[], status: number): void {
    this.status = Math.max(this.status, status);
    this.#tell(() => (this.#options.complain ?? complain)(lines));
  }

  #tell(tell: () => void): void {
    if (this.#sink?.isForeign === true) this.#held.push(tell);
    else tell();
  }

  async #runShell(command: string): Promise<number> {
    const { shell, lend, json } = this.#options;
    if (!shell) {
      this.#complain(['commands of the shell are not run here'], 1);
      return 1;
    }
    const work = (): Promise<number> => runShell(command, json === true);
    return lend === undefined ? work() : lend(work);
  }
}

/** Runs a command of the user's shell, or the shell itself. Resolves to 0, 1, or 130 when Ctrl-C ended it. */
function runShell(command: string, json: boolean): Promise<number> {
  const shell = process.env['SHELL'] || '/bin/sh';
  const stdio = ['inherit', json ? process.stderr : 'inherit', 'inherit'] as const;
  const child =
    command === '' ? spawn(shell, [], { stdio: [...stdio] }) : spawn('/bin/sh', ['-c', command], { stdio: [...stdio] });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      complain([`cannot run ${command === '' ? shell : 'the command'}: ${reasonOf(error)}`]);
      resolve(1);
    });
    child.once('exit', (status, signal) => resolve(signal === 'SIGINT' || status === 130 ? 130 : status === 0 ? 0 : 1));
  });
}

/** Errors go to stderr: for a place in a line the line and a caret, then one line of what, why, and what to do. */
export function complain(lines: readonly string[]): void {
  const sink = streamSink(process.stderr, wantsColour(process.stderr));
  void sink.write(complaint(lines));
}

/** The lines of an error as they are printed: those that begin with blanks show a place or a stack. */
export function complaint(lines: readonly string[]): readonly string[] {
  const message = lines.findIndex((line) => !line.startsWith('  '));
  const said = lines.filter((line) => !line.startsWith('  '));
  const after = lines.filter((line, i) => i > message && line.startsWith('  '));
  return [...lines.slice(0, Math.max(message, 0)), `kdbg: ${said.join('; ')}`, ...after];
}

function remark(text: string): void {
  void streamSink(process.stderr, wantsColour(process.stderr)).write([[{ text, tone: 'dim' }]]);
}
