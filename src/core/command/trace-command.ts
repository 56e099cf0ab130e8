/**
 * A command of the user's on the target, which is all that a trace records: its PID is in the trace's filters, and the
 * recording on, before it is executed, and what it forks is traced with it.
 */
import { UnsupportedError, UsageError } from '../errors.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { decodeText } from '../memory/text.ts';
import { type Item, notice, PAUSE, row } from '../output/item.ts';
import type { Scope } from './scope.ts';

/** Options of an instance that let its PID filters follow what is forked. */
export const FORK_OPTIONS = ['event-fork', 'function-fork'] as const;
const PID_FILTERS = ['set_ftrace_pid', 'set_event_pid'] as const;
const WAIT_MS = 200;
/** A longer line is shown in pieces. */
const LINE_MAX = 4096;
const PIECE = new RegExp(`.{1,${LINE_MAX}}`, 'gs');

/** The words after `--`; undefined where there are none. Throws UsageError for a lone `--`. */
export function commandWords(words: readonly string[] | undefined): readonly string[] | undefined {
  if (words?.length === 0) throw new UsageError('which command? its words follow "--"');
  return words;
}

/**
 * Runs it with a trace that was set up and does not record yet: its PID, written into tracing_on, switches that on.
 * Shows what it prints. Ends it after some seconds, where they are given, or when nobody takes its output.
 */
export function* runTraced(
  scope: Scope,
  instance: string | undefined,
  words: readonly string[],
  seconds: number | undefined,
): Iterable<Item> {
  const { kernel, shell } = scope;
  const directory = tracefs(kernel).directory(instance);
  const { streams } = kernel.backend;
  const stream = streams?.run?.({
    words,
    pidFiles: [...PID_FILTERS, 'tracing_on'].map((file) => `${directory}/${file}`),
  });
  if (stream === undefined) throw new UnsupportedError(`no command can be run on ${kernel.backend.name}`);
  if ('reason' in stream) throw new UnsupportedError(`the command cannot be run: ${stream.path}: ${stream.detail}`);
  const until = seconds === undefined ? Number.POSITIVE_INFINITY : shell.now() + seconds * 1000;
  let rest = '';
  try {
    while (stream.ended === undefined && shell.now() < until) {
      scope.check();
      if (!stream.wait(Math.max(1, Math.min(WAIT_MS, until - shell.now())))) continue;
      const lines = (rest + decodeText(stream.take())).split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > LINE_MAX) lines.push(...(rest.match(PIECE) ?? []));
      if (rest.length > LINE_MAX) rest = '';
      for (const line of lines) yield printed(line);
      if (lines.length > 0) yield PAUSE;
    }
    // What came with the end.
    for (const line of (rest + decodeText(stream.take())).split('\n')) if (line !== '') yield printed(line);
    yield* outcome(stream.ended, seconds);
  } finally {
    stream.close();
  }
}

function printed(line: string): Item {
  return row({ output: line }, () => [line]);
}

function* outcome(ended: string | undefined, seconds: number | undefined): Iterable<Item> {
  if (ended === undefined) yield notice(`the command was ended after ${seconds} s`);
  else if (!/^(?:exit|signal) \d{1,3}$/.test(ended)) throw new UnsupportedError(`the command cannot be run: ${ended}`);
  else if (ended !== 'exit 0') yield notice(`the command ended with ${ended.replace('exit', 'status')}`);
}
