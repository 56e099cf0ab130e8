import { defineCommand, maybe } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';

export default defineCommand({
  name: 'exit',
  group: 'shell',
  summary: 'leave kdbg',
  operands: { status: maybe(count, 'STATUS', 'exit status of the program; 0 unless given') },
  examples: [{ line: 'exit', shows: 'ends the session; a recording is completed' }],
  // biome-ignore lint/correctness/useYield: leaving shows nothing.
  *run(scope, { status }) {
    scope.shell.exit(status ?? 0);
  },
});
