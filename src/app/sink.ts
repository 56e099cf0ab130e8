/**
 * Where a command's output goes: the terminal, a pager, a pipe into the user's shell, a file. A sink that its reader
 * closed (`| head`) takes no more and is no error.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import type { Sink as SinkSpec } from '../core/command/grammar.ts';
import type { Line } from '../core/output/line.ts';
import { paint } from './paint.ts';

export interface OutputSink {
  /** Resolves to false when nothing more is wanted. */
  write(lines: readonly Line[]): Promise<boolean>;
  close(): Promise<void>;
}

/** Writes to a stream of this process. */
export function streamSink(stream: NodeJS.WriteStream, colour: boolean): OutputSink {
  return {
    write: (lines) => writeTo(stream, `${lines.map((line) => paint(line, colour)).join('\n')}\n`),
    close: async () => undefined,
  };
}

/** Opens what `>`, `>>` or `|` name. Throws Error with a message for the user. */
export function openSink(spec: SinkSpec): OutputSink {
  return spec.kind === 'shell' ? processSink('/bin/sh', ['-c', spec.command], false) : fileSink(spec.path, spec.append);
}

/** Runs a pager on the output; its colours are kept. */
export function pagerSink(command: string, colour: boolean): OutputSink {
  return processSink('/bin/sh', ['-c', command], colour);
}

function fileSink(path: string, append: boolean): OutputSink {
  const expanded = path.startsWith('~/') ? homedir() + path.slice(1) : path;
  const fd = openSync(expanded, append ? 'a' : 'w');
  return {
    async write(lines) {
      const bytes = Buffer.from(`${lines.map((line) => paint(line, false)).join('\n')}\n`);
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
      return true;
    },
    async close() {
      closeSync(fd);
    },
  };
}

function processSink(file: string, args: readonly string[], colour: boolean): OutputSink {
  const child: ChildProcess = spawn(file, args, { stdio: ['pipe', 'inherit', 'inherit'] });
  const input = child.stdin as NonNullable<ChildProcess['stdin']>;
  let open = true;
  const ended = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  void ended.then(() => {
    open = false;
  });
  input.on('error', () => {
    open = false;
  });
  return {
    async write(lines) {
      if (!open) return false;
      const flowing = input.write(`${lines.map((line) => paint(line, colour)).join('\n')}\n`);
      if (!flowing) await Promise.race([new Promise((resolve) => input.once('drain', resolve)), ended]);
      return open;
    },
    async close() {
      input.end();
      await ended;
    },
  };
}

/** Writes and waits until the stream takes more; false once the other end is gone. */
async function writeTo(stream: NodeJS.WriteStream, text: string): Promise<boolean> {
  if (stream.destroyed || stream.writableEnded) return false;
  return new Promise((resolve) => {
    const flowing = stream.write(text, (error) => resolve(error === null || error === undefined));
    if (flowing) resolve(!stream.destroyed);
  });
}
