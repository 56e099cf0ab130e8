import { defineCommand, maybe } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { UsageError } from '../src/core/errors.ts';

export default defineCommand({
  name: 'exit',
  group: 'shell',
  summary: 'leave kdbg',
  description: ['Without a status a batch run exits with the worst that a command had, and the prompt with 0.'],
  operands: { status: maybe(count, 'STATUS', 'exit status of the program, 0 to 255') },
  examples: [{ line: 'exit', shows: 'ends the session; a recording is completed' }],
  // biome-ignore lint/correctness/useYield: leaving shows nothing.
  *run(scope, { status }) {
    if (status !== undefined && status > 255) throw new UsageError(`an exit status is at most 255, not ${status}`);
    scope.shell.exit(status);
  },
});
