/**
 * The prompt without an editor, for dumb terminals (TERM=dumb: the kernel's own line editing is all there is) and for
 * pipes: lines as they come, no escape sequences.
 */
import { LINE_MAX } from './editor-state.ts';
import { showText } from './graphemes.ts';
import type { InputEvent } from './keys.ts';
import type { LineHelp, Prompt, PromptSetting } from './prompt.ts';
import { editSecret } from './secret.ts';
import { Tokenizer } from './tokenizer.ts';

/** Lines that may wait before the input is paused. */
const WAITING_MAX = 1000;

interface Reading {
  readonly prompt: string;
  /** Ctrl-C leaves it: an answer, not a line. */
  readonly isAnswer: boolean;
  readonly take: (line: string | undefined) => void;
}

export class PlainPrompt implements Prompt {
  readonly #setting: PromptSetting;
  readonly #decoder = new TextDecoder();
  #partial = '';
  #lines: string[] = [];
  #ended = false;
  #reading: Reading | undefined;
  #secret: ((event: InputEvent) => void) | undefined;
  readonly #tokenizer = new Tokenizer();

  constructor(setting: PromptSetting) {
    this.#setting = setting;
    const { input, host } = setting;
    input.on('data', this.#onData);
    input.on('end', this.#onEnd);
    input.on('error', this.#onEnd);
    host.on('SIGINT', this.#onInterrupt);
  }

  readLine(prompt: string, help: LineHelp = {}): Promise<string | undefined> {
    return this.#read(prompt, help, false);
  }

  readAnswer(prompt: string): Promise<string | undefined> {
    return this.#read(prompt, { remember: false }, true);
  }

  #read(prompt: string, help: LineHelp, isAnswer: boolean): Promise<string | undefined> {
    const shown = showText(prompt).text;
    if (this.#isTerminal) this.#write(shown);
    return new Promise((resolve) => {
      const take = (line: string | undefined): void => {
        if (line !== undefined && help.remember !== false) this.#setting.history.add(line);
        resolve(line);
      };
      this.#reading = { prompt: shown, isAnswer, take };
      this.#handOut();
    });
  }

  readSecret(prompt: string): Promise<string | undefined> {
    const { input } = this.#setting;
    if (input.isTTY !== true || input.setRawMode === undefined) return this.readLine(prompt, { remember: false });
    // Before the prompt is seen and answered: what is typed now must not be echoed.
    input.setRawMode(true);
    this.#write(showText(prompt).text);
    return new Promise((resolve) => {
      let text = '';
      this.#secret = (event) => {
        const step = editSecret(text, event);
        if (step.kind === 'more') {
          text = step.text;
          return;
        }
        this.#secret = undefined;
        input.setRawMode?.(false);
        this.#write('\n');
        resolve(step.kind === 'done' ? step.text : undefined);
      };
    });
  }

  print(text: string): void {
    this.#write(text.endsWith('\n') ? text : `${text}\n`);
  }

  async lend<T>(work: () => Promise<T> | T): Promise<T> {
    this.#setting.input.pause();
    try {
      return await work();
    } finally {
      this.#setting.input.resume();
    }
  }

  close(): void {
    const { input, host } = this.#setting;
    input.off('data', this.#onData);
    input.off('end', this.#onEnd);
    input.off('error', this.#onEnd);
    host.off('SIGINT', this.#onInterrupt);
    if (this.#secret !== undefined) input.setRawMode?.(false);
    input.pause();
    this.#onEnd();
  }

  get #isTerminal(): boolean {
    return this.#setting.input.isTTY === true;
  }

  #write(text: string): void {
    this.#setting.output.write(text);
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    if (this.#secret !== undefined) {
      for (const event of this.#tokenizer.feed(chunk)) this.#secret?.(event);
      return;
    }
    const text = this.#partial + (typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true }));
    const lines = text.split('\n');
    // A line without end must not grow: it is handed out in pieces.
    const last = lines.pop() ?? '';
    this.#partial = last.length > LINE_MAX ? '' : last;
    if (last.length > LINE_MAX) lines.push(last);
    for (const line of lines) this.#lines.push(line.replace(/\r$/, ''));
    if (this.#lines.length > WAITING_MAX) this.#setting.input.pause();
    this.#handOut();
  };

  readonly #onEnd = (): void => {
    if (!this.#ended && this.#partial !== '') this.#lines.push(this.#partial);
    this.#partial = '';
    this.#ended = true;
    this.#handOut();
  };

  readonly #onInterrupt = (): void => {
    // The kernel has echoed ^C.
    if (this.#isTerminal) this.#write('\n');
    const reading = this.#reading;
    if (reading === undefined) this.#setting.onInterrupt();
    else if (reading.isAnswer) {
      this.#reading = undefined;
      reading.take(undefined);
    } else if (this.#isTerminal) this.#write(reading.prompt);
  };

  #handOut(): void {
    if (this.#reading === undefined || (this.#lines.length === 0 && !this.#ended)) return;
    const { take } = this.#reading;
    this.#reading = undefined;
    take(this.#lines.shift());
    if (this.#lines.length < WAITING_MAX / 2 && !this.#ended) this.#setting.input.resume();
  }
}
