import { defineCommand, option, rest } from '../src/core/command/define.ts';
import { commandLine, count, seconds } from '../src/core/command/kinds.ts';
import { UsageError } from '../src/core/errors.ts';
import { text as lines, notice, PAUSE } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'repeat',
  group: 'shell',
  summary: 'run a command again and again until Ctrl-C',
  description: [
    'The command runs, waits and runs again. On a live target every run reads the kernel afresh; on a recording or a dump nothing changes between them, and without -n it runs once.',
    'The wait may be given as crash takes it: repeat -5 ps waits five seconds.',
  ],
  optionsFirst: true,
  options: {
    n: option(count, 'TIMES', 'stop after so many runs'),
    s: option(seconds, 'SECONDS', 'wait so long between two runs; 1 unless given'),
  },
  operands: { line: rest(commandLine, 'COMMAND', 'the command with its arguments') },
  examples: [
    { line: 'repeat -n 2 -s 0 ps 1', shows: 'the task with PID 1, twice' },
    { line: 'repeat -5 ps UN', shows: 'the uninterruptible tasks every five seconds' },
  ],
  *run(scope, { n, s, line }) {
    const short = /^-(\d+(?:\.\d+)?)\s+(.*)$/s.exec(line);
    const wait = short === null ? (s ?? 1) : Number(short[1]);
    const command = short === null ? line : (short[2] as string);
    if (command.trim() === '') throw new UsageError('repeat wants a command');
    const isLive = scope.kernel.liveness === 'live' && !scope.shell.isReplay;
    for (let run = 1; run <= (n ?? (isLive ? Number.POSITIVE_INFINITY : 1)); run++) {
      if (run > 1) {
        yield PAUSE;
        scope.shell.wait(wait * 1000);
        scope.kernel.newCommand();
        yield lines('');
      }
      yield* scope.shell.run(command);
    }
    if (n === undefined) yield notice('this target does not change: once is enough');
  },
});
