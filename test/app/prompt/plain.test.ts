import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { memoryHistory } from '../../../src/app/prompt/history.ts';
import { openPrompt } from '../../../src/app/prompt/open-prompt.ts';
import { editSecret } from '../../../src/app/prompt/secret.ts';
import { Tokenizer } from '../../../src/app/prompt/tokenizer.ts';

/** A prompt on a pipe. */
function onPipe() {
  const input = new PassThrough();
  const output = new PassThrough();
  const host = Object.assign(new EventEmitter(), { pid: 1, kill: () => {} });
  const history = memoryHistory();
  let interrupts = 0;
  const prompt = openPrompt({ input, output, host, history, env: {}, onInterrupt: () => interrupts++ });
  return { input, output, host, history, prompt, interrupts: () => interrupts };
}

describe('the prompt on a pipe', () => {
  it('reads lines as they come, the last one without an end too', async () => {
    const { input, prompt, history, output } = onPipe();
    const first = prompt.readLine('kdbg> ');
    input.write('ps\r\nb');
    input.write(Buffer.from('t \u{1f600}\n').subarray(0, 4));
    expect(await first).toBe('ps');
    const second = prompt.readLine('kdbg> ');
    input.write(Buffer.from('t \u{1f600}\n').subarray(4));
    expect(await second).toBe('bt \u{1f600}');
    input.end('last');
    expect(await prompt.readLine('kdbg> ')).toBe('last');
    expect(await prompt.readLine('kdbg> ')).toBeUndefined();
    expect(history.entries).toEqual(['ps', 'bt \u{1f600}', 'last']);
    expect(output.read()).toBeNull();
  });

  it('keeps lines that came early, in order, and stops reading when there are very many', async () => {
    const { input, prompt } = onPipe();
    for (let i = 0; i < 5000; i++) input.write(`line ${i}\n`);
    input.end();
    for (let i = 0; i < 5000; i++) expect(await prompt.readLine('')).toBe(`line ${i}`);
    expect(await prompt.readLine('')).toBeUndefined();
  });

  it('hands out a line without end in pieces', async () => {
    const { input, prompt } = onPipe();
    input.write('x'.repeat(200_000));
    expect((await prompt.readLine(''))?.length).toBeGreaterThan(60_000);
  });

  it('passes interrupts on while no line is being read, and ends at close', async () => {
    const { host, prompt, interrupts } = onPipe();
    host.emit('SIGINT');
    expect(interrupts()).toBe(1);
    const line = prompt.readLine('');
    host.emit('SIGINT');
    expect(interrupts()).toBe(1);
    prompt.close();
    expect(await line).toBeUndefined();
    expect(host.listenerCount('SIGINT')).toBe(0);
  });

  it('keeps secrets out of the history', async () => {
    const { input, prompt, history } = onPipe();
    input.write('hunter2\n');
    expect(await prompt.readSecret('passphrase: ')).toBe('hunter2');
    expect(history.entries).toEqual([]);
  });
});

describe('secret editing', () => {
  it.each([
    ['hunter2\r', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['huntx\x7fer\b\bé😀\x7f\r', 'hunté'],
    ['wrong\x15right\r', 'right'],
    ['\x1b[200~pasted\rrest\x1b[201~\r', 'pasted'],
    ['a\x1b[A\x01\tb\r', 'ab'],
    ['a\x04b\r', 'ab'],
    ['a\x03', undefined],
    ['\x04', undefined],
  ])('%j gives %j', (keys, expected) => {
    let [text, result]: [string, string | undefined | null] = ['', null];
    for (const event of new Tokenizer().feed(keys)) {
      if (result !== null) break;
      const step = editSecret(text, event);
      if (step.kind === 'more') text = step.text;
      else result = step.kind === 'done' ? step.text : undefined;
    }
    expect(result).toBe(expected);
  });

  it('is bounded', () => {
    let text = '';
    for (let i = 0; i < 5000; i++) {
      const step = editSecret(text, { kind: 'paste', text: 'x' });
      if (step.kind === 'more') text = step.text;
    }
    expect(text.length).toBe(4096);
  });
});
