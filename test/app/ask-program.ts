/** Asks three questions, for the pseudo-terminal tests, and prints the answers: `ask-program [prompt]`. */
import { askAtPrompt, askOnTerminal } from '../../src/app/ask.ts';
import { openPrompt } from '../../src/app/prompt/open-prompt.ts';

const prompt = process.argv[2] === 'prompt' ? openPrompt() : undefined;
const ask = prompt === undefined ? askOnTerminal() : askAtPrompt(prompt);
const say = (text: string): void => (prompt === undefined ? console.log(text) : prompt.print(`${text}\n`));

const answers = await Promise.all([
  ask({ kind: 'confirm', lines: ['The host is new.', 'evil\x1b[2J'], prompt: 'Trust it? ' }),
  ask({ kind: 'secret', lines: [], prompt: 'Passphrase: ' }),
  ask({ kind: 'text', lines: ['Last one.'], prompt: 'Code: ' }),
]);
say(`answers: ${answers.map((answer) => answer ?? 'none').join(', ')}`);
if (prompt !== undefined) {
  const line = prompt.readLine('kdbg> ');
  say(`while reading: ${(await ask({ kind: 'secret', lines: [], prompt: 'x' })) ?? 'none'}`);
  say(`line: ${await line}`);
  prompt.close();
}
