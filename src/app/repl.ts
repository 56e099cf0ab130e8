/**
 * The line prompt: reads a line, runs it, prints what comes. Ctrl-C stops the running command and keeps the session;
 * Ctrl-D leaves.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { parseLine } from '../core/command/grammar.ts';
import { UsageError } from '../core/errors.ts';
import { type Line, textOf } from '../core/output/line.ts';
import type { EngineClient } from '../engine/client.ts';
import { lazyPager } from './pager.ts';
import { paint, wantsColour } from './paint.ts';
import { print } from './printer.ts';
import { historyPath, openHistory } from './prompt/history-file.ts';
import { DEFAULT_KEYMAP, describeKeys } from './prompt/keymap.ts';
import { openPrompt } from './prompt/open-prompt.ts';
import type { LineHelp, Prompt } from './prompt/prompt.ts';

const PROMPT = 'kdbg> ';

/** Runs the prompt until it is left. Resolves to the exit status. */
export async function runPrompt(engine: EngineClient, version: string): Promise<number> {
  const troubles: string[] = [];
  const history = openHistory(historyPath(process.env), (message) => troubles.push(message));
  const prompt = openPrompt({ history, onInterrupt: () => engine.cancel() });
  const colour = wantsColour(process.stdout);
  const repl: Repl = { engine, prompt, colour, lines: [] };
  try {
    prompt.print(`kdbg ${version} on ${engine.opened.name}; "help" lists the commands, Ctrl-D leaves\n`);
    for (const trouble of troubles) prompt.print(`kdbg: ${trouble}\n`);
    for (;;) {
      const typed = await prompt.readLine(PROMPT, lineHelp(repl));
      if (typed === undefined) return 0;
      const line = recalled(typed, repl);
      if (line === undefined || line.trim() === '') continue;
      repl.lines.push(line);
      const { exit } = await print(engine.run(line, { json: false, rc: false }), {
        screen: (page) => screen(repl, page),
        cancel: () => engine.cancel(),
        shell: true,
        complain: (lines) => complain(repl, lines),
        lend: (work) => prompt.lend(work),
      });
      if (exit !== undefined) return exit;
    }
  } finally {
    prompt.close();
  }
}

interface Repl {
  readonly engine: EngineClient;
  readonly prompt: Prompt;
  readonly colour: boolean;
  /** Lines run in this session, for `!!` and `!N`. */
  readonly lines: string[];
}

/** `!!` is the last line again and `!N` line N; both may go on: `!! | head`. Undefined when there is no such line. */
function recalled(line: string, repl: Repl): string | undefined {
  const match = /^!(!|\d+)(.*)$/s.exec(line.trim());
  if (match === null) return line;
  const earlier = match[1] === '!' ? repl.lines.at(-1) : repl.lines[Number(match[1]) - 1];
  if (earlier === undefined) {
    complain(repl, [`there is no line ${match[1] === '!' ? 'before this one' : match[1]}; "history" lists them`]);
    return undefined;
  }
  const whole = earlier + match[2];
  repl.prompt.print(`${paint([{ text: whole, tone: 'dim' }], repl.colour)}\n`);
  return whole;
}

function screen(repl: Repl, page: boolean) {
  const direct = (lines: readonly Line[]): void => {
    repl.prompt.print(`${lines.map((line) => paint(line, repl.colour)).join('\n')}\n`);
  };
  return lazyPager({
    direct,
    lend: (work) => repl.prompt.lend(work),
    rows: () => process.stdout.rows || 24,
    command: page ? pagerCommand() : undefined,
    colour: repl.colour,
  });
}

function complain(repl: Repl, lines: readonly string[]): void {
  const marked = lines.findIndex((line) => !line.startsWith('  '));
  const shown = lines.map(
    (line, i): Line => [{ text: i === marked ? `kdbg: ${line}` : line, tone: i === marked ? 'error' : 'dim' }],
  );
  repl.prompt.print(`${shown.map((line) => paint(line, repl.colour)).join('\n')}\n`);
}

/** $KDBG_PAGER, $PAGER or less, where one is installed; empty means none. */
function pagerCommand(): string | undefined {
  const chosen = process.env['KDBG_PAGER'] ?? process.env['PAGER'];
  if (chosen !== undefined) return chosen === '' || chosen === 'cat' ? undefined : chosen;
  return isInstalled('less') ? 'less -R -X -F' : undefined;
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function lineHelp(repl: Repl): LineHelp {
  return {
    complete: async (line, cursor) => {
      const completion = await repl.engine.complete(line, cursor);
      return { ...completion, candidates: completion.candidates.map((each) => ({ ...each })) };
    },
    check(line) {
      try {
        parseLine(line, { takesInput: () => false, expand: (text) => text });
        return undefined;
      } catch (error) {
        return error instanceof UsageError ? { column: error.column, message: error.message } : undefined;
      }
    },
    explain: (line) => explain(repl, line),
  };
}

/** The keys on an empty line, the command's manual page on any other. */
async function explain(repl: Repl, line: string): Promise<string> {
  const name = /^\s*(\S+)/.exec(line)?.[1];
  if (name === undefined) return keysHelp();
  const lines: string[] = [];
  for await (const output of repl.engine.run(`help ${name}`, { json: false, rc: true })) {
    if (output.kind === 'lines') lines.push(...output.lines.map(textOf));
    if (output.kind === 'error') lines.push(...output.lines);
  }
  return lines.join('\n');
}

function keysHelp(): string {
  return describeKeys(DEFAULT_KEYMAP)
    .filter((key) => key.when === 'editing')
    .map((key) => `  ${key.keys.padEnd(24)} ${key.description}`)
    .join('\n');
}
