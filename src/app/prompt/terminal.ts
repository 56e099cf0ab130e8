/**
 * The prompt on a terminal: it owns raw mode and the keyboard, reads lines (line-session.ts) and secrets, and keeps
 * what is typed while neither is being read, in order, for the next line; only Ctrl-C, which interrupts, and Ctrl-Z,
 * which suspends, act at once. Lines are drawn on the normal screen, with relative movements only.
 */
import { CursorReport } from './cursor-report.ts';
import type { Action, EditorState } from './editor-state.ts';
import { Keyboard } from './keyboard.ts';
import { actionOf } from './keymap.ts';
import type { InputEvent } from './keys.ts';
import { LineSession, type Screen } from './line-session.ts';
import { COLOUR_THEME, PLAIN_THEME } from './paint.ts';
import type { LineHelp, Prompt, PromptSetting } from './prompt.ts';
import { SecretSession } from './secret.ts';
import { TerminalMode } from './terminal-mode.ts';
import { DEFAULT_HEIGHT, DEFAULT_WIDTH } from './view.ts';

/** Keys that may wait for the next line. */
const WAITING_MAX = 100_000;

export class TerminalPrompt implements Prompt {
  readonly #setting: PromptSetting;
  readonly #screen: Screen;
  readonly #mode: TerminalMode;
  readonly #keyboard = new Keyboard((events) => this.#take(events));
  readonly #report = new CursorReport(
    (text) => this.#screen.write(text),
    (column) => {
      this.#line?.resized(column);
      this.#work();
    },
  );
  #waiting: (InputEvent | Action)[] = [];
  #line: LineSession | undefined;
  #secret: SecretSession | undefined;
  #earlier: EditorState | undefined;
  #ended = false;
  /** What was printed last did not end its line. */
  #midLine = false;

  constructor(setting: PromptSetting) {
    this.#setting = setting;
    const { input, output, host } = setting;
    this.#screen = {
      get width() {
        return output.columns || DEFAULT_WIDTH;
      },
      get height() {
        return output.rows || DEFAULT_HEIGHT;
      },
      theme: setting.colour ? COLOUR_THEME : PLAIN_THEME,
      write: (text) => text !== '' && output.write(text),
    };
    this.#mode = new TerminalMode({
      input,
      output,
      host,
      onLeave: () => {
        this.#settleSize();
        this.#line?.stepAside();
      },
      onResume: () => this.#paint(),
      onInterrupt: () => this.#interrupt(),
    });
    input.on('data', this.#onData);
    input.on('end', this.#onEnd);
    input.on('error', this.#onEnd);
    output.on('error', this.#onEnd);
    output.on('resize', this.#onResize);
    input.resume();
  }

  readLine(prompt: string, help: LineHelp = {}): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#refuseSecond();
      this.#startRow();
      const session = new LineSession({
        prompt,
        help,
        keymap: this.#setting.keymap,
        screen: this.#screen,
        entries: this.#setting.history.entries,
        earlier: this.#earlier,
        onDone: (line) => {
          this.#line = undefined;
          this.#earlier = session.state;
          if (line !== undefined && help.remember !== false) this.#setting.history.add(line);
          resolve(line);
        },
        onReady: () => this.#work(),
        onSuspend: () => this.#suspend(),
        onHelp: (text) => this.print(text.endsWith('\n') ? text : `${text}\n`),
      });
      this.#line = session;
      this.#work();
      if (this.#ended) session.end();
    });
  }

  readSecret(prompt: string): Promise<string | undefined> {
    return this.#readAnswer(prompt, false);
  }

  readAnswer(prompt: string): Promise<string | undefined> {
    return this.#readAnswer(prompt, true);
  }

  #readAnswer(prompt: string, echo: boolean): Promise<string | undefined> {
    return new Promise((resolve) => {
      this.#refuseSecond();
      this.#startRow();
      const onDone = (secret: string | undefined): void => {
        this.#secret = undefined;
        resolve(secret);
      };
      this.#secret = new SecretSession({
        prompt,
        echo,
        width: () => this.#screen.width,
        write: (text) => this.#screen.write(text),
        onDone,
      });
      this.#paint();
      if (this.#ended) this.#secret.end(undefined);
    });
  }

  print(text: string): void {
    this.#settleSize();
    this.#line?.withdraw();
    this.#secret?.withdraw();
    this.#screen.write(text);
    if (text !== '') this.#midLine = !text.endsWith('\n');
    if (this.#line === undefined && this.#secret === undefined) return;
    this.#startRow();
    this.#paint();
  }

  async lend<T>(work: () => Promise<T> | T): Promise<T> {
    this.#mode.giveUp();
    this.#setting.input.pause();
    try {
      return await work();
    } finally {
      this.#midLine = false;
      this.#setting.input.resume();
      this.#mode.take();
      this.#paint();
    }
  }

  close(): void {
    const { input, output } = this.#setting;
    this.#keyboard.stop();
    this.#report.forget();
    input.off('data', this.#onData);
    input.off('end', this.#onEnd);
    input.off('error', this.#onEnd);
    output.off('resize', this.#onResize);
    this.#onEnd();
    this.#mode.close();
    output.off('error', this.#onEnd);
    input.pause();
  }

  #refuseSecond(): void {
    if (this.#line !== undefined || this.#secret !== undefined) throw new Error('the prompt is already reading');
  }

  #startRow(): void {
    if (this.#midLine) this.#screen.write('\r\n');
    this.#midLine = false;
  }

  readonly #onData = (chunk: Uint8Array | string): void => {
    this.#keyboard.feed(chunk);
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#line?.end();
    this.#secret?.end(undefined);
  };

  readonly #onResize = (): void => {
    if (this.#mode.isTaken && this.#line !== undefined) this.#report.ask();
  };

  #take(events: readonly InputEvent[]): void {
    for (const event of events) {
      if (this.#report.takes(event)) continue;
      // Of the keys that do not wait, all but those that C-v makes text.
      const quoted = this.#line?.isQuoting === true;
      const urgent = quoted ? undefined : this.#nameOf(event);
      if (urgent === 'suspend') this.#suspend();
      else if (this.#secret !== undefined) this.#secret.handle(event);
      else if (urgent === 'interrupt') this.#interrupt();
      else if (urgent === 'cancel' && this.#line?.cancelQuestion()) this.#work();
      else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(event);
      this.#drain();
    }
    this.#paint();
  }

  /** Does not wait for the terminal to tell where its cursor is. */
  #settleSize(): void {
    if (!this.#report.isExpected) return;
    this.#report.forget();
    this.#line?.resized(undefined);
  }

  #suspend(): void {
    this.#paint();
    this.#mode.suspend();
  }

  #nameOf(waiting: InputEvent | Action): string | undefined {
    return 'kind' in waiting ? actionOf(this.#setting.keymap, waiting, 'editing')?.name : waiting.name;
  }

  /** Lets waiting keys edit the line, as far as nothing has to be answered first. */
  #drain(): void {
    let taken = 0;
    // While it is not known where the cursor is, nothing is painted and so nothing done.
    if (this.#report.isExpected) return;
    for (; taken < this.#waiting.length && this.#line?.isBusy === false; taken++) {
      const next = this.#waiting[taken];
      if (next !== undefined) this.#line.handle(next);
    }
    if (taken > 0) this.#waiting = this.#waiting.slice(taken);
  }

  #work(): void {
    this.#drain();
    this.#paint();
  }

  /**
   * Ctrl-C. What was typed ahead must not run after it, and must not be lost either: it becomes text of the line, which
   * is then abandoned but can be undone to, or of the next line, where it waits for Enter.
   */
  #interrupt(): void {
    if (this.#secret !== undefined) {
      this.#secret.end(undefined);
      return;
    }
    this.#waiting = this.#waiting
      .map((each): InputEvent | Action => (this.#nameOf(each) === 'accept-line' ? { name: 'insert-newline' } : each))
      .filter((each) => !['complete', 'help', 'end-or-delete'].includes(this.#nameOf(each) ?? ''));
    if (this.#line === undefined) {
      this.#setting.onInterrupt();
      return;
    }
    this.#settleSize();
    this.#line.cancelQuestion();
    this.#drain();
    this.#line.handle({ name: 'interrupt' });
    this.#paint();
  }

  #paint(): void {
    if (!this.#mode.isTaken || this.#report.isExpected) return;
    this.#line?.paint();
    this.#secret?.paint();
  }
}
