/**
 * How the user is asked what a connection needs: a passphrase, a password, whether a host is to be trusted. Before the
 * prompt and in batch runs on the terminal itself, whatever standard input and output are, as ssh does; at the line
 * prompt through it.
 */
import { closeSync, openSync } from 'node:fs';
import process from 'node:process';
import { ReadStream, WriteStream } from 'node:tty';
import type { Ask, Question } from '../backends/remote/question.ts';
import { escapeControls } from '../core/output/escape.ts';
import { openPrompt } from './prompt/open-prompt.ts';
import type { Prompt } from './prompt/prompt.ts';

/** A terminal to ask on, and what closes it. */
interface Terminal {
  readonly input: ReadStream;
  readonly output: WriteStream;
  close(): void;
}

/** Asks on the terminal; with none, as in a job of cron, every answer is undefined. */
export function askOnTerminal(open: () => Terminal | undefined = openTerminal): Ask {
  return inTurn(async (question) => {
    const terminal = open();
    if (terminal === undefined) return undefined;
    const { input, output } = terminal;
    // One prompt for each question: between two, Ctrl-C is a signal again.
    const prompt = openPrompt({ input, output });
    try {
      return await put(question, prompt);
    } finally {
      prompt.close();
      terminal.close();
    }
  });
}

/** Asks at the prompt. While it reads a line there is no place for a question: the answer is undefined. */
export function askAtPrompt(prompt: Prompt): Ask {
  return inTurn((question) => put(question, prompt).catch(() => undefined));
}

async function put(question: Question, prompt: Prompt): Promise<string | undefined> {
  if (question.lines.length > 0) prompt.print(`${question.lines.map(escapeControls).join('\n')}\n`);
  return question.kind === 'secret' ? prompt.readSecret(question.prompt) : prompt.readAnswer(question.prompt);
}

/** One question after the other. */
function inTurn(ask: Ask): Ask {
  let before: Promise<unknown> = Promise.resolve();
  return (question) => {
    const answer = before.then(() => ask(question));
    before = answer.catch(() => undefined);
    return answer;
  };
}

/** Standard input and error where they are terminals, else the one that controls the process, if any. */
function openTerminal(): Terminal | undefined {
  const { stdin, stderr } = process;
  if (stdin.isTTY && stderr.isTTY) return { input: stdin, output: stderr, close: () => undefined };
  let descriptor: number | undefined;
  try {
    descriptor = openSync('/dev/tty', 'r+');
    const input = new ReadStream(descriptor);
    const output = new WriteStream(openSync('/dev/tty', 'w'));
    return {
      input,
      output,
      close: () => {
        input.destroy();
        output.destroy();
      },
    };
  } catch {
    if (descriptor !== undefined) closeSync(descriptor);
    return undefined;
  }
}
