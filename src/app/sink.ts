/**
 * Where a command's output goes: the terminal, a pager, a pipe into the user's shell, a file. A sink that its reader
 * closed (`| head`) takes no more and is no error.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, writeSync } from 'node:fs';
import type { Sink as SinkSpec } from '../core/command/grammar.ts';
import type { Line } from '../core/output/line.ts';
import { expandHome } from '../engine/text-file.ts';
import { type Capture, captureSink, wantsTerminal } from './captured.ts';
import { paint } from './paint.ts';

export interface OutputSink {
  /** Resolves to false when nothing more is wanted. */
  write(lines: readonly Line[]): Promise<boolean>;
  close(): Promise<void>;
  /** The terminal belongs to another program until this is closed. */
  readonly isForeign?: boolean;
}

/** Gives the terminal away while `work` runs. */
export type Lend = <T>(work: () => Promise<T> | T) => Promise<T>;

/** Writes to a stream of this process. */
export function streamSink(stream: NodeJS.WriteStream, colour: boolean): OutputSink {
  return {
    write: (lines) => writeTo(stream, `${lines.map((line) => paint(line, colour)).join('\n')}\n`),
    close: async () => undefined,
  };
}

/** Opens what `>`, `>>` or `|` name. Throws the error of the system call. */
export async function openSink(
  spec: SinkSpec,
  options: { readonly lend: Lend | undefined; readonly capture: Capture | undefined },
): Promise<OutputSink> {
  if (spec.kind === 'file') return fileSink(spec.path, spec.append);
  if (options.capture !== undefined && !wantsTerminal(spec.command)) return captureSink(spec.command, options.capture);
  return lentSink(() => processSink(spec.command, false), options.lend);
}

/** Runs a pager on the output; its colours are kept. */
export function openPager(command: string, colour: boolean, lend: Lend): Promise<OutputSink> {
  return lentSink(() => processSink(command, colour), lend);
}

/** A sink that has the terminal from when it is opened until it is closed. */
async function lentSink(open: () => OutputSink, lend: Lend | undefined): Promise<OutputSink> {
  if (lend === undefined) return open();
  let release: () => void = () => undefined;
  let returned: Promise<void> = Promise.resolve();
  const sink = await new Promise<OutputSink>((resolve, reject) => {
    returned = lend(async () => {
      resolve(open());
      await new Promise<void>((done) => {
        release = done;
      });
    });
    returned.catch(reject);
  });
  return {
    isForeign: true,
    write: (lines) => sink.write(lines),
    async close() {
      await sink.close();
      release();
      await returned;
    },
  };
}

function fileSink(path: string, append: boolean): OutputSink {
  const fd = openSync(expandHome(path), append ? 'a' : 'w');
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

function processSink(command: string, colour: boolean): OutputSink {
  const child: ChildProcess = spawn('/bin/sh', ['-c', command], { stdio: ['pipe', 'inherit', 'inherit'] });
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
    isForeign: true,
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
