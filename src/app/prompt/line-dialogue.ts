/**
 * One line being edited: keys in, `edit`, and the questions that editing asks of the owner (completions, a check, help).
 * While a question is open the keys behind it wait, so that the same keys always have the same result however fast they
 * were typed. Whoever draws the line does so from `state`.
 */
import { edit } from './editor.ts';
import { type Action, type Complaint, type EditorState, modeOf, newLine } from './editor-state.ts';
import { actionOf, type Keymap } from './keymap.ts';
import type { InputEvent } from './keys.ts';
import type { LineHelp } from './prompt.ts';

/** Milliseconds that an answer may keep keys waiting. */
const ANSWER_MS = 2000;

export interface DialogueOptions {
  readonly help: LineHelp;
  readonly keymap: Keymap;
  /** Oldest first. */
  readonly entries: readonly string[];
  /** The state that the line before ended with. */
  readonly earlier: EditorState | undefined;
  /** The line is accepted, or there is none. Called once. */
  readonly onDone: (line: string | undefined) => void;
  /** A question was answered: waiting keys go on. */
  readonly onReady: () => void;
  readonly onSuspend: () => void;
  /** Help is to be shown. */
  readonly onHelp: (text: string) => void;
  /** The line that `before` holds was abandoned. */
  readonly onInterrupt: (before: EditorState) => void;
  readonly onClearScreen: () => void;
  readonly onBell: () => void;
}

export class LineDialogue {
  readonly #options: DialogueOptions;
  #state: EditorState;
  #question: AbortController | undefined;
  #done = false;

  constructor(options: DialogueOptions) {
    this.#options = options;
    this.#state = newLine(options.entries, options.earlier, options.help.initial);
  }

  get state(): EditorState {
    return this.#state;
  }

  get isDone(): boolean {
    return this.#done;
  }

  /** It takes no keys now: an answer is outstanding, or the line is done. */
  get isBusy(): boolean {
    return this.#question !== undefined || this.#done;
  }

  /** One key, or an action that stands for one. */
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

  /** Ends without a line. */
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
        this.#options.onInterrupt(before);
        break;
      case 'complete':
        this.#complete();
        break;
      case 'help':
        this.#explain();
        break;
      case 'clear-screen':
        this.#options.onClearScreen();
        break;
      case 'suspend':
        this.#options.onSuspend();
        break;
      case 'bell':
        this.#options.onBell();
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
      this.#options.onBell();
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
    this.#options.onDone(line);
  }
}

function failed(what: string, error: unknown): string {
  return `${what} failed: ${error instanceof Error ? error.message : String(error)}`;
}
