/**
 * A small shell on the prompt, for the pseudo-terminal tests: prints each line it gets as `got "..."`. Its words are its
 * commands: `slow` works until it is interrupted or `SLOW_MS` are over, `secret`, `answer`, `shell`, `later`, `throw`, `exit`.
 */
import { spawn } from 'node:child_process';
import { historyPath, openHistory } from '../../../src/app/prompt/history-file.ts';
import { openPrompt } from '../../../src/app/prompt/open-prompt.ts';

const SLOW_MS = 400;
const COMMANDS = ['slow', 'secret', 'shell', 'later', 'throw', 'exit', 'sym', 'symbols', 'struct'];

let interrupt = () => {};
const history = openHistory(historyPath(process.env), (message) => prompt.print(`${message}\n`));
const prompt = openPrompt({ history, onInterrupt: () => interrupt() });

const slow = () =>
  new Promise<string>((done) => {
    const timer = setTimeout(() => done('slow is over'), SLOW_MS);
    interrupt = () => {
      clearTimeout(timer);
      done('slow was interrupted');
    };
  });

async function run(line: string): Promise<void> {
  prompt.print(`got ${JSON.stringify(line)}\n`);
  if (line === 'slow') prompt.print(`${await slow()}\n`);
  if (line === 'secret')
    prompt.print(`secret of ${(await prompt.readSecret('passphrase: '))?.length ?? 'no'} characters\n`);
  if (line === 'answer') prompt.print(`answered ${JSON.stringify(await prompt.readAnswer('trust it? '))}\n`);
  if (line.startsWith('shell ')) {
    const child = () =>
      new Promise<void>((done) => spawn('sh', ['-c', line.slice(6)], { stdio: 'inherit' }).on('exit', () => done()));
    await prompt.lend(child);
  }
  if (line === 'later') setTimeout(() => prompt.print('printed later\n'), 100);
  if (line === 'throw')
    setTimeout(() => {
      throw new Error('thrown on purpose');
    }, 50);
  if (line === 'die') process.kill(process.pid, 'SIGTERM');
}

const help = {
  complete: async (line: string, cursor: number) => {
    const start = line.lastIndexOf(' ', cursor - 1) + 1;
    await new Promise((done) => setTimeout(done, 20));
    const candidates = COMMANDS.filter((name) => name.startsWith(line.slice(start, cursor)));
    return {
      start,
      end: cursor,
      candidates: candidates.map((text) => ({ text, detail: `what ${text} does`, suffix: ' ' })),
    };
  },
  check: (line: string) => {
    const column = line.indexOf('wrong');
    return column < 0 ? undefined : { column, message: 'this is wrong' };
  },
  explain: (line: string) => `help for ${JSON.stringify(line)}`,
};

for (;;) {
  const line = await prompt.readLine('kdbg> ', help);
  if (line === undefined || line.trim() === 'exit') break;
  await run(line);
}
prompt.print('bye\n');
prompt.close();
