import { defineCommand, maybe } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { decimalColumn, textColumn } from '../src/core/output/columns.ts';
import { row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'history',
  group: 'shell',
  summary: 'the lines typed in this session',
  description: ['At the prompt !! runs the last line again and !N line N.'],
  operands: { last: maybe(count, 'COUNT', 'only so many of the last ones') },
  columns: {
    number: decimalColumn('N', 'what !N runs again', { width: 5 }),
    line: textColumn('LINE', 'as it was typed'),
  },
  examples: [{ line: 'history 10', shows: 'the last ten lines' }],
  *run(scope, { last }) {
    const lines = scope.shell.history();
    const first = last === undefined ? 0 : Math.max(lines.length - last, 0);
    for (const [i, line] of lines.entries()) if (i >= first) yield row({ number: i + 1, line });
  },
});
