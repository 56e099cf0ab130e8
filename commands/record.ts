import { defineCommand, maybe, rest } from '../src/core/command/define.ts';
import { asciicast } from '../src/core/command/export-asciicast.ts';
import { markdown } from '../src/core/command/export-markdown.ts';
import { choice, text } from '../src/core/command/kinds.ts';
import type { RecordedSession } from '../src/core/command/recorded-session.ts';
import { recordedSession } from '../src/core/command/replay-steps.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { UsageError } from '../src/core/errors.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'record',
  group: 'shell',
  summary: 'record what this session reads, to replay it later',
  description: [
    'A recording holds every page and file that the session read and every command with its output, with notes in between. "kdbg replay FILE" opens it: the recorded commands give the recorded output, and other commands work as far as the pages reach.',
    "User memory and environments are left out unless kdbg was started with --record-user. Kernel memory may hold secrets of the machine's users all the same: look before you share a recording.",
    'redact writes the recording that is replayed without what it tells of its machine and its users into FILE, a new recording: names of processes, machines and files, text in memory, in the log and in what was typed and noted. A word is replaced by one of the same length, everywhere by the same, and addresses stay. The new file is then replayed and looked through, and is kept only if nothing was found. Names of the kernel stay, and so does what is no text; docs/recording.md tells what that means.',
    'export writes the session that is replayed as a file for others: FILE.cast is an asciicast, which players of terminal recordings show as it was typed; FILE.md is Markdown with the notes as text and each command with its output.',
  ],
  operands: {
    action: maybe(
      choice('status', 'start', 'stop', 'note', 'export', 'redact'),
      'ACTION',
      'start, stop, note, export, redact or status; status unless given',
    ),
    text: rest(text, '[FILE|TEXT]', 'the file to write, or the text of the note'),
  },
  examples: [
    { line: 'record', shows: 'whether the session is recorded' },
    { line: 'record start hang.kdbg', shows: 'records from here on' },
    { line: 'record note the writer holds the inode lock', shows: 'leaves a remark in the recording' },
    { line: 'record stop', shows: 'completes the file' },
    { line: 'record export hang.md', shows: 'the replayed session as Markdown' },
    { line: 'record redact public.kdbg', shows: 'the replayed recording without the names in it' },
  ],
  *run(scope, { action, text: argument }) {
    const { recording } = scope.shell;
    if (action === 'export') {
      yield* exported(scope, argument);
      return;
    }
    if (action === 'redact') {
      yield* redacted(scope, argument);
      return;
    }
    if (action === 'start') {
      if (argument === '') throw new UsageError('record start wants a file');
      recording.start(argument);
    } else if (action === 'note') {
      if (argument === '') throw new UsageError('record note wants a text');
      recording.note(argument);
      return;
    }
    const status = recording.status();
    if (action === 'stop') recording.stop();
    if (status === undefined) {
      yield row({ recording: false }, () => ['not recording']);
      return;
    }
    const what = action === 'stop' ? 'recorded' : 'recording';
    yield row({ recording: action !== 'stop', ...status }, () => [
      `${what} to ${status.path}: ${status.commands} commands, ${Math.ceil(status.bytes / 1024)} KiB`,
    ]);
  },
});

/** Columns of the terminal that an asciicast is for: most output fits. */
const CAST_COLUMNS = 120;

const FORMATS: Readonly<Record<string, (session: RecordedSession) => Iterable<string>>> = {
  cast: (session) => asciicast(session, CAST_COLUMNS),
  md: markdown,
};

function* exported(scope: Scope, path: string): Iterable<Item> {
  const session = recordedSession(scope);
  const format = FORMATS[/\.(cast|md)$/.exec(path)?.[1] ?? ''];
  if (format === undefined) throw new UsageError('record export wants a file whose name ends with .cast or .md');
  scope.shell.writeText(path, checked(scope, format(session)));
  const { length } = session.lines;
  yield row({ path, lines: length }, () => [`${path}: ${length} lines of the session`]);
}

function* redacted(scope: Scope, path: string): Iterable<Item> {
  const session = recordedSession(scope);
  if (path === '') throw new UsageError('record redact wants a file');
  const done = session.redact(path, {
    check: () => scope.check(),
    step: (finished, of) => scope.kernel.progress(finished, of),
    commands: scope.shell.commands(),
  });
  const width = Math.max(...done.replaced.map(({ kind }) => kind.length), 0);
  yield row({ ...done }, () => [
    'replaced:',
    ...done.replaced.map(
      ({ kind, places, different }) => `  ${kind.padEnd(width)}  ${places} (${different} different)`,
    ),
    'looked at afterwards:',
    ...done.verified.map((line) => `  ${line}`),
    `${done.path}: ${Math.ceil(done.bytes / 1024)} KiB`,
  ]);
  for (const text of done.notices) yield notice(text);
}

function* checked(scope: Scope, pieces: Iterable<string>): Iterable<string> {
  for (const piece of pieces) {
    scope.check();
    yield piece;
  }
}
