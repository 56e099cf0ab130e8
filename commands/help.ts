import { type Command, defineCommand, maybe } from '../src/core/command/define.ts';
import { manualOf, overview } from '../src/core/command/help.ts';
import { commandName } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { row } from '../src/core/output/item.ts';
import type { Line } from '../src/core/output/line.ts';

const INPUT: readonly Line[] = [
  'A line is a command with its arguments; ";" separates commands, "#" begins a comment.',
  '',
  '  Numbers      a PID is decimal first; an address is hex first, with or without 0x',
  '  Expressions  any C expression works where an address is wanted; one with blanks or',
  '               with | > < ! in it stands in parentheses: rd (init_task.tasks.next - 0x10)',
  '  Per-CPU      SYMBOL:CPUS with CPUS as 0, 1,3-5 or a (all): p runqueues:0',
  '  Members      struct.member[.member][,member]: struct task_struct.pid,comm ADDRESS',
  '  Repeating    !! and !N as in a shell; "repeat -2 ps" runs again and again',
  '  Files        "< FILE" runs the lines of a file; "COMMAND < FILE" runs the command once',
  '               for each line of it, as its arguments',
  '  Keys         Tab completes, Ctrl-R searches the history, Ctrl-C stops the command,',
  '               Ctrl-D leaves; "?" on an empty line lists the keys',
];

const OUTPUT: readonly Line[] = [
  'A command yields rows; what you see is one view of them.',
  '',
  '  COMMAND | COMMAND   a typed pipe, when the second is a kdbg command that takes input:',
  '                      ps UN | bt          list -H ADDR -s mutex_waiter.task | ps',
  '  COMMAND | PROGRAM   anything else after | is for your shell: log | grep -i oom',
  '  COMMAND > FILE      to a file; >> adds to it',
  '  !PROGRAM            runs a program of this machine',
  '  kdbg --json         one line of JSON for each command: {"command","status","rows","notices"}',
  '',
  'Long output goes through $KDBG_PAGER, $PAGER or less; "set scroll off" stops that.',
];

export default defineCommand({
  name: 'help',
  group: 'shell',
  summary: 'what a command does, with its arguments and examples',
  description: ['Without an argument every command in one line; "all" prints every manual page.'],
  operands: { topic: maybe(commandName, 'TOPIC', 'a command, an alias, "input", "output" or "all"') },
  examples: [
    { line: 'help', shows: 'all commands, a line each' },
    { line: 'help bt', shows: 'the manual page of bt' },
    { line: 'help input', shows: 'how a command line is written' },
  ],
  *run(scope, { topic }) {
    const commands = scope.shell.commands();
    if (topic === undefined) {
      for (const [i, command] of commands.entries()) {
        yield row({ name: command.name, group: command.group, summary: command.summary }, () =>
          i === 0 ? overview(commands) : [],
        );
      }
      return;
    }
    if (topic === 'input' || topic === 'output') {
      const lines = topic === 'input' ? INPUT : OUTPUT;
      yield row({ topic, text: lines.map(String) }, () => lines);
      return;
    }
    const shown = topic === 'all' ? commands : [topic];
    for (const [i, command] of shown.entries()) yield manual(scope, command, i > 0);
  },
});

function manual(scope: Scope, command: Command, separate: boolean) {
  const aliases = scope.shell
    .aliases()
    .filter((alias) => alias.line === command.name)
    .map((alias) => alias.name);
  const lines = manualOf(command, aliases);
  return row({ name: command.name, group: command.group, summary: command.summary }, () =>
    separate ? ['', ...lines] : lines,
  );
}
