/**
 * One line being read on a terminal: what is edited (line-dialogue.ts) drawn with relative movements on the normal
 * screen, and left there once it is accepted.
 */
import type { Action, EditorState } from './editor-state.ts';
import type { InputEvent } from './keys.ts';
import { type DialogueOptions, LineDialogue } from './line-dialogue.ts';
import { erase, type Painted, paint, reflowed, settle, type Theme } from './paint.ts';
import { type Row, rowOf } from './rows.ts';
import { acceptedRows, view } from './view.ts';

const BELL = '\x07';
const CLEAR_SCREEN = '\x1b[H\x1b[2J';

/** Where a session draws. */
export interface Screen {
  readonly width: number;
  readonly height: number;
  readonly theme: Theme;
  write(text: string): void;
}

export interface SessionOptions extends Omit<DialogueOptions, 'onInterrupt' | 'onClearScreen' | 'onBell'> {
  readonly prompt: string;
  readonly screen: Screen;
}

export class LineSession {
  readonly #options: SessionOptions;
  readonly #dialogue: LineDialogue;
  #painted: Painted | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    const { screen } = options;
    this.#dialogue = new LineDialogue({
      ...options,
      onDone: (line) => {
        this.#settle(this.#dialogue.state, '');
        options.onDone(line);
      },
      onInterrupt: (before) => this.#settle(before, '^C'),
      onClearScreen: () => {
        screen.write(CLEAR_SCREEN);
        this.#painted = undefined;
      },
      onBell: () => screen.write(BELL),
    });
  }

  get state(): EditorState {
    return this.#dialogue.state;
  }

  /** The session takes no keys now: an answer is outstanding, or the line is done. */
  get isBusy(): boolean {
    return this.#dialogue.isBusy;
  }

  get isQuoting(): boolean {
    return this.#dialogue.state.quoting;
  }

  /** One key, or an action that stands for one. Does not paint. */
  handle(input: InputEvent | Action): void {
    this.#dialogue.handle(input);
  }

  /** Gives up the outstanding question, if there is one. */
  cancelQuestion(): boolean {
    return this.#dialogue.cancelQuestion();
  }

  /** Ends the session without a line. */
  end(): void {
    this.#dialogue.end();
  }

  paint(): void {
    if (this.#dialogue.isDone) return;
    const { screen, prompt } = this.#options;
    const next = view(this.state, { prompt, width: screen.width, height: screen.height });
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
    if (this.#painted !== undefined) this.#settle(this.state, '');
  }

  /** The screen has another width; `column` is where its cursor is now, as far as it told. */
  resized(column: number | undefined): void {
    if (this.#painted !== undefined) this.#painted = reflowed(this.#painted, this.#options.screen.width, column);
    this.withdraw();
    this.paint();
  }
}

function marked(row: Row | undefined, mark: string): Row {
  return { spans: [...(row?.spans ?? []), ...rowOf(mark, 'note').spans], width: (row?.width ?? 0) + mark.length };
}
