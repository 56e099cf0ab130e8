import { defineCommand, maybe, rest } from '../src/core/command/define.ts';
import { choice, text } from '../src/core/command/kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'record',
  group: 'shell',
  summary: 'record what this session reads, to replay it later',
  description: [
    'A recording holds every page and file that the session read and every command with its output, with notes in between. "kdbg replay FILE" opens it: the recorded commands give the recorded output, and other commands work as far as the pages reach.',
    "User memory and environments are left out unless kdbg was started with --record-user. Kernel memory may hold secrets of the machine's users all the same: look before you share a recording.",
  ],
  operands: {
    action: maybe(
      choice('status', 'start', 'stop', 'note'),
      'ACTION',
      'start, stop, note or status; status unless given',
    ),
    text: rest(text, '[FILE|TEXT]', 'the file to start, or the text of the note'),
  },
  examples: [
    { line: 'record', shows: 'whether the session is recorded' },
    { line: 'record start hang.kdbg', shows: 'records from here on' },
    { line: 'record note the writer holds the inode lock', shows: 'leaves a remark in the recording' },
    { line: 'record stop', shows: 'completes the file' },
  ],
  *run(scope, { action, text: argument }) {
    const { recording } = scope.shell;
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
