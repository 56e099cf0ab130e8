import { defineCommand, maybe } from '../src/core/command/define.ts';
import { manualOf, overview } from '../src/core/command/help.ts';
import { type HelpSubject, helpSubject } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { row } from '../src/core/output/item.ts';
import type { Line } from '../src/core/output/line.ts';

const INPUT: readonly Line[] = [
  'A line is a command with its arguments; ";" separates commands, and a command that',
  'begins with "#" is a comment to the end of its line.',
  '',
  '  Numbers      a PID is decimal first; an address is hex first, with or without 0x',
  '  Expressions  any C expression works where an address is wanted; one with blanks or',
  '               with | > < ! ; in it stands in parentheses: rd (init_task.tasks.next - 0x10)',
  "  Quotes       \"...\" and '...' keep blanks together; '...' for the name of a task is a",
  "               regular expression: ps 'kworker.*'",
  "  Shorthands   a symbol alone is printed (p); a struct's name shows it, and *page is struct",
  "               page; another type's name is explained (whatis)",
  '  Per-CPU      SYMBOL:CPUS with CPUS as 0, 1,3-5 or a (all): p runqueues:0',
  '  Members      struct.member[.member][,member]: struct task_struct.pid,comm ADDRESS',
  '  Repeating    !! and !N as in a shell; "repeat -2 ps" runs again and again',
  '  Files        "< FILE" runs the lines of a file; "COMMAND < FILE" runs the command once',
  '               for each line of it, as its arguments',
  '  Aliases      "alias NAME LINE" makes one; \\NAME is never an alias',
  '  Keys         Tab completes, Ctrl-R searches the history, Ctrl-C stops the command,',
  '               Ctrl-D leaves; F1 explains the command, and on an empty line lists the keys',
];

const OUTPUT: readonly Line[] = [
  'A command yields rows; what you see is one view of them.',
  '',
  '  COMMAND | COMMAND   a typed pipe, when the second is a kdbg command that takes input:',
  '                      ps UN | bt          list -H ADDR -s mutex_waiter.task | ps',
  '  COMMAND | PROGRAM   anything else after | is for your shell: log | grep -i oom',
  '  COMMAND > FILE      to a file; >> adds to it',
  '  !PROGRAM            runs a program of this machine; the rest of the line is its own',
  '  kdbg --json         one line of JSON for each command: {"command","status","rows","notices"}',
  '',
  'Long output goes through $KDBG_PAGER, $PAGER or less; "set scroll off" stops that.',
];

export default defineCommand({
  name: 'help',
  group: 'shell',
  summary: 'what a command does, with its arguments and examples',
  description: ['Without an argument every command in one line; "all" prints every manual page.'],
  operands: { subject: maybe(helpSubject, 'TOPIC', 'a command, an alias, "input", "output" or "all"') },
  examples: [
    { line: 'help', shows: 'all commands, a line each' },
    { line: 'help bt', shows: 'the manual page of bt' },
    { line: 'help input', shows: 'how a command line is written' },
  ],
  *run(scope, { subject }) {
    const commands = scope.shell.commands();
    if (subject === undefined) {
      for (const [i, command] of commands.entries()) {
        yield row({ name: command.name, group: command.group, summary: command.summary }, () =>
          i === 0 ? overview(commands) : [],
        );
      }
      return;
    }
    const { topic } = subject;
    if (topic === 'input' || topic === 'output') {
      const lines = topic === 'input' ? INPUT : OUTPUT;
      yield row({ topic, text: lines.map(String) }, () => lines);
      return;
    }
    const subjects: readonly HelpSubject[] = topic === 'all' ? commands.map((command) => ({ command })) : [subject];
    for (const [i, shown] of subjects.entries()) yield explained(scope, shown, i > 0);
  },
});

/** The manual page of a command; of an alias what it stands for, and the page of the command that it calls. */
function explained(scope: Scope, { alias, command }: HelpSubject, separate: boolean) {
  const aliases = scope.shell
    .aliases()
    .filter((each) => each.line === command?.name)
    .map((each) => each.name);
  const stands = alias === undefined || alias.line === command?.name ? [] : [`${alias.name} stands for: ${alias.line}`];
  const page = command === undefined ? [] : manualOf(command, aliases);
  const blank = stands.length > 0 && page.length > 0 ? [''] : [];
  const data = {
    name: alias?.name ?? command?.name,
    ...(alias === undefined ? {} : { alias: alias.line }),
    group: command?.group,
    summary: command?.summary,
  };
  return row(data, () => [...(separate ? [''] : []), ...stands, ...blank, ...page]);
}
