/**
 * Programs of the user's shell that take a command's output on the screen: what they print is shown where the output
 * would have been. Those that draw on a terminal of their own get the whole terminal instead.
 */
import { spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Line } from '../core/output/line.ts';
import { paint } from './paint.ts';
import type { OutputSink } from './sink.ts';

/** Where the output of a program goes, and when the program is to end. */
export interface Capture {
  /** Resolves to false when nothing more is wanted. */
  readonly show: (lines: readonly Line[]) => Promise<boolean>;
  readonly stop: AbortSignal;
}

const FULL_SCREEN = new Set(
  [
    'less',
    'more',
    'most',
    'pager',
    'sensible-pager',
    'bat',
    'batcat',
    'vi',
    'vim',
    'nvim',
    'view',
    'nano',
    'emacs',
  ].concat([
    'emacsclient',
    'ed',
    'sensible-editor',
    'fzf',
    'sk',
    'top',
    'htop',
    'tig',
    'mc',
    'tmux',
    'screen',
    'ssh',
    'sudo',
  ]),
);

/** True for a shell command with a program in it that wants the terminal: a pager, an editor, one that may ask for a password. */
export function wantsTerminal(command: string): boolean {
  return command
    .split(/[|;&(){}\n]+/)
    .map((stage) => /^\s*(?:\w+=\S*\s+)*(\S+)/.exec(stage)?.[1] ?? '')
    .some((program) => FULL_SCREEN.has(program.slice(program.lastIndexOf('/') + 1)));
}

/** A program that is sent this many bytes in one line is shown them in pieces. */
const LINE_MAX = 16_384;
/** From the first signal to the one that cannot be ignored. */
const KILL_MS = 1000;

/** Runs a shell command on the output, in a process group of its own, which `stop` ends. */
export function captureSink(command: string, { show, stop }: Capture): OutputSink {
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  const signal = (name: NodeJS.Signals): void => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, name);
    } catch {
      // It has ended by itself.
    }
  };
  let open = true;
  let kill: NodeJS.Timeout | undefined;
  const end = (): void => {
    signal('SIGINT');
    kill = setTimeout(() => signal('SIGKILL'), KILL_MS);
  };
  stop.addEventListener('abort', end, { once: true });
  if (stop.aborted) end();
  child.stdin.on('error', () => {
    open = false;
  });
  const printed = Promise.all([pour(child.stdout, show), pour(child.stderr, show)]);
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  }).then(() => {
    open = false;
    clearTimeout(kill);
    stop.removeEventListener('abort', end);
  });
  return {
    async write(lines) {
      if (!open) return false;
      const flowing = child.stdin.write(`${lines.map((line) => paint(line, false)).join('\n')}\n`);
      if (!flowing) await Promise.race([new Promise((resolve) => child.stdin.once('drain', resolve)), ended]);
      return open;
    },
    async close() {
      child.stdin.end();
      await printed;
      await ended;
    },
  };
}

/** Shows a stream's lines as they come; reads on without showing once nothing more is wanted. */
async function pour(stream: Readable, show: Capture['show']): Promise<void> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  let wanted = true;
  for await (const chunk of stream) {
    const lines = (rest + decoder.write(chunk as Buffer)).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > LINE_MAX) lines.push(rest.slice(0, LINE_MAX));
    rest = rest.length > LINE_MAX ? rest.slice(LINE_MAX) : rest;
    if (wanted && lines.length > 0) wanted = await show(lines.map(toLine));
  }
  rest += decoder.end();
  if (wanted && rest !== '') await show([toLine(rest)]);
}

function toLine(text: string): Line {
  return [text.replace(/\r$/, '')];
}
