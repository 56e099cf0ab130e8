/**
 * Takes the engine's output of one line and puts it where it belongs. Both the batch run and the prompt print
 * through this.
 */
import { spawnSync } from 'node:child_process';
import type { Output } from '../engine/protocol.ts';
import { wantsColour } from './paint.ts';
import { type OutputSink, openSink, streamSink } from './sink.ts';

export interface PrinterOptions {
  /** Makes the sink for a command's screen output: the terminal itself or a pager. */
  readonly screen: (page: boolean) => OutputSink;
  /** Stops the running command: nobody takes its output any more. */
  readonly cancel: () => void;
  /** Whether `!command` may run: not for lines that a recording brings. */
  readonly shell: boolean;
  /** Where errors go; stderr unless said. */
  readonly complain?: (lines: readonly string[]) => void;
  /** Gives the terminal to a program of the user's while it runs. */
  readonly lend?: <T>(work: () => Promise<T> | T) => Promise<T>;
}

/** Prints the output; the result is the worst status, and whether the shell is to end. */
export async function print(
  outputs: AsyncIterable<Output>,
  options: PrinterOptions,
): Promise<{ readonly status: number; readonly exit: number | undefined }> {
  let worst = 0;
  let exit: number | undefined;
  let sink: OutputSink | undefined;
  let refused = false;
  const tell = options.complain ?? complain;
  for await (const output of outputs) {
    switch (output.kind) {
      case 'begin':
        refused = false;
        try {
          sink = output.sink === undefined ? options.screen(output.page) : openSink(output.sink);
        } catch (error) {
          tell([`cannot write the output: ${(error as Error).message}`]);
          refused = true;
          worst = Math.max(worst, 1);
          options.cancel();
        }
        break;
      case 'lines':
        if (!refused && sink !== undefined && !(await sink.write(output.lines))) {
          refused = true;
          options.cancel();
        }
        break;
      case 'pause':
        break;
      case 'json':
        await sink?.write([output.line]);
        break;
      case 'timing':
        await sink?.write([[{ text: output.text, tone: 'dim' }]]);
        break;
      case 'error':
        // A reader that went away cancelled the command: that is no failure of it.
        if (!(refused && output.status === 130)) {
          tell(output.lines);
          worst = Math.max(worst, output.status);
        }
        break;
      case 'end':
        await sink?.close();
        sink = undefined;
        if (!refused) worst = Math.max(worst, output.status);
        break;
      case 'shell':
        worst = Math.max(worst, await runShell(output.command, options));
        break;
      case 'exit':
        exit = output.status;
        break;
    }
  }
  await sink?.close();
  return { status: worst, exit };
}

/** Errors go to stderr, the first line marked. */
export function complain(lines: readonly string[]): void {
  const sink = streamSink(process.stderr, wantsColour(process.stderr));
  const marked = lines.findIndex((line) => !line.startsWith('  '));
  void sink.write(lines.map((line, i) => (i === marked ? `kdbg: ${line}` : line)));
}

async function runShell(command: string, options: PrinterOptions): Promise<number> {
  if (!options.shell) {
    (options.complain ?? complain)(['commands of the shell are not run here']);
    return 1;
  }
  const shell = process.env['SHELL'] ?? '/bin/sh';
  const args = command === '' ? [] : ['-c', command];
  const work = (): number => {
    const result = spawnSync(command === '' ? shell : '/bin/sh', args, { stdio: 'inherit' });
    return result.status === 0 ? 0 : 1;
  };
  return options.lend === undefined ? work() : options.lend(work);
}
