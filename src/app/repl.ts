/**
 * The line prompt: reads a line, runs it, prints what comes. Ctrl-C stops the running command and keeps the session;
 * Ctrl-D leaves.
 */
import { type Line, textOf } from '../core/output/line.ts';
import type { EngineClient } from '../engine/client.ts';
import { askAtPrompt } from './ask.ts';
import { type Interrupts, interrupts } from './interrupt.ts';
import { LESSON_THERE, lessonStanding } from './lesson-standing.ts';
import { commandAt, malformed } from './line-check.ts';
import { lazyPager, pagerCommand } from './pager.ts';
import { paint, wantsColour } from './paint.ts';
import { complaint, print } from './printer.ts';
import { historyPath, openHistory } from './prompt/history-file.ts';
import { DEFAULT_KEYMAP, describeKeys } from './prompt/keymap.ts';
import { openPrompt } from './prompt/open-prompt.ts';
import type { LineHelp, Prompt } from './prompt/prompt.ts';
import { recall } from './recall.ts';

const PROMPT = 'kdbg> ';

interface Repl {
  readonly engine: EngineClient;
  readonly prompt: Prompt;
  readonly colour: boolean;
  readonly control: Interrupts;
  /** Lines run in this session, for `!!` and `!N`. */
  readonly lines: string[];
}

export interface PromptOptions {
  readonly version: string;
  /** The session is for the recording's lesson: it is shown first. */
  readonly lesson: boolean;
}

/** Runs the prompt until it is left. Resolves to the exit status. Throws EngineDied. */
export async function runPrompt(engine: EngineClient, { version, lesson }: PromptOptions): Promise<number> {
  const troubles: string[] = [];
  const history = openHistory(historyPath(process.env), (message) => troubles.push(message));
  const control = interrupts(engine, (text) => complain(repl, [text]));
  const prompt = openPrompt({ history, onInterrupt: control.press });
  engine.ask = askAtPrompt(prompt);
  const repl: Repl = { engine, prompt, colour: wantsColour(process.stdout), control, lines: [] };
  try {
    say(repl, [`kdbg ${version} on ${engine.opened.name}; "help" lists the commands, Ctrl-D leaves`]);
    for (const trouble of troubles) complain(repl, [trouble]);
    if (engine.opened.hasLesson === true && !lesson) say(repl, [[{ text: LESSON_THERE, tone: 'dim' }]]);
    if (lesson) await runLine(repl, 'lesson');
    for (;;) {
      const shown = lesson ? await lessonPrompt(engine) : PROMPT;
      const typed = await prompt.readLine(shown, lineHelp(repl));
      if (typed === undefined) return 0;
      const line = recalled(typed, repl);
      if (line === undefined) continue;
      // An empty line makes a connection again that was lost, and does nothing else.
      if (line.trim() === '') {
        await runLine(repl, '');
        continue;
      }
      repl.lines.push(line);
      const exit = await runLine(repl, line);
      if (exit !== undefined) return exit.status ?? 0;
    }
  } finally {
    prompt.close();
  }
}

/** The prompt of a lesson says where one is in it. */
async function lessonPrompt(engine: EngineClient): Promise<string> {
  const standing = await lessonStanding(engine);
  return standing === undefined ? PROMPT : `kdbg ${standing.step}/${standing.steps}> `;
}

async function runLine(repl: Repl, line: string) {
  const { engine, prompt, control } = repl;
  control.reset();
  const { exit } = await print(engine.run(line, { json: false, rc: false }), {
    screen: (page) => screen(repl, page),
    refuse: (statement) => engine.refuse(statement),
    shell: true,
    complain: (lines) => complain(repl, lines),
    remark: (text) => say(repl, [[{ text, tone: 'dim' }]]),
    lend: (work) => prompt.lend(work),
  });
  return exit;
}

/** The line that `!!` or `!N` stands for; undefined when there is none, which is said. */
function recalled(typed: string, repl: Repl): string | undefined {
  const found = recall(typed, repl.lines);
  if ('trouble' in found) complain(repl, [found.trouble]);
  else if (found.isRecalled) say(repl, [[{ text: found.line, tone: 'dim' }]]);
  return 'trouble' in found ? undefined : found.line;
}

function screen(repl: Repl, page: boolean) {
  return lazyPager({
    direct: (lines) => say(repl, lines),
    lend: (work) => repl.prompt.lend(work),
    rows: () => process.stdout.rows || 24,
    command: page ? pagerCommand(process.env) : undefined,
    colour: repl.colour,
  });
}

function say(repl: Repl, lines: readonly Line[]): void {
  repl.prompt.print(`${lines.map((line) => paint(line, repl.colour)).join('\n')}\n`);
}

function complain(repl: Repl, lines: readonly string[]): void {
  const shown = complaint(lines);
  say(
    repl,
    shown.map((text): Line => [{ text, tone: text.startsWith('kdbg: ') ? 'error' : 'dim' }]),
  );
}

function lineHelp(repl: Repl): LineHelp {
  return {
    complete: (line, cursor, signal) => repl.engine.complete(line, cursor, signal),
    check: (line) => malformed(line),
    explain: (line, cursor) => explain(repl, line.slice(0, cursor)),
  };
}

/** The keys on an empty line, else the manual page of the command that the cursor is in. */
async function explain(repl: Repl, before: string): Promise<string> {
  const name = commandAt(before);
  if (before.trim() === '') return keysHelp();
  if (name === undefined) return '';
  const lines: string[] = [];
  for await (const output of repl.engine.run(`help ${name}`, { json: false, rc: true })) {
    if (output.kind === 'lines') lines.push(...output.lines.map((line) => paint(textOf(line), false)));
    if (output.kind === 'error') lines.push(...complaint(output.lines));
  }
  return lines.join('\n');
}

function keysHelp(): string {
  return describeKeys(DEFAULT_KEYMAP)
    .filter((key) => key.when === 'editing')
    .map((key) => `  ${key.keys.padEnd(24)} ${key.description}`)
    .join('\n');
}
