/**
 * One line being read on a terminal: keys in, `edit`, `view`, bytes out, and the questions that editing asks of the
 * owner (completions, a check, help). While a question is open the keys behind it wait, so that the same keys always
 * have the same result however fast they were typed.
 */
import { edit } from './editor.ts';
import { type Action, type Complaint, type EditorState, modeOf, newLine } from './editor-state.ts';
import { actionOf, type Keymap } from './keymap.ts';
import type { InputEvent } from './keys.ts';
import { erase, type Painted, paint, reflowed, settle, type Theme } from './paint.ts';
import type { LineHelp } from './prompt.ts';
import { type Row, rowOf } from './rows.ts';
import { acceptedRows, view } from './view.ts';

/** Milliseconds that an answer may keep keys waiting. */
const ANSWER_MS = 2000;

const BELL = '\x07';
const CLEAR_SCREEN = '\x1b[H\x1b[2J';

/** Where a session draws. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  write(text: string): void;
}

export interface SessionOptions {
  readonly prompt: string;
  readonly help: LineHelp;
  readonly keymap: Keymap;
  readonly screen: Screen;
  readonly entries: readonly string[];
  /** The state that the line before ended with. */
  readonly earlier: EditorState | undefined;
  /** The line is accepted, or there is none. Called once. */
  readonly onDone: (line: string | undefined) => void;
  /** A question was answered: waiting keys go on. */
  readonly onReady: () => void;
  readonly onSuspend: () => void;
  /** Prints help above the prompt. */
  readonly onHelp: (text: string) => void;
}

export class LineSession {
  readonly #options: SessionOptions;
  #state: EditorState;
  #painted: Painted | undefined;
  #question: AbortController | undefined;
  #done = false;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#state = newLine(options.entries, options.earlier, options.help.initial);
  }

  get state(): EditorState {
    return this.#state;
  }

  /** The session takes no keys now: an answer is outstanding, or the line is done. */
  get isBusy(): boolean {
    return this.#question !== undefined || this.#done;
  }

  get isQuoting(): boolean {
    return this.#state.quoting;
  }

  /** One key, or an action that stands for one. Does not paint. */
  handle(input: InputEvent | Action): void {
    const action = 'kind' in input ? actionOf(this.#options.keymap, input, modeOf(this.#state)) : input;
    if (action !== undefined) this.#perform(action);
  }

  /** Gives up the outstanding question, if there is one. */
  cancelQuestion(): boolean {
    const question = this.#question;
    this.#question = undefined;
    question?.abort();
    return question !== undefined;
  }

  /** Ends the session without a line. */
  end(): void {
    this.cancelQuestion();
    this.#finish(undefined);
  }

  #perform(action: Action): void {
    if (this.#done) return;
    const before = this.#state;
    this.#state = edit(before, action);
    const { effect } = this.#state;
    switch (effect?.kind) {
      case 'submit':
        this.#submit(effect.line, before.complaint !== undefined);
        break;
      case 'end-of-input':
        this.#finish(undefined);
        break;
      case 'interrupt':
        this.#settle(before, '^C');
        break;
      case 'complete':
        this.#complete();
        break;
      case 'help':
        this.#explain();
        break;
      case 'clear-screen':
        this.#options.screen.write(CLEAR_SCREEN);
        this.#painted = undefined;
        break;
      case 'suspend':
        this.#options.onSuspend();
        break;
      case 'bell':
        this.#options.screen.write(BELL);
        break;
      default:
    }
  }

  #ask<T>(what: string, ask: (signal: AbortSignal) => Promise<T> | T, use: (answer: T) => void): void {
    const question = new AbortController();
    this.#question = question;
    const settled = (then: () => void): void => {
      clearTimeout(timer);
      if (this.#question !== question) return;
      this.#question = undefined;
      then();
      this.#options.onReady();
    };
    const complain = (message: string) =>
      settled(() => this.#perform({ name: 'complain', column: undefined, message }));
    const timer = setTimeout(() => {
      complain(`${what} took too long`);
      question.abort();
    }, ANSWER_MS);
    Promise.resolve()
      .then(() => ask(question.signal))
      .then(
        (answer) => settled(() => use(answer)),
        (error) => complain(failed(what, error)),
      );
  }

  #complete(): void {
    const { complete } = this.#options.help;
    const asked = { text: this.#state.text, cursor: this.#state.cursor };
    if (complete === undefined) {
      this.#options.screen.write(BELL);
      return;
    }
    const ask = (signal: AbortSignal) => complete(asked.text, asked.cursor, signal);
    this.#ask('completion', ask, (completion) => this.#perform({ name: 'offer', asked, completion }));
  }

  #explain(): void {
    const { explain } = this.#options.help;
    const { text, cursor } = this.#state;
    if (explain === undefined) return;
    const show = (answer: string | undefined) => answer !== undefined && this.#options.onHelp(answer);
    this.#ask('help', () => explain(text, cursor), show);
  }

  /** A line that is found wrong stays to be mended; Enter once more takes it as it is. */
  #submit(line: string, warned: boolean): void {
    const { check } = this.#options.help;
    if (check === undefined || warned || line.trim() === '') {
      this.#finish(line);
      return;
    }
    const judge = (complaint: Complaint | undefined): void => {
      if (complaint === undefined) this.#finish(line);
      else this.#perform({ name: 'complain', ...complaint });
    };
    try {
      const complaint = check(line);
      if (complaint instanceof Promise) this.#ask('the check', () => complaint, judge);
      else judge(complaint);
    } catch (error) {
      this.#perform({ name: 'complain', column: undefined, message: failed('the check', error) });
    }
  }

  #finish(line: string | undefined): void {
    if (this.#done) return;
    this.#done = true;
    this.#settle(this.#state, '');
    this.#options.onDone(line);
  }

  paint(): void {
    if (this.#done) return;
    const { screen, prompt } = this.#options;
    const next = view(this.#state, { prompt, width: screen.width, height: screen.height });
    screen.write(paint(this.#painted, next, screen.theme));
    this.#painted = next;
  }

  /** Leaves a line on the screen as it was, with a mark behind it, and goes below it. */
  #settle(state: EditorState, mark: string): void {
    const { screen, prompt } = this.#options;
    const rows = [...acceptedRows(state, prompt, screen.width)];
    if (mark !== '') rows.push(marked(rows.pop(), mark));
    screen.write(settle(this.#painted, rows, screen.width, screen.theme));
    this.#painted = undefined;
  }

  /** Takes the prompt off the screen, to print something in its place. */
  withdraw(): void {
    if (this.#painted !== undefined) this.#options.screen.write(erase(this.#painted));
    this.#painted = undefined;
  }

  /** Moves below the line, which stays on the screen without what is around it. */
  stepAside(): void {
    if (this.#painted !== undefined) this.#settle(this.#state, '');
  }

  /** The screen has another width; `column` is where its cursor is now, as far as it told. */
  resized(column: number | undefined): void {
    if (this.#painted !== undefined) this.#painted = reflowed(this.#painted, this.#options.screen.width, column);
    this.withdraw();
    this.paint();
  }
}

function failed(what: string, error: unknown): string {
  return `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
}

function marked(row: Row | undefined, mark: string): Row {
  return { spans: [...(row?.spans ?? []), ...rowOf(mark, 'note').spans], width: (row?.width ?? 0) + mark.length };
}
