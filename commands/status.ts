/**
 * What this target offers, and what would give more.
 */
import { defineCommand } from '../src/core/command/define.ts';
import { type TargetAspect, targetAspects } from '../src/core/command/target-status.ts';
import { row } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';

const NAME_WIDTH = 11;
/** Under the detail: the name, "yes" and the gaps. */
const INDENT = ' '.repeat(NAME_WIDTH + 7);

export default defineCommand({
  name: 'status',
  group: 'system',
  summary: 'what this target offers, what is missing, and what would help',
  description: [
    'kdbg needs memory, symbols and types for all that it can do, and works with what is there of them. Each is tried here and not assumed: symbols are counted, memory is read, and some well-known variables are checked against what kdbg believes of their types.',
    'A line with "no" says why and, where something would help, what.',
  ],
  examples: [{ line: 'status', shows: 'what works here' }],
  *run(scope) {
    for (const aspect of targetAspects(scope)) {
      scope.check();
      const { name, available, detail, help, parts } = aspect;
      const data = { name, available, detail, help: help ?? null, ...(parts === undefined ? {} : { parts }) };
      yield row(data, () => linesOf(aspect));
    }
  },
});

function linesOf({ name, available, detail, help, parts }: TargetAspect): readonly Line[] {
  return [
    [
      span(name.padEnd(NAME_WIDTH), undefined, 'header'),
      '  ',
      span(available ? 'yes' : 'no ', undefined, available ? 'good' : 'warn'),
      `  ${detail}`,
    ],
    ...(parts ?? []).map((part) => `${INDENT}${part}`),
    ...(help === undefined || available ? [] : [`${INDENT}-> ${help}`]),
  ];
}
